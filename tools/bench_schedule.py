"""What a booking costs as the year fills: 40 rooms with 1,000, 10,000 and 100,000 bookings in SQLite.

`conflict_check`: who holds these rooms then. `week`: all bookings of one week, read as records. `book`: one booking
with every rule, one transaction to the disk; its baseline is a write and flush of one row. Over HTTP on the loopback,
from the request to the last byte: `week_page` the page, `week_api` what it then fetches, `week_again` when nothing is
new, `feed` the calendar of one room, thirteen months of it, `feed_again` when nothing is new, `month` the bookings of
one room. `cpu` is what server and client spent together: on a busy machine the other figures hold the waiting for a
core.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory

import httpx
import uvicorn
from sqlalchemy import insert, text

from session_manager.booking_records import Booking, NewBooking, Rules, Wanted
from session_manager.fakes import ScriptedRuntime
from session_manager.opening import ALWAYS
from session_manager.pricing import UNLIMITED
from session_manager.schedule import Interval, Wall, instant, wall
from session_manager.store import Store
from session_manager.store.booking_tables import booking_places, bookings, occupancies
from session_manager.web.app import create_app
from session_manager.web.security import LOGIN_COOKIE
from session_manager.web.settings import WebSettings

ROOMS = 40
SIZES = (1_000, 10_000, 100_000)
ZONE = "Asia/Tokyo"
FIRST = datetime(2026, 1, 5)
ROUNDS = 60

Rows = list[dict[str, object]]


def run() -> Rows:
    found: Rows = []
    for size in SIZES:
        with TemporaryDirectory(prefix="shimawa-bench-") as folder:
            store = Store.open(Path(folder) / "hub.db")
            try:
                found += _measured(store, size)
            finally:
                store.close()
    return found


def _measured(store: Store, size: int) -> Rows:
    rooms = _rooms(store)
    _fill(store, rooms, size)
    chance = random.Random(1)
    now = float(instant(FIRST, ZONE))
    at = instant(FIRST, ZONE)

    def conflict() -> None:
        start = at + chance.randrange(364) * 86_400 + chance.randrange(36_000, 72_000)
        store.conflicts([Wanted(room) for room in chance.sample(rooms, 2)], Interval(start, start + 3600))

    def week() -> None:
        monday = at + chance.randrange(52) * 7 * 86_400
        store.bookings(monday, monday + 7 * 86_400, municipality_id="default")

    def book() -> None:
        day = FIRST + timedelta(days=chance.randrange(360), hours=22, minutes=chance.randrange(60))
        time_ = Wall(day, day + timedelta(minutes=15), ZONE)
        made = store.book(NewBooking("x", "plain", time_, (Wanted(chance.choice(rooms)),)), now)
        assert isinstance(made, Booking) or made.quote.taken, made

    def flush() -> None:
        with store._database.write() as connection:
            connection.execute(text("UPDATE facilities SET name = name"))

    baseline = round(median(_timed(flush, 20)), 2)
    with served(store, at + 20 * 86_400) as http, visits(http, store, rooms, chance) as acts:
        return [
            *_row("conflict_check", size, conflict, 5.0, 4 * ROUNDS),
            *_row("week", size, week, 100.0, ROUNDS // 3),
            *(one for name, (act, aim) in acts.items() for one in _row(name, size, act, aim, ROUNDS // 2)),
            *_row("book", size, book, None, ROUNDS, baseline),
        ]


def _row(
    name: str, size: int, act: Callable[[], object], aim: float | None, rounds: int, baseline: float | None = None
) -> Rows:
    began = time.process_time()
    times = _timed(act, rounds)
    spent = (time.process_time() - began) * 1000 / (rounds + 1)
    row = {"unit": "ms", "aim": aim, "baseline": baseline}
    return [
        {"name": f"{name}.{size}.median", "value": round(median(times), 2), **row},
        {"name": f"{name}.{size}.cpu", "value": round(spent, 2), **row},
        {"name": f"{name}.{size}.p95", "value": round(quantiles(times, n=20)[-1], 2), **row},
    ]


@contextmanager
def served(store: Store, now: float) -> Iterator[httpx.Client]:
    """The hub's web over this store on the loopback, and an administrator's browser."""
    settings = WebSettings(bytes(32), "w" * 32)
    app = create_app(store, ScriptedRuntime(store, now=now), settings, clock=lambda: now)
    config = uvicorn.Config(app, "127.0.0.1", 0, log_level="error", lifespan="off", access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    account = store.add_account("bench", "long enough a word", "administrator")
    cookies = {LOGIN_COOKIE: store.open_login(account.account_id, now, 1e6)}
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", cookies=cookies, timeout=60, trust_env=False) as http:
            yield http
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def visits(
    http: httpx.Client, store: Store, rooms: list[str], chance: random.Random
) -> Iterator[dict[str, tuple[Callable[[], object], float | None]]]:
    """What people open, with what each may take."""
    feeds = [store.add_feed("default", "room", room, 0.0).secret for room in rooms]
    tags: dict[str, str] = {}
    feed_tags: dict[str, str] = {}

    def get(path: str, **headers: str) -> httpx.Response:
        answer = http.get(path, headers=headers)
        assert answer.status_code in {200, 304}, (path, answer.status_code)
        return answer

    def monday() -> str:
        return (FIRST + timedelta(days=7 * chance.randrange(52))).date().isoformat()

    def week_api() -> None:
        path = f"/api/municipalities/default/week?first={monday()}"
        tags[path] = get(path).headers["etag"]

    def week_again() -> None:
        path = chance.choice(sorted(tags))
        assert get(path, **{"If-None-Match": tags[path]}).status_code == 304

    def feed() -> None:
        path = f"/calendar/{chance.choice(feeds)}.ics"
        feed_tags[path] = get(path).headers["etag"]

    def feed_again() -> None:
        path = chance.choice(sorted(feed_tags))
        assert get(path, **{"If-None-Match": feed_tags[path]}).status_code == 304

    def month() -> None:
        first = FIRST + timedelta(days=chance.randrange(330))
        days = f"first={first.date()}&last={(first + timedelta(days=30)).date()}"
        get(f"/api/municipalities/default/bookings?{days}&place_id={chance.choice(rooms)}")

    yield {
        "week_page": (lambda: get("/week"), 100.0),
        "week_api": (week_api, 100.0),
        "week_again": (week_again, 100.0),
        "month": (month, None),
        "feed": (feed, 200.0),
        "feed_again": (feed_again, 20.0),
    }


def _timed(act: Callable[[], object], rounds: int) -> list[float]:
    act()
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        act()
        times.append((time.perf_counter() - began) * 1000)
    return times


def _rooms(store: Store) -> list[str]:
    facility = store.add_facility("壱岐", ZONE)
    store.set_opening(facility.facility_id, ALWAYS)
    store.set_rules("default", Rules(limits={"": UNLIMITED}))
    return [store.add_room(facility.facility_id, f"部屋{number}").room_id for number in range(ROOMS)]


def _fill(store: Store, rooms: list[str], size: int) -> None:
    """Evenly over a year, one after the other in each room; the trigger looks at every row as it would at any."""
    chance = random.Random(0)
    each = size // ROOMS
    step = 364 * 86_400 // each
    first = instant(FIRST, ZONE)
    headers, places, held = [], [], []
    for number, room in enumerate(rooms):
        for turn in range(each):
            start = first + turn * step // 900 * 900
            time_ = Interval(start, start + min(step // 900 * 900, chance.choice((900, 1800, 3600))))
            booking_id = f"b{number}x{turn}"
            headers.append(_header(booking_id, time_))
            places.append({"booking_id": booking_id, "place_id": room, "amount": 1, "position": 0})
            span = {"starts_at": time_.starts_at, "ends_at": time_.ends_at}
            held.append({"booking_id": booking_id, "place_id": room, "unit": 0, **span})
    with store._database.write() as connection:
        connection.execute(insert(bookings), headers)
        connection.execute(insert(booking_places), places)
        connection.execute(insert(occupancies), held)
        connection.execute(text("ANALYZE"))


def _header(booking_id: str, time_: Interval) -> dict[str, object]:
    local = wall(time_, ZONE)
    texts = {"holder": "h", "user_class": "", "made_by": "", "link": "", "price_reason": "", "reason": ""}
    return {
        "booking_id": booking_id,
        "municipality_id": "default",
        "position": 0,
        "title": "打合せ",
        "kind": "plain",
        "state": "confirmed",
        "starts": local.starts.isoformat(timespec="minutes"),
        "ends": local.ends.isoformat(timespec="minutes"),
        "zone": ZONE,
        "starts_at": time_.starts_at,
        "ends_at": time_.ends_at,
        "level": 0,
        "people": 1,
        "mode": "in_person",
        "languages": ["ja"],
        "confidential": False,
        "yen": 0,
        "free_s": 0,
        "by_pass": False,
        "created_at": 0,
        **texts,
    }
