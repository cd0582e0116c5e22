"""Who is at an evening and what each of them said about keeping, as rows."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, func, select

from session_manager.booking_records import Booking
from session_manager.consent import Level, Word, latest, room_level
from session_manager.evening_records import RoomConsent
from session_manager.store.evening_tables import attendances, consents


def here_now(connection: Connection, booking_id: str) -> dict[str, Row[Any]]:
    """Who came, by person; also who has left again."""
    query = select(attendances).where(attendances.c.booking_id == booking_id, attendances.c.person_id.is_not(None))
    return {str(row.person_id): row for row in connection.execute(query)}


def nameless(connection: Connection, booking_id: str) -> int:
    """How many came who wish to be counted only."""
    query = select(func.count()).where(attendances.c.booking_id == booking_id, attendances.c.person_id.is_(None))
    return int(connection.execute(query).scalar_one())


def words_of(connection: Connection, session_id: str | None) -> dict[str, Word]:
    """Of each person the last word."""
    query = select(consents).where(consents.c.session_id == session_id).order_by(consents.c.number)
    return latest(Word(row.person_id, Level(row.level), bool(row.listens)) for row in connection.execute(query))


def consent_of(connection: Connection, booking: Booking, agreed: Level) -> RoomConsent:
    """Of those who are there now; who has left has no say any more."""
    present = {name for name, row in here_now(connection, booking.booking_id).items() if row.left_at is None}
    words = [word for name, word in words_of(connection, booking.session_id).items() if name in present]
    return RoomConsent(agreed, room_level(agreed, words), len(words))
