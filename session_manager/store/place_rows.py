"""Places and rules as rows, and back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, insert, select

from session_manager.booking import Attendance
from session_manager.booking_records import Place, Rules
from session_manager.errors import NotFound
from session_manager.opening import Opening
from session_manager.store.booking_tables import facility_opening, municipality_rules, places

RULES: TypeAdapter[Rules] = TypeAdapter(Rules)
OPENING: TypeAdapter[Opening] = TypeAdapter(Opening)
ATTENDANCE: TypeAdapter[Attendance | None] = TypeAdapter(Attendance | None)


def insert_place(connection: Connection, place: Place) -> None:
    connection.execute(insert(places).values(place_values(place)))


def place_values(place: Place) -> dict[str, Any]:
    values = {name: getattr(place, name) for name in places.columns.keys()}  # noqa: SIM118
    return {**values, "attendance": ATTENDANCE.dump_python(place.attendance, mode="json")}


def place_of(row: Row[Any]) -> Place:
    values = {name: getattr(row, name) for name in places.columns.keys()}  # noqa: SIM118
    return Place(**{**values, "attendance": ATTENDANCE.validate_python(row.attendance)})


def places_by_id(connection: Connection, place_ids: Iterable[str]) -> dict[str, Place]:
    """Raises NotFound for the first that is none."""
    wanted = list(place_ids)
    rows = connection.execute(select(places).where(places.c.place_id.in_(wanted))).all()
    found = {row.place_id: place_of(row) for row in rows}
    if set(wanted) - set(found):
        raise NotFound("There is no place with that identifier.")
    return found


def rules_of(connection: Connection, municipality_id: str) -> Rules:
    query = select(municipality_rules.c.rules).where(municipality_rules.c.municipality_id == municipality_id)
    found = connection.execute(query).scalar_one_or_none()
    return Rules() if found is None else RULES.validate_python(found)


def opening_of(connection: Connection, facility_id: str) -> Opening:
    query = select(facility_opening.c.opening).where(facility_opening.c.facility_id == facility_id)
    found = connection.execute(query).scalar_one_or_none()
    return Opening() if found is None else OPENING.validate_python(found)
