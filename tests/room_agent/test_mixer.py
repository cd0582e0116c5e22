"""The mixer: a sum that never clips, sources that come and go, a level for each."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.drivers.simulated import Tone
from hardware.level import FLOOR_DBFS
from hardware.ports import SAMPLE_RATE, Samples
from room_agent.mixer import CEILING, Limiter, Mixer


class Source:
    """A scripted source that remembers the times it was asked at."""

    def __init__(self, hertz: float = 440.0, amplitude: float = 0.2) -> None:
        self._tone = Tone(hertz, amplitude)
        self._at = 0
        self.asked_at: list[float] = []

    def pull(self, count: int, now: float) -> Samples:
        self.asked_at.append(now)
        self._at += count
        return self._tone.render(self._at - count, count)


def render(mixer: Mixer, seconds: float, count: int = 480) -> Samples:
    blocks = int(seconds * SAMPLE_RATE / count)
    return np.concatenate([mixer.render(count, block * count / SAMPLE_RATE) for block in range(blocks)])


def test_nobody_there_is_silence() -> None:
    assert not render(Mixer(), 0.1).any()
    assert Mixer().levels_dbfs() == {}


def test_quiet_sources_are_summed_exactly() -> None:
    mixer = Mixer()
    mixer.add("a", Source(440.0))
    mixer.add("b", Source(1000.0))
    expected = Tone(440.0, 0.2).render(0, 4800) + Tone(1000.0, 0.2).render(0, 4800)
    assert np.allclose(render(mixer, 0.1), expected)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12), st.sampled_from([64, 480, 1000]))
def test_no_sum_passes_full_scale(amplitudes: list[float], count: int) -> None:
    mixer = Mixer()
    for index, amplitude in enumerate(amplitudes):
        mixer.add(str(index), Source(300.0 + 37.0 * index, amplitude))
    out = render(mixer, 0.2, count)
    assert out.dtype == np.float32
    assert np.max(np.abs(out)) <= 1.0


def test_the_limiter_turns_down_without_bending_once_it_has_settled() -> None:
    limiter, tone = Limiter(), Tone(1000.0, 2.0)
    out = np.concatenate([limiter.apply(tone.render(start, 480)) for start in range(0, 48_000, 480)])
    settled = out[4800:]
    spectrum = np.abs(np.fft.rfft(settled[:43_200]))
    assert np.max(np.abs(settled)) <= CEILING + 0.01
    assert np.sum(spectrum**2) - np.max(spectrum) ** 2 < 1e-3 * np.max(spectrum) ** 2


def test_the_limiter_lets_go_after_the_loud_part() -> None:
    limiter = Limiter()
    limiter.apply(Tone(1000.0, 3.0).render(0, 480))
    quiet = Tone(1000.0, 0.5)
    blocks = [limiter.apply(quiet.render(start, 480)) for start in range(0, 3 * SAMPLE_RATE, 480)]
    assert np.max(np.abs(blocks[0])) < 0.25
    assert np.array_equal(blocks[-1], quiet.render(3 * SAMPLE_RATE - 480, 480))


def test_sources_come_and_go_and_every_one_is_asked_with_the_time() -> None:
    mixer, first, second = Mixer(), Source(), Source()
    mixer.add("a", first)
    mixer.render(480, 1.0)
    mixer.add("b", second)
    mixer.render(480, 2.0)
    mixer.remove("a")
    mixer.remove("nobody")
    mixer.render(480, 3.0)
    assert first.asked_at == [1.0, 2.0]
    assert second.asked_at == [2.0, 3.0]


def test_a_source_may_be_replaced_under_its_name() -> None:
    mixer, first, second = Mixer(), Source(), Source()
    mixer.add("a", first)
    mixer.add("a", second)
    mixer.render(480, 1.0)
    assert (first.asked_at, second.asked_at) == ([], [1.0])


def test_each_source_has_its_own_level() -> None:
    mixer = Mixer()
    mixer.add("loud", Source(440.0, 0.5))
    mixer.add("soft", Source(440.0, 0.05))
    mixer.add("dead", Source(440.0, 0.0))
    render(mixer, 0.5)
    levels = mixer.levels_dbfs()
    assert levels["loud"] == pytest.approx(-9.03, abs=0.1)
    assert levels["soft"] == pytest.approx(-29.03, abs=0.1)
    assert levels["dead"] == mixer.level_dbfs("nobody") == FLOOR_DBFS
