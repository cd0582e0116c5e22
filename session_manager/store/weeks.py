"""What a week page shows, read in one snapshot with few queries; and the story of one booking."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta

from sqlalchemy import Connection, func, select

from session_manager.booking_records import BookingEvent, Place
from session_manager.errors import NotFound
from session_manager.opening import open_days
from session_manager.records import Facility
from session_manager.schedule import instant, local_time
from session_manager.store.booking_tables import LONGEST_S, booking_events, booking_places, bookings, places
from session_manager.store.part import Part
from session_manager.store.people_tables import people
from session_manager.store.place_rows import opening_of, place_of, rules_of
from session_manager.store.tables import accounts, boards, facilities
from session_manager.week import LETTERS, Spot, WeekFacts

_ORDER = ("room", "area", "seat", "free_use", "equipment")
_LONGEST_STORY = 200


class Weeks(Part):
    def week(
        self, municipality_id: str, facility_id: str | None, first: date | None, days: int, now: float
    ) -> WeekFacts:
        """`first` None: today, by the facility's clock. `facility_id` None: the one with most places.

        Raises NotFound for a facility that is none of this municipality's.
        """
        with self._database.read() as connection:
            houses = _houses(connection, municipality_id)
            if not houses:
                return WeekFacts(None, (), first or date(1970, 1, 1))
            wanted = facility_id or _largest(connection, houses)
            home = next((one for one in houses if one.facility_id == wanted), None)
            if home is None:
                raise NotFound("There is no facility with that identifier.")
            first = first or local_time(int(now), home.timezone).date()
            country = rules_of(connection, municipality_id).country
            last = first + timedelta(days=days - 1)
            here = _places(connection, home.facility_id)
            begin, end = (
                instant(datetime.combine(day, time()), home.timezone) for day in (first, last + timedelta(days=1))
            )
            return WeekFacts(
                home,
                houses,
                first,
                here,
                _boards(connection, [one.place_id for one in here]),
                open_days(opening_of(connection, home.facility_id), first, last, country),
                _spots(connection, home.facility_id, begin, end),
            )

    def story(self, booking_id: str) -> list[BookingEvent]:
        """What happened to one booking, in order; the latest 200."""
        query = (
            select(booking_events)
            .where(booking_events.c.booking_id == booking_id)
            .order_by(booking_events.c.number.desc())
            .limit(_LONGEST_STORY)
        )
        with self._database.read() as connection:
            return [BookingEvent(**row._mapping) for row in connection.execute(query)][::-1]

    def names_of(self, municipality_id: str, subjects: Iterable[str]) -> dict[str, str]:
        """Of people of this municipality and of accounts; who is neither is left out."""
        with self._database.read() as connection:
            return names(connection, municipality_id, subjects)


def names(connection: Connection, municipality_id: str, subjects: Iterable[str]) -> dict[str, str]:
    wanted = sorted(set(subjects))
    found = select(people.c.person_id, people.c.name).where(
        people.c.municipality_id == municipality_id, people.c.person_id.in_(wanted)
    )
    office = select(accounts.c.account_id, accounts.c.name).where(accounts.c.account_id.in_(wanted))
    return {row[0]: row[1] for query in (found, office) for row in connection.execute(query)}


def _houses(connection: Connection, municipality_id: str) -> list[Facility]:
    query = select(facilities).where(facilities.c.municipality_id == municipality_id).order_by(facilities.c.name)
    rows = connection.execute(query)
    return [Facility(row.facility_id, row.name, row.timezone, row.municipality_id) for row in rows]


def _largest(connection: Connection, houses: Sequence[Facility]) -> str:
    query = select(places.c.facility_id, func.count()).group_by(places.c.facility_id)
    sizes = {row[0]: row[1] for row in connection.execute(query)}
    return max(houses, key=lambda one: sizes.get(one.facility_id, 0)).facility_id


def _places(connection: Connection, facility_id: str) -> list[Place]:
    query = select(places).where(places.c.facility_id == facility_id).order_by(places.c.name)
    found = [place_of(row) for row in connection.execute(query)]
    return sorted(found, key=lambda one: _ORDER.index(one.kind))


def _boards(connection: Connection, place_ids: Sequence[str]) -> dict[str, int]:
    query = select(boards.c.room_id, func.count()).where(boards.c.room_id.in_(place_ids)).group_by(boards.c.room_id)
    return {row[0]: row[1] for row in connection.execute(query)}


def _spots(connection: Connection, facility_id: str, begin: int, end: int) -> list[Spot]:
    """By start. What ended early is shown until then."""
    b = bookings.c
    columns = (b.booking_id, booking_places.c.place_id, b.title, b.state, b.starts_at, b.ends_at, b.ended_at, b.holder)
    query = (
        select(*columns, b.confidential, booking_places.c.amount)
        .join(booking_places, booking_places.c.booking_id == b.booking_id)
        .join(places, places.c.place_id == booking_places.c.place_id)
        .where(
            places.c.facility_id == facility_id,
            b.starts_at > begin - LONGEST_S,
            b.starts_at < end,
            b.ends_at > begin,
            b.state.in_(sorted(LETTERS)),
        )
        .order_by(b.starts_at, b.booking_id, booking_places.c.position)
    )
    found = []
    for one, place_id, title, state, starts_at, ends_at, ended_at, holder, hidden, amount in connection.execute(query):
        until = ended_at if state == "done" and ended_at else ends_at
        if until > max(starts_at, begin):
            found.append(Spot(one, place_id, title, state, starts_at, until, holder, hidden, amount))
    return found
