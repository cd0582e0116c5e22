"""Something else says that the way may be gone: the connection is asked, over real sockets and a cable that can die."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from signaling.client import Joined, LinkState, SignalingClient
from signaling.messages import ClientInfo
from signaling.ports import Role
from tests.signaling.hub import QUIET, Hub, eventually, running


@dataclass
class Cable:
    """Between a client and a hub; `dead`: it swallows what comes, and tells nobody. `carried`: bytes to the client.
    `old`: the hub at its end seems to have no such ability."""

    hub: str
    url: str = ""
    dead: bool = False
    old: bool = False
    carried: int = 0
    _lines: set[asyncio.Task[None]] = field(default_factory=set)

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        where = urlsplit(self.hub)
        there, back = await asyncio.open_connection(where.hostname, where.port)
        try:
            await asyncio.gather(self._one_way(reader, back), self._one_way(there, writer, home=True))
        finally:
            writer.close()
            back.close()

    async def _one_way(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, home: bool = False) -> None:
        while data := await reader.read(4096):
            if not self.dead:
                self.carried += len(data) * home
                writer.write(data.replace(b"beat.ask", b"beat.xxx") if self.old and home else data)
        writer.close()


@asynccontextmanager
async def seated(
    hub: Hub, *, old: bool = False
) -> AsyncIterator[tuple[SignalingClient, Cable, list[Joined], list[LinkState]]]:
    """A client at the other end of a cable, whose own heartbeat is an hour away."""
    cable = Cable(hub.url, old=old)
    server = await asyncio.start_server(cable.carry, "127.0.0.1", 0)
    cable.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/signal"
    token = hub.seat("a", Role.BOARD)

    async def source() -> str:
        return token

    joins: list[Joined] = []
    states: list[LinkState] = []
    client = SignalingClient(
        cable.url, source, ClientInfo(name="test"), on_state=states.append, pace=QUIET, chance=lambda: 0.0
    )

    async def read() -> None:
        async for told in client.events():
            if isinstance(told, Joined):
                joins.append(told)  # noqa: PERF401 - while they come

    tasks = [asyncio.create_task(client.run()), asyncio.create_task(read())]
    try:
        await eventually(lambda: len(joins) == 1)
        yield client, cable, joins, states
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        server.close()


async def test_a_connection_that_answers_is_left_alone_though_something_else_is_dead() -> None:
    async with running() as hub, seated(hub) as (client, cable, joins, states):
        before = cable.carried
        assert client.doubt()
        assert client.doubt(), "one question is enough"
        await eventually(lambda: cable.carried > before)
        await asyncio.sleep(1.2)  # what a doubt waits
        assert (len(joins), states[-1].state) == (1, "connected")


async def test_a_dead_connection_is_made_anew_long_before_its_heartbeat_is_missed() -> None:
    async with running() as hub, seated(hub) as (client, cable, joins, states):
        cable.dead = True
        assert client.doubt()
        await eventually(lambda: states[-1].state == "reconnecting")
        cable.dead = False
        client.network_is_back()
        await eventually(lambda: len(joins) == 2)
        assert joins[1].resumed


async def test_a_hub_that_cannot_be_asked_is_not_doubted() -> None:
    async with running() as hub, seated(hub, old=True) as (client, cable, joins, states):
        assert joins[0].welcome.features == ["beat.xxx"]
        cable.dead = True
        assert client.doubt()
        await asyncio.sleep(1.2)  # what a doubt waits
        assert states[-1].state == "connected"


async def test_who_is_not_connected_has_nothing_to_doubt() -> None:
    async def source() -> str:
        raise AssertionError

    assert not SignalingClient("ws://x", source, ClientInfo(name="test")).doubt()
