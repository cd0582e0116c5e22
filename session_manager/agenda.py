"""What stands in whose calendar: bookings, and sessions that nobody booked, as calendar entries. Pure.

A calendar's address goes to programs and companies that hand it on: what is confidential is reserved time there and no
more, also in one's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from session_manager.ical import CalendarEntry, Status
from session_manager.records import Session
from session_manager.schedule import Interval, wall

CONFIDENTIAL_TITLE = "予約済 / Reserved"
DOMAIN = "shimawa.invalid"
_DAY_S = 86_400.0
PAST_S = 31 * _DAY_S
AHEAD_S = 401 * _DAY_S


@dataclass(frozen=True, slots=True)
class FeedRange:
    """Half open, UTC POSIX seconds."""

    starts_at: float
    ends_at: float


@dataclass(frozen=True, slots=True)
class CalendarDate:
    """Of a booking, what a calendar shows."""

    booking_id: str
    series_id: str | None
    session_id: str | None
    title: str
    state: str
    starts: str
    ends: str
    zone: str
    starts_at: int
    ends_at: int
    confidential: bool
    link: str
    created_at: int
    place_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Agenda:
    """`places`: facility, name and zone by place. `sequences`: by booking. `hidden`: bookings shown without title."""

    bookings: tuple[CalendarDate, ...]
    sessions: tuple[Session, ...]
    places: Mapping[str, tuple[str, str, str]]
    sequences: Mapping[str, int]
    hidden: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class BusySpans:
    """When something is held for sure, asked for, or cannot be had because the house is closed."""

    busy: tuple[tuple[float, float], ...]
    tentative: tuple[tuple[float, float], ...] = ()
    unavailable: tuple[tuple[float, float], ...] = ()


def around(now: float) -> FeedRange:
    """What a feed holds: a month back, thirteen months ahead; the same for a whole day, so that it can be as it was."""
    today = now - now % _DAY_S
    return FeedRange(today - PAST_S, today + AHEAD_S)


def entries_of(agenda: Agenda) -> list[CalendarEntry]:
    booked = [_entry(one, agenda) for one in agenda.bookings]
    return [*booked, *(entry_of(one, hide=one.confidential) for one in agenda.sessions)]


def entry_of(session: Session, *, hide: bool = False) -> CalendarEntry:
    """`hide`: for eyes that may know that the room is taken, not by what."""
    zone = ZoneInfo(session.timezone)
    start, end = (datetime.fromtimestamp(at, zone).replace(tzinfo=None) for at in (session.starts_at, session.ends_at))
    places = "" if hide else " / ".join(site.name for site in session.sites)
    title = CONFIDENTIAL_TITLE if hide else session.title
    uid = f"{session.session_id}@{DOMAIN}"
    return CalendarEntry(uid, title, start, end, session.timezone, session.starts_at, place=places)


def _entry(booking: CalendarDate, agenda: Agenda) -> CalendarEntry:
    """By the clock of the house it is in."""
    halls = [agenda.places[one] for one in booking.place_ids if one in agenda.places]
    zone = halls[0][2] if halls else booking.zone
    starts, ends = datetime.fromisoformat(booking.starts), datetime.fromisoformat(booking.ends)
    if zone != booking.zone:
        there = wall(Interval(booking.starts_at, booking.ends_at), zone)
        starts, ends = there.starts, there.ends
    hide = booking.confidential or booking.booking_id in agenda.hidden
    status: Status = "TENTATIVE" if booking.state == "requested" else "CONFIRMED"
    return CalendarEntry(
        f"{booking.booking_id}@{DOMAIN}",
        CONFIDENTIAL_TITLE if hide else booking.title,
        starts,
        ends,
        zone,
        float(booking.created_at),
        agenda.sequences.get(booking.booking_id, 0),
        status,
        "、".join(f"{house} {name}" for house, name, _ in halls),
        url="" if hide else booking.link,
    )
