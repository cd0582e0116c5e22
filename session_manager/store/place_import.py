"""Places out of a sheet: every row tried inside one transaction, kept only when all of them are right.

A preview is the same, rolled back: what it shows is what saving would do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection, and_, select

from session_manager.errors import NotPossible
from session_manager.place_sheet import PlaceRow, TakenRow, new_place
from session_manager.store.booking_tables import places
from session_manager.store.part import Part, need
from session_manager.store.place_rows import place_of
from session_manager.store.tables import facilities, municipalities
from session_manager.store.venues import alter_place, put_place


class PlaceImport(Part):
    def take_places(self, municipality_id: str, rows: Sequence[PlaceRow], now: float, *, save: bool) -> list[TakenRow]:
        """What became of each row. Nothing is kept without `save`, or when one row is wrong. Raises NotFound."""
        with self._database.write() as connection:
            need(connection, municipalities, municipality_id, "municipality")
            query = select(facilities).where(facilities.c.municipality_id == municipality_id)
            houses = {row.name: row.facility_id for row in connection.execute(query)}
            saved = connection.begin_nested()
            taken = [_taken(connection, row, houses, now) for row in rows]
            if save and all(one.outcome != "wrong" for one in taken):
                saved.commit()
            else:
                saved.rollback()
            return taken


def _taken(connection: Connection, row: PlaceRow, houses: dict[str, str], now: float) -> TakenRow:
    if row.wrong:
        return TakenRow(row.number, row.name, "wrong", row.wrong)
    house = houses.get(row.facility)
    if house is None:
        return TakenRow(row.number, row.name, "wrong", f"There is no facility called {row.facility}. Make it first.")
    try:
        return _one(connection, row, house, now)
    except NotPossible as error:
        return TakenRow(row.number, row.name, "wrong", str(error))


def _one(connection: Connection, row: PlaceRow, house: str, now: float) -> TakenRow:
    area = _called(connection, house, "area", row.area) if row.area else None
    if row.area and area is None:
        raise NotPossible(f"There is no area called {row.area} there. Put its row before this one.")
    wish = new_place(row, house, area)
    known = _called(connection, house, row.kind, row.name)
    if known is None:
        with connection.begin_nested():
            put_place(connection, wish, now)
        return TakenRow(row.number, row.name, "new")
    before = place_of(need(connection, places, known, "place"))
    after = replace(
        before,
        capacity=wish.capacity,
        quantity=wish.quantity,
        buffer_before_s=wish.buffer_before_s,
        buffer_after_s=wish.buffer_after_s,
        needs_approval=wish.needs_approval,
        part_of=area,
    )
    if after == before:
        return TakenRow(row.number, row.name, "same")
    with connection.begin_nested():
        alter_place(connection, after)
    return TakenRow(row.number, row.name, "changed")


def _called(connection: Connection, facility_id: str, kind: str, name: str) -> str | None:
    here = and_(places.c.facility_id == facility_id, places.c.kind == kind, places.c.name == name)
    return connection.execute(select(places.c.place_id).where(here)).scalar_one_or_none()
