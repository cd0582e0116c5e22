"""A facility to book in: a hall with two rooms, seats and projectors, on SQLite or on PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

from sqlalchemy import text

from session_manager.booking_records import Booking, NewBooking, NewPlace, Place, Wanted
from session_manager.schedule import Interval, Wall, clash
from session_manager.store import Store
from tests.session_manager.fresh import fresh
from tests.session_manager.hall import NOW, QUICK

MONDAY = datetime(2026, 6, 1, 9)
"""Three days after NOW, in Tokyo."""
ZONE = "Asia/Tokyo"


def at(hours: float, length: float = 1.0, day: int = 0, zone: str = ZONE) -> Wall:
    """`hours` after nine on the Monday after NOW."""
    starts = MONDAY + timedelta(days=day, hours=hours)
    return Wall(starts, starts + timedelta(hours=length), zone)


@dataclass
class House:
    store: Store
    facility_id: str
    big: Place
    small: Place

    def place(self, kind: str, name: str, **more: object) -> Place:
        return self.store.add_place(NewPlace(self.facility_id, kind, name, **more), NOW)  # type: ignore[arg-type]

    def wish(self, time: Wall, *places: Place, **more: object) -> NewBooking:
        wanted = tuple(Wanted(one.place_id) for one in places or (self.big,))
        return NewBooking(**{"title": "打合せ", "kind": "plain", "time": time, "places": wanted, **more})  # type: ignore[arg-type]

    def book(self, time: Wall, *places: Place, now: float = NOW, wait: bool = False, **more: object) -> Booking:
        made = self.store.book(self.wish(time, *places, **more), now, wait=wait)
        assert isinstance(made, Booking), made
        return made


def build(store: Store) -> House:
    facility = store.add_facility("壱岐", ZONE)
    rooms = [
        store.add_place(NewPlace(facility.facility_id, "room", name, capacity=capacity), NOW)
        for name, capacity in (("大会議室", 20), ("小会議室", 8))
    ]
    return House(store, facility.facility_id, rooms[0], rooms[1])


class Databases:
    """Fresh ones of one kind."""

    def __init__(self, kind: str, folder: Path, server: Path | None) -> None:
        self._kind, self._folder, self._server = kind, folder, server
        self._opened: list[Store] = []

    def new(self) -> str | Path:
        if self._server is None:
            return fresh(self._folder / f"hub{len(self._opened)}.db")
        from tests.session_manager.kinds import shape
        from tests.session_manager.postgres import new_database

        return new_database(self._server, f"hub{next(_numbers)}", shape(self._server))

    def open(self, address: str | Path) -> Store:
        self._opened.append(Store.open(address, QUICK))
        return self._opened[-1]

    def close(self) -> None:
        for store in self._opened:
            store.close()


_numbers = count()


def held(store: Store) -> list[tuple[str, int, Interval]]:
    with store._database.read() as connection:
        rows = connection.execute(text("SELECT place_id, unit, starts_at, ends_at FROM occupancies")).all()
    return [(row[0], row[1], Interval(row[2], row[3])) for row in rows]


def assert_nothing_overlaps(store: Store) -> None:
    rows = held(store)
    for number, (place, unit, time) in enumerate(rows):
        for other_place, other_unit, other in rows[number + 1 :]:
            assert (place, unit) != (other_place, other_unit) or not clash(time, other)
