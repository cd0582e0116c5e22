"""Who comes to a booking across the sea, and days without boats as rows. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, func, select

from session_manager.booking_records import Booking
from session_manager.sailing import Handled, Question, Sailing, Travel, crosses
from session_manager.store.booking_rows import with_places
from session_manager.store.booking_tables import LONGEST_S, bookings, places
from session_manager.store.notice_tables import audiences
from session_manager.store.people_tables import affiliations, group_members, organisations, people
from session_manager.store.sailing_tables import sailing_bookings, sailings
from session_manager.store.tables import facilities


def of_the_day(connection: Connection, municipality_id: str, day: date, now: float) -> list[Booking]:
    """Confirmed ones that begin on that day of their own clock and are not over."""
    query = (
        select(bookings)
        .where(
            bookings.c.municipality_id == municipality_id,
            bookings.c.starts_at > now - LONGEST_S,
            bookings.c.ends_at > now,
            bookings.c.starts >= day.isoformat(),
            bookings.c.starts < f"{day.isoformat()}U",
            bookings.c.state == "confirmed",
        )
        .order_by(bookings.c.starts_at, bookings.c.booking_id)
    )
    return with_places(connection, connection.execute(query).all())


def travels(connection: Connection, found: Sequence[Booking]) -> dict[str, Travel]:
    """How people come to each of them."""
    there = [one.place_id for booking in found for one in booking.places]
    query = select(places.c.place_id, facilities.c.on_island).join(
        facilities, facilities.c.facility_id == places.c.facility_id
    )
    island = {row.place_id for row in connection.execute(query.where(places.c.place_id.in_(there))) if row.on_island}
    invited = {booking.booking_id: _invited(connection, booking) for booking in found}
    asked = {booking.holder for booking in found}.union(*invited.values())
    over_sea = _over_sea(connection, asked)
    return {
        booking.booking_id: Travel(
            any(one.place_id in island for one in booking.places),
            booking.holder in over_sea,
            bool(invited[booking.booking_id] & over_sea),
            bool(invited[booking.booking_id] - over_sea),
        )
        for booking in found
    }


def open_sailing(connection: Connection, municipality_id: str, day: date) -> Row[Any] | None:
    mine = select(sailings).where(sailings.c.municipality_id == municipality_id, sailings.c.day == day.isoformat())
    return connection.execute(mine.where(sailings.c.resumed_at.is_(None))).first()


def last_sailing(connection: Connection, municipality_id: str, day: date) -> Row[Any] | None:
    mine = select(sailings).where(sailings.c.municipality_id == municipality_id, sailings.c.day == day.isoformat())
    return connection.execute(mine.order_by(sailings.c.stopped_at.desc())).first()


def handled_in(connection: Connection, sailing_id: str) -> dict[str, Handled]:
    query = (
        select(sailing_bookings, bookings.c.title)
        .join(bookings, bookings.c.booking_id == sailing_bookings.c.booking_id)
        .where(sailing_bookings.c.sailing_id == sailing_id)
        .order_by(bookings.c.starts_at, bookings.c.booking_id)
    )
    return {
        row.booking_id: Handled(
            row.booking_id, row.title, row.choice, row.asked_at, row.answer, row.outcome, row.successor_id
        )
        for row in connection.execute(query)
    }


def as_sailing(connection: Connection, row: Row[Any]) -> Sailing:
    return Sailing(
        row.sailing_id,
        row.municipality_id,
        date.fromisoformat(row.day),
        row.stopped_at,
        row.stopped_by,
        row.resumed_at,
        tuple(handled_in(connection, row.sailing_id).values()),
    )


def questions(connection: Connection, booking_ids: Sequence[str]) -> dict[str, Question]:
    """Of those that somebody was asked about, while the boats do not sail and the booking is still on that day."""
    open_still = (bookings.c.state == "confirmed") & (func.substr(bookings.c.starts, 1, 10) == sailings.c.day)
    query = (
        select(sailing_bookings)
        .join(sailings, sailings.c.sailing_id == sailing_bookings.c.sailing_id)
        .join(bookings, bookings.c.booking_id == sailing_bookings.c.booking_id)
        .where(
            sailing_bookings.c.booking_id.in_(list(booking_ids)),
            sailing_bookings.c.asked_at.is_not(None),
            sailings.c.resumed_at.is_(None),
            open_still | sailing_bookings.c.answer.is_not(None),
        )
        .order_by(sailing_bookings.c.asked_at)
    )
    return {row.booking_id: Question(row.asked_at, answer=row.answer) for row in connection.execute(query)}


def _invited(connection: Connection, booking: Booking) -> set[str]:
    its = audiences.c.booking_id == booking.booking_id
    if booking.series_id is not None:
        its = its | (audiences.c.series_id == booking.series_id)
    query = select(group_members.c.person_id).join(audiences, audiences.c.group_id == group_members.c.group_id)
    return set(connection.execute(query.where(its, group_members.c.left_at.is_(None))).scalars())


def _over_sea(connection: Connection, subjects: set[str]) -> set[str]:
    """Those of the people and organisations who come by boat."""
    wanted = list(subjects)
    by_house = {
        row.organisation_id
        for row in connection.execute(
            select(organisations.c.organisation_id).where(
                organisations.c.across_sea.is_(True), organisations.c.organisation_id.in_(wanted)
            )
        )
    }
    staff = (
        select(affiliations.c.person_id)
        .join(organisations, organisations.c.organisation_id == affiliations.c.organisation_id)
        .where(organisations.c.across_sea.is_(True), affiliations.c.person_id.in_(wanted))
    )
    of_houses = set(connection.execute(staff).scalars())
    own = connection.execute(select(people.c.person_id, people.c.across_sea).where(people.c.person_id.in_(wanted)))
    return by_house | {row.person_id for row in own if crosses(row.across_sea, row.person_id in of_houses)}
