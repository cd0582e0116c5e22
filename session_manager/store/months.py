"""A month's bookings with what the figures need of each. Reads only."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from session_manager.booking_records import Booking
from session_manager.month import Month, Used, month_of
from session_manager.store.booking_rows import with_places
from session_manager.store.booking_tables import bookings, places
from session_manager.store.part import Part, need
from session_manager.store.people_tables import affiliations, organisations
from session_manager.store.place_rows import rules_of
from session_manager.store.sailing_rows import travels
from session_manager.store.sailing_tables import sailing_bookings, sailings
from session_manager.store.tables import municipalities

COUNTED = ("done", "in_use", "released")
_CHUNK = 300


class Months(Part):
    def month(self, municipality_id: str, month: str) -> Month:
        """`month` like 2026-06, by each booking's own clock. Raises NotFound."""
        with self._database.read() as connection:
            need(connection, municipalities, municipality_id, "municipality")
            query = select(bookings).where(
                bookings.c.municipality_id == municipality_id,
                bookings.c.starts >= f"{month}-01",
                bookings.c.starts < f"{month}-32",
                bookings.c.state.in_(COUNTED),
            )
            found = with_places(connection, connection.execute(query).all())
            used: list[Used] = []
            for start in range(0, len(found), _CHUNK):
                used += _used(connection, found[start : start + _CHUNK])
            days, touched = _boats(connection, municipality_id, month)
            return month_of(month, used, rules_of(connection, municipality_id).prices, days, touched)


def _used(connection: Connection, found: Sequence[Booking]) -> list[Used]:
    named = {
        row.place_id: (row.name, row.kind)
        for row in connection.execute(select(places.c.place_id, places.c.name, places.c.kind))
    }
    how = travels(connection, found)
    houses = _houses(connection, [one.holder for one in found])
    return [
        Used(
            one.kind,
            one.state,
            one.mode,
            one.people,
            tuple(named[place.place_id] for place in one.places),
            one.ends_at - one.starts_at,
            max(0, (one.ended_at or one.ends_at) - one.starts_at),
            one.yen,
            one.user_class,
            houses.get(one.holder, ""),
            how[one.booking_id].holder_crosses or how[one.booking_id].guests_cross,
            how[one.booking_id].somebody_stays,
        )
        for one in found
    ]


def _houses(connection: Connection, holders: Sequence[str]) -> dict[str, str]:
    """Of a person with several, the first by name."""
    wanted = list(set(holders))
    staff = (
        select(affiliations.c.person_id, organisations.c.name)
        .join(organisations, organisations.c.organisation_id == affiliations.c.organisation_id)
        .where(affiliations.c.person_id.in_(wanted))
        .order_by(organisations.c.name.desc())
    )
    own = select(organisations.c.organisation_id, organisations.c.name).where(
        organisations.c.organisation_id.in_(wanted)
    )
    return {row[0]: row[1] for row in [*connection.execute(staff), *connection.execute(own)]}


def _boats(connection: Connection, municipality_id: str, month: str) -> tuple[int, int]:
    stopped = sailings.c.municipality_id == municipality_id
    this = func.substr(sailings.c.day, 1, 7) == month
    days = connection.execute(select(func.count(sailings.c.day.distinct())).where(stopped, this)).scalar_one()
    touched = select(func.count(sailing_bookings.c.booking_id.distinct())).join(
        sailings, sailings.c.sailing_id == sailing_bookings.c.sailing_id
    )
    return int(days), int(connection.execute(touched.where(stopped, this)).scalar_one())
