"""Fees and limits: the first rule that fits decides, and each refusal is a sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_manager.pricing import (
    UNLIMITED,
    Holder,
    Limits,
    NotForYou,
    Price,
    PriceRule,
    Usage,
    over_limits,
    price,
)
from session_manager.schedule import Interval

HOUR = 3600
RULES = (
    PriceRule("partner", 2, booking_kind="telework"),
    PriceRule("partner", 1, free_hours_per_month=10, yen_per_hour_beyond=200),
    PriceRule("student", free_hours_per_month=2, beyond="refuse"),
    PriceRule(place_kind="seat", yen_per_hour=100),
    PriceRule(yen_per_hour=330),
)


def cost(
    holder: Holder, kind: str = "telework", place: str = "room", hours: float = 1, used: float = 0
) -> Price | NotForYou:
    return price(RULES, holder, kind, place, int(hours * HOUR), Usage(free_month_s=int(used * HOUR)))


@pytest.mark.parametrize(
    ("answer", "yen", "free_hours"),
    [
        (cost(Holder("a", "partner", 2), hours=50), 0, 50),
        (cost(Holder("a", "partner", 2), "plain", hours=4), 0, 4),
        (cost(Holder("a", "partner", 1), hours=4, used=8), 400, 2),
        (cost(Holder("a", "partner", 1), hours=4, used=12), 800, 0),
        (cost(Holder("a", "partner", 0)), 330, 0),
        (cost(Holder("a", "student"), hours=2), 0, 2),
        (cost(Holder("a", "citizen"), place="seat", hours=1.5), 150, 0),
        (cost(Holder("a", "citizen"), hours=0.25), 83, 0),
        (cost(Holder("a", "citizen", free_by_pass=True)), 0, 0),
    ],
)
def test_what_it_costs(answer: Price | NotForYou, yen: int, free_hours: float) -> None:
    assert isinstance(answer, Price)
    assert (answer.yen, answer.free_s) == (yen, free_hours * HOUR)
    assert answer.reason.endswith(".")


def test_a_cap_that_refuses_says_what_is_left() -> None:
    assert cost(Holder("a", "student"), hours=2, used=1.5) == NotForYou(
        "Only 0.5 free hours are left this month. Choose a shorter time."
    )


@given(st.integers(1, 100 * HOUR), st.integers(0, 20 * HOUR))
def test_longer_never_costs_less_and_free_time_never_passes_the_cap(length_s: int, used_s: int) -> None:
    holder = Holder("a", "partner", 1)
    one = price(RULES, holder, "plain", "room", length_s, Usage(free_month_s=used_s))
    more = price(RULES, holder, "plain", "room", length_s + 60, Usage(free_month_s=used_s))
    assert isinstance(one, Price)
    assert isinstance(more, Price)
    assert one.yen <= more.yen
    assert used_s + one.free_s <= max(10 * HOUR, used_s)


NOW = 1_000_000.0
WISH = Interval(int(NOW) + HOUR, int(NOW) + 2 * HOUR)


@pytest.mark.parametrize(
    ("limits", "usage", "sentence"),
    [
        (Limits(notice_s=2 * HOUR), Usage(), "This must be booked 2 hours ahead."),
        (Limits(ahead_s=1800), Usage(), "This can be booked 0.5 hours ahead."),
        (Limits(shortest_s=2 * HOUR), Usage(), "A booking lasts 2 hours or longer."),
        (Limits(longest_s=1800), Usage(), "A booking lasts 0.5 hours or less."),
        (Limits(day_s=2 * HOUR), Usage(day_s=HOUR + 1), "More than 2 hours a day."),
        (Limits(week_s=2 * HOUR), Usage(week_s=HOUR + 1), "More than 2 hours a week."),
        (Limits(month_s=3 * 86_400), Usage(month_s=3 * 86_400), "More than 3 days a month."),
        (Limits(open_bookings=2), Usage(open_bookings=2), "No more than 2 bookings at once. End or cancel one first."),
    ],
)
def test_a_broken_rule_is_a_sentence_and_a_kept_one_is_none(limits: Limits, usage: Usage, sentence: str) -> None:
    assert over_limits(limits, WISH, usage, NOW) == [sentence]
    assert over_limits(UNLIMITED, WISH, usage, NOW) == []


def test_what_is_past_is_past_for_everybody() -> None:
    assert over_limits(UNLIMITED, WISH, Usage(), WISH.starts_at + 301) == ["The time is past."]
    assert over_limits(UNLIMITED, WISH, Usage(), WISH.starts_at + 300) == []
