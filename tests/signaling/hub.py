"""A real signaling server on a real port with scripted surroundings, and a raw wire to speak to it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from signaling import messages as m
from signaling.fakes import RecordingPlane, ScriptedDirectory, grant
from signaling.ports import LoggedPacket, Role
from signaling.protocol import Pace
from signaling.server import SignalingServer
from signaling.settings import SignalingSettings
from signaling.sockets import serve

PATIENCE_S = 10.0
QUIET = Pace(beat_s=3600.0)
"""No beats: nothing comes that was not caused."""
LINE = m.LineCommitted(
    line_id="l1", track_id="t", site_id="s", site_name="S", text="x", language="ja", started_at=0.0, ended_at=1.0
)


@dataclass
class Hub:
    server: SignalingServer
    directory: ScriptedDirectory
    plane: RecordingPlane
    url: str
    audio: list[LoggedPacket] = field(default_factory=list)

    def seat(self, token: str, role: Role = Role.PARTICIPANT, session: str = "session-1") -> str:
        """A token that seats `seat-<token>`."""
        self.directory.tokens[token] = grant(f"seat-{token}", role, session)
        return token

    async def connect(self) -> Wire:
        return Wire(await connect(self.url, compression=None, ping_interval=None, max_size=None, proxy=None))

    async def join(self, token: str, role: Role = Role.PARTICIPANT, session: str = "session-1") -> Wire:
        """A seat, taken."""
        wire = await self.connect()
        await wire.hello(self.seat(token, role, session))
        assert wire.welcome["t"] == "welcome", wire.welcome
        return wire


@asynccontextmanager
async def running(settings: SignalingSettings | None = None) -> AsyncIterator[Hub]:
    directory, plane = ScriptedDirectory(), RecordingPlane()
    audio: list[LoggedPacket] = []
    server = SignalingServer(
        directory, plane, settings=settings or SignalingSettings(pace=QUIET), on_audio=audio.extend
    )
    async with serve(server.serve, "127.0.0.1", 0) as port:
        try:
            yield Hub(server, directory, plane, f"ws://127.0.0.1:{port}/signal", audio)
        finally:
            if directory.hold is not None:
                directory.hold.set()
            await server.close()


class Wire:
    """A client without manners: it sends what it is told to and shows what came."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.welcome: dict[str, Any] = {}
        self._count = 0

    @property
    def peer_id(self) -> str:
        return str(self.welcome["b"]["peer_id"])

    async def send(self, message: dict[str, Any] | str | bytes) -> None:
        await self.connection.send(json.dumps(message) if isinstance(message, dict) else message)

    async def receive(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_S):
            message = json.loads(await self.connection.recv())
        assert isinstance(message, dict)
        return message

    async def until(self, type_: str) -> dict[str, Any]:
        """The next message of that type; what comes before it is thrown away."""
        while True:
            message = await self.receive()
            if message["t"] == type_:
                return message

    async def hello(self, token: str, resume: dict[str, Any] | None = None) -> dict[str, Any]:
        body: dict[str, Any] = {"versions": [1], "token": token, "client": {"name": "test"}}
        if resume is not None:
            body["resume"] = resume
        await self.send({"t": "hello", "id": "h", "b": body})
        self.welcome = await self.receive()
        return self.welcome

    async def ask(self, type_: str, body: dict[str, Any] | None = None, id_: str | None = None) -> dict[str, Any]:
        """A command and its reply; what comes between is thrown away."""
        self._count += 1
        command_id = id_ or f"c{self._count}"
        await self.send({"t": type_, "id": command_id, "b": body or {}})
        while True:
            message = await self.receive()
            if message.get("re") == command_id:
                return message

    async def publish(self, generation: int, *names: str, epoch: int | None = None) -> dict[str, Any]:
        tracks = [
            {"name": name, "kind": "audio", "source": "room_mic", "mid": str(mid), "epoch": epoch}
            for mid, name in enumerate(names)
        ]
        return await self.ask("media.publish", {"generation": generation, "sdp": "sdp", "tracks": tracks})

    async def resume_token(self, recv_seq: int = 0) -> dict[str, Any]:
        return {"token": self.welcome["b"]["resume_token"], "recv_seq": recv_seq}

    async def closed(self) -> int:
        """The code with which the hub closes; messages before it are thrown away."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    await self.connection.recv()
                except ConnectionClosed as closed:
                    return closed.rcvd.code if closed.rcvd else 1006

    async def cut(self) -> None:
        """The network is gone: no goodbye."""
        self.connection.transport.abort()
        await self.connection.wait_closed()


async def eventually(condition: Any) -> None:
    """Wait until `condition()` holds, by letting the loop run."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.005)


async def works(hub: Hub) -> bool:
    """Whether somebody new can join and is answered."""
    wire = await hub.join("works")
    return (await wire.ask("hand.raise", {"raised": True}))["t"] == "done"
