"""What is written fast is what the library would have written."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from session_manager.feed_text import feed_text
from session_manager.ical import Attendee, CalendarEntry, Parsed, parse, write

ZONES = ("Asia/Tokyo", "America/New_York", "Europe/London", "Australia/Lord_Howe", "UTC")
TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")) | st.sampled_from('\n,;\\:"'), max_size=120
)
ENTRY = st.builds(
    lambda number, title, place, starts, hours, zone, status, sequence: CalendarEntry(
        f"{number}@x",
        title,
        starts,
        starts + timedelta(hours=hours),
        zone,
        float(number),
        sequence,
        status,
        place,
        url="https://meet.example/x" * (number % 2),
    ),
    st.integers(0, 10**9),
    TEXT,
    TEXT,
    st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)).map(lambda at: at.replace(microsecond=0, second=0)),
    st.integers(1, 50),
    st.sampled_from(ZONES),
    st.sampled_from(("CONFIRMED", "TENTATIVE")),
    st.integers(0, 99),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(ENTRY, max_size=4))
def test_it_is_read_back_like_the_librarys_own(entries: list[CalendarEntry]) -> None:
    ours, theirs = feed_text(entries, "島話"), write(entries, name="島話")
    assert plain(parse(ours)) == plain(parse(theirs))
    assert all(len(line.encode()) <= 75 for line in ours.split("\r\n"))
    assert ours.count("BEGIN:VTIMEZONE") == theirs.count("BEGIN:VTIMEZONE")


def test_what_is_not_plain_goes_by_the_library() -> None:
    evening = CalendarEntry("u", "夕べ", datetime(2026, 10, 14, 18), datetime(2026, 10, 14, 20), "Asia/Tokyo")
    invited = replace(evening, attendees=(Attendee("a@iki.example"),))
    assert "ATTENDEE" in feed_text([invited], "x")
    assert feed_text([], "島話") == write([], name="島話")


def plain(found: Parsed) -> tuple[object, ...]:
    return (found.method, found.entries, found.skipped)
