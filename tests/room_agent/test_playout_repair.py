"""What asking again is good for: play-out waits for repairs while they are many, and for no longer."""

from __future__ import annotations

import pytest

from room_agent.arrivals import MIN_TARGET_S
from room_agent.playout import PlayoutStats
from tests.room_agent.lossy import Hop, LossyPath

MIN_TARGET_MS = 1000 * MIN_TARGET_S
FAR = {"delay_s": 0.040, "jitter_s": 0.005}


def path(
    loss: float, *, hops: int, from_s: float = 0.0, until_s: float = 1e9, seed: int = 1, **wire: float
) -> LossyPath:
    """Board to hub, hub to board; with one hop only the second line is bad."""
    share = lambda now: loss if from_s <= now < until_s else 0.0  # noqa: E731
    both = [Hop(share, ticks=True, **wire), Hop(share, **wire)]
    return LossyPath(both[-hops:], seed=seed)


def concealed_percent(stats: PlayoutStats, seconds: float) -> float:
    return stats.concealed_ms / seconds / 10


@pytest.mark.parametrize("hops", [1, 2])
@pytest.mark.parametrize(("loss", "allowed_percent"), [(0.05, 1.0), (0.10, 1.5), (0.20, 2.8)])
def test_of_a_lossy_far_line_little_is_missing_from_the_first_minute_on(
    hops: int, loss: float, allowed_percent: float
) -> None:
    for seed in range(3):
        assert concealed_percent(path(loss, hops=hops, seed=seed, **FAR).run(60.0), 60.0) <= allowed_percent


@pytest.mark.parametrize("hops", [1, 2])
def test_a_line_that_goes_bad_in_the_middle_of_talk_is_followed_in_seconds(hops: int) -> None:
    for seed in range(6):
        line = path(0.05, hops=hops, from_s=6.0, seed=seed, **FAR)
        calm, gone_bad = line.run(6.0), line.run(30.0)
        assert not calm.concealed_ms
        assert concealed_percent(gone_bad, 24.0) <= 1.5


@pytest.mark.parametrize(("loss", "most_ms"), [(0.05, 150.0), (0.10, 210.0)])
def test_no_more_is_waited_than_the_repairs_that_count_need(loss: float, most_ms: float) -> None:
    stats = path(loss, hops=1, **FAR).run(60.0)
    assert 100.0 < stats.target_ms < most_ms
    assert abs(stats.level_ms - stats.target_ms) < 25.0


def test_ten_seconds_after_the_last_loss_the_delay_is_what_it_was() -> None:
    line = path(0.10, hops=2, until_s=30.0, **FAR)
    calm = line.run(0.0)
    stats = line.run(45.0)
    after = line.run(60.0)
    assert stats.target_ms < 35.0
    assert abs(after.level_ms - after.target_ms) < 6.0
    assert after.concealed_ms == stats.concealed_ms
    assert calm.concealed_ms == 0


def test_a_rare_loss_on_a_far_line_is_concealed_and_not_waited_for() -> None:
    stats = path(0.01, hops=1, **FAR).run(60.0)
    assert stats.target_ms < MIN_TARGET_MS + 12.0
    assert concealed_percent(stats, 60.0) < 1.6


def test_on_a_near_line_a_rare_loss_is_worth_the_wait() -> None:
    line = path(0.02, hops=1, delay_s=0.003, jitter_s=0.001)
    first = line.run(20.0)
    stats = line.run(60.0)
    assert stats.target_ms < 45.0
    assert concealed_percent(stats, 60.0) - concealed_percent(first, 60.0) < 0.4


def test_repairs_that_come_again_are_known_and_change_nothing() -> None:
    stats = path(0.10, hops=2, **FAR).run(60.0)
    assert stats.duplicates > 100
    assert stats.lost * 20 <= stats.concealed_ms
