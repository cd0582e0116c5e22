"""Series unroll as dateutil and recurring-ical-events do, in every zone and across clock changes."""

from __future__ import annotations

import contextlib
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import icalendar
import pytest
import recurring_ical_events
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from session_manager.schedule import Wall, instant
from session_manager.series import BadRule, Change, SeriesDate, changed, expand, in_order, nth_weekday, positions

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
ZONES = st.sampled_from(["Asia/Tokyo", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca"])
first_times = st.datetimes(datetime(2024, 1, 1), datetime(2030, 12, 1)).map(
    lambda one: one.replace(second=0, microsecond=0, fold=0)
)


@st.composite
def rules(draw: st.DrawFn, first: datetime) -> str:
    """Rules whose first date is `first` itself, as RFC 5545 asks of a calendar."""
    day = DAYS[first.weekday()]
    kinds = [
        "FREQ=DAILY",
        f"FREQ=WEEKLY;BYDAY={','.join(sorted({day, draw(st.sampled_from(DAYS))}))}",
        f"FREQ=MONTHLY;BYMONTHDAY={first.day}",
    ]
    kinds += [f"FREQ=MONTHLY;BYDAY={(first.day - 1) // 7 + 1}{day}"] if first.day <= 28 else []
    rule = draw(st.sampled_from(kinds))
    count, step = draw(st.integers(1, 10)), draw(st.integers(1, 2))
    rule += f";INTERVAL={step}" if step > 1 and "MONTHDAY" not in rule else ""
    if "MONTHLY" in rule:
        count = min(count, 5 if first.day > 28 else 6)
    return f"{rule};COUNT={count}"


@settings(max_examples=60, deadline=None)
@given(st.data(), first_times, ZONES)
def test_dates_are_those_of_two_other_readers(data: st.DataObject, first: datetime, zone: str) -> None:
    rule = data.draw(rules(first))
    wall = Wall(first, first + timedelta(minutes=90), zone)
    found = expand(rule, wall)
    assert [one.starts for one in found] == list(rrulestr(rule, dtstart=first))
    assert {one.ends - one.starts for one in found} == {timedelta(minutes=90)}
    event = icalendar.Event()
    event.add("uid", "x")
    event.add("dtstart", first.replace(tzinfo=ZoneInfo(zone)))
    event.add("dtend", (first + timedelta(minutes=90)).replace(tzinfo=ZoneInfo(zone)))
    event["rrule"] = icalendar.vRecur.from_ical(rule)
    calendar = icalendar.Calendar()
    calendar.add_component(event)
    span = (first - timedelta(days=2), found[-1].starts + timedelta(days=400))
    theirs = recurring_ical_events.of(calendar).between(*(one.replace(tzinfo=ZoneInfo(zone)) for one in span))
    assert sorted(int(one.start.timestamp()) for one in theirs) == [instant(one.starts, zone) for one in found]


def test_every_second_wednesday_at_half_past_six_stays_there_when_the_clocks_change() -> None:
    first = Wall(datetime(2026, 9, 9, 18, 30), datetime(2026, 9, 9, 20, 30), "Europe/Berlin")
    found = expand(nth_weekday(2, 2, 12), first)
    assert len(found) == 12
    assert {(one.starts.weekday(), one.starts.hour, one.starts.minute) for one in found} == {(2, 18, 30)}
    assert all(8 <= one.starts.day <= 14 for one in found)
    gaps = {instant(b.starts, b.zone) - instant(a.starts, a.zone) for a, b in pairwise(found)}
    assert {gap % 86_400 for gap in gaps} == {0, 3600, 82_800}


@pytest.mark.parametrize(
    ("until", "dates"), [("20260622", 4), ("20260622T095959", 3), ("20260622T010000Z", 4), ("20260622T005900Z", 3)]
)
def test_the_last_day_counts_to_its_end_by_the_local_clock(until: str, dates: int) -> None:
    first = Wall(datetime(2026, 6, 1, 10), datetime(2026, 6, 1, 11), "Asia/Tokyo")
    assert len(expand(f"RRULE:FREQ=WEEKLY;UNTIL={until}", first)) == dates


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "FREQ=WEEKLY",
        "FREQ=SECONDLY;COUNT=3",
        "FREQ=WEEKLY;COUNT=3;UNTIL=20260101",
        "FREQ=WEEKLY;COUNT=401",
        "FREQ=WEEKLY;COUNT=0",
        "FREQ=DAILY;INTERVAL=0;COUNT=2",
        "FREQ=YEARLY;COUNT=5",
        "FREQ=MONTHLY;BYDAY=5WE;COUNT=3",
        "FREQ=MONTHLY;BYMONTHDAY=31;BYMONTH=2;COUNT=3",
        "FREQ=DAILY;BYHOUR=3;COUNT=3",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=31;COUNT=1",
        "FREQ=WEEKLY;UNTIL=20300101",
        "FREQ=DAILY;UNTIL=20260231",
        "FREQ=WEEKLY;COUNT=2;COUNT=3",
        "FREQ=WEEKLY;BYDAY=XX;COUNT=2",
        "FREQ=WEEKLY;COUNT=2\nDTSTART:20260101",
    ],
)
def test_a_rule_without_a_near_end_or_of_no_known_kind_is_refused(rule: str) -> None:
    with pytest.raises(BadRule, match=r"[a-z0-9]\.$"):
        expand(rule, Wall(datetime(2026, 6, 1, 10), datetime(2026, 6, 1, 11), "Asia/Tokyo"))


@given(st.text(max_size=40))
def test_any_text_is_a_rule_or_a_sentence(text: str) -> None:
    wall = Wall(datetime(2026, 6, 1, 10), datetime(2026, 6, 1, 11), "Asia/Tokyo")
    with contextlib.suppress(BadRule):
        assert expand(text, wall)


def test_an_irregular_list_is_put_in_order_and_told_what_is_wrong() -> None:
    days = [Wall(datetime(2026, 6, day, 10), datetime(2026, 6, day, 17), "Asia/Tokyo") for day in (6, 2, 20)]
    assert [one.time.starts.day for one in in_order(map(SeriesDate, days))] == [2, 6, 20]
    for wrong in ([], [days[0], days[0]], [Wall(days[0].ends, days[0].starts, "Asia/Tokyo")]):
        with pytest.raises(BadRule):
            in_order(map(SeriesDate, wrong))


def test_which_dates_a_change_is_about() -> None:
    assert [list(positions(4, 1, scope)) for scope in ("one", "this_and_later", "all")] == [  # type: ignore[arg-type]
        [1],
        [1, 2, 3],
        [0, 1, 2, 3],
    ]
    with pytest.raises(IndexError):
        positions(4, 4, "one")


def test_a_change_is_by_the_wall_and_keeps_what_it_does_not_name() -> None:
    time = Wall(datetime(2026, 10, 24, 18, 30), datetime(2026, 10, 24, 20), "Europe/Berlin")
    assert changed(time, Change()) == time
    moved = changed(time, Change(clock=(9, 0), days=1))
    assert (moved.starts, moved.ends) == (datetime(2026, 10, 25, 9), datetime(2026, 10, 25, 10, 30))
    assert changed(time, Change(length_s=3600)).ends == datetime(2026, 10, 24, 19, 30)


def test_no_month_is_asked_for_its_fifth() -> None:
    assert nth_weekday(-1, 4, 3) == "FREQ=MONTHLY;BYDAY=-1FR;COUNT=3"
    with pytest.raises(BadRule):
        nth_weekday(5, 2, 12)
