"""What people see and do with bookings of their own: as whom they book, their list, coming late."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, or_, select, update

from session_manager.booking import OVER, exempt, refusal
from session_manager.booking_records import Booking
from session_manager.errors import NotFound, NotPossible
from session_manager.pricing import Holder
from session_manager.schedule import Interval, interval, wall
from session_manager.self_service import Holding, Own, OwnPlace, user_class
from session_manager.store.attending import attendance_of, facts_of
from session_manager.store.booking_rows import read_booking, record, wall_values, with_places, write
from session_manager.store.booking_sessions import follow
from session_manager.store.booking_tables import bookings, occupancies, places
from session_manager.store.holding import queue_up
from session_manager.store.part import Part
from session_manager.store.people import need_here, roles_now
from session_manager.store.people_tables import affiliations, agreements, memberships, organisations, people
from session_manager.store.tables import facilities

LATE_MOST_S = 2 * 3600
KEPT_S = 30 * 86_400
"""How long what is over stays in one's list."""


class SelfService(Part):
    def holding(self, municipality_id: str, person_id: str, on: date, now: float) -> Holding:
        """As whom a person books for that day: what they hold then, not what they say. Raises NotFound."""
        with self._database.read() as connection:
            return holding(connection, municipality_id, person_id, on, now)

    def own_bookings(self, municipality_id: str, subject: str, now: float, limit: int = 100) -> list[Own]:
        """What is to come first, by start; then what was over in the last thirty days, the latest first."""
        mine = and_(bookings.c.municipality_id == municipality_id, bookings.c.holder == subject)
        ahead = select(bookings).where(mine, bookings.c.ends_at > now, bookings.c.state.not_in(sorted(OVER)))
        behind = select(bookings).where(
            mine,
            or_(bookings.c.ends_at <= now, bookings.c.state.in_(sorted(OVER))),
            bookings.c.ends_at > now - KEPT_S,
            bookings.c.state != "wanted",
        )
        with self._database.read() as connection:
            first = connection.execute(ahead.order_by(bookings.c.starts_at, bookings.c.booking_id).limit(limit)).all()
            then = connection.execute(behind.order_by(bookings.c.starts_at.desc()).limit(limit - len(first))).all()
            return owned(connection, with_places(connection, [*first, *then]))

    def own_booking(self, municipality_id: str, subject: str, booking_id: str) -> Own:
        """Another person's, or another municipality's, is as what does not exist. Raises NotFound."""
        with self._database.read() as connection:
            found = read_booking(connection, booking_id)
            if found.municipality_id != municipality_id or found.holder != subject:
                raise NotFound("There is no booking with that identifier.")
            return owned(connection, [found])[0]

    def come_late(self, booking_id: str, by_s: int, by: str, now: float) -> Booking:
        """Begins later, so that it is not given away meanwhile. The fee stays. Raises NotFound, NotPossible."""
        with self._database.write() as connection:
            booking = read_booking(connection, booking_id)
            queue_up(connection, booking.municipality_id)
            booking = read_booking(connection, booking_id)
            if booking.state != "confirmed":
                raise NotPossible(refusal(booking.state))
            start = max(booking.starts_at, int(now) // 60 * 60) + by_s
            if by_s > LATE_MOST_S or start + 900 > booking.ends_at:
                raise NotPossible("That is too late for this booking. Move it to another time or cancel it.")
            later = wall(Interval(start, booking.ends_at), booking.zone)
            here = occupancies.c.booking_id == booking_id
            moved = occupancies.c.starts_at + (start - booking.starts_at)
            connection.execute(update(occupancies).where(here).values(starts_at=moved))
            write(connection, booking_id, **wall_values(later, interval(later)))
            record(connection, booking_id, "late", by, now, {"by_s": by_s})
            return follow(connection, read_booking(connection, booking_id))


def in_force_on(day: date) -> ColumnElement[bool]:
    """Of agreements; both days belong to one."""
    return and_(
        agreements.c.starts_on <= day.isoformat(),
        or_(agreements.c.ends_on.is_(None), agreements.c.ends_on >= day.isoformat()),
    )


def holding(connection: Connection, municipality_id: str, person_id: str, on: date, now: float) -> Holding:
    need_here(connection, people, person_id, municipality_id, "person")
    query = (
        select(organisations.c.name)
        .join(agreements, agreements.c.organisation_id == organisations.c.organisation_id)
        .join(affiliations, affiliations.c.organisation_id == organisations.c.organisation_id)
        .where(
            affiliations.c.person_id == person_id,
            organisations.c.municipality_id == municipality_id,
            in_force_on(on),
        )
        .order_by(agreements.c.starts_on)
    )
    partners = list(connection.execute(query).scalars())
    at = select(affiliations.c.organisation_id).where(affiliations.c.person_id == person_id)
    levels = select(memberships.c.level).where(
        or_(memberships.c.person_id == person_id, memberships.c.organisation_id.in_(at)),
        memberships.c.ended_at.is_(None),
        memberships.c.municipality_id == municipality_id,
    )
    held = list(connection.execute(levels).scalars())
    roles = {row.role for row in roles_now(connection, person_id, now) if row.municipality_id == municipality_id}
    known = user_class(roles, agreement=bool(partners), membership=bool(held))
    return Holding(Holder(person_id, known, max(held, default=0)), partners[0] if partners else "")


def owned(connection: Connection, found: Sequence[Booking]) -> list[Own]:
    wanted = {one.place_id for booking in found for one in booking.places}
    query = (
        select(places, facilities.c.name.label("facility"))
        .join(facilities, facilities.c.facility_id == places.c.facility_id)
        .where(places.c.place_id.in_(sorted(wanted)))
    )
    known = {row.place_id: row for row in connection.execute(query)}
    return [_own(connection, booking, known) for booking in found]


def _own(connection: Connection, booking: Booking, known: Mapping[str, Row[Any]]) -> Own:
    where = [
        OwnPlace(
            one.place_id,
            known[one.place_id].name,
            known[one.place_id].kind,
            one.amount,
            known[one.place_id].facility_id,
            known[one.place_id].facility,
        )
        for one in booking.places
    ]
    rule = attendance_of(connection, booking)
    late = None if rule.late_s is None or exempt(facts_of(booking), rule) else booking.starts_at + rule.late_s
    return Own(booking, tuple(where), booking.starts_at - rule.early_s, late)
