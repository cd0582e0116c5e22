"""A series by rule as one calendar entry: which date of it each booking is, and how changes of some of them are told.

All dates are one entry with a rule; one that moved, or some of them, are told as those dates of the same entry
(RECURRENCE-ID), because a calendar takes one message about one entry only (RFC 5546 section 3.2).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, insert, select

from session_manager.booking_records import Booking
from session_manager.ical import CalendarEntry, Method, write
from session_manager.recurrence import Spelling, spelled
from session_manager.store.booking_rows import with_places
from session_manager.store.booking_tables import bookings, places, series
from session_manager.store.notice_tables import calendar_slots
from session_manager.store.tables import facilities

_STANDS = frozenset({"requested", "confirmed", "in_use", "done"})
DOMAIN = "shimawa.invalid"

Entry = Callable[[Booking, int], CalendarEntry]
"""How one date looks by itself, with this number of the message."""


def assign(connection: Connection, made: Iterable[Booking]) -> None:
    """For series that were made just now, whole, by a rule that a calendar can say."""
    by_series: dict[str, list[Booking]] = {}
    for one in made:
        if one.series_id is not None:
            by_series.setdefault(one.series_id, []).append(one)
    for series_id, dates in by_series.items():
        rule = connection.execute(select(series.c.rule).where(series.c.series_id == series_id)).scalar_one()
        same = len({(one.zone, one.ends - one.starts) for one in dates}) == 1 and _at_home(connection, dates)
        if same and spelled(rule, [one.starts for one in dates], dates[0].zone) is not None:
            uid = f"{series_id}@{DOMAIN}"
            rows = [{"booking_id": one.booking_id, "uid": uid, "recurrence": one.starts.isoformat()} for one in dates]
            connection.execute(insert(calendar_slots), rows)


def told_together(
    connection: Connection, many: Sequence[Booking], method: Method, entry: Entry, numbers: Mapping[str, int]
) -> str | None:
    """The calendar of a message about these dates; None when they are not dates of one entry.

    `numbers`: how often something happened to each booking; together they only grow.
    """
    mine = [one.booking_id for one in many]
    rows = connection.execute(select(calendar_slots).where(calendar_slots.c.booking_id.in_(mine))).all()
    uids = {row.uid for row in rows}
    if len(rows) != len(many) or len(uids) != 1:
        return None
    uid = next(iter(uids))
    entry_of = select(calendar_slots).where(calendar_slots.c.uid == uid)
    slots: dict[str, str] = {row.booking_id: row.recurrence for row in connection.execute(entry_of)}
    dates = _dates(connection, list(slots))
    number = sum(numbers.get(one.booking_id, 0) for one in dates) + len(dates)
    each = {
        one.booking_id: replace(entry(one, number), uid=uid, instead_of=datetime.fromisoformat(slots[one.booking_id]))
        for one in dates
    }
    standing = [one for one in dates if one.state in _STANDS]
    whole = {one.booking_id for one in standing} <= set(mine) and len(many) > 1
    if not whole:
        return write([each[one] for one in mine], method)
    rule = connection.execute(select(series.c.rule).where(series.c.series_id == many[0].series_id)).scalar_one()
    kept = standing or list(many)
    return write(_master(rule, [each[one.booking_id] for one in kept], list(slots.values())), method)


def ids_of_entry(connection: Connection, many: Sequence[Booking]) -> list[str]:
    """All bookings that share an entry with these."""
    mine = [one.booking_id for one in many]
    shared = select(calendar_slots.c.uid).where(calendar_slots.c.booking_id.in_(mine))
    found = connection.execute(select(calendar_slots.c.booking_id).where(calendar_slots.c.uid.in_(shared))).scalars()
    return sorted({*mine, *found})


def _master(rule: str, kept: Sequence[CalendarEntry], slots: Sequence[str]) -> list[CalendarEntry]:
    """The entry with its rule, then the dates that differ from it."""
    starts = sorted(datetime.fromisoformat(one) for one in slots)
    spelling = spelled(rule, starts, kept[0].zone) or Spelling(rule, ())
    like = next((one for one in kept if one.instead_of == one.start), kept[0])
    length = like.end - like.start
    gone = [one for one in starts if one not in {its.instead_of for its in kept}]
    first = replace(
        like,
        start=starts[0],
        end=starts[0] + length,
        rule=spelling.rule,
        left_out=tuple(sorted([*spelling.left_out, *gone])),
        instead_of=None,
    )
    differs = [
        one
        for one in kept
        if (one.start, one.end, one.place, one.status)
        != (one.instead_of, (one.instead_of or one.start) + length, like.place, like.status)
    ]
    return [first, *differs]


def _dates(connection: Connection, booking_ids: Sequence[str]) -> list[Booking]:
    query = select(bookings).where(bookings.c.booking_id.in_(booking_ids)).order_by(bookings.c.starts_at)
    return with_places(connection, connection.execute(query).all())


def _at_home(connection: Connection, dates: Sequence[Booking]) -> bool:
    """Whether every place is in the zone that the series counts in."""
    wanted = {one.place_id for booking in dates for one in booking.places}
    query = (
        select(facilities.c.timezone)
        .join(places, places.c.facility_id == facilities.c.facility_id)
        .where(places.c.place_id.in_(wanted))
        .distinct()
    )
    return set(connection.execute(query).scalars()) <= {dates[0].zone}
