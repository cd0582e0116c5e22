"""Shorter and slower without being heard."""

from __future__ import annotations

import numpy as np
import pytest

from hardware.drivers.simulated import Tone
from room_agent.stretch import AHEAD, HISTORY, best_lag, cut, repeat, resample


@pytest.mark.parametrize("ratio", [0.995, 1.0, 1.005])
@pytest.mark.parametrize("fraction", [0.0, 0.37])
def test_resampling_a_sine_gives_a_sine_of_the_new_pitch(ratio: float, fraction: float) -> None:
    hertz, count = 1000.0, 4800
    source = Tone(hertz, 0.5).render(0, int(count * 1.01) + HISTORY + AHEAD + 1)
    out = resample(source, HISTORY + fraction, ratio, count)
    at = HISTORY + fraction + ratio * np.arange(count)
    assert np.max(np.abs(out - 0.5 * np.sin(2 * np.pi * hertz * at / 48_000))) < 1e-3
    assert out.dtype == np.float32


@pytest.mark.parametrize("hertz", [110.0, 200.0, 350.0])
def test_the_lag_found_in_a_voiced_sound_is_its_period(hertz: float) -> None:
    lag, likeness = best_lag(Tone(hertz, 0.5).render(0, 960))
    periods = lag * hertz / 48_000
    assert likeness > 0.95
    assert abs(periods - round(periods)) < 0.05


def test_noise_has_no_lag_worth_cutting() -> None:
    _, likeness = best_lag(np.random.default_rng(1).standard_normal(960).astype(np.float32))
    assert likeness < 0.7


@pytest.mark.parametrize("size", [0, 100, 480, 960, 2880])
def test_any_piece_can_be_asked(size: int) -> None:
    lag, _ = best_lag(np.zeros(size, np.float32))
    assert 0 <= lag <= size // 2


@pytest.mark.parametrize("hertz", [110.0, 200.0])
def test_cutting_a_period_leaves_no_click_and_both_ends(hertz: float) -> None:
    piece = Tone(hertz, 0.5).render(0, 960)
    lag, _ = best_lag(piece)
    shorter = cut(piece, lag)
    assert shorter.size == piece.size - lag
    assert shorter[0] == piece[0]
    assert shorter[-1] == piece[-1]
    assert np.max(np.abs(np.diff(shorter))) < 1.5 * np.max(np.abs(np.diff(piece)))


@pytest.mark.parametrize("hertz", [110.0, 200.0])
def test_repeating_a_period_leaves_no_click_and_both_ends(hertz: float) -> None:
    piece = Tone(hertz, 0.5).render(0, 960)
    lag, _ = best_lag(piece)
    longer = repeat(piece, lag)
    assert longer.size == piece.size + lag
    assert longer[0] == piece[0]
    assert longer[-1] == piece[-1]
    assert np.max(np.abs(np.diff(longer))) < 1.5 * np.max(np.abs(np.diff(piece)))


@pytest.mark.parametrize("lag", [1, 120, 480, 720, 959])
def test_any_part_of_a_piece_can_be_said_twice(lag: int) -> None:
    assert repeat(np.ones(960, np.float32), lag) == pytest.approx(np.ones(960 + lag, np.float32))
