"""Laws of the budget: loss alone never lowers it, a full line does at once, and it comes back slowly."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from signaling.media.budget import (
    FLOOR_KBPS,
    FULL_QUEUE_MS,
    HOPELESS_LOSS,
    LOSING_QUEUE_MS,
    PATIENCE_S,
    Budget,
    Evidence,
    Lowest,
    heed,
)

RATES = st.floats(1, 5_000)
LOSSES = st.floats(0, 1)
QUEUES = st.none() | st.floats(0, 1_000)
EVIDENCE = st.builds(Evidence, RATES, LOSSES, QUEUES)
HARMLESS = st.builds(
    Evidence, RATES, st.floats(0, HOPELESS_LOSS, exclude_max=True), st.none() | st.floats(0, LOSING_QUEUE_MS - 1)
)


def after(reports: list[Evidence], budget: Budget | None = None, start: float = 0.0, every_s: float = 0.5) -> Budget:
    budget = budget or Budget()
    for place, report in enumerate(reports):
        budget = heed(budget, report, start + place * every_s)
    return budget


@given(st.lists(HARMLESS, max_size=60))
def test_loss_without_delay_never_finds_a_limit(reports: list[Evidence]) -> None:
    assert after(reports).limit_kbps is None


@given(st.lists(EVIDENCE, max_size=40), HARMLESS)
def test_loss_without_delay_never_lowers_a_limit(reports: list[Evidence], more: Evidence) -> None:
    before = after(reports)
    now = len(reports) * 0.5
    limit = heed(before, more, now).limit_kbps
    assert limit is None or (before.limit_kbps is not None and limit >= before.limit_kbps)


@given(st.lists(EVIDENCE, max_size=60))
def test_the_limit_never_falls_below_the_floor(reports: list[Evidence]) -> None:
    limit = after(reports).limit_kbps
    assert limit is None or limit >= FLOOR_KBPS


@given(st.lists(EVIDENCE, max_size=30), RATES, LOSSES, LOSSES, QUEUES, QUEUES)
def test_a_better_report_never_gives_a_lower_limit(
    reports: list[Evidence], rate: float, a: float, b: float, c: float | None, d: float | None
) -> None:
    before = after(reports)
    now = len(reports) * 0.5
    low, high = sorted((c or 0.0, d or 0.0))
    better = heed(before, Evidence(rate, min(a, b), low), now).limit_kbps
    worse = heed(before, Evidence(rate, max(a, b), high), now).limit_kbps
    assert better is None or (worse is not None and better >= worse)


def test_a_standing_queue_cuts_below_what_arrived_at_the_second_report() -> None:
    full = Evidence(1500, 0.0, FULL_QUEUE_MS)
    assert after([full]).limit_kbps is None
    assert after([full, full]).limit_kbps == 0.85 * 1500


def test_a_queue_that_loses_need_not_be_long() -> None:
    limit = after([Evidence(1500, 0.5, LOSING_QUEUE_MS)] * 2).limit_kbps
    assert limit == 0.85 * 750


def test_the_limit_stays_for_its_patience_then_creeps_and_stops_where_nothing_was_tried() -> None:
    cut = after([Evidence(1000, 0.2, 100)] * 2)
    assert cut.limit_kbps is not None
    calm = [Evidence(600, 0.0, 5)] * 9
    assert after(calm, cut, start=1.0).limit_kbps == cut.limit_kbps
    later = after(calm * 10, cut, start=PATIENCE_S)
    assert later.limit_kbps == 1.5 * 600 + 150


def test_patience_doubles_when_the_line_is_full_again() -> None:
    budget = after([Evidence(1000, 0.2, 100)] * 2)
    again = heed(budget, Evidence(1000, 0.2, 100), PATIENCE_S + 2)
    assert again.patience_s == 2 * PATIENCE_S


def test_the_lowest_forgets_what_is_older_than_a_minute() -> None:
    lowest = Lowest(30.0)
    assert lowest.above(10.0, 0.0) == 0.0
    assert lowest.above(50.0, 1.0) == 40.0
    assert lowest.above(50.0, 31.0) == 40.0
    assert lowest.above(50.0, 62.0) == 0.0
