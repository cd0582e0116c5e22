"""What the benches make of what they heard and read: a wrong figure is worse than none."""

from __future__ import annotations

import random

import numpy as np
import pytest

from hardware.ports import SAMPLE_RATE
from tools.clicks import (
    PERIOD,
    PERIOD_S,
    ClickDetector,
    Clicks,
    Heard,
    back_after_s,
    heard_after,
    heard_against,
    share,
)
from tools.soak import slope_mb_per_h
from tools.soak_quick import growth_mb


@pytest.mark.parametrize("delay_s", [0.010, 0.066, 0.350])
@pytest.mark.parametrize("block", [128, 480])
def test_a_delay_is_heard_as_it_is(delay_s: float, block: int) -> None:
    found: list[float] = []
    detector, clicks = ClickDetector(found.append), Clicks()
    for start in range(0, 10 * PERIOD - block, block):
        detector.hear(clicks.render(start, block), 100.0 + delay_s + start / SAMPLE_RATE)
    delays = [click.delay_ms for click in heard_after(100.0, found)]
    assert delays == pytest.approx([1000 * delay_s] * 10, abs=0.1)


def test_a_heard_click_belongs_to_the_last_one_said() -> None:
    said = [10.0, 10.0 + PERIOD_S, 10.0 + 2 * PERIOD_S]
    found = heard_against(said, [9.9, 10.05, 10.07 + PERIOD_S])
    assert [click.delay_ms for click in found] == pytest.approx([50.0, 70.0])


def test_back_is_when_no_click_is_late_any_more() -> None:
    heard = [Heard(at, delay) for at, delay in [(1.0, 60), (2.1, 300), (2.6, 120), (3.1, 61), (9.0, 500)]]
    assert back_after_s(heard, 2.0, 7.0, 90.0) == pytest.approx(0.6)
    assert back_after_s(heard, 3.0, 7.0, 90.0) == 0.0
    assert share(heard, 0.5) == 120
    assert np.isnan(share([], 0.5))


def test_a_leak_is_seen_through_noise_and_a_step_is_not_a_leak() -> None:
    rng = random.Random(1)
    leak = [(at, 100.0 + at / 360 + rng.random()) for at in map(float, range(0, 300, 2))]
    step = [(at, 100.0 + (at > 280) * 5 + rng.random()) for at in map(float, range(0, 300, 2))]
    assert slope_mb_per_h(leak) == pytest.approx(10.0, abs=4.0)
    assert abs(slope_mb_per_h(step)) < 5.0


def test_growth_counts_after_warming_up_and_for_the_whole_time() -> None:
    assert growth_mb([50.0] * 10 + [100.0] * 110) == 0.0
    assert growth_mb([100.0 + minute / 10 for minute in range(120)]) == pytest.approx(12.0, abs=0.5)
