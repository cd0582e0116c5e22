"""Whole boards and a hub that comes and goes: what is said is kept, and comes to the hub."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest

from room_agent.config import BoardSettings, DeviceSettings
from room_agent.day import LATE_S, Day, DayFile, DaySession
from room_agent.epochs import EpochCounter
from room_agent.fakes import SpoolShelf, booked, invitation
from room_agent.hub import HubClient, OwnSite
from room_agent.hubclock import Exchange
from room_agent.keeping import Keeping
from room_agent.spool import Run, count, merged
from room_agent.spool_writer import Spool
from room_agent.uploader import Traffic
from signaling.media.aiortc_adapter import NumberedPacket
from tests.room_agent.house import House, board, until

DEVICES = DeviceSettings(microphone="sim:tone=440", camera="none", speaker="sim:meter")


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with House() as house:
        yield house


def shelf(house: House) -> SpoolShelf:
    assert house.http.spool is not None
    return house.http.spool


def due(house: House, session_id: str = "booked") -> None:
    house.expect("iki")
    now = time.time()
    house.http.answers["iki"] = invitation(
        "join-iki", f"ws://127.0.0.1:{house.port}/", "iki", "iki", session_id=session_id, ends_at=now + 600
    )


def logged(house: House, epoch: int) -> set[int]:
    return {each.sequence for each in house.packets if each.track_id == "iki-microphone" and each.epoch == epoch}


async def test_at_the_booked_time_a_board_without_its_hub_records_alone_and_sends_it_later(
    house: House, tmp_path: Path
) -> None:
    now = time.time()
    house.http.answers["iki"] = None
    house.http.day = [booked("booked", now + 1, now + 600), booked("later", now + 900, now + 1000)]
    async with board(house, "iki", tmp_path, DEVICES) as (iki, _):
        await until(iki, lambda _: DayFile(tmp_path / "iki").day.title("booked"), "told of the day")
        await house.http.stop()
        alone = await until(iki, lambda now: now.spool.recording_alone and now.spool.unsent_s > 1, "recording")
        assert "ここで録音しています" in alone.as_json()["sentence"]["ja"]  # type: ignore[index]
        assert alone.session is not None
        assert (alone.session.session_id, alone.session.title) == ("booked", "Title of booked")
        assert alone.spool.unsent[0].title == "Title of booked"
        async with house.forwarding():
            due(house)
            await house.http.start(house.http.port)
            back = await until(iki, lambda now: now.state == "live" and now.link.publish == "up", "live")
            assert back.sending.epoch == alone.sending.epoch == 1, "the microphone was never stopped"
            assert not back.spool.recording_alone
            await until(iki, lambda _: shelf(house).has.get(("booked", 1), {}).get(0), "the first word at the hub")


async def test_what_was_live_goes_on_alone_and_a_killed_board_opens_it_again(house: House, tmp_path: Path) -> None:
    async with house.forwarding():
        due(house)
        house.http.day = [booked("booked", 0.0, time.time() + 600, "live")]
        async with board(house, "iki", tmp_path, DEVICES) as (iki, _):
            await until(iki, lambda now: now.link.publish == "up", "up")
            await until(iki, lambda _: DayFile(tmp_path / "iki").day.title("booked"), "told of the day")
    await house.http.stop()
    async with board(house, "iki", tmp_path, DEVICES) as (iki, _):
        alone = await until(iki, lambda now: now.spool.recording_alone and now.spool.unsent_s > 0.5, "recording alone")
        assert alone.sending.epoch == 2


async def test_sound_of_the_moment_without_media_reaches_the_hub_in_the_same_numbering(
    house: House, tmp_path: Path
) -> None:
    async with house.working() as (_, plane):
        due(house, "session-1")
        async with board(house, "iki", tmp_path, DEVICES) as (iki, _):
            await until(iki, lambda _: len(logged(house, 1)) > 20, "logged")
            os.kill(plane.pids()[0], signal.SIGKILL)
            await until(iki, lambda now: now.link.publish_generation > 1 and now.link.publish == "up", "replaced")
            before = len(logged(house, 1))
            await until(iki, lambda _: len(logged(house, 1)) > before + 10, "logged again")
            assert iki.status().sending.epoch == 1

            def whole() -> bool:
                live = merged(Run(each, each + 1) for each in logged(house, 1))
                shelf(house).live["session-1", 1] = live
                return len(merged((*live, *shelf(house).stored("session-1", 1)))) == 1

            await until(iki, lambda _: whole(), "without a hole")


async def test_the_hub_hears_where_a_rooms_sound_lies_as_soon_as_it_flows(house: House, tmp_path: Path) -> None:
    """Not when the board asks anyway, every five seconds: the first line would be written before."""
    shelf(house).clock = time.time
    async with house.forwarding():
        due(house)
        async with board(house, "iki", tmp_path, DEVICES) as (iki, _):
            await until(iki, lambda _: ("booked", 1) in shelf(house).held, "told")
            told = shelf(house).held["booked", 1]
    assert told["next_sequence"] < 200  # type: ignore[operator]
    assert told["placed_at"]


async def test_off_the_record_nothing_is_kept_here_not_even_by_a_board_that_starts_again_alone(
    house: House, tmp_path: Path
) -> None:
    async with house.forwarding() as server:
        due(house, "session-1")
        house.http.day = [booked("session-1", 0.0, time.time() + 600, "live")]
        async with board(house, "iki", tmp_path, DEVICES) as (iki, _):
            await until(iki, lambda now: now.link.publish == "up" and now.sending.packets_encoded > 20, "up")
            await until(iki, lambda _: DayFile(tmp_path / "iki").day.title("session-1"), "told of the day")
            server.set_state("session-1", record="off")
            off = await until(iki, lambda now: now.spool.off_record, "off the record")
            assert "記録していません" in off.as_json()["sentence"]["ja"]  # type: ignore[index]
            more = off.sending.packets_encoded + 50
            on = await until(iki, lambda now: now.sending.packets_encoded > more, "speaking on")
            server.set_state("session-1", record="on")
            await until(iki, lambda now: not now.spool.off_record, "on the record")
            held = await until(iki, lambda _: shelf(house).held.get(("session-1", 1), {}).get("missing"), "told")
            assert held.sending.epoch == 1
            lost = merged(Run(*one) for one in cast(list[list[int]], shelf(house).held["session-1", 1]["missing"]))
            assert count(lost) >= on.sending.packets_encoded - off.sending.packets_encoded
            server.set_state("session-1", record="off")
            await until(iki, lambda now: now.spool.off_record, "off again")
    await house.http.stop()
    async with board(house, "iki", tmp_path, DEVICES) as (iki, _):
        alone = await until(iki, lambda now: now.sending.epoch == 2 and now.sending.packets_encoded > 20, "alone")
        assert alone.spool.off_record
        assert not alone.spool.recording_alone
        assert not (tmp_path / "iki" / "spool" / "2").exists()


async def test_a_session_that_nobody_ends_ends_half_an_hour_late(house: House, tmp_path: Path) -> None:
    ends_at = time.time() - LATE_S + 3
    session = DaySession(session_id="booked", starts_at=0.0, ends_at=ends_at, site=OwnSite(site_id="site"))
    (tmp_path / "iki").mkdir()
    DayFile(tmp_path / "iki").keep(Day(sessions=(session,)))
    await house.http.stop()
    async with board(house, "iki", tmp_path, DEVICES, once=False) as (iki, _):
        await until(iki, lambda now: now.spool.recording_alone, "recording alone")
        await until(iki, lambda now: now.session is None and now.state == "unreachable", "over")
        assert iki.status().spool.unsent_s > 0


async def test_a_lost_epoch_counter_never_continues_the_sound_of_another_day(house: House, tmp_path: Path) -> None:
    before = Spool(tmp_path / "iki")
    before.session_id = "yesterday"
    before.put(40, NumberedPacket(0, 0, b"\x78" * 80), time.monotonic())
    before.close()
    async with house.forwarding():
        due(house)
        async with board(house, "iki", tmp_path, DEVICES) as (iki, _):
            now = await until(iki, lambda now: now.sending.packets_encoded > 0, "speaking")
            assert now.sending.epoch == 41
            await until(iki, lambda _: ("yesterday", 40) in shelf(house).has, "yesterday's sound sent")


async def test_with_a_full_disk_live_sound_goes_on_and_the_board_says_what_is_at_risk(
    house: House, tmp_path: Path, tiny_disk: Path
) -> None:
    async with house.forwarding():
        due(house)
        async with board(house, "iki", tiny_disk, DEVICES) as (iki, _):
            await until(iki, lambda now: now.link.publish == "up", "up")
            ballast = tiny_disk / "ballast"
            with contextlib.suppress(OSError):
                ballast.write_bytes(b"x" * (1 << 20))
            full = await until(iki, lambda now: now.spool.level == "full" and now.spool.at_risk_s > 0.5, "full")
            assert "not safe yet" in full.as_json()["sentence"]["en"]  # type: ignore[index]
            before = house.arrived("iki")
            await until(iki, lambda _: house.arrived("iki") > before + 20, "live all the same")
            ballast.unlink()
            after = await until(iki, lambda now: now.spool.level != "full", "kept again")
            assert after.spool.lost_s == 0.0


def test_a_day_knows_what_is_due() -> None:
    site = OwnSite(site_id="site")
    morning = DaySession(session_id="morning", starts_at=1000, ends_at=2000, site=site)
    noon = DaySession(session_id="noon", starts_at=2500, ends_at=3000, site=site)
    day = Day(sessions=(morning, noon))
    found = [day.due(at) for at in (999, 1000, 2400, 2500, 4799, 4800)]
    assert [each and each.session_id for each in found] == [None, "morning", "morning", "noon", "noon", None]
    live = day.with_session(noon.model_copy(update={"state": "live"}))
    assert (live.due(10) or noon).state == "live", "it was begun early"
    assert live.without("noon").due(2500) == morning
    assert Day(sessions=(morning.model_copy(update={"state": "ended"}),)).due(1500) is None


def test_a_day_that_cannot_be_read_is_empty(tmp_path: Path) -> None:
    (tmp_path / "day.json").write_text("{")
    assert DayFile(tmp_path).day == Day()


async def test_a_board_that_has_heard_the_hubs_clock_opens_by_it_what_is_due_though_its_own_is_wrong(
    tmp_path: Path,
) -> None:
    now = time.time()
    session = DaySession(session_id="booked", starts_at=now - 60, ends_at=now + 600, site=OwnSite(site_id="site"))
    DayFile(tmp_path).keep(Day(sessions=(session,)))
    hub = HubClient("http://127.0.0.1:9", "device")
    settings = BoardSettings(hub=hub.hub, token="device", state=tmp_path)
    keeping = Keeping(
        settings, EpochCounter(tmp_path), hub, Traffic, lambda: False, lambda: None, clock=lambda: now - 36_000.0
    )
    assert keeping.due_here() is None
    counted = time.monotonic()
    hub.clock.heard(Exchange(counted - 0.01, now, now, counted))
    due = keeping.due_here()
    assert due is not None
    assert due.session.session_id == "booked"
    await keeping.close()
    await hub.close()
