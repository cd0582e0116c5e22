"""Capture against the clock: loss is a jump; lateness and drift are not."""

from __future__ import annotations

import itertools
import random

import pytest

from hardware.capture_clock import THRESHOLD_S, CaptureClock
from hardware.ports import SAMPLE_RATE

BLOCK = 480


def capture(
    clock: CaptureClock, seconds: float, *, ppm: float = 0.0, late_s: float = 0.0, lost: tuple[int, int] = (0, 0)
) -> list[int]:
    """Positions given to blocks of a device that runs `ppm` fast; blocks [lost) never come."""
    rng = random.Random(7)
    positions, now = [], 0.0
    for index in range(int(seconds * SAMPLE_RATE / BLOCK)):
        due = (index + 1) * BLOCK / SAMPLE_RATE / (1 + ppm / 1e6)
        now = max(now, due + rng.uniform(0.0, late_s))
        if not lost[0] <= index < lost[1]:
            positions.append(clock.place(BLOCK, now))
    return positions


@pytest.mark.parametrize("ppm", [-300, 0, 300])
@pytest.mark.parametrize("late_s", [0.0, 0.015])
def test_a_crystal_that_drifts_and_callbacks_that_are_late_make_no_jump(ppm: float, late_s: float) -> None:
    clock = CaptureClock()
    positions = capture(clock, 300.0, ppm=ppm, late_s=late_s)
    assert positions == list(range(0, len(positions) * BLOCK, BLOCK))
    assert clock.missing_samples == 0


@pytest.mark.parametrize("blocks", [4, 30, 300])
@pytest.mark.parametrize("ppm", [-300, 300])
def test_lost_blocks_become_a_jump_of_their_length(blocks: int, ppm: float) -> None:
    clock = CaptureClock()
    positions = capture(clock, 60.0, ppm=ppm, late_s=0.004, lost=(3000, 3000 + blocks))
    assert abs(clock.missing_samples - blocks * BLOCK) < 0.005 * SAMPLE_RATE
    assert all(b - a >= BLOCK for a, b in itertools.pairwise(positions))
    assert positions[-1] == (len(positions) - 1) * BLOCK + clock.missing_samples


def test_a_stall_whose_blocks_all_come_afterwards_is_no_loss() -> None:
    clock = CaptureClock()
    for index in range(3000):
        due = (index + 1) * BLOCK / SAMPLE_RATE
        stalled = 1000 <= index < 1040
        clock.place(BLOCK, 1040 * BLOCK / SAMPLE_RATE if stalled else due)
    assert clock.missing_samples == 0


def test_a_little_more_latency_after_a_stall_is_no_loss() -> None:
    clock = CaptureClock()
    for index in range(6000):
        clock.place(BLOCK, (index + 1) * BLOCK / SAMPLE_RATE + (THRESHOLD_S * 0.6 if index > 3000 else 0.0))
    assert clock.missing_samples == 0
