"""A hub that is killed again and again while people use it: nothing is half done, nothing is lost, nothing comes twice.

A real hub process, a real mail server, clients over HTTP. `SHIMAWA_KILLS` is how many operations (`make kills`: 1,000);
`SHIMAWA_KILLS_SEED` chooses what is done and when it is killed, `SHIMAWA_KILLS_AIM=never` kills at any time only. What
can be promised of letters: each arrives; a kill of the hub sends none twice, whenever it falls; and when the whole
machine goes (here: the hub and its postman), only a letter goes twice that the mail server had taken and whose answer
no process of ours could have read. No sender can do better (RFC 5321 section 6.1). Those are counted apart.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import sqlite3
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from aiosmtpd.smtp import SMTP

from session_manager.booking_records import NewPlace
from session_manager.opening import ALWAYS
from session_manager.store import Store
from tests.session_manager.fresh import fresh
from tests.session_manager.hall import QUICK
from tests.session_manager.house import ZONE
from tests.session_manager.mortal_hub import HubProcess, PostOffice
from tests.session_manager.sweep import problems
from tests.session_manager.two_towns import actions, bearer_headers

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(3600)]

OPERATIONS = int(os.environ.get("SHIMAWA_KILLS", "40"))
SEED = int(os.environ.get("SHIMAWA_KILLS_SEED", "1"))
CLIENTS = 4
LIFE = range(4, 15) if OPERATIONS <= 100 else range(4, 45)
"""How many operations a hub answers before it is killed, by chance: on a slow machine it lives longer."""
TOWN = "/api/municipalities/default"


@dataclass
class World:
    rooms: list[str]
    hall: str
    people: list[str]
    mails: list[str]
    headers: dict[str, str]


def furnish(path: Path) -> World:
    """Before the first start: four rooms, a hall that needs approval, members with addresses, a program's token."""
    store = Store.open(fresh(path), QUICK)
    now = time.time()
    facility = store.add_facility("壱岐", ZONE)
    store.set_opening(facility.facility_id, ALWAYS)
    rooms = [store.add_room(facility.facility_id, f"部屋{number}").room_id for number in range(4)]
    hall = store.add_place(NewPlace(facility.facility_id, "room", "ホール", 100, needs_approval=True), now).place_id
    mails = [f"sanka{number}@iki.example" for number in range(1, 5)]
    people = [store.register_person("default", f"参加者{mail}", now, mail=mail).person_id for mail in mails]
    office = store.add_account("office", "long enough a word", "administrator")
    token = store.add_token("x", actions(), now, now + 1e6, account_id=office.account_id).secret
    store.close()
    return World(rooms, hall, people, mails, dict(bearer_headers(token)))


class Client:
    """Touches its own bookings only, so that it knows what each must look like. `unknown`: the hub died unheard."""

    def __init__(self, hub: HubProcess, world: World, seed: int) -> None:
        self._hub, self._world, self._chance = hub, world, random.Random(seed)
        self.told: dict[str, dict[str, Any]] = {}
        self.unknown: set[str] = set()
        self.statuses: Counter[int] = Counter()
        self.cut_off = 0
        self.series = 0

    async def run(self, left: list[int], kills: Kills) -> None:
        """Until that many were done, and the hub was killed at least once."""
        async with httpx.AsyncClient(headers=self._world.headers, timeout=60, trust_env=False) as http:
            while left[0] > 0 or not kills.count:
                left[0] -= 1
                await self._hub.ready.wait()
                await self._one(http)

    async def _one(self, http: httpx.AsyncClient) -> None:
        acts = [self._book] * 4 + [self._request, self._series, self._letter, self._now]
        if self.told:
            acts += [self._change] * 3 + [self._cancel] * 2 + [self._decide] * 2 + [self._extend, self._end]
        method, path, body, mine = self._chance.choice(acts)()
        try:
            answer = await http.request(method, f"http://127.0.0.1:{self._hub.port}{path}", json=body)
        except httpx.TransportError:
            self.cut_off += 1
            if mine:
                self.unknown.add(mine)
            return
        self.statuses[answer.status_code] += 1
        self._hub.answered.release()
        assert answer.status_code < 500, (path, answer.text)
        if answer.is_success:
            self._learn(path, answer)

    def _learn(self, path: str, answer: httpx.Response) -> None:
        if path.endswith("/series"):
            self.series += 1
            for one in answer.json()["dates"]:
                self.told[one["booking_id"]] = one
        elif path.startswith(f"{TOWN}/bookings"):
            self.told[answer.json()["booking_id"]] = answer.json()

    def _wish(self, place: str, minutes_ahead: int = 0) -> dict[str, Any]:
        ahead = timedelta(minutes=minutes_ahead or self._chance.randrange(1, 9 * 96) * 15)
        starts = datetime.now(ZoneInfo(ZONE)).replace(tzinfo=None, second=0, microsecond=0) + ahead
        kind = self._chance.choice(["plain", "dialogue", "telework"])
        holder = {"subject": self._chance.choice([*self._world.people, "office"]), "user_class": "office"}
        ends = starts + timedelta(minutes=self._chance.choice([15, 30, 60]))
        return {"title": "打合せ", "kind": kind, "holder": holder, "places": [{"place_id": place}],
                "starts": starts.isoformat(timespec="minutes"), "ends": ends.isoformat(timespec="minutes")}  # fmt: skip

    def _book(self) -> tuple[str, str, Any, str]:
        wish = self._wish(self._chance.choice(self._world.rooms))
        wish["places"] = [
            {"place_id": one} for one in self._chance.sample(self._world.rooms, self._chance.choice([1, 2]))
        ]
        return "POST", f"{TOWN}/bookings", {**wish, "wait": self._chance.random() < 0.3}, ""

    def _now(self) -> tuple[str, str, Any, str]:
        """Soon, so that somebody can check in: the next thing this client does to it."""
        return "POST", f"{TOWN}/bookings", self._wish(self._chance.choice(self._world.rooms), 2), ""

    def _request(self) -> tuple[str, str, Any, str]:
        return "POST", f"{TOWN}/bookings", self._wish(self._world.hall), ""

    def _series(self) -> tuple[str, str, Any, str]:
        wish = {**self._wish(self._chance.choice(self._world.rooms)), "rule": "FREQ=WEEKLY;COUNT=4", "kind": "plain"}
        return "POST", f"{TOWN}/series", wish, ""

    def _letter(self) -> tuple[str, str, Any, str]:
        return "POST", "/api/login/link", {"mail": self._chance.choice(self._world.mails)}, ""

    def _mine(self, verb: str, body: Any, *states: str) -> tuple[str, str, Any, str]:
        fitting = [one for one, booking in self.told.items() if not states or booking["state"] in states]
        booking_id = self._chance.choice(fitting or list(self.told))
        return "POST" if verb else "PATCH", f"{TOWN}/bookings/{booking_id}{verb}", body, booking_id

    def _change(self) -> tuple[str, str, Any, str]:
        wish = self._wish(self._chance.choice(self._world.rooms))
        change = {name: wish[name] for name in ("starts", "ends", "places")}
        return self._mine("", change, "confirmed", "requested", "waiting")

    def _cancel(self) -> tuple[str, str, Any, str]:
        return self._mine("/cancel", {"reason": "欠航"}, "confirmed", "requested", "waiting")

    def _decide(self) -> tuple[str, str, Any, str]:
        if self._chance.random() < 0.5:
            return self._mine("/check-in", None, "confirmed")
        verb = self._chance.choice(["/approve", "/approve", "/decline"])
        return self._mine(verb, {"reason": ""} if verb == "/decline" else None, "requested")

    def _extend(self) -> tuple[str, str, Any, str]:
        return self._mine("/extend", {"minutes": 15}, "in_use", "confirmed")

    def _end(self) -> tuple[str, str, Any, str]:
        return self._mine("/end", None, "in_use")


class Kind(Enum):
    """What is killed, and when."""

    HUB = "the hub, at any time"
    HUB_AT_LETTER = "the hub, a letter just taken"
    ALL = "hub and postman, at any time"
    ALL_AT_GOOD_BYE = "hub and postman, the answer just read"
    ALL_IN_WINDOW = "hub and postman, a letter taken and not answered"


TOGETHER = {Kind.ALL, Kind.ALL_AT_GOOD_BYE, Kind.ALL_IN_WINDOW}
SILENT_AT = {Kind.ALL_AT_GOOD_BYE: "good-bye", Kind.ALL_IN_WINDOW: "end"}
KINDS = [Kind.HUB, Kind.ALL] if os.environ.get("SHIMAWA_KILLS_AIM") == "never" else list(Kind)


@dataclass
class Kills:
    """`now`: a kill with all that belongs to it. `windows`: per kill, letters that the mail server took from this very
    process and whose answer nobody read: they go again. `seen`: of the letters taken."""

    kinds: Counter[Kind] = field(default_factory=Counter)
    windows: list[tuple[Kind, set[str]]] = field(default_factory=list)
    seen: int = 0
    now: asyncio.Task[None] | None = None

    @property
    def count(self) -> int:
        return self.kinds.total()


async def kill_at_random(hub: HubProcess, post: PostOffice, kills: Kills, chance: random.Random) -> None:
    """At any time, or at the worst ones for letters."""
    while True:
        await hub.ready.wait()
        for _ in range(chance.choice(LIFE)):
            await hub.answered.acquire()
        await asyncio.sleep(chance.uniform(0, 0.2))
        kind = await aimed(chance.choice(KINDS), post)
        kills.now = asyncio.create_task(kill_and_count(hub, post, kills, kind))
        await asyncio.shield(kills.now)  # whoever ends this loop lets a kill be counted first


async def aimed(kind: Kind, post: PostOffice) -> Kind:
    """Waits for its moment; without letters there is none, and it is at any time."""
    if kind in {Kind.HUB, Kind.ALL}:
        return kind
    moment = post.good_bye if kind is Kind.ALL_AT_GOOD_BYE else post.next
    moment.clear()
    post.keep_silent(SILENT_AT.get(kind, ""))
    try:
        await asyncio.wait_for(moment.wait(), 12)
    except TimeoutError:
        post.speak()
        return Kind.ALL if kind in TOGETHER else Kind.HUB
    return kind


async def kill_and_count(hub: HubProcess, post: PostOffice, kills: Kills, kind: Kind) -> None:
    await hub.kill(with_postman=kind in TOGETHER)
    post.speak()
    kills.kinds[kind] += 1
    await settled(post)
    with contextlib.closing(sqlite3.connect(hub.database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    if kind in TOGETHER:
        doubtful = await asyncio.to_thread(hub.doubtful)
        here = {one for one in post.taken[kills.seen :] if one.strip("<").partition(".")[0] in doubtful}
        kills.windows.append((kind, here))
    kills.seen = len(post.taken)
    await hub.start()


async def settled(post: PostOffice) -> None:
    """The mail server reads what is still in its socket."""
    before = -1
    while before != len(post.taken):
        before = len(post.taken)
        await asyncio.sleep(0.1)


async def drained(database: Path) -> Counter[str]:
    """Until no letter waits any more."""
    async with asyncio.timeout(600):
        while True:
            with contextlib.closing(sqlite3.connect(database)) as connection:
                states = Counter(row[0] for row in connection.execute("SELECT state FROM outbox"))
            if not states["waiting"] and not states["claimed"]:
                return states
            await asyncio.sleep(0.2)


@pytest.fixture
async def post() -> AsyncIterator[tuple[PostOffice, int]]:
    post = PostOffice(random.Random(SEED))
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(post), "127.0.0.1", 0)
    yield post, server.sockets[0].getsockname()[1]
    server.close()


async def test_a_hub_killed_at_random_leaves_nothing_half_done_lost_or_doubled(
    tmp_path: Path, post: tuple[PostOffice, int]
) -> None:
    office, mail_port = post
    hub, kills = HubProcess(tmp_path, mail_port), Kills()
    world = furnish(hub.database)
    clients = [Client(hub, world, SEED * 100 + number) for number in range(CLIENTS)]
    left = [OPERATIONS]
    await hub.start()
    killer = asyncio.create_task(kill_at_random(hub, office, kills, random.Random(SEED)))
    try:
        await asyncio.gather(*(client.run(left, kills) for client in clients))
        if not killer.done():
            killer.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await killer
        if kills.now is not None:
            await kills.now
        states = await drained(hub.database)
    finally:
        await hub.kill()
    _report(clients, kills, states, office)
    store = Store.open(hub.database, QUICK)
    try:
        with store._database.read() as connection:
            assert problems(connection) == []
        _as_told(store, clients)
    finally:
        store.close()
    _letters(hub.database, office, kills)
    assert kills.count >= 1
    assert sum(client.statuses.total() for client in clients) > OPERATIONS / 2


def _as_told(store: Store, clients: list[Client]) -> None:
    """What a client was told, is so: its time, and that it is there at all. Ended things end in the state they had."""
    for client in clients:
        for booking_id, told in client.told.items():
            found = store.booking(booking_id)
            if booking_id not in client.unknown:
                assert (found.starts_at, found.ends_at) == (told["starts_at"], told["ends_at"])
                if told["state"] in {"cancelled", "declined", "done"}:
                    assert found.state == told["state"]


def _letters(database: Path, post: PostOffice, kills: Kills) -> None:
    """Every one arrived; doubled are exactly those whose answer nobody was left to read."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT message_id, state, cause FROM outbox").fetchall()
    assert {state for _, state, _ in rows} <= {"sent"}
    assert len({cause for *_, cause in rows}) == len(rows)
    taken = Counter(post.taken)
    assert set(taken) == {message_id for message_id, *_ in rows}
    again = Counter(one for _, window in kills.windows for one in window)
    assert all(len(window) <= 1 for _, window in kills.windows)
    assert all(not window for kind, window in kills.windows if kind is Kind.ALL_AT_GOOD_BYE)
    assert {one: times - 1 for one, times in taken.items() if times > 1} == dict(again)


def _report(clients: list[Client], kills: Kills, states: Counter[str], post: PostOffice) -> None:
    statuses = sum((client.statuses for client in clients), Counter[int]())
    print(
        f"{OPERATIONS} operations, {kills.count} kills, {sum(client.cut_off for client in clients)} cut off; answers "
        f"{dict(sorted(statuses.items()))}; {sum(len(client.told) for client in clients)} bookings known, "
        f"{sum(client.series for client in clients)} series; letters {dict(states)}, {len(post.taken)} deliveries, "
        f"{len(post.taken) - len(set(post.taken))} twice"
    )
    for kind, count in kills.kinds.items():
        windows = [window for one, window in kills.windows if one is kind]
        print(f"  {count} kills of {kind.value}: {sum(map(len, windows))} letters twice")
