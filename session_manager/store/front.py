"""The front page of people who book for themselves: one day of their facility as a few buttons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select

from session_manager.booking import HOLDING
from session_manager.booking_records import NewBooking, Place, Rules, Wanted
from session_manager.errors import NotFound
from session_manager.opening import open_intervals
from session_manager.schedule import Interval, clash, instant, local_time, wall
from session_manager.self_service import Front, Holding, Offer, Slot, room_slots, seat_slots
from session_manager.store.booking_tables import booking_places, bookings, places
from session_manager.store.holding import overlapping, taken_units
from session_manager.store.part import Part, need
from session_manager.store.place_rows import place_of, rules_of
from session_manager.store.quoting import availability, days_of, quote
from session_manager.store.tables import facilities

AGAIN_DAYS = 14
LOOK_AHEAD_DAYS = 7
NOON_S = 13 * 3600
_MINE = (*sorted(HOLDING), "requested", "waiting")


class Fronts(Part):
    def front(
        self, municipality_id: str, held: Holding, facility_id: str | None, day: date | None, now: float
    ) -> Front | None:
        """`day` None: today, or the next day that has something free. None: nothing can be booked here yet.

        Raises NotFound for a facility of another municipality.
        """
        with self._database.read() as connection:
            house = _house(connection, municipality_id, held.holder.subject, facility_id)
            if house is None:
                return None
            found, rules = _bookable(connection, house.facility_id), rules_of(connection, municipality_id)
            today = local_time(int(now), house.timezone).date()
            front = _day(connection, house, found, held, day or today, rules, now)
            if day is None and not front.offers:
                days = (today + timedelta(days=ahead) for ahead in range(1, LOOK_AHEAD_DAYS + 1))
                later = (_day(connection, house, found, held, one, rules, now) for one in days)
                front = next((one for one in later if one.offers), front)
            return replace(front, again=_again(connection, house, found, held, now))


def _house(connection: Connection, municipality_id: str, subject: str, wanted: str | None) -> Row[Any] | None:
    """The one that is asked for, else that of the last booking, else the first with something to book."""
    if wanted is not None:
        row = need(connection, facilities, wanted, "facility")
        if row.municipality_id != municipality_id:
            raise NotFound("There is no facility with that identifier.")
        return row
    here = select(facilities).where(facilities.c.municipality_id == municipality_id)
    has = select(places.c.facility_id).where(places.c.kind.in_(("room", "seat")))
    last = (
        select(places.c.facility_id)
        .join(booking_places, booking_places.c.place_id == places.c.place_id)
        .join(bookings, bookings.c.booking_id == booking_places.c.booking_id)
        .where(bookings.c.holder == subject, bookings.c.municipality_id == municipality_id)
        .order_by(bookings.c.created_at.desc(), booking_places.c.position)
        .limit(1)
    )
    before = connection.execute(last).scalar_one_or_none()
    if before is not None:
        return need(connection, facilities, before, "facility")
    return connection.execute(here.where(facilities.c.facility_id.in_(has)).order_by(facilities.c.name)).first()


def _bookable(connection: Connection, facility_id: str) -> list[Place]:
    query = select(places).where(places.c.facility_id == facility_id, places.c.kind.in_(("room", "seat")))
    return [
        place_of(row) for row in connection.execute(query.order_by(places.c.kind, places.c.capacity, places.c.name))
    ]


def _day(
    connection: Connection,
    house: Row[Any],
    found: Sequence[Place],
    held: Holding,
    day: date,
    rules: Rules,
    now: float,
) -> Front:
    zone = house.timezone
    whole = Interval(_midnight(day, zone), _midnight(day + timedelta(days=1), zone))
    [opened] = days_of(connection, house.facility_id, zone, whole, rules)
    hours = tuple(open_intervals([opened], zone))
    moment = int(max(now, hours[0].starts_at)) if hours else int(now)
    seats = [one for one in found if one.kind == "seat"]
    return Front(
        house.facility_id,
        house.name,
        zone,
        day,
        local_time(int(now), zone).date(),
        hours,
        (opened.note or "") if not hours else "",
        sum(one.quantity for one in seats),
        sum(one.quantity - _busy_units(connection, one, moment) for one in seats) if hours else 0,
        held.holder.user_class,
        held.organisation,
        _offers(connection, found, whole, rules, zone, held, now),
        None,
    )


def _offers(
    connection: Connection,
    found: Sequence[Place],
    whole: Interval,
    rules: Rules,
    zone: str,
    held: Holding,
    now: float,
) -> tuple[Offer, ...]:
    free = {one.place_id: availability(connection, Wanted(one.place_id), whole, rules) for one in found}
    seats = {one.place_id: free[one.place_id] for one in found if one.kind == "seat"}
    held_by: dict[str, list[Interval]] = {one.place_id: [] for one in found}
    for taken in overlapping(connection, list(held_by), whole, ""):
        held_by[taken.place_id].append(taken.time)
    slots = seat_slots(seats, held_by, whole.starts_at + NOON_S, now)
    for one in found:
        if one.kind == "room":
            slots += room_slots(one.place_id, free[one.place_id], held_by[one.place_id], now)
    mine = _my_times(connection, held.holder.subject, whole)
    wished = [one for one in slots if not (one.taken and any(clash(one.time, time) for time in mine))]
    by_id = {one.place_id: one for one in found}
    offers = [_offer(connection, by_id[one.place_id], one, zone, held, now) for one in wished]
    return tuple(one for one in offers if one is not None)


def _offer(connection: Connection, place: Place, slot: Slot, zone: str, held: Holding, now: float) -> Offer | None:
    """None: a rule stands in the way, so it is not offered."""
    time = wall(slot.time, zone)
    owner = need(connection, facilities, place.facility_id, "facility").municipality_id
    wish = NewBooking("", "plain", time, (Wanted(place.place_id),), held.holder, municipality_id=owner)
    found = quote(connection, wish, now)
    if not (found.possible or (slot.taken and found.taken and len(found.problems) == 1)):
        return None
    return Offer(
        place.place_id,
        place.name,
        place.kind,
        place.capacity,
        time.starts,
        time.ends,
        slot.time.starts_at,
        slot.time.ends_at,
        found.yen,
        found.price_reason,
        found.needs_approval,
        slot.time.starts_at <= now,
        slot.taken,
    )


def _again(connection: Connection, house: Row[Any], found: Sequence[Place], held: Holding, now: float) -> Offer | None:
    """Where and when by the clock as the last time, on the first day that it can be had."""
    known = {one.place_id: one for one in found}
    query = (
        select(bookings.c.starts_at, bookings.c.ends_at, booking_places.c.place_id)
        .join(booking_places, booking_places.c.booking_id == bookings.c.booking_id)
        .where(
            bookings.c.holder == held.holder.subject,
            bookings.c.state.in_((*sorted(HOLDING), "done")),
            booking_places.c.place_id.in_(sorted(known)),
        )
        .order_by(bookings.c.created_at.desc(), booking_places.c.position)
        .limit(1)
    )
    last = connection.execute(query).first()
    if last is None:
        return None
    zone, length_s = house.timezone, last.ends_at - last.starts_at
    clock = local_time(last.starts_at // 900 * 900, zone).time()
    today = local_time(int(now), zone).date()
    for ahead in range(AGAIN_DAYS):
        start = instant(datetime.combine(today + timedelta(days=ahead), clock), zone)
        wished = Interval(start, start + length_s)
        if start < now or _my_times(connection, held.holder.subject, wished):
            continue
        offer = _offer(connection, known[last.place_id], Slot(last.place_id, wished), zone, held, now)
        if offer is not None:
            return offer
    return None


def _my_times(connection: Connection, subject: str, around: Interval) -> list[Interval]:
    query = select(bookings.c.starts_at, bookings.c.ends_at).where(
        bookings.c.holder == subject,
        bookings.c.state.in_(_MINE),
        bookings.c.starts_at < around.ends_at,
        bookings.c.ends_at > around.starts_at,
    )
    return [Interval(row.starts_at, row.ends_at) for row in connection.execute(query)]


def _busy_units(connection: Connection, place: Place, moment: int) -> int:
    return len({unit for unit, _ in taken_units(connection, place.place_id, Interval(moment, moment + 60))})


def _midnight(day: date, zone: str) -> int:
    return instant(datetime.combine(day, time()), zone)
