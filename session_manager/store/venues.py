"""What can be booked and under which rules: places, opening hours, a municipality's rules."""

from __future__ import annotations

from dataclasses import fields
from datetime import date

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from session_manager.booking_records import NewPlace, Place, Rules, Wanted
from session_manager.errors import NotPossible
from session_manager.opening import OpenDay, Opening, known_country, open_days
from session_manager.schedule import Availability, Interval
from session_manager.store.booking_tables import (
    booking_places,
    bookings,
    facility_opening,
    municipality_rules,
    occupancies,
    places,
)
from session_manager.store.holding import hold, queue_up
from session_manager.store.part import Part, need
from session_manager.store.place_rows import OPENING, RULES, insert_place, opening_of, place_of, place_values, rules_of
from session_manager.store.quoting import availability
from session_manager.store.secrets import new_id
from session_manager.store.tables import facilities, municipalities, rooms


class Venues(Part):
    def add_place(self, new: NewPlace, now: float) -> Place:
        """A room gets its room to hold sessions in. Raises NotFound, NotPossible."""
        with self._database.write() as connection:
            return put_place(connection, new, now)

    def change_place(self, place: Place) -> Place:
        """Everything but facility, kind and area. What is booked stays as it is. Raises NotFound, NotPossible."""
        with self._database.write() as connection:
            return alter_place(connection, place)

    def places(self, municipality_id: str | None = None) -> list[Place]:
        query = select(places).join(facilities, facilities.c.facility_id == places.c.facility_id)
        if municipality_id is not None:
            query = query.where(facilities.c.municipality_id == municipality_id)
        with self._database.read() as connection:
            return [place_of(row) for row in connection.execute(query.order_by(places.c.kind, places.c.name))]

    def rules(self, municipality_id: str) -> Rules:
        """Raises NotFound."""
        with self._database.read() as connection:
            need(connection, municipalities, municipality_id, "municipality")
            return rules_of(connection, municipality_id)

    def set_rules(self, municipality_id: str, rules: Rules) -> Rules:
        """For bookings from now on. Raises NotFound, NotPossible for a country whose holidays nobody knows."""
        if not known_country(rules.country):
            raise NotPossible("The holidays of that country are not known here. Use a code like JP, or none.")
        with self._database.write() as connection:
            need(connection, municipalities, municipality_id, "municipality")
            here = municipality_rules.c.municipality_id == municipality_id
            connection.execute(delete(municipality_rules).where(here))
            values = {"municipality_id": municipality_id, "rules": RULES.dump_python(rules, mode="json")}
            connection.execute(insert(municipality_rules).values(values))
        return rules

    def opening(self, facility_id: str) -> Opening:
        """Raises NotFound."""
        with self._database.read() as connection:
            need(connection, facilities, facility_id, "facility")
            return opening_of(connection, facility_id)

    def set_opening(self, facility_id: str, opening: Opening) -> Opening:
        """What is booked already stays booked. Raises NotFound."""
        with self._database.write() as connection:
            need(connection, facilities, facility_id, "facility")
            connection.execute(delete(facility_opening).where(facility_opening.c.facility_id == facility_id))
            values = {"facility_id": facility_id, "opening": OPENING.dump_python(opening, mode="json")}
            connection.execute(insert(facility_opening).values(values))
        return opening

    def open_days(self, facility_id: str, first: date, last: date) -> list[OpenDay]:
        """With holidays and the reasons of closed days, both days included. Raises NotFound."""
        with self._database.read() as connection:
            facility = need(connection, facilities, facility_id, "facility")
            rules = rules_of(connection, facility.municipality_id)
            return open_days(opening_of(connection, facility_id), first, last, rules.country)

    def availability(self, place_id: str, around: Interval) -> Availability:
        """When it is open and when it is taken, on every day that the time touches. Raises NotFound."""
        with self._database.read() as connection:
            facility = need(connection, places, place_id, "place").facility_id
            owner = need(connection, facilities, facility, "facility").municipality_id
            return availability(connection, Wanted(place_id), around, rules_of(connection, owner))


def put_place(connection: Connection, new: NewPlace, now: float) -> Place:
    """As `Venues.add_place`, inside somebody's transaction."""
    place = Place(**{one.name: getattr(new, one.name) for one in fields(new)}, place_id=new_id())
    owner = need(connection, facilities, place.facility_id, "facility").municipality_id
    queue_up(connection, owner)
    _check(connection, place)
    try:
        if place.kind == "room":
            values = {"room_id": place.place_id, "facility_id": place.facility_id, "name": place.name}
            connection.execute(insert(rooms).values(values))
        insert_place(connection, place)
    except IntegrityError as error:
        raise NotPossible("That facility has something of that name already. Choose another name.") from error
    if place.part_of is not None:
        _taken_with_its_area(connection, place.part_of, now)
    return place


def alter_place(connection: Connection, place: Place) -> Place:
    """As `Venues.change_place`, inside somebody's transaction."""
    before = place_of(need(connection, places, place.place_id, "place"))
    if (before.facility_id, before.kind, before.part_of) != (place.facility_id, place.kind, place.part_of):
        raise NotPossible("A place keeps its facility, kind and area. Make a new one instead.")
    most = select(occupancies.c.unit).where(
        occupancies.c.place_id == place.place_id, occupancies.c.unit >= place.quantity
    )
    if place.quantity < before.quantity and connection.execute(most.limit(1)).first() is not None:
        raise NotPossible("Some of them are booked. Cancel those first, then take them away.")
    try:
        here = places.c.place_id == place.place_id
        connection.execute(update(places).where(here).values(place_values(place)))
        connection.execute(update(rooms).where(rooms.c.room_id == place.place_id).values(name=place.name))
    except IntegrityError as error:
        raise NotPossible("That facility has something of that name already. Choose another name.") from error
    return place


def _check(connection: Connection, place: Place) -> None:
    if place.part_of is None:
        return
    area = need(connection, places, place.part_of, "area")
    if area.kind != "area" or area.facility_id != place.facility_id:
        raise NotPossible("A place can only lie in an area of its own facility.")


def _taken_with_its_area(connection: Connection, area_id: str, now: float) -> None:
    """Whoever has the whole area has the new place too."""
    query = (
        select(bookings)
        .join(occupancies, occupancies.c.booking_id == bookings.c.booking_id)
        .where(occupancies.c.place_id == area_id, occupancies.c.ends_at > now)
    )
    for row in connection.execute(query).all():
        held = select(booking_places).where(booking_places.c.booking_id == row.booking_id)
        wanted = [Wanted(one.place_id, one.amount) for one in connection.execute(held)]
        connection.execute(delete(occupancies).where(occupancies.c.booking_id == row.booking_id))
        hold(connection, row.booking_id, wanted, Interval(row.starts_at, row.ends_at))
