"""Words that were for the wall only: when their session is over, their text is gone from lines and events."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, Select, and_, or_, select, update

from session_manager.consent import KEEPS_WORDS_FROM, Level, Stay, Word, wall_only
from session_manager.store.attendance_rows import here_now
from session_manager.store.booking_rows import read_booking
from session_manager.store.booking_tables import bookings
from session_manager.store.evening_tables import consents
from session_manager.store.evenings import peek
from session_manager.store.part import Part
from session_manager.store.tables import events, lines, sessions
from signaling.messages import LineCommitted

CAUSE = "consent"
LOOKED_BACK_S = 8 * 86_400.0
"""A board's spool brings sound that was missing for seven days; what is heard in it goes the same way."""


class WallWords(Part):
    def forget_wall_words(self, now: float, session_id: str | None = None) -> int:
        """Of sessions that are over (`session_id`: of this one). That somebody spoke then stays. How many lines."""
        with self._database.read() as connection:
            found = connection.execute(_over(now, session_id)).all()
        if not found:
            return 0
        with self._database.write() as connection:
            return sum(_forget(connection, row) for row in found)


def _over(now: float, session_id: str | None) -> Select[Any]:
    """Where somebody asked for no more than the wall, and words are still there."""
    asked = select(consents.c.number).where(
        consents.c.session_id == sessions.c.session_id, consents.c.level < int(KEEPS_WORDS_FROM)
    )
    words = select(lines.c.line_id).where(lines.c.session_id == sessions.c.session_id, lines.c.text != "")
    over = and_(sessions.c.state == "ended", asked.exists(), words.exists())
    which = sessions.c.ended_at >= now - LOOKED_BACK_S if session_id is None else sessions.c.session_id == session_id
    its = bookings.c.session_id == sessions.c.session_id
    return select(sessions.c.session_id, bookings.c.booking_id).join(bookings, its).where(over, which)


def _forget(connection: Connection, row: Row[Any]) -> int:
    booking = read_booking(connection, row.booking_id)
    spans = wall_only(Level(peek(connection, booking)["level"]), _stays(connection, row.booking_id, row.session_id))
    touches = [and_(lines.c.started_at < until, lines.c.ended_at > since) for since, until in spans]
    if not touches:
        return 0
    here = and_(lines.c.session_id == row.session_id, lines.c.text != "", or_(*touches))
    gone = set(connection.execute(select(lines.c.line_id).where(here)).scalars())
    its = and_(lines.c.session_id == row.session_id, lines.c.line_id.in_(gone))
    connection.execute(update(lines).where(its).values(text="", suppressed=CAUSE))
    told = and_(events.c.session_id == row.session_id, events.c.kind == LineCommitted.type)
    for event in connection.execute(select(events).where(told)).all():
        if event.data["line_id"] in gone and event.data["text"]:
            one = and_(events.c.session_id == row.session_id, events.c.number == event.number)
            connection.execute(update(events).where(one).values(data={**event.data, "text": ""}))
    return len(gone)


def _stays(connection: Connection, booking_id: str, session_id: str) -> list[Stay]:
    said: dict[str, list[tuple[float, Word]]] = {}
    query = select(consents).where(consents.c.session_id == session_id).order_by(consents.c.number)
    for row in connection.execute(query):
        word = Word(row.person_id, Level(row.level), bool(row.listens))
        said.setdefault(row.person_id, []).append((row.said_at, word))
    there = here_now(connection, booking_id)
    return [Stay(there[who].came_at, there[who].left_at, tuple(words)) for who, words in said.items() if who in there]
