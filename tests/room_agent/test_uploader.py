"""What the hub lacks comes to it, the newest first, each packet once, whatever happens on the way."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from room_agent.fakes import ScriptedHub, SpoolShelf, scripted_hub
from room_agent.hub import CLOCK_ASKED, CLOCK_FINE_S, HubClient
from room_agent.spool import Holding, Limits, Run
from room_agent.spool_writer import Spool
from room_agent.uploader import Traffic, Uploader, to_send
from signaling.media.aiortc_adapter import NumberedPacket

PAYLOAD = b"\x78" * 80


@pytest.fixture
async def hub() -> AsyncIterator[ScriptedHub]:
    async with scripted_hub() as scripted:
        yield scripted


@contextlib.asynccontextmanager
async def uploading(
    hub: ScriptedHub, spool: Spool, *, live: bool = False, every_s: float = 0.05
) -> AsyncIterator[Uploader]:
    client = HubClient(hub.url, "device")
    uploader = Uploader(client, spool, lambda: Traffic(live), every_s=every_s)
    running = asyncio.create_task(uploader.run())
    try:
        yield uploader
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await client.close()
        await asyncio.to_thread(spool.close)


def opened(folder: Path, session: str = "one") -> Spool:
    spool = Spool(folder, Limits(min_free_bytes=0), flush_s=0.01)
    spool.session_id = session
    return spool


def say(spool: Spool, epoch: int, end: int, first: int = 0) -> None:
    for sequence in range(first, end):
        spool.put(epoch, NumberedPacket(sequence, sequence * 960, PAYLOAD), time.monotonic())


async def until(so: Callable[[], object], what: str) -> None:
    try:
        async with asyncio.timeout(20):
            while not so():
                await asyncio.sleep(0.005)
    except TimeoutError:
        raise AssertionError(f"not {what}") from None


def shelf(hub: ScriptedHub) -> SpoolShelf:
    assert hub.spool is not None
    return hub.spool


async def test_only_what_the_hub_lacks_is_sent_and_once(hub: ScriptedHub, tmp_path: Path) -> None:
    shelf(hub).live["one", 1] = (Run(0, 400), Run(450, 1000))
    spool = opened(tmp_path)
    say(spool, 1, 1000)
    spool.end(1)
    async with uploading(hub, spool, live=True):
        await until(lambda: not spool.unsent_s(), "all there")
    assert sorted(shelf(hub).has["one", 1]) == list(range(400, 450))
    assert shelf(hub).duplicates == 0
    assert shelf(hub).has["one", 1][400].payload == PAYLOAD
    assert shelf(hub).held["one", 1]["closed"] is True


async def test_the_newest_hole_comes_first_and_the_newest_stream(hub: ScriptedHub, tmp_path: Path) -> None:
    shelf(hub).live["one", 1] = (Run(10, 90), Run(100, 1000))
    spool = opened(tmp_path)
    say(spool, 1, 1000)
    say(spool, 2, 40)
    await until(lambda: len(spool.holdings()) == 2, "written")
    async with uploading(hub, spool):
        await until(lambda: len(shelf(hub).posts) >= 3, "sent")
    assert [(epoch, run) for _, epoch, run in shelf(hub).posts[:3]] == [
        (2, Run(0, 40)), (1, Run(90, 100)), (1, Run(0, 10)),
    ]  # fmt: skip


async def test_what_a_killed_process_left_is_sent_by_the_next(hub: ScriptedHub, tmp_path: Path) -> None:
    before = opened(tmp_path)
    say(before, 1, 300)
    await until(lambda: before.holdings() and before.holdings()[0].next_sequence == 300, "written")
    async with uploading(hub, opened(tmp_path, "two")):
        await until(lambda: len(shelf(hub).has.get(("one", 1), ())) == 300, "sent")
    before.close()


async def test_a_hub_that_is_away_or_full_costs_nothing(hub: ScriptedHub, tmp_path: Path) -> None:
    shelf(hub).status = 507
    spool = opened(tmp_path)
    say(spool, 1, 100)
    async with uploading(hub, spool) as uploader:
        await until(lambda: uploader.state == "hub_full", "told that it is full")
        await hub.stop()
        uploader.hurry()
        await until(lambda: uploader.state == "waiting", "alone")
        shelf(hub).status = None
        await hub.start(hub.port)
        uploader.hurry()
        await until(lambda: len(shelf(hub).has.get(("one", 1), ())) == 100, "sent after all")
        await until(lambda: not spool.unsent_s(), "acknowledged")


async def test_a_short_cut_is_no_news_and_a_long_one_is_said_once_and_so_is_its_end(
    hub: ScriptedHub, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "room_agent.uploader")
    spool = opened(tmp_path)
    say(spool, 1, 100)
    for lasting_s, expected in ((60.0, []), (0.0, ["sound waits on this board", "sound goes to the hub again"])):
        caplog.clear()
        client = HubClient(hub.url, "device")
        uploader = Uploader(client, spool, Traffic, every_s=0.05, lasting_s=lasting_s)
        running = asyncio.create_task(uploader.run())
        await until(lambda: uploader.state == "idle" and not spool.unsent_s(), "sent")  # noqa: B023
        await hub.stop()
        for _ in range(3):
            uploader.state = "idle"
            uploader.hurry()
            await until(lambda: uploader.state == "waiting", "away")  # noqa: B023
        await hub.start(hub.port)
        say(spool, 1, 150, first=100)
        uploader.hurry()
        await until(lambda: uploader.state == "idle", "back")  # noqa: B023
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await client.close()
        assert [record.message.split(":")[0] for record in caplog.records] == expected
    await asyncio.to_thread(spool.close)


async def test_a_session_that_the_hub_does_not_know_is_offered_no_more(hub: ScriptedHub, tmp_path: Path) -> None:
    shelf(hub).unknown.add("one")
    spool = opened(tmp_path)
    say(spool, 1, 100)
    spool.end(1)
    async with uploading(hub, spool):
        await until(lambda: spool.loaded.is_set() and not spool.busy() and not spool.unsent_s(), "quiet")
    assert shelf(hub).posts == []


async def test_at_the_end_it_waits_until_the_hub_has_all_or_says_what_is_left(hub: ScriptedHub, tmp_path: Path) -> None:
    spool = opened(tmp_path)
    say(spool, 1, 500)
    spool.end(1)
    async with uploading(hub, spool) as uploader:
        assert await uploader.finish() == 0.0
    assert len(shelf(hub).has["one", 1]) == 500
    spool = opened(tmp_path)
    say(spool, 2, 50)
    await hub.stop()
    async with uploading(hub, spool) as uploader:
        assert await uploader.finish(0.3) == pytest.approx(1.0)


async def test_a_hub_that_takes_nothing_afterwards_is_not_waited_for(hub: ScriptedHub, tmp_path: Path) -> None:
    hub.spool = None
    spool = opened(tmp_path)
    say(spool, 1, 500)
    async with uploading(hub, spool) as uploader:
        assert await uploader.finish() == pytest.approx(10.0)
        assert uploader.state == "without"


async def test_a_disk_that_is_not_well_is_told_without_any_sound_and_so_is_its_recovery(
    hub: ScriptedHub, tmp_path: Path
) -> None:
    spool = Spool(tmp_path, Limits(min_free_bytes=1 << 60, min_free_share=1.0), flush_s=0.01)
    await until(lambda: spool.state().level == "full", "full")
    async with uploading(hub, spool):
        await until(lambda: shelf(hub).disk.get("level") == "full", "told")
        spool.limits = Limits(min_free_bytes=0)
        await until(lambda: shelf(hub).disk.get("level") == "ok", "well again")


async def test_the_hub_hears_which_numbers_this_board_has_lost(hub: ScriptedHub, tmp_path: Path) -> None:
    spool = opened(tmp_path)
    say(spool, 1, 100)
    say(spool, 1, 200, first=120)
    async with uploading(hub, spool):
        await until(lambda: len(shelf(hub).has.get(("one", 1), ())) == 180, "sent")
    assert shelf(hub).held["one", 1]["missing"] == [[100, 120]]


def test_what_is_not_held_is_not_sent() -> None:
    holding = Holding("one", 1, 10, 100, 0, 0.0, closed=True, missing=(Run(40, 50),))
    wanted = (Run(90, 200), Run(30, 60), Run(0, 5))
    assert to_send(holding, wanted) == (Run(90, 100), Run(50, 60), Run(30, 40))


async def test_the_hub_hears_where_sound_lies_on_its_own_clock_with_the_first_word_of_it(
    hub: ScriptedHub, tmp_path: Path
) -> None:
    shelf(hub).clock = lambda: time.monotonic() + 1_000_000.0
    spool = opened(tmp_path)
    began = time.monotonic()
    say(spool, 1, 50)
    async with uploading(hub, spool):
        await until(lambda: ("one", 1) in shelf(hub).held, "told")
        told = shelf(hub).held["one", 1]
    placed_at, within_s = float(str(told["placed_at"])), float(str(told["within_s"]))
    assert abs(placed_at - (began + 1_000_000.0)) <= within_s + (time.monotonic() - began)
    assert shelf(hub).asked >= 2


async def test_a_board_that_heard_no_quick_answer_asks_again_soon_and_says_what_it_then_knows(
    hub: ScriptedHub, tmp_path: Path
) -> None:
    def busy_at_first() -> float:
        if shelf(hub).asked < CLOCK_ASKED + 1:
            time.sleep(0.02)
        return time.monotonic() + 1_000_000.0

    shelf(hub).clock = busy_at_first
    spool = opened(tmp_path)
    say(spool, 1, 50)
    async with uploading(hub, spool, every_s=3600.0):
        await until(lambda: ("one", 1) in shelf(hub).held, "told")
        await until(lambda: float(str(shelf(hub).held["one", 1]["within_s"])) <= CLOCK_FINE_S, "told better")


async def test_a_hub_that_does_not_say_what_its_clock_reads_is_told_nothing_of_it(
    hub: ScriptedHub, tmp_path: Path
) -> None:
    spool = opened(tmp_path)
    say(spool, 1, 50)
    async with uploading(hub, spool):
        await until(lambda: ("one", 1) in shelf(hub).held, "told")
    assert not {"placed_at", "within_s"} & set(shelf(hub).held["one", 1])
