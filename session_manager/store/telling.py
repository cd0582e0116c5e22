"""At the end of each transaction: the letters and the programs' messages that what happened in it owes.

`booking_rows.record` notes the number of each event; `Teller` runs before the commit, so that nothing happens without
its notices and no notice is sent of what was rolled back. What happened in one transaction is told together: a series
is one letter with all its dates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, select

from session_manager.booking_records import Booking
from session_manager.notices import Letter
from session_manager.occasions import Owed, last_per_reader, owed
from session_manager.store import series_slots, webhook_rows
from session_manager.store.booking_rows import HAPPENED, SEATS, with_places
from session_manager.store.booking_tables import booking_events, bookings
from session_manager.store.letter_facts import House, calendar_of, facts_of
from session_manager.store.outbox import enqueue
from session_manager.store.people_tables import people
from session_manager.store.readers import Recipient, by_another, dates_of, holder_id, readers

_CHUNK = 500
_INVITED = Owed("guests", "invited", "REQUEST")
_LEFT = Owed("guests", "left", "CANCEL")


@dataclass(frozen=True, slots=True)
class Told:
    """One booking and what is owed for it. `number`: of the event that owes it."""

    booking: Booking
    owed: Owed
    number: int
    data: Mapping[str, Any]


class Teller:
    """`house`: who writes, set by the hub once it knows its address."""

    def __init__(self) -> None:
        self.house = House()

    def __call__(self, connection: Connection) -> None:
        seats: list[tuple[str, str, bool, float]] = connection.info.pop(SEATS, [])
        if seats:
            _seats(connection, seats, self.house)
        numbers: list[int] = connection.info.pop(HAPPENED, [])
        if not numbers:
            return
        events = _events(connection, numbers)
        found = _bookings(connection, {one.booking_id for one in events})
        now = float(max((one.happened_at for one in events), default=0))
        series_slots.assign(connection, [found[one.booking_id] for one in events if one.what == "made"])
        webhook_rows.booking_events(connection, events, found, now)
        told = [one for booking_id in found for one in _told(found[booking_id], events)]
        for recipient, owes in _by_recipient(connection, told):
            _write(connection, recipient, owes, self.house, now)


def _seats(connection: Connection, changes: Sequence[tuple[str, str, bool, float]], house: House) -> None:
    """Who came into a group is invited to what is to come of it; who left is told that it leaves their calendar."""
    net: dict[tuple[str, str], int] = {}
    for group_id, person_id, inside, _ in changes:
        net[group_id, person_id] = net.get((group_id, person_id), 0) + (1 if inside else -1)
    now = max(at for *_, at in changes)
    for (group_id, person_id), way in net.items():
        query = select(people).where(people.c.person_id == person_id, people.c.mail.is_not(None))
        person = connection.execute(query).one_or_none()
        if way == 0 or person is None:
            continue
        recipient = Recipient(person.mail, person.language, person.name, person_id)
        by_series: dict[str, list[Told]] = {}
        for one in dates_of(connection, group_id, now):
            if holder_id(one.holder) != person_id and not by_another(connection, one, group_id, person_id):
                told = Told(one, _INVITED if way > 0 else _LEFT, 0, {})
                by_series.setdefault(one.series_id or one.booking_id, []).append(told)
        for subject, many in by_series.items():
            _write(connection, recipient, many, house, now, f"seat:{group_id}:{now:.3f}:{subject}")


def _events(connection: Connection, numbers: Sequence[int]) -> list[Row[Any]]:
    """Those that are still there: a part that was rolled back took its events along."""
    found: list[Row[Any]] = []
    for start in range(0, len(numbers), _CHUNK):
        some = booking_events.c.number.in_(numbers[start : start + _CHUNK])
        found += connection.execute(select(booking_events).where(some).order_by(booking_events.c.number))
    return found


def _bookings(connection: Connection, booking_ids: set[str]) -> dict[str, Booking]:
    wanted = sorted(booking_ids)
    rows: list[Row[Any]] = []
    for start in range(0, len(wanted), _CHUNK):
        rows += connection.execute(select(bookings).where(bookings.c.booking_id.in_(wanted[start : start + _CHUNK])))
    in_time = sorted(with_places(connection, rows), key=lambda one: (one.starts_at, one.booking_id))
    return {one.booking_id: one for one in in_time}


def _told(booking: Booking, events: Sequence[Row[Any]]) -> list[Told]:
    mine = [one for one in events if one.booking_id == booking.booking_id]
    each = [(one, owed(one.what, str(one.data.get("from", "")), _after(one, booking))) for one in mine]
    found = []
    for owes in last_per_reader(rows for _, rows in each):
        event = next(one for one, rows in reversed(each) if owes in rows)
        found.append(Told(booking, owes, event.number, event.data))
    return found


def _after(event: Row[Any], booking: Booking) -> str:
    """The state that an event led to; where it says none, it left the booking as it is."""
    return str(event.data.get("to") or event.data.get("state") or booking.state)


def _by_recipient(connection: Connection, told: Sequence[Told]) -> list[tuple[Recipient, list[Told]]]:
    """Together in one letter: one reader, one template, one series (or bookings of nobody's series)."""
    found: dict[tuple[str, Owed, str], tuple[Recipient, list[Told]]] = {}
    known: dict[tuple[str, str], list[Recipient]] = {}
    for one in told:
        subject = one.booking.series_id or one.booking.booking_id
        place = (one.owed.reader, f"{subject}:{one.booking.session_id or ''}")
        if place not in known:
            known[place] = readers(connection, one.owed.reader, one.booking)
        together = one.booking.series_id or one.booking.title
        for recipient in known[place]:
            found.setdefault((recipient.mail, one.owed, together), (recipient, []))[1].append(one)
    return list(found.values())


def _write(
    connection: Connection, recipient: Recipient, told: Sequence[Told], house: House, now: float, cause: str = ""
) -> None:
    """`cause`: of what is no event of a booking."""
    first = told[0]
    method = first.owed.method
    if method == "REQUEST":
        told = [one for one in told if one.booking.ends_at > now]
    if not told:
        return
    many = [one.booking for one in told]
    facts = facts_of(connection, many, first.owed, first.data, recipient, house)
    letter = Letter.about(first.owed.template, told[0].number, facts, recipient.language)
    letter = replace(letter, cause=f"{cause}:{first.owed.template}") if cause else letter
    letter = letter.to(recipient.mail, recipient.language, first.booking.municipality_id)
    if method is not None:
        text, how = calendar_of(connection, many, method, recipient, house, now)
        letter = replace(letter, calendar=text, method=how)
    enqueue(connection, letter, now)
