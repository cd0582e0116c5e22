"""Levels: decibels that a page and RFC 6464 agree on."""

from __future__ import annotations

import numpy as np
import pytest

from hardware.level import FLOOR_DBFS, LevelMeter, dbfs, level_dbov
from hardware.ports import SAMPLE_RATE, Samples


def sine(amplitude: float, seconds: float = 0.1) -> Samples:
    return (amplitude * np.sin(2 * np.pi * 1000 * np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE)).astype(
        np.float32
    )


@pytest.mark.parametrize(("amplitude", "level"), [(1.0, 3), (0.1, 23), (0.01, 43), (0.0, 127)])
def test_the_level_of_rfc_6464_counts_down_from_full_scale(amplitude: float, level: int) -> None:
    assert level_dbov(sine(amplitude)) == level


def test_beyond_full_scale_is_zero_and_nothing_at_all_is_silence() -> None:
    assert level_dbov(np.full(960, 2.0, np.float32)) == 0
    assert level_dbov(np.zeros(0, np.float32)) == 127
    assert dbfs(0.0) == FLOOR_DBFS


@pytest.mark.parametrize("block", [1, 480, 777, 96_000])
def test_the_meter_reads_the_same_for_any_block_size(block: int) -> None:
    meter, samples = LevelMeter(0.1), np.concatenate([sine(0.5, 1.0), sine(0.05, 1.0)])
    for start in range(0, samples.size, block):
        meter.add(samples[start : start + block])
    assert meter.level_dbfs == pytest.approx(-29.03, abs=0.05)
    assert meter.max_dbfs == pytest.approx(-9.03, abs=0.05)
    meter.reset()
    assert meter.max_dbfs == FLOOR_DBFS
