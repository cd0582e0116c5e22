"""The numbered history of each session."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert, select, update

from session_manager.errors import NotFound
from session_manager.records import LiveEvent
from session_manager.store.part import Part, need
from session_manager.store.tables import events, sessions


class Events(Part):
    def append_event(self, session_id: str, kind: str, data: Mapping[str, object], now: float) -> LiveEvent:
        """Gives it the session's next number. Raises NotFound."""
        with self._database.write() as connection:
            return next_event(connection, session_id, kind, data, now)

    def events(self, session_id: str, after: int, limit: int) -> list[LiveEvent]:
        """With number > `after`, ascending, `limit` at most."""
        query = (
            select(events)
            .where(events.c.session_id == session_id, events.c.number > after)
            .order_by(events.c.number)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [LiveEvent(row.number, row.kind, row.data) for row in connection.execute(query)]

    def last_event(self, session_id: str) -> int:
        """0 when nothing has happened. Raises NotFound."""
        with self._database.read() as connection:
            return int(need(connection, sessions, session_id, "session").last_event)


def next_event(connection: Connection, session_id: str, kind: str, data: Mapping[str, Any], now: float) -> LiveEvent:
    """Numbers are counted on the session's row, so a roll-back leaves no hole and two writers no double."""
    counted = (
        update(sessions)
        .where(sessions.c.session_id == session_id)
        .values(last_event=sessions.c.last_event + 1)
        .returning(sessions.c.last_event)
    )
    number = connection.execute(counted).scalar_one_or_none()
    if number is None:
        raise NotFound("There is no session with that identifier.")
    values = {"session_id": session_id, "number": number, "kind": kind, "data": dict(data), "happened_at": now}
    connection.execute(insert(events).values(values))
    return LiveEvent(number, kind, dict(data))
