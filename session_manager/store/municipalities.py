"""Municipalities, and which accounts and sessions are theirs."""

from __future__ import annotations

from sqlalchemy import Connection, and_, delete, insert, null, select
from sqlalchemy.exc import IntegrityError

from session_manager.errors import NotPossible
from session_manager.people import Municipality
from session_manager.store.booking_tables import bookings
from session_manager.store.panel_tables import lessons
from session_manager.store.part import Part, need
from session_manager.store.people_tables import (
    account_scopes,
    session_scopes,
)
from session_manager.store.places import known_zone
from session_manager.store.secrets import new_id
from session_manager.store.tables import accounts, facilities, municipalities, rooms, sessions, sites


class Municipalities(Part):
    def add_home(self, name: str, timezone: str, now: float) -> Municipality:
        """Raises NotPossible when the name is taken or the zone unknown."""
        made = Municipality(new_id(), name, known_zone(timezone))
        values = {
            "municipality_id": made.municipality_id,
            "name": name,
            "timezone": timezone,
            "created_at": now,
        }
        with self._database.write() as connection:
            try:
                connection.execute(insert(municipalities).values(values))
            except IntegrityError as error:
                raise NotPossible("There is a municipality of that name already. Choose another name.") from error
        return made

    def homes(self) -> list[Municipality]:
        with self._database.read() as connection:
            rows = connection.execute(select(municipalities).order_by(municipalities.c.name))
            return [Municipality(row.municipality_id, row.name, row.timezone) for row in rows]

    def home(self, municipality_id: str) -> Municipality:
        """Raises NotFound."""
        with self._database.read() as connection:
            row = need(connection, municipalities, municipality_id, "municipality")
            return Municipality(row.municipality_id, row.name, row.timezone)

    def bind_account(self, account_id: str, municipality_id: str) -> None:
        """From now on the account reaches this municipality only."""
        with self._database.write() as connection:
            need(connection, accounts, account_id, "account")
            need(connection, municipalities, municipality_id, "municipality")
            connection.execute(delete(account_scopes).where(account_scopes.c.account_id == account_id))
            connection.execute(insert(account_scopes).values(account_id=account_id, municipality_id=municipality_id))

    def account_home(self, account_id: str) -> str | None:
        """The account's municipality; None: the whole installation."""
        query = select(account_scopes.c.municipality_id).where(account_scopes.c.account_id == account_id)
        with self._database.read() as connection:
            return connection.execute(query).scalar_one_or_none()

    def bind_session(self, session_id: str, municipality_id: str, group_id: str | None = None) -> None:
        """A session may belong to several municipalities that hold it together. Again is nothing new."""
        mine = and_(session_scopes.c.session_id == session_id, session_scopes.c.municipality_id == municipality_id)
        with self._database.write() as connection:
            need(connection, sessions, session_id, "session")
            need(connection, municipalities, municipality_id, "municipality")
            connection.execute(delete(session_scopes).where(mine))
            connection.execute(
                insert(session_scopes).values(session_id=session_id, municipality_id=municipality_id, group_id=group_id)
            )

    def session_homes(self) -> dict[str, tuple[frozenset[str], str | None]]:
        """Per session: its municipalities, also by its rooms, and its group. None of either: of the installation."""
        with self._database.read() as connection:
            return _homes(connection, None)

    def session_home(self, session_id: str) -> tuple[frozenset[str], str | None]:
        with self._database.read() as connection:
            return _homes(connection, session_id).get(session_id, (frozenset(), None))


def homes_of(connection: Connection, session_id: str) -> frozenset[str]:
    """The municipalities of one session."""
    return _homes(connection, session_id).get(session_id, (frozenset(), None))[0]


def _homes(connection: Connection, session_id: str | None) -> dict[str, tuple[frozenset[str], str | None]]:
    bound = select(session_scopes.c.session_id, session_scopes.c.municipality_id, session_scopes.c.group_id)
    by_room = (
        select(sites.c.session_id, facilities.c.municipality_id, null())
        .join(rooms, rooms.c.room_id == sites.c.room_id)
        .join(facilities, facilities.c.facility_id == rooms.c.facility_id)
        .where(facilities.c.municipality_id.is_not(None))
    )
    by_lesson = (
        select(bookings.c.session_id, bookings.c.municipality_id, lessons.c.group_id)
        .join(lessons, lessons.c.series_id == bookings.c.series_id)
        .where(bookings.c.session_id.is_not(None))
    )
    if session_id is not None:
        by_lesson = by_lesson.where(bookings.c.session_id == session_id)
        bound = bound.where(session_scopes.c.session_id == session_id)
        by_room = by_room.where(sites.c.session_id == session_id)
    found: dict[str, tuple[frozenset[str], str | None]] = {}
    for query in (bound, by_lesson, by_room):
        for its, municipality_id, group_id in connection.execute(query):
            homes, group = found.get(its, (frozenset(), None))
            found[its] = (homes | {municipality_id}, group or group_id)
    return found
