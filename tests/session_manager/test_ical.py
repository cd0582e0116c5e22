"""Calendars: what we write is read unchanged, and what Apple, Google and Outlook write is understood."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from session_manager.errors import NotPossible
from session_manager.ical import Attendee, CalendarEntry, busy, cancelled, changed, occurrences, parse, write

EVENING = CalendarEntry(
    "evening@shimawa.invalid",
    "対話の夕べ; 壱岐, 福岡",
    datetime(2026, 10, 14, 18, 30),
    datetime(2026, 10, 14, 20, 30),
    "Asia/Tokyo",
    stamped_at=1_780_000_000.0,
    place="壱岐テレワークセンター",
    rule="FREQ=MONTHLY;COUNT=12;BYDAY=2WE",
    left_out=(datetime(2027, 1, 13, 18, 30),),
    organiser=Attendee("office@iki.example", "事務局"),
    attendees=(Attendee("room@iki.example", "会議室", "ROOM"), Attendee("a@iki.example", "海")),
)
ZONES = ("Asia/Tokyo", "America/New_York", "Europe/London", "Australia/Lord_Howe", "UTC")

OUTLOOK = """BEGIN:VCALENDAR
METHOD:REQUEST
PRODID:Microsoft Exchange Server 2010
VERSION:2.0
BEGIN:VTIMEZONE
TZID:Tokyo Standard Time
BEGIN:STANDARD
DTSTART:16010101T000000
TZOFFSETFROM:+0900
TZOFFSETTO:+0900
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
ORGANIZER;CN=Sato:mailto:sato@firm.example
ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;CN=room:mailto:room@iki.example
ATTENDEE;CUTYPE=RESOURCE;ROLE=NON-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:board@iki.example
DESCRIPTION;LANGUAGE=ja-JP:\\n
UID:040000008200E00074C5B7101A82E00800000000
SUMMARY;LANGUAGE=ja-JP:打合せ
DTSTART;TZID=Tokyo Standard Time:20261120T100000
DTEND;TZID=Tokyo Standard Time:20261120T110000
CLASS:PUBLIC
PRIORITY:5
DTSTAMP:20261101T000000Z
TRANSP:OPAQUE
STATUS:CONFIRMED
SEQUENCE:0
LOCATION;LANGUAGE=ja-JP:会議室
X-MICROSOFT-CDO-APPT-SEQUENCE:0
BEGIN:VALARM
DESCRIPTION:REMINDER
TRIGGER;RELATED=START:-PT15M
ACTION:DISPLAY
END:VALARM
END:VEVENT
END:VCALENDAR
"""
GOOGLE = """BEGIN:VCALENDAR
PRODID:-//Google Inc//Google Calendar 70.9054//EN
VERSION:2.0
CALSCALE:GREGORIAN
METHOD:REQUEST
BEGIN:VEVENT
DTSTART:20261120T010000Z
DTEND:20261120T020000Z
DTSTAMP:20261101T000000Z
ORGANIZER;CN=Kato:mailto:kato@firm.example
UID:abc123@google.com
ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=
 TRUE;CN=room@iki.example;X-NUM-GUESTS=0:mailto:room@iki.example
X-MICROSOFT-CDO-OWNERAPPTID:123
CREATED:20261101T000000Z
LAST-MODIFIED:20261101T000000Z
SEQUENCE:2
STATUS:CONFIRMED
SUMMARY:打合せ
TRANSP:OPAQUE
END:VEVENT
END:VCALENDAR
"""
APPLE = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Apple Inc.//macOS 15.1//EN
CALSCALE:GREGORIAN
BEGIN:VTIMEZONE
TZID:Asia/Tokyo
BEGIN:STANDARD
TZOFFSETFROM:+0900
DTSTART:19510909T000000
TZNAME:JST
TZOFFSETTO:+0900
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
CREATED:20261101T000000Z
UID:6E9B0C9A-0000-4000-8000-000000000000
DTEND;TZID=Asia/Tokyo:20261120T110000
TRANSP:OPAQUE
X-APPLE-TRAVEL-ADVISORY-BEHAVIOR:AUTOMATIC
SUMMARY:打合せ
DTSTART;TZID=Asia/Tokyo:20261120T100000
DTSTAMP:20261101T000000Z
SEQUENCE:0
ATTENDEE;CN="Room";CUTYPE=ROOM;EMAIL="room@iki.example";PARTSTAT=NEEDS-ACTION:mailto:room@iki.example
ORGANIZER;CN="Ito":mailto:ito@firm.example
RRULE:FREQ=WEEKLY;UNTIL=20261211T145959Z
EXDATE;TZID=Asia/Tokyo:20261127T100000
END:VEVENT
END:VCALENDAR
"""


@pytest.mark.parametrize(("text", "zone"), [(OUTLOOK, "Asia/Tokyo"), (GOOGLE, "UTC"), (APPLE, "Asia/Tokyo")])
def test_an_invitation_of_another_house_is_understood(text: str, zone: str) -> None:
    (entry,) = parse(text.replace("\n", "\r\n")).entries
    begin = entry.start.replace(tzinfo=ZoneInfo(entry.zone))
    assert (entry.zone if entry.zone != "Tokyo Standard Time" else "Asia/Tokyo", entry.title) == (zone, "打合せ")
    assert begin.astimezone(UTC) == datetime(2026, 11, 20, 1, tzinfo=UTC)
    assert entry.end - entry.start == timedelta(hours=1)
    assert "room@iki.example" in {one.mail for one in entry.attendees}
    assert entry.organiser is not None


def test_a_series_of_another_house_keeps_its_end_and_its_holes() -> None:
    (entry,) = parse(APPLE).entries
    found = [datetime.fromtimestamp(one.starts_at, ZoneInfo("Asia/Tokyo")).day for one in occurrences([entry], 0, 2e9)]
    assert found == [20, 4, 11]


def test_our_own_series_comes_back_as_it_was() -> None:
    moved = CalendarEntry(
        EVENING.uid,
        "場所変更",
        datetime(2026, 11, 12, 18, 0),
        datetime(2026, 11, 12, 20, 0),
        "Asia/Tokyo",
        stamped_at=1_780_000_000.0,
        sequence=1,
        instead_of=datetime(2026, 11, 11, 18, 30),
    )
    text = write([EVENING, moved], "REQUEST")
    back = parse(text)
    assert back.method == "REQUEST"
    series, instead = sorted(back.entries, key=lambda one: one.instead_of is not None)
    assert {one.mail: one.kind for one in series.attendees} == {
        "room@iki.example": "ROOM",
        "a@iki.example": "INDIVIDUAL",
    }
    assert rrulestr(series.rule, dtstart=series.start)[:3] == rrulestr(EVENING.rule, dtstart=EVENING.start)[:3]
    assert (series.title, series.start, series.zone, series.left_out) == (
        EVENING.title,
        EVENING.start,
        EVENING.zone,
        EVENING.left_out,
    )
    assert instead == moved
    assert "BEGIN:VTIMEZONE" in text
    assert max(len(line.encode()) for line in text.split("\r\n")) <= 75
    dates = [datetime.fromtimestamp(one.starts_at, ZoneInfo("Asia/Tokyo")) for one in occurrences(back.entries, 0, 4e9)]
    assert len(dates) == 11
    assert datetime(2026, 11, 12, 18, 0) in [one.replace(tzinfo=None) for one in dates]


@settings(max_examples=20, deadline=None)
@given(
    st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1)).map(lambda one: one.replace(second=0, microsecond=0)),
    st.sampled_from(ZONES),
    st.sampled_from(["FREQ=WEEKLY;COUNT=30", "FREQ=DAILY;COUNT=9", "FREQ=MONTHLY;BYDAY=2WE;COUNT=12", ""]),
    st.text('あア亜a ,;\\:"', min_size=1, max_size=90),
)
def test_local_times_stand_whatever_the_clocks_do(start: datetime, zone: str, rule: str, title: str) -> None:
    entry = CalendarEntry("u", title, start, start + timedelta(minutes=90), zone, rule=rule)
    text = write([entry])
    assert text == write([entry])
    back = parse(text).entries[0]
    assert (back.start, back.end, back.zone, back.title) == (entry.start, entry.end, zone, title)
    clock = {
        datetime.fromtimestamp(one.starts_at, UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        for one in occurrences([back], 0, 4e9)
    }
    wanted = rrulestr(rule, dtstart=start) if rule else [start]
    exists = [one for one in wanted if _exists(one, zone)]
    assert clock.issuperset(exists)


def _exists(local: datetime, zone: str) -> bool:
    """Not left out by a clock change, nor there twice."""
    here = local.replace(tzinfo=ZoneInfo(zone))
    again = here.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) == local
    return again and here.utcoffset() == here.replace(fold=1).utcoffset()


def test_a_change_and_a_cancel_carry_higher_numbers() -> None:
    after = changed(EVENING, EVENING, 5.0)
    gone = cancelled(after, 6.0)
    assert [EVENING.sequence, after.sequence, gone.sequence] == [0, 1, 2]
    text = write([gone], "CANCEL")
    assert "METHOD:CANCEL" in text
    assert "STATUS:CANCELLED" in text
    assert occurrences(parse(text).entries, 0, 4e9) == []


def test_busy_says_when_and_not_what() -> None:
    text = busy(
        {"BUSY": [(100, 200), (200, 300), (50, 120), (900, 2000)], "BUSY-TENTATIVE": [(400, 460)]}, 60, 1000, 1, "f"
    )
    periods = [
        line.removeprefix("FREEBUSY;FBTYPE=").replace(";VALUE=PERIOD", "")
        for line in text.replace("\r\n ", "").split("\r\n")
        if line.startswith("FREEBUSY")
    ]
    assert periods == [
        "BUSY:19700101T000100Z/19700101T000500Z",
        "BUSY:19700101T001500Z/19700101T001640Z",
        "BUSY-TENTATIVE:19700101T000640Z/19700101T000740Z",
    ]


@pytest.mark.parametrize(
    "text",
    [b"", b"hello", b"\xff\xfe", b"BEGIN:VCALENDAR\r\n", b"BEGIN:VEVENT\r\nEND:VCALENDAR\r\n", b"x" * 1_048_577],
)
def test_what_is_no_calendar_is_refused_with_a_sentence(text: bytes) -> None:
    with pytest.raises(NotPossible):
        parse(text)


def test_one_bad_entry_does_not_spoil_the_others() -> None:
    bad = "BEGIN:VEVENT\nUID:x\nDTSTART:20261120T100000Z\nDTEND:20261119T100000Z\nEND:VEVENT\n"
    fast = "BEGIN:VEVENT\nUID:y\nDTSTART:20261120T100000Z\nRRULE:FREQ=SECONDLY\nEND:VEVENT\n"
    nothing = "BEGIN:VEVENT\nSUMMARY:no time\nEND:VEVENT\n"
    text = GOOGLE.replace("BEGIN:VEVENT", bad + fast + nothing + "BEGIN:VEVENT", 1)
    found = parse(text)
    assert (len(found.entries), found.skipped) == (1, 3)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(OUTLOOK) - 1), st.binary(max_size=6))
def test_a_spoilt_calendar_is_read_or_refused_and_never_breaks(at: int, noise: bytes) -> None:
    data = OUTLOOK.encode()
    with contextlib.suppress(NotPossible):
        parse(data[:at] + noise + data[at:])
