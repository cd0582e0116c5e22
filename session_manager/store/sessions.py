"""Sessions with their sites, and which one a board is due in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, case, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from session_manager import lifecycle
from session_manager.errors import NotPossible
from session_manager.records import Session, SessionState, Site
from session_manager.store.part import Part, need
from session_manager.store.places import known_zone
from session_manager.store.seats import board_seat
from session_manager.store.secrets import new_id
from session_manager.store.tables import boards, rooms, sessions, sites
from session_manager.store.values import Due, NewSite
from session_manager.store.webhook_rows import session_event

EARLY_S = 600.0
"""A board may come in this long before its session's planned start."""


class Sessions(Part):
    def add_session(
        self,
        title: str,
        starts_at: float,
        ends_at: float,
        timezone: str,
        sites: Sequence[NewSite],
        *,
        confidential: bool = False,
    ) -> Session:
        """With one seat per board that stands in each site's room. Raises NotFound (room), NotPossible."""
        with self._database.write() as connection:
            return insert_session(connection, title, starts_at, ends_at, timezone, sites, confidential=confidential)

    def session(self, session_id: str) -> Session:
        """Raises NotFound."""
        with self._database.read() as connection:
            return read_session(connection, session_id)

    def sessions(self, state: SessionState | None = None) -> list[Session]:
        """Ordered by planned start."""
        query = select(sessions).order_by(sessions.c.starts_at, sessions.c.session_id)
        if state is not None:
            query = query.where(sessions.c.state == state)
        with self._database.read() as connection:
            return with_sites(connection, connection.execute(query).all())

    def set_state(self, session_id: str, expected: SessionState, new: SessionState, at: float) -> Session:
        """Compare and swap; sets `started_at` (live) and `ended_at` (ended). Raises NotFound, NotPossible.

        Only moves that `session_manager.lifecycle` knows are made.
        """
        if not lifecycle.leads(expected, new):
            raise NotPossible(f"A session that is {expected} cannot become {new}.")
        stamps: dict[str, dict[str, float]] = {"live": {"started_at": at}, "ended": {"ended_at": at}}
        here = and_(sessions.c.session_id == session_id, sessions.c.state == expected)
        with self._database.write() as connection:
            row = need(connection, sessions, session_id, "session")
            moved = connection.execute(update(sessions).where(here).values(state=new, **stamps.get(new, {})))
            if moved.rowcount != 1:
                raise NotPossible(f"The session is {row.state}, not {expected}. Look again before you go on.")
            session_event(connection, row, new, at)
            return read_session(connection, session_id)

    def due_session(self, board_id: str, now: float) -> Due | None:
        """A live session of the board's room, else the next planned one that starts within ten minutes.

        A board that was enrolled after the session was made gets its seat now. Raises NotFound for the board.
        """
        with self._database.write() as connection:
            board = need(connection, boards, board_id, "board")
            row = connection.execute(_due_query(board.room_id, now)).first()
            if row is None:
                return None
            seat = board_seat(connection, row.session_id, row.due_site_id, board)
            return Due(read_session(connection, row.session_id), seat)


def insert_session(
    connection: Connection,
    title: str,
    starts_at: float,
    ends_at: float,
    timezone: str,
    sites: Sequence[NewSite],
    *,
    confidential: bool = False,
) -> Session:
    """Inside somebody's transaction; as `Sessions.add_session`."""
    if not ends_at > starts_at:
        raise NotPossible("A session must end after it starts.")
    values = {
        "session_id": new_id(),
        "title": title,
        "state": "planned",
        "starts_at": starts_at,
        "ends_at": ends_at,
        "timezone": known_zone(timezone),
        "confidential": confidential,
        "last_event": 0,
    }
    row = connection.execute(insert(sessions).values(values).returning(sessions)).one()
    for position, site in enumerate(sites):
        add_board_site(connection, row.session_id, site, position)
    return with_sites(connection, [row])[0]


def read_session(connection: Connection, session_id: str) -> Session:
    return with_sites(connection, [need(connection, sessions, session_id, "session")])[0]


def _due_query(room_id: str, now: float) -> Any:
    live: ColumnElement[bool] = sessions.c.state == "live"
    soon = and_(sessions.c.state == "planned", sessions.c.starts_at - EARLY_S <= now, sessions.c.ends_at > now)
    return (
        select(sessions, sites.c.site_id.label("due_site_id"))
        .join(sites, sites.c.session_id == sessions.c.session_id)
        .where(sites.c.room_id == room_id, or_(live, soon))
        .order_by(case((live, 0), else_=1), sessions.c.starts_at, sessions.c.session_id)
        .limit(1)
    )


def add_board_site(connection: Connection, session_id: str, site: NewSite, position: int) -> None:
    site_id = _insert_site(connection, session_id, site, position)
    if site.room_id is None:
        return
    here = select(boards).where(boards.c.room_id == site.room_id).order_by(boards.c.enrolled_at, boards.c.board_id)
    for board in connection.execute(here).all():
        board_seat(connection, session_id, site_id, board)


def _insert_site(connection: Connection, session_id: str, site: NewSite, position: int) -> str:
    if site.room_id is not None:
        need(connection, rooms, site.room_id, "room")
    site_id = new_id()
    values = {
        "site_id": site_id,
        "session_id": session_id,
        "name": site.name,
        "room_id": site.room_id,
        "languages": list(site.languages),
        "position": position,
    }
    try:
        connection.execute(insert(sites).values(values))
    except IntegrityError as error:
        raise NotPossible("A room can be only one site of a session. Name each room once.") from error
    return site_id


def with_sites(connection: Connection, rows: Sequence[Row[Any]]) -> list[Session]:
    wanted = [row.session_id for row in rows]
    query = select(sites).where(sites.c.session_id.in_(wanted)).order_by(sites.c.position)
    by_session: dict[str, list[Site]] = {session_id: [] for session_id in wanted}
    for row in connection.execute(query):
        by_session[row.session_id].append(
            Site(row.site_id, row.session_id, row.name, row.room_id, tuple(row.languages), row.position)
        )
    return [_session(row, tuple(by_session[row.session_id])) for row in rows]


def _session(row: Row[Any], its_sites: tuple[Site, ...]) -> Session:
    return Session(
        session_id=row.session_id,
        title=row.title,
        state=row.state,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        timezone=row.timezone,
        started_at=row.started_at,
        ended_at=row.ended_at,
        confidential=row.confidential,
        sites=its_sites,
        completed_at=row.completed_at,
    )
