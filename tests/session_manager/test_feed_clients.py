"""Our calendar, read by programs that are not ours: vdirsyncer fetches it over HTTP, khal shows what it understood."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import uvicorn

from session_manager.booking_records import NewSeries, Series
from session_manager.pricing import Holder
from tests.session_manager.hall import NOW, Web
from tests.session_manager.house import House, at
from tests.session_manager.test_web_calendar import build_in
from tests.session_manager.test_web_people import Towns

BIN = Path(sys.executable).parent
SYNC = """[general]
status_path = "{folder}/status/"
[pair iki]
a = "there"
b = "here"
collections = null
[storage there]
type = "http"
url = "{url}"
[storage here]
type = "filesystem"
path = "{folder}/items/"
fileext = ".ics"
"""
SHOW = """[calendars]
[[iki]]
path = {folder}/items/
[locale]
local_timezone = {zone}
default_timezone = {zone}
timeformat = %H:%M
dateformat = %Y-%m-%d
longdateformat = %Y-%m-%d
datetimeformat = %Y-%m-%d %H:%M
longdatetimeformat = %Y-%m-%d %H:%M
[sqlite]
path = {folder}/khal.db
"""


class Quiet(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]
        yield


@contextlib.asynccontextmanager
async def served(web: Web) -> AsyncIterator[str]:
    """The hub's web on a real port."""
    config = uvicorn.Config(web.app, port=0, log_config=None, lifespan="off", timeout_graceful_shutdown=2)
    server = Quiet(config)
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await running


async def program(folder: Path, name: str, *arguments: str) -> str:
    home = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "LANG": "C.UTF-8", "PATH": "/usr/bin:/bin", "TZ": "UTC"}
    process = await asyncio.create_subprocess_exec(
        str(BIN / name),
        *arguments,
        env=home,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()
    return out.decode()


async def understood(folder: Path, url: str, zone: str) -> set[tuple[str, str, str, str]]:
    """Start, end, title, place of every date, as khal shows them on a machine in that zone."""
    (folder / "sync").write_text(SYNC.format(folder=folder, url=url))
    (folder / "show").write_text(SHOW.format(folder=folder, zone=zone))
    (folder / "items").mkdir(exist_ok=True)
    with contextlib.suppress(AssertionError):  # the first look at a pair asks whether to make what is there already
        await program(folder, "vdirsyncer", "-c", str(folder / "sync"), "discover")
    await program(folder, "vdirsyncer", "-c", str(folder / "sync"), "sync")
    names = ("start-long", "end-long", "title", "location")
    asked = [part for name in names for part in ("--json", name)]
    shown = await program(folder, "khal", "-c", str(folder / "show"), "list", *asked, "2026-05-01", "500d")
    rows = [row for line in shown.splitlines() for row in json.loads(line)]
    return {(row["start-long"], row["end-long"], row["title"], row["location"]) for row in rows}


def expected(starts_at: int, ends_at: int, title: str, place: str) -> tuple[str, str, str, str]:
    first, last = (datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M") for at in (starts_at, ends_at))
    return (first, last, title, place)


async def test_every_date_title_place_and_zone_is_read_unchanged(web: Web, tmp_path: Path) -> None:
    towns = Towns(web)
    house = build_in(web, towns.iki)
    abroad = web.store.add_facility("Lord Howe", "Australia/Lord_Howe", towns.iki.municipality_id)
    holder = Holder(towns.person.person_id)
    wanted = set()
    for hour, title in ((1, "対話の夕べ; 壱岐, 福岡 \\ 一"), (3, "Ceremony " * 9)):
        one = house.book(at(hour), holder=holder, title=title.strip())
        wanted.add(expected(one.starts_at, one.ends_at, title.strip(), "芦辺 大会議室"))
    there = House(web.store, abroad.facility_id, house.big, house.small)
    hut = there.place("room", "Hut", capacity=4)
    for day in (120, 150):  # on both sides of the clock change of the first Sunday in October
        one = there.book(at(3, day=day, zone="Australia/Lord_Howe"), hut, holder=holder, title=f"day {day}")
        wanted.add(expected(one.starts_at, one.ends_at, f"day {day}", "Lord Howe Hut"))
    pattern = there.wish(at(9), house.small, holder=holder, title="月例")
    made = web.store.book_series(NewSeries(pattern, "FREQ=MONTHLY;BYDAY=2WE;COUNT=6"), NOW)
    assert isinstance(made, Series)
    wanted |= {expected(one.starts_at, one.ends_at, "月例", "芦辺 小会議室") for one in made.dates}
    async with towns.signed_in(towns.person) as browser, served(web) as url:
        asked = await browser.post(f"{towns.here}/people/{towns.person.person_id}/feeds")
        path = asked.json()["address"].removeprefix("http://hub")
        assert await understood(tmp_path, url + path, "UTC") == wanted
    zones = {
        zone
        for item in (tmp_path / "items").iterdir()
        for zone in re.findall(r"DTSTART;TZID=([^:]+)", item.read_text())
    }
    assert zones == {"Asia/Tokyo", "Australia/Lord_Howe"}
