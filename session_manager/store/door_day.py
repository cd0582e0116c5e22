"""One room's day as its door shows it, and what may be done at the door. Everything is checked against that room."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from math import ceil
from typing import Any

from sqlalchemy import Connection, Row, select

from session_manager.booking import Facts, exempt
from session_manager.booking_records import Booking, NewBooking, Refused, Wanted
from session_manager.errors import NotFound, NotPossible
from session_manager.opening import open_intervals
from session_manager.panel import MOST_INITIALS, DoorBooking, DoorDay, Panel, Touch, initials
from session_manager.pricing import Holder
from session_manager.schedule import Interval, instant, local_time, wall
from session_manager.store.attending import attendance_of, facts_of
from session_manager.store.booking_rows import read_booking, with_places
from session_manager.store.booking_tables import LONGEST_S, bookings, occupancies, places
from session_manager.store.bookings import make
from session_manager.store.holding import queue_up
from session_manager.store.lesson_rows import door_lesson
from session_manager.store.part import Part, need
from session_manager.store.people_tables import group_members, people
from session_manager.store.place_rows import rules_of
from session_manager.store.quoting import days_of
from session_manager.store.readers import groups_for, holder_id

WALK_IN = "walk_in"
"""The user class of whoever uses a room from its door: prices and limits can name it."""
AT_THE_DOOR = "その場で利用"
NOT_HERE = "There is no such booking in this room now."


class DoorDays(Part):
    def door_day(self, panel: Panel, now: float) -> DoorDay:
        """The local day of `now`. Raises NotFound for a room that is gone."""
        with self._database.read() as connection:
            place = need(connection, places, panel.room_id, "room")
            today = local_time(int(now), panel.timezone).date()
            first = instant(datetime.combine(today, time()), panel.timezone)
            last = instant(datetime.combine(today + timedelta(days=1), time()), panel.timezone)
            rules = rules_of(connection, panel.municipality_id)
            span = Interval(first, last)
            days = days_of(connection, place.facility_id, panel.timezone, span, rules)
            return DoorDay(
                panel.room,
                panel.facility,
                panel.timezone,
                today.isoformat(),
                place.needs_approval,
                place.buffer_after_s,
                tuple((one.starts_at, one.ends_at) for one in open_intervals(days, panel.timezone)),
                tuple(
                    _shown(connection, panel, booking, held, now) for booking, held in _held(connection, panel, span)
                ),
            )

    def at_the_door(self, panel: Panel, booking_id: str, now: float) -> Booking:
        """A booking that may be acted on at this door now: of this room, from check-in on. Raises NotFound."""
        with self._database.read() as connection:
            return _here(connection, panel, booking_id, now)

    def expected_at(self, panel: Panel, booking_id: str, person_id: str, now: float) -> Booking:
        """The booking, when that person is expected in it. Raises NotFound."""
        with self._database.read() as connection:
            booking = _here(connection, panel, booking_id, now)
            if person_id not in {one.person_id for one in _expected(connection, booking)}:
                raise NotFound(NOT_HERE)
            return booking

    def bookings_expecting(self, panel: Panel, person_id: str, now: float) -> list[Booking]:
        """What that person could check in to at this door now, confidential ones too: they know of it."""
        span = Interval(int(now) - 86_400, int(now) + 86_400)
        with self._database.read() as connection:
            found = [one for one, _ in _held(connection, panel, span) if _is_now(connection, one, now)]
            return [one for one in found if person_id in {who.person_id for who in _expected(connection, one)}]

    def walk_in(self, panel: Panel, ends_at: int, accepted_yen: int, now: float) -> Booking | Refused:
        """From the next whole minute on. Raises NotPossible where a place needs approval."""
        starts_at = ceil(now / 60) * 60
        if not 300 <= ends_at - starts_at <= 4 * 3600 + 60:
            raise NotPossible("From the door a room is used for five minutes to four hours. Book longer on a page.")
        who = f"panel:{panel.panel_id}"
        wish = NewBooking(
            AT_THE_DOOR,
            "plain",
            wall(Interval(starts_at, ends_at), panel.timezone),
            (Wanted(panel.room_id),),
            Holder(who, WALK_IN),
            who,
            municipality_id=panel.municipality_id,
            accepted_yen=accepted_yen,
        )
        with self._database.write() as connection:
            queue_up(connection, panel.municipality_id)
            if need(connection, places, panel.room_id, "room").needs_approval:
                raise NotPossible("This room is given by the office. Ask there.")
            return make(connection, wish, now)


def _held(connection: Connection, panel: Panel, span: Interval) -> list[tuple[Booking, Row[Any]]]:
    """All that hold the room then, also whoever took the whole area that it lies in."""
    query = (
        select(bookings, occupancies.c.starts_at.label("held_from"), occupancies.c.ends_at.label("held_until"))
        .join(occupancies, occupancies.c.booking_id == bookings.c.booking_id)
        .where(
            occupancies.c.place_id == panel.room_id,
            occupancies.c.starts_at > span.starts_at - LONGEST_S,
            occupancies.c.starts_at < span.ends_at,
            occupancies.c.ends_at > span.starts_at,
            bookings.c.municipality_id == panel.municipality_id,
            bookings.c.state.in_(("offered", "confirmed", "in_use")),
        )
        .order_by(bookings.c.starts_at, bookings.c.booking_id)
    )
    rows: Sequence[Row[Any]] = connection.execute(query).all()
    by_id = {row.booking_id: row for row in rows}
    return [(one, by_id[one.booking_id]) for one in with_places(connection, list(by_id.values()))]


def _shown(connection: Connection, panel: Panel, booking: Booking, held: Row[Any], now: float) -> DoorBooking:
    asked = attendance_of(connection, booking)
    facts: Facts = facts_of(booking)
    late = None if exempt(facts, asked) or asked.late_s is None else booking.starts_at + asked.late_s
    due = booking.starts_at - asked.early_s <= now < booking.ends_at and booking.state == "confirmed"
    quiet = booking.confidential or booking.kind == "remote_class" or not due
    expected = () if quiet else tuple(_expected(connection, booking)[:MOST_INITIALS])
    return DoorBooking(
        booking.booking_id,
        None if booking.confidential else booking.title,
        booking.kind,
        booking.state,
        booking.starts_at,
        booking.ends_at,
        held.held_from,
        held.held_until,
        booking.starts_at - asked.early_s,
        late,
        expected,
        None if booking.confidential else door_lesson(connection, booking, panel.room_id, now),
    )


def _expected(connection: Connection, booking: Booking) -> list[Touch]:
    """Who holds it and whose group it is for, by name, each once."""
    found = select(people.c.person_id, people.c.name).where(
        people.c.person_id == holder_id(booking.holder), people.c.municipality_id == booking.municipality_id
    )
    of_groups = (
        select(people.c.person_id, people.c.name)
        .join(group_members, group_members.c.person_id == people.c.person_id)
        .where(group_members.c.group_id.in_(groups_for(connection, booking)), group_members.c.left_at.is_(None))
    )
    known: dict[str, str] = {}
    for query in (found, of_groups.order_by(people.c.name)):
        for person_id, name in connection.execute(query):
            known.setdefault(person_id, initials(name))
    return [Touch(person_id, short) for person_id, short in known.items() if short]


def _here(connection: Connection, panel: Panel, booking_id: str, now: float) -> Booking:
    booking = read_booking(connection, booking_id)
    held = select(occupancies.c.booking_id).where(
        occupancies.c.booking_id == booking_id, occupancies.c.place_id == panel.room_id
    )
    mine = booking.municipality_id == panel.municipality_id and connection.execute(held).first() is not None
    if not mine or not _is_now(connection, booking, now):
        raise NotFound(NOT_HERE)
    return booking


def _is_now(connection: Connection, booking: Booking, now: float) -> bool:
    return booking.starts_at - attendance_of(connection, booking).early_s <= now < booking.ends_at
