"""A hub for the board's tests: scripted answers over HTTP, the real signaling server, the real forwarder."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import cast

from room_agent.agent import Agent
from room_agent.config import BoardSettings, DeviceSettings, VideoSettings
from room_agent.epochs import EpochCounter
from room_agent.fakes import ScriptedHub, invitation
from room_agent.media import RelayUse
from room_agent.status import Status
from signaling.fakes import ScriptedDirectory, grant
from signaling.media.forwarder import TICK_S, Forwarder
from signaling.media.plane import WorkerPlane
from signaling.media.udp import open_ports
from signaling.ports import LoggedPacket, MediaEvents, MediaPlane, Role
from signaling.relay import Relay
from signaling.server import SignalingServer
from signaling.settings import SignalingSettings
from signaling.sockets import serve

PATIENCE_S = 30.0


class Events:
    """Plane and server want each other; whoever is made first talks to this."""

    server: SignalingServer

    def __getattr__(self, name: str) -> object:
        return getattr(self.server, name)


class House:
    """One session with any number of boards; `packets` is what reached the audio log."""

    def __init__(self) -> None:
        self.http = ScriptedHub()
        self.directory = ScriptedDirectory()
        self.packets: list[LoggedPacket] = []
        self.port = 0
        self.relay: Relay | None = None

    async def __aenter__(self) -> House:
        await self.http.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.stop()

    @contextlib.asynccontextmanager
    async def signaling(self, plane: MediaPlane, events: Events) -> AsyncIterator[SignalingServer]:
        """The same port each time: a hub that starts again is where it was."""
        settings = SignalingSettings(test_door=True, relay=self.relay)
        server = SignalingServer(self.directory, plane, settings=settings, on_audio=self.packets.extend)
        events.server = server
        server.open_session("session-1", "Session", "live")
        async with serve(server.serve, "127.0.0.1", self.port) as self.port:
            try:
                yield server
            finally:
                await server.close()

    @contextlib.asynccontextmanager
    async def forwarding(self) -> AsyncIterator[SignalingServer]:
        """Signaling with a forwarder on this very loop."""
        events = Events()
        ports = open_ports(["127.0.0.1"], 0)
        forwarder = Forwarder(ports, cast(MediaEvents, events))
        loop = asyncio.get_running_loop()
        for port in ports:
            loop.add_reader(port.fileno(), forwarder.receive, port)
        ticking = asyncio.create_task(_tick(forwarder))
        try:
            async with self.signaling(forwarder, events) as server:
                yield server
        finally:
            ticking.cancel()
            for port in ports:
                loop.remove_reader(port.fileno())
            await forwarder.shut_down()

    @contextlib.asynccontextmanager
    async def working(self) -> AsyncIterator[tuple[SignalingServer, WorkerPlane]]:
        """Signaling with one media worker process."""
        events = Events()
        plane = WorkerPlane(cast(MediaEvents, events), workers=1)
        await plane.start()
        try:
            async with self.signaling(plane, events) as server:
                yield server, plane
        finally:
            await plane.stop()

    def expect(self, *names: str, port: int | None = None) -> None:
        """These boards are due; the device token of each is its name."""
        for name in names:
            self.directory.tokens[f"join-{name}"] = grant(name, Role.BOARD, site=name)
            self.http.answers[name] = invitation(f"join-{name}", f"ws://127.0.0.1:{port or self.port}/", name, name)

    def arrived(self, name: str) -> int:
        """How many microphone packets of that board the log got."""
        return sum(each.track_id == f"{name}-microphone" for each in self.packets)


async def _tick(forwarder: Forwarder) -> None:
    while True:
        forwarder.tick()
        await asyncio.sleep(TICK_S)


@contextlib.asynccontextmanager
async def board(
    house: House,
    name: str,
    folder: Path,
    devices: DeviceSettings,
    *,
    once: bool = False,
    video_slots: int = 0,
    relay: RelayUse = "auto",
) -> AsyncIterator[tuple[Agent, asyncio.Task[None]]]:
    """A board in this process; it has ended when the block has."""
    settings = BoardSettings(
        hub=house.http.url,
        token=name,
        state=folder / name,
        devices=devices,
        video=VideoSettings(width=160, height=90, fps=5, kbps=250),
        video_slots=video_slots,
        ask_every_s=0.1,
        once=once,
        relay=relay,
    )
    agent = Agent(settings, EpochCounter(settings.state))
    running = asyncio.create_task(agent.run(), name=f"board {name}")
    try:
        yield agent, running
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def until(agent: Agent, so: Callable[[Status], object], what: str) -> Status:
    """The first status for which `so` holds; fails with the last one seen."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not so(agent.status()):
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"not {what}: {agent.status()}") from None
    return agent.status()


class Wire:
    """A TCP line in front of signaling that can be cut."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._ends: set[asyncio.StreamWriter] = set()
        self.port = 0
        self.connections = 0

    @contextlib.asynccontextmanager
    async def laid(self) -> AsyncIterator[Wire]:
        server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.cut()
            await server.wait_closed()

    def cut(self) -> None:
        """Every connection is gone at once, without a word."""
        for end in self._ends:
            end.transport.abort()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        ends = {writer, far_writer}
        self._ends |= ends
        await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))
        self._ends -= ends


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()
