"""Faults that people report at a door: kept, and told to the office once."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, Select, and_, insert, select, update

from session_manager.errors import NotFound
from session_manager.notices import Letter
from session_manager.panel import Panel, Report
from session_manager.store.office import tell_office
from session_manager.store.panel_tables import door_reports
from session_manager.store.part import Part
from session_manager.store.secrets import new_id
from session_manager.store.tables import facilities, rooms


class Reports(Part):
    def report_fault(self, panel: Panel, kind: str, by: str, now: float) -> Report:
        """The same fault of the same room, still open, is one report and one letter, however often it is touched."""
        same = and_(
            door_reports.c.room_id == panel.room_id, door_reports.c.kind == kind, door_reports.c.resolved_at.is_(None)
        )
        with self._database.write() as connection:
            found = connection.execute(_query().where(same)).first()
            if found is not None:
                return _report(found)
            report_id = new_id()
            values: dict[str, object] = {
                "report_id": report_id,
                "municipality_id": panel.municipality_id,
                "room_id": panel.room_id,
            }
            values |= {"kind": kind, "reported_at": now, "reported_by": by}
            connection.execute(insert(door_reports).values(values))
            where = f"{panel.facility} {panel.room}"
            tell_office(
                connection,
                panel.municipality_id,
                Letter(f"fault:{report_id}", f"fault_{kind}", (("where", where),)),
                now,
            )
            return _report(connection.execute(_query().where(door_reports.c.report_id == report_id)).one())

    def faults(self, municipality_id: str, *, open_only: bool = True, limit: int = 200) -> list[Report]:
        """The newest first."""
        query = _query().where(door_reports.c.municipality_id == municipality_id)
        if open_only:
            query = query.where(door_reports.c.resolved_at.is_(None))
        with self._database.read() as connection:
            return [
                _report(row)
                for row in connection.execute(query.order_by(door_reports.c.reported_at.desc()).limit(limit))
            ]

    def resolve_fault(self, municipality_id: str, report_id: str, by: str, now: float) -> Report:
        """Again is nothing new. Raises NotFound."""
        here = and_(door_reports.c.report_id == report_id, door_reports.c.municipality_id == municipality_id)
        with self._database.write() as connection:
            still = and_(here, door_reports.c.resolved_at.is_(None))
            connection.execute(update(door_reports).where(still).values(resolved_at=now, resolved_by=by))
            row = connection.execute(_query().where(here)).one_or_none()
            if row is None:
                raise NotFound("There is no report with that identifier.")
            return _report(row)


def _query() -> Select[Any]:
    return (
        select(door_reports, rooms.c.name.label("room"), facilities.c.name.label("facility"))
        .join(rooms, rooms.c.room_id == door_reports.c.room_id)
        .join(facilities, facilities.c.facility_id == rooms.c.facility_id)
    )


def _report(row: Row[Any]) -> Report:
    return Report(**{name: getattr(row, name) for name in Report.__dataclass_fields__})
