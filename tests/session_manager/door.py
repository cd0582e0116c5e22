"""A door to stand at: a room with a panel, and a browser that is that panel."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from session_manager.booking_records import Booking, NewBooking, NewPlace, Wanted
from session_manager.opening import ALWAYS
from session_manager.panel import Panel
from session_manager.pricing import Holder
from session_manager.schedule import Interval, wall
from session_manager.store import Store
from tests.session_manager.hall import NOW, Web

ZONE = "Asia/Tokyo"
LONG_AGO_S = 3 * 86_400


@dataclass
class Door:
    """`start`: the whole minute of the test's now."""

    store: Store
    home: str
    room_id: str
    facility_id: str
    panel: Panel
    key: str
    now: float

    @property
    def start(self) -> int:
        return int(self.now) // 60 * 60

    def book(self, after: int, minutes: int, title: str = "打合せ", holder: str = "office", **more: object) -> Booking:
        """`after`: minutes from now to its start. Made days ago, so that nothing is forgiven for being new."""
        time = wall(Interval(self.start + after * 60, self.start + (after + minutes) * 60), ZONE)
        kind = more.pop("kind", "plain")
        wish = NewBooking(title, kind, time, (Wanted(self.room_id),), Holder(holder, "office"), **more)  # type: ignore[arg-type]
        made = self.store.book(wish, self.now - LONG_AGO_S)
        assert isinstance(made, Booking), made
        return made


def hang(store: Store, now: float = NOW, facility: str = "壱岐テレワークセンター", home: str = "default") -> Door:
    house = store.add_facility(facility, ZONE, home).facility_id
    store.set_opening(house, ALWAYS)
    room = store.add_place(NewPlace(house, "room", "小会議室", capacity=8), now).place_id
    made = store.add_panel(home, room, "入口", now)
    return Door(store, home, room, house, made.panel, made.key, now)


@asynccontextmanager
async def standing_at(web: Web, key: str, address: str = "192.0.2.77") -> AsyncIterator[httpx.AsyncClient]:
    async with web.browser(address=address) as browser:
        answer = await browser.post("/api/panel/open", json={"key": key})
        assert answer.status_code == 200, answer.text
        browser.headers["X-CSRF-Token"] = next(one.value or "" for one in browser.cookies.jar if one.path == "/panel")
        yield browser
