"""Who did what to what, when. Rows are added and read, never changed: identifiers, no names and no secrets."""

from __future__ import annotations

from sqlalchemy import insert, select

from session_manager.people import AuditEntry
from session_manager.store.part import Part
from session_manager.store.people_tables import audit


class Audit(Part):
    def note(
        self,
        *,
        happened_at: float,
        municipality_id: str | None,
        role: str,
        actor: str | None,
        action: str,
        target: str,
        outcome: str,
    ) -> None:
        values = {
            "happened_at": happened_at,
            "municipality_id": municipality_id,
            "role": role,
            "actor": actor,
            "action": action,
            "target": target[:500],
            "outcome": outcome,
        }
        with self._database.write() as connection:
            connection.execute(insert(audit).values(values))

    def audit(
        self, municipality_id: str | None = None, before: int | None = None, limit: int = 200
    ) -> list[AuditEntry]:
        """Newest first. `municipality_id` None: of all; `before`: the last number of the page before."""
        query = select(audit).order_by(audit.c.number.desc()).limit(limit)
        if municipality_id is not None:
            query = query.where(audit.c.municipality_id == municipality_id)
        if before is not None:
            query = query.where(audit.c.number < before)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return [AuditEntry(**{name: getattr(row, name) for name in AuditEntry.__dataclass_fields__}) for row in rows]
