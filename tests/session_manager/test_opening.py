"""Opening hours over a real calendar, with Japan's holidays as another library has them."""

from __future__ import annotations

from datetime import date, timedelta

import jpholiday
import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_manager.opening import (
    ALWAYS,
    Hours,
    Opening,
    known_country,
    open_days,
    open_intervals,
    public_holidays,
)
from session_manager.schedule import clash

DAY = date(2026, 5, 1)


def test_holidays_are_those_that_another_library_knows() -> None:
    first, last = date(2020, 1, 1), date(2034, 12, 31)
    ours = public_holidays("JP", first, last)
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    assert set(ours) == {day for day in days if jpholiday.is_holiday(day)}
    assert ours[date(2026, 5, 6)] == "振替休日"
    assert ours[date(2026, 9, 22)] == "国民の休日"
    assert public_holidays("", first, last) == {}
    assert known_country("JP")
    assert not known_country("XX")


def test_closed_beats_special_beats_holiday_beats_the_week() -> None:
    noon = (Hours(600, 720),)
    opening = Opening(closed={date(2026, 5, 7): "大掃除"}, special={date(2026, 5, 4): noon, date(2026, 5, 7): noon})
    days = {one.day.day: one for one in open_days(opening, date(2026, 5, 4), date(2026, 5, 8), "JP")}
    assert (days[4].hours, days[4].note) == (noon, "みどりの日")
    assert (days[5].hours, days[5].note) == ((), "こどもの日")
    assert (days[7].hours, days[7].note) == ((), "大掃除")
    assert days[8].hours == (Hours(540, 1320),)
    feast = open_days(Opening(on_holidays=None), date(2026, 5, 5), date(2026, 5, 5), "JP")[0]
    assert (feast.hours, feast.note) == ((Hours(540, 1320),), "こどもの日")


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 7, 1), 24)])
def test_a_whole_day_is_as_long_as_the_clocks_make_it(day: date, hours: int) -> None:
    (found,) = open_intervals(open_days(ALWAYS, day, day, ""), "Europe/Berlin")
    assert found.length_s == hours * 3600


@given(
    st.lists(st.tuples(st.integers(0, 1439), st.integers(1, 1440)).filter(lambda one: one[0] < one[1]), max_size=3),
    st.dates(date(2020, 1, 1), date(2036, 1, 1)),
    st.sampled_from(["Asia/Tokyo", "Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe"]),
)
def test_open_times_are_in_order_and_never_twice(spans: list[tuple[int, int]], first: date, zone: str) -> None:
    opening = Opening(week=(tuple(Hours(*one) for one in spans),) * 7, on_holidays=None)
    found = open_intervals(open_days(opening, first, first + timedelta(days=3), ""), zone)
    assert found == sorted(found)
    assert not any(clash(one, other) for number, one in enumerate(found) for other in found[number + 1 :])


def test_hours_that_end_before_they_begin_are_no_hours() -> None:
    for wrong in ((600, 600), (-1, 5), (0, 1441)):
        with pytest.raises(ValueError):
            Hours(*wrong)
    with pytest.raises(ValueError):
        Opening(week=())
