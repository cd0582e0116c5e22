"""A board whose network lets nothing through to the hub but by a relay: Debian's coturn, the hub's credentials."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from room_agent.call import IcePlan
from room_agent.config import DeviceSettings
from room_agent.media import RelayUse, ice_plan
from room_agent.status import Status
from signaling.messages import IceServerInfo
from signaling.relay import Relay
from tests.room_agent.house import House, board, until

TONE = DeviceSettings(microphone="sim:tone=440", camera="none", speaker="sim:meter")
QUIET = DeviceSettings(microphone="sim:silence", camera="none", speaker="sim:meter")
STUN, TURN = IceServerInfo(urls=["stun:x"]), IceServerInfo(urls=["turn:x"], username="u", credential="c")
SECRET = "north wind"
PATIENCE_S = 20.0


@dataclass
class Turn:
    port: int
    said: bytearray

    @property
    def url(self) -> str:
        return f"turn:127.0.0.1:{self.port}"

    async def until(self, words: bytes) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while words not in self.said:
                await asyncio.sleep(0.02)


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextlib.asynccontextmanager
async def coturn(folder: Path) -> AsyncIterator[Turn]:
    port = free_port()
    options = [
        "-n", f"--listening-port={port}", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", "--realm=shimawa",
        "--use-auth-secret", f"--static-auth-secret={SECRET}", "--allow-loopback-peers", "--no-cli", "--no-tls",
        "--no-dtls", "--verbose", "--log-file=stdout", f"--pidfile={folder / 'pid'}", f"--userdb={folder / 'db'}",
    ]  # fmt: skip
    pipe, out = asyncio.subprocess.PIPE, asyncio.subprocess.STDOUT
    process = await asyncio.create_subprocess_exec("turnserver", *options, stdout=pipe, stderr=out, cwd=folder)
    turn = Turn(port, bytearray())
    reading = asyncio.create_task(_read(process, turn.said))
    try:
        await turn.until(b"IPv4. UDP listener opened on")
        yield turn
    finally:
        process.kill()
        await process.wait()
        await reading


async def _read(process: asyncio.subprocess.Process, into: bytearray) -> None:
    assert process.stdout is not None
    while data := await process.stdout.read(65_536):
        into += data


def received(now: Status, site: str) -> int:
    return int(str(now.playout.get(site, {}).get("received", 0)))


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with House() as made:
        yield made


@pytest.mark.parametrize(
    ("use", "direct_failed", "asked", "relay_only"),
    [
        ("auto", False, [STUN], False),
        ("auto", True, [STUN, TURN], False),
        ("only", False, [STUN, TURN], True),
        ("off", True, [STUN], False),
    ],
)
def test_a_relay_is_asked_when_the_direct_way_was_tried_in_vain(
    use: RelayUse, direct_failed: bool, asked: list[IceServerInfo], relay_only: bool
) -> None:
    assert ice_plan([STUN, TURN], use, direct_failed) == IcePlan(tuple(asked), relay_only)


async def test_a_board_that_may_only_use_the_relay_is_heard_and_hears_through_it(house: House, tmp_path: Path) -> None:
    async with coturn(tmp_path) as turn:
        house.relay = Relay((turn.url,), SECRET)
        async with house.forwarding():
            house.expect("iki", "fukuoka")
            async with (
                board(house, "iki", tmp_path, TONE, relay="only") as (iki, _),
                board(house, "fukuoka", tmp_path, TONE) as (far, _),
            ):
                await until(far, lambda now: received(now, "iki") > 25, "iki heard")
                await until(iki, lambda now: received(now, "fukuoka") > 25, "fukuoka heard")
                await turn.until(b"CHANNEL_BIND processed, success")
    assert turn.said.count(b"ALLOCATE processed, success") == 2, "fukuoka goes directly"
    assert SECRET.encode() not in turn.said


async def test_a_relay_that_does_not_believe_the_credentials_gives_no_way(house: House, tmp_path: Path) -> None:
    async with coturn(tmp_path) as turn:
        house.relay = Relay((turn.url,), "another secret")
        async with house.forwarding():
            house.expect("iki")
            async with board(house, "iki", tmp_path, QUIET, relay="only") as (iki, _):
                await until(iki, lambda now: now.state == "live", "live")
                await turn.until(b"Cannot find credentials")
                assert iki.status().link.publish != "up"
