"""Whole boards in this process, against the real signaling server and the real forwarder, with simulated devices."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from room_agent.config import DeviceSettings
from room_agent.status import Status
from signaling.fakes import ScriptedDirectory
from signaling.ports import Denial, Grant, TrackOffer, TrackSpec
from tests.room_agent.house import House, Wire, board, until

TONE = DeviceSettings(microphone="sim:tone=440", camera="sim:card=Iki", speaker="sim:meter")
QUIET = DeviceSettings(microphone="sim:silence", camera="none", speaker="sim:meter")


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with House() as house:
        yield house


async def test_two_boards_hear_each_other_and_the_log_gets_their_own_numbers(house: House, tmp_path: Path) -> None:
    async with house.forwarding():
        house.expect("iki", "fukuoka")
        async with (
            board(house, "iki", tmp_path, TONE) as (iki, _),
            board(house, "fukuoka", tmp_path, QUIET, video_slots=1) as (fukuoka, _),
        ):
            heard = await until(fukuoka, lambda now: "iki" in now.heard, "heard")
            await until(iki, lambda now: now.link.publish == "up" and now.join.join_ms is not None, "joined")
            assert (heard.state, heard.session and heard.session.title) == ("live", "Session")
            assert heard.heard["iki"].site_name == "Site iki"
            assert iki.status().heard == {}, "silence is not heard"
            await until(fukuoka, lambda now: now.playout["iki"]["level_dbfs"] > -20, "playing the tone")
        assert iki.status().state == "stopped"
    mine = [each for each in house.packets if each.track_id == "iki-microphone"]
    assert mine[0].epoch == 1
    assert [each.sample for each in mine] == [each.sequence * 960 for each in mine]
    assert [each.sequence for each in mine] == list(range(mine[0].sequence, mine[0].sequence + len(mine)))
    assert ("iki", "left") in house.directory.seats


async def test_a_cut_signaling_line_is_resumed_and_media_never_stops(house: House, tmp_path: Path) -> None:
    async with house.forwarding() as server, Wire(house.port).laid() as wire:
        house.expect("iki", port=wire.port)
        async with board(house, "iki", tmp_path, QUIET) as (iki, _):
            await until(iki, lambda now: now.link.publish == "up" and now.link.subscribe == "up", "up")
            wire.cut()
            back = await until(iki, lambda now: server.stats()["resumed"] == 1 and now.state == "live", "back")
            before = house.arrived("iki")
            assert (back.link.publish_generation, back.link.subscribe_generation) == (1, 1)
            await until(iki, lambda _: house.arrived("iki") > before + 10, "sending on")
    sequences = [each.sequence for each in house.packets]
    assert sequences == list(range(sequences[0], sequences[0] + len(sequences))), "not one packet is missing"


async def test_a_killed_media_worker_is_survived_by_new_generations(house: House, tmp_path: Path) -> None:
    async with house.working() as (_, plane):
        house.expect("iki", "fukuoka")
        async with (
            board(house, "iki", tmp_path, TONE) as (iki, _),
            board(house, "fukuoka", tmp_path, QUIET) as (far, _),
        ):
            await until(far, lambda now: "iki" in now.heard and now.link.publish == "up", "heard")
            epoch = iki.status().sending.epoch
            os.kill(plane.pids()[0], signal.SIGKILL)
            await until(iki, lambda now: now.link.publish_generation > 1, "noticed")
            before = house.arrived("iki")
            for each in (iki, far):
                await until(each, lambda now: now.link.publish == "up" and now.link.subscribe == "up", "up again")
            await until(far, lambda now: now.playout.get("iki", {}).get("received", 0) > 10, "received again")
            await until(iki, lambda _: house.arrived("iki") > before, "logged again")
            assert iki.status().sending.epoch == epoch, "the microphone was never stopped"
    numbers = [each.sequence for each in house.packets if each.track_id == "iki-microphone"]
    assert len(set(numbers)) == len(numbers)


async def test_a_hub_that_starts_again_gets_everything_anew(house: House, tmp_path: Path) -> None:
    async with house.forwarding():
        house.expect("iki")
        starting = board(house, "iki", tmp_path, QUIET)
        iki, running = await starting.__aenter__()
        await until(iki, lambda now: now.link.publish == "up" and now.link.subscribe == "up", "up")
    await until(iki, lambda now: now.state == "reconnecting", "reconnecting")
    before = house.arrived("iki")
    async with house.forwarding():
        back = await until(iki, lambda now: now.link.publish == "up" and house.arrived("iki") > before, "back")
        assert back.link.publish_generation > 1
        assert not running.done()
        await starting.__aexit__(None, None, None)


async def test_a_missing_microphone_is_said_and_the_board_joins_with_what_it_has(house: House, tmp_path: Path) -> None:
    nothing = DeviceSettings(microphone="sim:file=nowhere.wav", camera="sim:card=Iki", speaker="sim:meter")
    async with house.forwarding():
        house.expect("iki")
        async with board(house, "iki", tmp_path, nothing) as (iki, _):
            now = await until(iki, lambda now: now.link.publish == "up" and now.link.subscribe == "up", "up")
            assert now.devices[0].error is not None
            assert "nowhere.wav" in now.devices[0].error
            assert now.sending.epoch is None
            await until(iki, lambda now: now.sending.frames_sent > 2, "sending pictures")
            told = {"microphone": False, "camera": True, "speaker": True}
            await until(iki, lambda _: told in house.http.found, "telling the hub")
    assert [spec.kind for spec in house.directory.opened] == ["video"]


async def test_a_board_without_microphone_and_camera_still_listens(house: House, tmp_path: Path) -> None:
    ears = DeviceSettings(microphone="none", camera="none", speaker="sim:meter")
    async with house.forwarding():
        house.expect("iki", "fukuoka")
        async with board(house, "iki", tmp_path, TONE), board(house, "fukuoka", tmp_path, ears) as (far, _):
            now = await until(far, lambda now: "iki" in now.heard, "heard")
            assert (now.link.publish, now.link.publish_generation) == ("off", 0)


async def test_once_ends_with_the_session(house: House, tmp_path: Path) -> None:
    async with house.forwarding() as server:
        house.expect("iki")
        async with board(house, "iki", tmp_path, QUIET, once=True) as (iki, running):
            await until(iki, lambda now: now.state == "live", "live")
            house.http.answers["iki"] = None
            await server.end_session("session-1")
            await asyncio.wait_for(running, 10)
    assert iki.status().state == "stopped"


async def test_after_a_session_the_board_waits_for_the_next_and_its_epoch_rises(house: House, tmp_path: Path) -> None:
    async with house.forwarding() as server:
        house.expect("iki")
        async with board(house, "iki", tmp_path, QUIET) as (iki, _):
            first = await until(iki, lambda now: now.link.publish == "up", "up")
            house.http.answers["iki"] = None
            await server.end_session("session-1")
            await until(iki, lambda now: now.state == "idle" and now.session is None, "idle")
            server.open_session("session-1", "Session", "live")
            house.expect("iki")
            second = await until(iki, lambda now: now.link.publish == "up", "up again")
    assert (first.sending.epoch, second.sending.epoch) == (1, 2)


async def test_an_unknown_board_says_so_and_a_hub_that_comes_late_is_found(house: House, tmp_path: Path) -> None:
    async with house.forwarding(), board(house, "iki", tmp_path, QUIET) as (iki, _):
        await until(iki, lambda now: now.state == "refused" and "administrator" in now.detail, "refused")
        await house.http.stop()
        await until(iki, lambda now: now.state == "unreachable", "unreachable")
        await house.http.start(house.http.port)
        house.expect("iki")
        await until(iki, lambda now: now.state == "live", "live")


async def test_mute_is_told_and_the_clock_goes_on(house: House, tmp_path: Path) -> None:
    async with house.forwarding():
        house.expect("iki", "fukuoka")
        async with (
            board(house, "iki", tmp_path, TONE) as (iki, _),
            board(house, "fukuoka", tmp_path, QUIET) as (far, _),
        ):
            await until(far, lambda now: now.playout.get("iki", {}).get("level_dbfs", -99) > -20, "the tone")
            await iki.set_muted(True)
            assert iki.status().devices[0].muted
            before = house.arrived("iki")
            await until(far, lambda now: now.playout["iki"]["level_dbfs"] < -60, "silence")
            await until(far, lambda _: house.arrived("iki") > before + 10, "packets all the same")


async def test_a_media_path_that_falls_silent_is_replaced_by_the_board_itself(house: House, tmp_path: Path) -> None:
    """A stopped worker holds its sockets and says nothing: neither aiortc nor the hub notices in time."""
    async with house.working() as (_, plane):
        house.expect("iki", "fukuoka")
        async with board(house, "iki", tmp_path, TONE), board(house, "fukuoka", tmp_path, QUIET) as (far, _):
            await until(far, lambda now: "iki" in now.heard and now.link.publish == "up", "heard")
            worker, signalings = plane.pids()[0], set[str]()

            def replaced(now: Status) -> bool:
                signalings.add(now.link.signaling)
                return now.link.subscribe_generation > 1

            os.kill(worker, signal.SIGSTOP)
            try:
                await until(far, replaced, "noticed")
                assert signalings == {"connected"}, "that only media is dead is no cause to leave"
            finally:
                os.kill(worker, signal.SIGCONT)
            await until(far, lambda now: now.link.publish == "up" and now.link.subscribe == "up", "up again")
            before = far.status().playout["iki"]["received"]
            await until(far, lambda now: now.playout.get("iki", {}).get("received", before) != before, "heard on")


@dataclass
class ForgottenCounter(ScriptedDirectory):
    """A hub that knows epochs of this board up to `above`."""

    above: int = 0

    async def open_track(self, grant: Grant, offer: TrackOffer) -> TrackSpec | Denial:
        if offer.epoch is not None and offer.epoch <= self.above:
            return Denial("stale_epoch", "A newer start of this board is known.")
        return await super().open_track(grant, offer)


async def test_a_board_whose_counter_was_lost_leaps_above_what_the_hub_knows(house: House, tmp_path: Path) -> None:
    house.directory = ForgottenCounter(above=57)
    async with house.forwarding():
        house.expect("iki")
        async with board(house, "iki", tmp_path, QUIET) as (iki, _):
            now = await until(iki, lambda now: now.link.publish == "up" and house.arrived("iki") > 5, "publishing")
    assert now.sending.epoch == 1001
    assert {each.epoch for each in house.packets} == {1001}


async def test_a_board_that_was_sent_away_stays_away_from_that_session(house: House, tmp_path: Path) -> None:
    async with house.forwarding() as server:
        house.expect("iki")
        async with board(house, "iki", tmp_path, QUIET) as (iki, _):
            await until(iki, lambda now: now.state == "live", "live")
            await server.end_session("session-1", code="removed", message="A facilitator has removed this board.")
            server.open_session("session-1", "Session", "live")
            asked = house.http.asked["iki"]
            now = await until(iki, lambda now: house.http.asked["iki"] > asked + 3, "asking on")
    assert (now.state, now.detail) == ("idle", "A facilitator has removed this board.")
    assert [state for _, state in house.directory.seats].count("joined") == 1
