"""Our own entries to iCalendar text and back (RFC 5545, RFC 5546), by the icalendar library.

Pure. Local time and zone name are kept as they are; a series is one entry with its rule, the dates it leaves out and
entries of their own for dates that differ. An irregular list of dates is as many single entries: RDATE is not read by
every calendar.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import icalendar
import recurring_ical_events
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from session_manager.errors import NotPossible

MAX_BYTES = 1_048_576
MAX_ENTRIES = 5_000
MAX_OCCURRENCES = 20_000
MAX_TEXT = 2_000
_NO_CALENDAR = "This is no calendar that can be read (iCalendar, .ics)."
PRODUCT = "-//Shimawa//Shimawa//EN"
_SLOW_RULES = frozenset({"SECONDLY", "MINUTELY", "HOURLY"})

Status = Literal["CONFIRMED", "TENTATIVE", "CANCELLED"]
FreeBusyType = Literal["BUSY", "BUSY-TENTATIVE", "BUSY-UNAVAILABLE"]
Method = Literal["PUBLISH", "REQUEST", "CANCEL", "REPLY"]


@dataclass(frozen=True, slots=True)
class Attendee:
    """`kind`: INDIVIDUAL, GROUP, RESOURCE or ROOM; `status`: NEEDS-ACTION, ACCEPTED, DECLINED or TENTATIVE."""

    mail: str
    name: str = ""
    kind: str = "INDIVIDUAL"
    status: str = "NEEDS-ACTION"


@dataclass(frozen=True, slots=True)
class CalendarEntry:
    """One date or one series. `start`, `end`: local times without offset in `zone` (IANA name), end excluded.

    `rule`: RRULE of a series, an UNTIL in it is local. `left_out`: starts that it does not have. `instead_of`: this
    entry stands for the date of the series `uid` that would begin then. `sequence` rises with every change that
    matters (RFC 5546 section 2.1.4). `stamped_at`: UTC POSIX seconds.
    """

    uid: str
    title: str
    start: datetime
    end: datetime
    zone: str
    stamped_at: float = 0.0
    sequence: int = 0
    status: Status = "CONFIRMED"
    place: str = ""
    description: str = ""
    url: str = ""
    all_day: bool = False
    rule: str = ""
    left_out: tuple[datetime, ...] = ()
    instead_of: datetime | None = None
    organiser: Attendee | None = None
    attendees: tuple[Attendee, ...] = ()


@dataclass(frozen=True, slots=True)
class Parsed:
    """`skipped`: entries that made no sense, left out."""

    method: str
    entries: tuple[CalendarEntry, ...]
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class Occurrence:
    """Half open, UTC POSIX seconds."""

    uid: str
    title: str
    starts_at: float
    ends_at: float


def write(entries: Iterable[CalendarEntry], method: Method = "PUBLISH", name: str = "") -> str:
    """A calendar with every time zone it needs. A feed has no METHOD line (RFC 5545 section 3.7.2 leaves it out)."""
    calendar = _calendar(name)
    if method != "PUBLISH":
        calendar.add("method", method)
    for entry in entries:
        calendar.add_component(_event(entry))
    found = (_time_zone(name) for name in sorted(calendar.get_missing_tzids()))
    calendar.subcomponents[:0] = [one for one in found if one is not None]
    return str(calendar.to_ical().decode())


@lru_cache(maxsize=64)
def _time_zone(name: str) -> icalendar.Timezone | None:
    """Made once: looking for all its changes costs more than the rest of a letter. Not to be changed."""
    try:
        return icalendar.Timezone.from_tzid(name)
    except ValueError:
        return None


def cancelled(entry: CalendarEntry, at: float) -> CalendarEntry:
    """What a CANCEL carries: the same entry, one number higher."""
    return replace(entry, status="CANCELLED", sequence=entry.sequence + 1, stamped_at=at)


def changed(before: CalendarEntry, after: CalendarEntry, at: float) -> CalendarEntry:
    """`after` with the number that tells every calendar to take it."""
    return replace(after, uid=before.uid, sequence=before.sequence + 1, stamped_at=at)


def busy(
    spans: Mapping[FreeBusyType, Sequence[tuple[float, float]]], start: float, end: float, stamped_at: float, uid: str
) -> str:
    """VFREEBUSY: when somebody or something is taken, not by what. Touching and overlapping spans become one."""
    calendar = _calendar("")
    answer = icalendar.FreeBusy()
    answer.add("uid", uid)
    answer.add("dtstamp", _utc(stamped_at))
    answer.add("dtstart", _utc(start))
    answer.add("dtend", _utc(end))
    for kind, times in spans.items():
        for one_start, one_end in _joined(times, start, end):
            answer.add("freebusy", [icalendar.vPeriod((_utc(one_start), _utc(one_end)))], parameters={"FBTYPE": kind})
    calendar.add_component(answer)
    return str(calendar.to_ical().decode())


def parse(text: bytes | str, zone: str = "Asia/Tokyo") -> Parsed:
    """Invitations and calendars as Apple, Google and Outlook write them. Raises NotPossible when it is no calendar.

    `zone`: of times that name none.
    """
    data = text.encode() if isinstance(text, str) else text
    if len(data) > MAX_BYTES:
        raise NotPossible("This calendar is larger than 1 MiB. Share a shorter part of it.")
    calendar = _read(data)
    events = calendar.walk("VEVENT")
    if len(events) > MAX_ENTRIES:
        raise NotPossible(f"This calendar has more than {MAX_ENTRIES} entries. Share a shorter part of it.")
    entries = [_entry_or_none(event, zone) for event in events]
    method = str(calendar.get("method", "PUBLISH")).upper()
    good = tuple(entry for entry in entries if entry is not None)
    return Parsed(method, good, len(entries) - len(good))


def occurrences(entries: Sequence[CalendarEntry], start: float, end: float) -> list[Occurrence]:
    """Every date that touches [start, end), cancelled ones left out. Raises NotPossible when they are too many."""
    if not entries:
        return []
    calendar = _read(write(entries).encode())
    found = []
    for event in recurring_ical_events.of(calendar, skip_bad_series=True).between(_utc(start), _utc(end)):
        if str(event.get("status", "")) != "CANCELLED":
            at = [_instant(event[key].dt) for key in ("dtstart", "dtend")]
            found.append(Occurrence(str(event["uid"]), str(event.get("summary", "")), at[0], at[1]))
        if len(found) > MAX_OCCURRENCES:
            raise NotPossible("This calendar has too many dates. Share a shorter part of it.")
    return sorted(found, key=lambda one: (one.starts_at, one.uid))


def _calendar(name: str) -> icalendar.Calendar:
    calendar = icalendar.Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    if name:
        calendar.add("x-wr-calname", name)
        calendar.add("name", name)
    return calendar


def _event(entry: CalendarEntry) -> icalendar.Event:
    event = icalendar.Event()
    zone = ZoneInfo(entry.zone)

    def when(moment: datetime) -> date | datetime:
        return moment.date() if entry.all_day else moment.replace(tzinfo=zone)

    event.add("uid", entry.uid)
    event.add("dtstamp", _utc(entry.stamped_at))
    event.add("dtstart", when(entry.start))
    event.add("dtend", when(entry.end))
    event.add("summary", entry.title)
    event.add("sequence", entry.sequence)
    event.add("status", entry.status)
    for key, value in (("location", entry.place), ("description", entry.description), ("url", entry.url)):
        if value:
            event.add(key, value)
    if entry.rule:
        event.add("rrule", _rule(entry.rule, zone, entry.all_day))
    if entry.left_out:
        event.add("exdate", [when(moment) for moment in entry.left_out])
    if entry.instead_of is not None:
        event.add("recurrence-id", when(entry.instead_of))
    if entry.organiser is not None:
        event.add("organizer", _address(entry.organiser, organiser=True))
    for attendee in entry.attendees:
        event.add("attendee", _address(attendee))
    return event


def _rule(text: str, zone: ZoneInfo, all_day: bool) -> icalendar.vRecur:
    """UNTIL is UTC where DTSTART has a zone (RFC 5545 section 3.3.10); ours is local."""
    rule: icalendar.vRecur = icalendar.vRecur.from_ical(text)
    for key in list(rule):
        if key.upper() == "UNTIL":
            rule[key] = [_until(one, zone, all_day) for one in rule[key]]
    return rule


def _until(value: date | datetime, zone: ZoneInfo, all_day: bool) -> date | datetime:
    moment = value if isinstance(value, datetime) else datetime.combine(value, time(23, 59, 59))
    if all_day:
        return moment.date()
    return moment.astimezone(UTC) if moment.tzinfo is not None else moment.replace(tzinfo=zone).astimezone(UTC)


def _address(who: Attendee, *, organiser: bool = False) -> icalendar.vCalAddress:
    address = icalendar.vCalAddress(f"mailto:{who.mail}")
    if who.name:
        address.params["CN"] = who.name
    if not organiser:
        address.params["CUTYPE"] = who.kind
        address.params["PARTSTAT"] = who.status
        address.params["ROLE"] = "NON-PARTICIPANT" if who.kind in {"ROOM", "RESOURCE"} else "REQ-PARTICIPANT"
        address.params["RSVP"] = "TRUE" if who.status == "NEEDS-ACTION" else "FALSE"
    return address


def _read(data: bytes) -> icalendar.Calendar:
    try:
        found = icalendar.Calendar.from_ical(data)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise NotPossible(_NO_CALENDAR) from error
    if not isinstance(found, icalendar.Calendar):
        raise NotPossible(_NO_CALENDAR)
    return found


def _entry_or_none(event: Any, zone: str) -> CalendarEntry | None:
    """One entry that makes no sense does not spoil the others."""
    try:
        return _entry(event, zone)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        return None


def _entry(event: Any, fallback: str) -> CalendarEntry:
    begin = event["dtstart"]
    all_day = not isinstance(begin.dt, datetime)
    zone = "UTC" if all_day else _zone_of(begin, fallback)
    start = _local(begin.dt, zone)
    rule = event.get("rrule")
    if rule is not None and _SLOW_RULES & {str(one).upper() for one in rule.get("FREQ", [])}:
        raise ValueError("a series by the hour is no booking")
    instead = event.get("recurrence-id")
    stamped = event.get("dtstamp")
    return CalendarEntry(
        uid=_text(event["uid"], 255),
        title=_text(event.get("summary", "")),
        start=start,
        end=_end(event, start, zone, all_day),
        zone=fallback if all_day else zone,
        stamped_at=_instant(stamped.dt) if stamped is not None else 0.0,
        sequence=max(0, int(event.get("sequence", 0))),
        status=_status(event),
        place=_text(event.get("location", "")),
        description=_text(event.get("description", "")),
        url=_text(event.get("url", "")),
        all_day=all_day,
        rule=_local_rule(rule, zone) if rule is not None else "",
        left_out=tuple(_local(one.dt, zone) for many in _list(event.get("exdate")) for one in many.dts),
        instead_of=_local(instead.dt, zone) if instead is not None else None,
        organiser=_who(event["organizer"]) if event.get("organizer") else None,
        attendees=tuple(_who(one) for one in _list(event.get("attendee"))),
    )


def _end(event: Any, start: datetime, zone: str, all_day: bool) -> datetime:
    """DTEND, else DURATION, else a day or an instant (RFC 5545 section 3.6.1)."""
    if event.get("dtend") is not None:
        end = _local(event["dtend"].dt, zone)
    elif event.get("duration") is not None:
        end = start + event["duration"].dt
    else:
        end = start + (timedelta(days=1) if all_day else timedelta(0))
    if end < start:
        raise ValueError("ends before it starts")
    return end


def _local_rule(rule: Any, zone: str) -> str:
    """Our rules have a local UNTIL."""
    own = icalendar.vRecur({key: list(values) for key, values in rule.items()})
    if "UNTIL" in own:
        own["UNTIL"] = [_local(one, zone) if isinstance(one, datetime) else one for one in own["UNTIL"]]
    text: bytes = own.to_ical()  # type: ignore[no-untyped-call]
    return text.decode()


def _zone_of(value: Any, fallback: str) -> str:
    if value.dt.tzinfo is None:
        return fallback
    named = str(value.params.get("TZID", "")) if hasattr(value, "params") else ""
    for name in (named, WINDOWS_TO_OLSON.get(named, ""), getattr(value.dt.tzinfo, "key", "")):
        if name and _known(name):
            return name
    return "UTC"


def _known(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _local(value: date | datetime, zone: str) -> datetime:
    if not isinstance(value, datetime):
        return datetime.combine(value, time())
    return value.astimezone(ZoneInfo(zone)).replace(tzinfo=None) if value.tzinfo is not None else value


def _status(event: Any) -> Status:
    found = str(event.get("status", "CONFIRMED")).upper()
    return "CANCELLED" if found == "CANCELLED" else "TENTATIVE" if found == "TENTATIVE" else "CONFIRMED"


def _who(value: Any) -> Attendee:
    mail = str(value)
    mail = mail[7:] if mail[:7].lower() == "mailto:" else mail
    given = {key.upper(): str(one) for key, one in value.params.items()}
    return Attendee(
        _text(mail, 254),
        _text(given.get("CN", ""), 200),
        given.get("CUTYPE", "INDIVIDUAL").upper()[:40],
        given.get("PARTSTAT", "NEEDS-ACTION").upper()[:40],
    )


def _text(value: object, limit: int = MAX_TEXT) -> str:
    return str(value)[:limit]


def _list(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


def _instant(value: date | datetime) -> float:
    moment = value if isinstance(value, datetime) else datetime.combine(value, time())
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()


def _utc(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC).replace(microsecond=0)


def _joined(spans: Sequence[tuple[float, float]], start: float, end: float) -> list[tuple[float, float]]:
    joined: list[tuple[float, float]] = []
    for one_start, one_end in sorted((max(a, start), min(b, end)) for a, b in spans if a < end and start < b):
        if joined and one_start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], one_end))
        else:
            joined.append((one_start, one_end))
    return joined
