"""Arrival statistics: jitter that repeats counts, one stall does not, a change of path is learnt."""

from __future__ import annotations

import random

import pytest

from room_agent.arrivals import MAX_TARGET_S, MIN_TARGET_S, Arrivals


def feed(arrivals: Arrivals, delays: list[float], start: int = 0) -> None:
    for index, delay in enumerate(delays, start):
        arrivals.note(index * 0.02, index * 0.02 + delay)


def test_a_calm_wire_asks_for_the_least() -> None:
    arrivals = Arrivals()
    feed(arrivals, [0.05] * 1000)
    assert arrivals.target_s == MIN_TARGET_S
    assert arrivals.fastest_s == pytest.approx(0.05)


@pytest.mark.parametrize("spread", [0.030, 0.080, 0.200])
def test_the_target_covers_the_99th_percentile_of_the_delays(spread: float) -> None:
    rng, arrivals = random.Random(2), Arrivals()
    delays = [0.05 + rng.random() * spread for _ in range(1000)]
    feed(arrivals, delays)
    late = sorted(delay - 0.05 for delay in delays[500:])
    assert late[int(0.99 * len(late))] <= arrivals.target_s <= spread + 0.0101


def test_two_stalls_in_ten_seconds_are_forgiven_and_six_are_not() -> None:
    def stall(at: int) -> dict[int, float]:
        return {at + step: 0.05 + 0.3 - step * 0.02 for step in range(15)}

    few, many = Arrivals(), Arrivals()
    late = stall(600) | stall(800)
    feed(few, [late.get(index, 0.05) for index in range(1000)])
    assert few.target_s == MIN_TARGET_S
    for at in range(520, 1000, 80):
        late |= stall(at)
    feed(many, [late.get(index, 0.05) for index in range(1000)])
    assert many.target_s > 0.25


def test_a_longer_path_is_the_new_measure_after_ten_seconds() -> None:
    arrivals = Arrivals()
    feed(arrivals, [0.05] * 500)
    feed(arrivals, [0.15] * 250, start=500)
    assert arrivals.target_s == pytest.approx(0.11, abs=0.001)
    feed(arrivals, [0.15] * 400, start=750)
    assert arrivals.target_s == MIN_TARGET_S
    assert arrivals.fastest_s == pytest.approx(0.15)


def test_a_shorter_path_is_the_new_measure_at_once() -> None:
    arrivals = Arrivals()
    feed(arrivals, [0.15] * 500)
    feed(arrivals, [0.05], start=500)
    assert arrivals.fastest_s == pytest.approx(0.05)


def test_the_target_has_an_upper_end() -> None:
    rng, arrivals = random.Random(2), Arrivals()
    feed(arrivals, [rng.random() * 3 for _ in range(1000)])
    assert arrivals.target_s == MAX_TARGET_S


def test_what_was_before_a_long_pause_is_forgotten() -> None:
    arrivals = Arrivals()
    feed(arrivals, [0.05] * 500)
    feed(arrivals, [0.25] * 10, start=10_000)
    assert arrivals.fastest_s == pytest.approx(0.25)
    assert arrivals.target_s == MIN_TARGET_S
