"""Fifty people at once, over HTTP, on SQLite and on PostgreSQL: nobody gets what another has, and nothing breaks."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import Any

import httpx
import pytest

from session_manager.booking_records import NewPlace
from session_manager.fakes import ScriptedRuntime
from session_manager.opening import ALWAYS
from session_manager.store import Store
from session_manager.web.app import create_app
from session_manager.web.settings import WebSettings
from tests.session_manager.hall import NOW, SECRET, WORKER
from tests.session_manager.house import ZONE, Databases
from tests.session_manager.sweep import problems
from tests.session_manager.two_towns import actions, bearer_headers

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
TOWN = "/api/municipalities/default"
PEOPLE, EACH = 50, 3


class Scene:
    """Two hubs over one database, as two processes would be: neither sees the other's lock."""

    def __init__(self, databases: Databases) -> None:
        address = databases.new()
        self.stores = [databases.open(address) for _ in range(2)]
        store = self.stores[0]
        facility = store.add_facility("壱岐", ZONE).facility_id
        store.set_opening(facility, ALWAYS)
        rooms = [NewPlace(facility, "room", f"部屋{number}", 20, buffer_after_s=300 * number) for number in range(2)]
        rooms += [NewPlace(facility, "room", "ホール", 100, needs_approval=True)]
        rooms += [NewPlace(facility, "equipment", "投影機", quantity=2)]
        self.places = [store.add_place(one, NOW).place_id for one in rooms]
        office = store.add_account("office", "long enough a word", "administrator")
        token = store.add_token("x", actions(), NOW, NOW + 9e6, account_id=office.account_id).secret
        self.headers = dict(bearer_headers(token))
        self.told: list[str] = []
        """Bookings that anybody made: everybody may try to change them."""
        self.series: list[str] = []

    def browser(self, number: int) -> httpx.AsyncClient:
        store = self.stores[number % 2]
        app = create_app(store, ScriptedRuntime(store, now=NOW), WebSettings(SECRET, WORKER), clock=lambda: NOW)
        transport = httpx.ASGITransport(app, client=(f"192.0.2.{number}", 50_000))
        return httpx.AsyncClient(transport=transport, base_url="http://hub", headers=self.headers, timeout=600)

    def wish(self, chance: random.Random) -> dict[str, Any]:
        """All on one morning, so that they meet."""
        begins = chance.randrange(12)
        ends = begins + chance.choice([1, 2, 4])
        places = chance.sample(self.places, chance.choice([1, 1, 2]))
        return {
            "title": "打合せ",
            "kind": chance.choice(["plain", "dialogue", "telework"]),
            "starts": f"2026-06-01T{9 + begins // 4:02}:{begins % 4 * 15:02}",
            "ends": f"2026-06-01T{9 + ends // 4:02}:{ends % 4 * 15:02}",
            "places": [{"place_id": one} for one in places],
        }

    async def act(self, http: httpx.AsyncClient, chance: random.Random) -> httpx.Response:
        wish = self.wish(chance)
        act = chance.choice(["book", "book", "wait", "series", *ON_ONE] if self.told else ["book"])
        if act in {"book", "wait"}:
            return await http.post(f"{TOWN}/bookings", json={**wish, "wait": act == "wait"})
        if act == "series":
            return await http.post(f"{TOWN}/series", json={**wish, "kind": "plain", "rule": "FREQ=DAILY;COUNT=3"})
        if act == "move series" and self.series:
            path = f"{TOWN}/series/{chance.choice(self.series)}/dates/1"
            return await http.patch(path, json={"scope": "this_and_later", "clock": wish["starts"][-5:]})
        here = f"{TOWN}/bookings/{chance.choice(self.told)}"
        if act == "extend":
            return await http.post(f"{here}/extend", json={"minutes": chance.choice([15, 30])})
        if act in {"approve", "cancel", "accept"}:
            return await http.post(f"{here}/{act}", json={"reason": ""} if act == "cancel" else None)
        return await http.patch(here, json={name: wish[name] for name in ("starts", "ends", "places")})


ON_ONE = ["change", "change", "extend", "approve", "approve", "cancel", "accept", "move series"]


async def test_fifty_people_at_once_never_share_a_place_and_never_break_it(databases: Databases) -> None:
    scene = Scene(databases)
    browsers = [scene.browser(number) for number in range(2)]
    statuses: Counter[int] = Counter()

    async def person(number: int) -> None:
        chance = random.Random(number)
        for _ in range(EACH):
            answer = await scene.act(browsers[number % 2], chance)
            statuses[answer.status_code] += 1
            assert answer.status_code in {200, 201, 409}, answer.text
            if answer.status_code == 201:
                made = answer.json()
                scene.told += [one["booking_id"] for one in made.get("dates", [made])]
                scene.series += [made["series_id"]] if "dates" in made else []

    await asyncio.gather(*(person(number) for number in range(PEOPLE)))
    for browser in browsers:
        await browser.aclose()
    assert sum(statuses.values()) == PEOPLE * EACH
    assert statuses[201] > 10
    assert statuses[409] > 10
    store: Store = scene.stores[0]
    with store._database.read() as connection:
        assert problems(connection) == []
