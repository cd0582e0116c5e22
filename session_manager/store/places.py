"""Facilities, their rooms, and the boards that stand in them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from session_manager.booking_records import Place
from session_manager.errors import NotPossible
from session_manager.records import Board, Facility, Room
from session_manager.store.part import Part, need
from session_manager.store.place_rows import insert_place
from session_manager.store.secrets import hashed, new_id, new_secret
from session_manager.store.tables import boards, facilities, municipalities, rooms
from session_manager.store.values import NewBoard


class Places(Part):
    def add_facility(self, name: str, timezone: str, municipality_id: str = "default") -> Facility:
        """Raises NotFound, NotPossible when the name is taken or the time zone unknown (IANA names)."""
        facility = Facility(new_id(), name, known_zone(timezone), municipality_id)
        with self._database.write() as connection:
            need(connection, municipalities, municipality_id, "municipality")
            try:
                connection.execute(insert(facilities).values(asdict(facility)))
            except IntegrityError as error:
                raise NotPossible("There is a facility of that name already. Choose another name.") from error
        return facility

    def facilities(self) -> list[Facility]:
        with self._database.read() as connection:
            rows = connection.execute(select(facilities).order_by(facilities.c.name))
            return [
                Facility(row.facility_id, row.name, row.timezone, row.municipality_id, row.on_island) for row in rows
            ]

    def add_room(self, facility_id: str, name: str) -> Room:
        """With its place to be booked. Raises NotFound (facility), NotPossible when the name is taken there."""
        room = Room(new_id(), facility_id, name)
        with self._database.write() as connection:
            need(connection, facilities, facility_id, "facility")
            try:
                connection.execute(insert(rooms).values(asdict(room)))
                insert_place(connection, Place(facility_id, "room", name, capacity=1000, place_id=room.room_id))
            except IntegrityError as error:
                raise NotPossible("That facility has a room of that name already. Choose another name.") from error
        return room

    def rooms(self) -> list[Room]:
        with self._database.read() as connection:
            rows = connection.execute(select(rooms).order_by(rooms.c.name))
            return [Room(row.room_id, row.facility_id, row.name) for row in rows]

    def add_board(self, room_id: str, name: str, now: float) -> NewBoard:
        """Raises NotFound for the room."""
        token = new_secret()
        board = Board(new_id(), room_id, name, now, None)
        with self._database.write() as connection:
            need(connection, rooms, room_id, "room")
            connection.execute(
                insert(boards).values(
                    board_id=board.board_id, room_id=room_id, name=name, token_hash=hashed(token), enrolled_at=now
                )
            )
        return NewBoard(board, token)

    def boards(self) -> list[Board]:
        with self._database.read() as connection:
            return [as_board(row) for row in connection.execute(select(boards).order_by(boards.c.name))]

    def board_by_token(self, token: str, now: float) -> Board | None:
        """Notes that the board was seen at `now`."""
        seen = update(boards).where(boards.c.token_hash == hashed(token)).values(last_seen_at=now).returning(boards)
        with self._database.write() as connection:
            row = connection.execute(seen).one_or_none()
            return as_board(row) if row is not None else None


def known_zone(name: str) -> str:
    """The name itself when this machine knows the zone; raises NotPossible."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise NotPossible("That time zone is not known here. Use a name like Asia/Tokyo.") from error
    return name


def as_board(row: Row[Any]) -> Board:
    return Board(row.board_id, row.room_id, row.name, row.enrolled_at, row.last_seen_at)
