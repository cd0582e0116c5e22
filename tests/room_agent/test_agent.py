"""Whole boards in this process, against the real signaling server and the real forwarder, with simulated devices."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from room_agent.config import DeviceSettings
from tests.room_agent.house import House, board, until

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
