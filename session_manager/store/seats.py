"""Seats: one peer's place in a session. A board's comes with the session, a person's when they join."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from session_manager.errors import NotFound, NotPossible
from session_manager.records import Seat
from session_manager.store.part import Part, need
from session_manager.store.secrets import hashed, new_id, new_secret
from session_manager.store.tables import seats, sessions, sites


class Seats(Part):
    def seat(self, seat_id: str) -> Seat:
        """Raises NotFound."""
        with self._database.read() as connection:
            return seat_of(need(connection, seats, seat_id, "seat"))

    def seats(self, session_id: str) -> list[Seat]:
        """In the order of their sites."""
        query = (
            select(seats)
            .join(sites, sites.c.site_id == seats.c.site_id)
            .where(seats.c.session_id == session_id)
            .order_by(sites.c.position, seats.c.display_name, seats.c.seat_id)
        )
        with self._database.read() as connection:
            return [seat_of(row) for row in connection.execute(query)]

    def add_person(self, session_id: str, display_name: str, role: str, languages: Sequence[str], now: float) -> Seat:
        """A seat at a site of its own. Raises NotFound, NotPossible when the session is over."""
        with self._database.write() as connection:
            session = need(connection, sessions, session_id, "session")
            if session.state in {"ending", "ended"}:
                raise NotPossible("This session is over. Nobody can join it any more.")
            site_id = _own_site(connection, session_id, display_name, languages)
            values = {
                "seat_id": new_id(),
                "session_id": session_id,
                "site_id": site_id,
                "display_name": display_name,
                "role": role,
                "joined_at": now,
            }
            return seat_of(connection.execute(insert(seats).values(values).returning(seats)).one())

    def new_seat_key(self, seat_id: str, now: float) -> str:
        """What a browser keeps to come back to its seat. One per seat: the newest replaces the one before."""
        key = new_secret()
        mine = update(seats).where(seats.c.seat_id == seat_id).values(key_hash=hashed(key), joined_at=now)
        with self._database.write() as connection:
            if connection.execute(mine).rowcount != 1:
                raise NotFound("There is no seat with that identifier.")
        return key

    def seat_by_key(self, key: str, now: float) -> Seat | None:
        """None for an unknown key and for one whose session is over. Notes that the seat was taken again at `now`."""
        open_sessions = select(sessions.c.session_id).where(sessions.c.state.in_(["planned", "live"]))
        again = (
            update(seats)
            .where(seats.c.key_hash == hashed(key), seats.c.session_id.in_(open_sessions))
            .values(joined_at=now)
            .returning(seats)
        )
        with self._database.write() as connection:
            row = connection.execute(again).one_or_none()
            return seat_of(row) if row is not None else None


def board_seat(connection: Connection, session_id: str, site_id: str, board: Row[Any]) -> Seat:
    """The board's seat in that session, made when it has none. `board`: a row of the boards table."""
    mine = select(seats).where(seats.c.session_id == session_id, seats.c.board_id == board.board_id)
    row = connection.execute(mine).one_or_none()
    if row is None:
        values = {
            "seat_id": new_id(),
            "session_id": session_id,
            "site_id": site_id,
            "display_name": board.name,
            "role": "board",
            "board_id": board.board_id,
        }
        row = connection.execute(insert(seats).values(values).returning(seats)).one()
    return seat_of(row)


def _own_site(connection: Connection, session_id: str, name: str, languages: Sequence[str]) -> str:
    last = select(func.coalesce(func.max(sites.c.position), -1)).where(sites.c.session_id == session_id)
    values = {
        "site_id": new_id(),
        "session_id": session_id,
        "name": name,
        "languages": list(languages),
        "position": connection.execute(last).scalar_one() + 1,
    }
    return str(connection.execute(insert(sites).values(values).returning(sites.c.site_id)).scalar_one())


def seat_of(row: Row[Any]) -> Seat:
    return Seat(row.seat_id, row.session_id, row.site_id, row.display_name, row.role, row.board_id)
