"""Boards that enrol themselves, like RFC 8628: the board shows a short code, an administrator types it, names a room.

Both codes are kept as hashes. Until its time is over the board may collect its token again, always a new one: an answer
that was lost on the way leaves no board without a key.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import and_, delete, func, insert, select, update

from session_manager.errors import NotFound, NotPossible
from session_manager.records import Board
from session_manager.store.enrolment_tables import board_enrolments
from session_manager.store.part import Part, need
from session_manager.store.places import as_board
from session_manager.store.secrets import hashed, new_id, new_secret
from session_manager.store.tables import boards, facilities, rooms
from session_manager.store.values import NewBoard

LIFETIME_S = 900.0
MOST_OPEN = 200
"""Overflow: nobody else may ask until some are over."""


@dataclass(frozen=True, slots=True)
class StillWaiting:
    """Nobody has typed the code yet."""


class Enrolments(Part):
    def ask_to_enrol(self, user_code_hash: str, now: float) -> str:
        """The device code, known to the board alone. Raises NotPossible when very many ask at once."""
        device_code = new_secret()
        with self._database.write() as connection:
            connection.execute(delete(board_enrolments).where(board_enrolments.c.expires_at <= now))
            if connection.execute(select(func.count()).select_from(board_enrolments)).scalar_one() >= MOST_OPEN:
                raise NotPossible("Very many boards ask at once. Try again in a quarter of an hour.")
            values = {"device_code_hash": hashed(device_code), "user_code_hash": user_code_hash}
            connection.execute(insert(board_enrolments).values(**values, expires_at=now + LIFETIME_S))
        return device_code

    def take_in_board(self, municipality_id: str, user_code_hash: str, room_id: str, name: str, now: float) -> Board:
        """The board that shows this code stands in that room now. Raises NotFound, once taken too."""
        board = Board(new_id(), room_id, name, now, None)
        with self._database.write() as connection:
            room = need(connection, rooms, room_id, "room")
            if need(connection, facilities, room.facility_id, "facility").municipality_id != municipality_id:
                raise NotFound("There is no room with that identifier.")
            asked = and_(
                board_enrolments.c.user_code_hash == user_code_hash,
                board_enrolments.c.expires_at > now,
                board_enrolments.c.board_id.is_(None),
            )
            if connection.execute(select(board_enrolments).where(asked)).first() is None:
                raise NotFound("No board shows this code now. Look at its screen again.")
            values = {"board_id": board.board_id, "room_id": room_id, "name": name, "enrolled_at": now}
            connection.execute(insert(boards).values(**values, token_hash=hashed(new_secret())))
            connection.execute(update(board_enrolments).where(asked).values(board_id=board.board_id))
        return board

    def collect_board_token(self, device_code: str, now: float) -> NewBoard | StillWaiting | None:
        """None: the code is over or was never given."""
        mine = and_(board_enrolments.c.device_code_hash == hashed(device_code), board_enrolments.c.expires_at > now)
        with self._database.write() as connection:
            row = connection.execute(select(board_enrolments).where(mine)).one_or_none()
            if row is None:
                return None
            if row.board_id is None:
                return StillWaiting()
            token = new_secret()
            here = boards.c.board_id == row.board_id
            changed = update(boards).where(here).values(token_hash=hashed(token)).returning(boards)
            return NewBoard(as_board(connection.execute(changed).one()), token)
