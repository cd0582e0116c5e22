"""When a session was off the record."""

from __future__ import annotations

from sqlalchemy import Column, ColumnElement, Double, ForeignKey, Index, Integer, String, Table, insert, select, update

from session_manager.store.part import Part, need
from session_manager.store.tables import metadata, sessions

off_record = Table(
    "off_record",
    metadata,
    Column("off_id", Integer, primary_key=True),
    Column("session_id", String(64), ForeignKey("sessions.session_id"), nullable=False),
    Column("off_at", Double, nullable=False),
    Column("on_at", Double, nullable=True),
    Index("ix_off_record_session_id", "session_id"),
)


class OffRecord(Part):
    def go_off(self, session_id: str, now: float) -> bool:
        """From now on nothing is kept. False: it was so already. Raises NotFound."""
        with self._database.write() as connection:
            need(connection, sessions, session_id, "session")
            if connection.execute(select(off_record).where(*_open(session_id))).first() is not None:
                return False
            connection.execute(insert(off_record).values(session_id=session_id, off_at=now))
            return True

    def go_on(self, session_id: str, now: float) -> bool:
        """The record goes on. False: it was on."""
        here = update(off_record).where(*_open(session_id))
        with self._database.write() as connection:
            return bool(connection.execute(here.values(on_at=now)).rowcount)

    def off_spans(self, session_id: str) -> list[tuple[float, float | None]]:
        """[off_at, on_at), in order; on_at None: still off."""
        query = select(off_record).where(off_record.c.session_id == session_id).order_by(off_record.c.off_at)
        with self._database.read() as connection:
            return [(row.off_at, row.on_at) for row in connection.execute(query)]


def _open(session_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return off_record.c.session_id == session_id, off_record.c.on_at.is_(None)
