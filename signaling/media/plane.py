"""`WorkerPlane`: the media plane as the hub uses it, carried by worker processes.

A session lives on one worker, the one with the fewest connections when it began. When a worker dies every connection
on it is told lost (`worker_died`) and clients make new ones on the same port of the restarted worker.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import overload

from signaling.media import control
from signaling.media.connection import ConnectionKey
from signaling.media.forwarder import SILENCE_S
from signaling.media.supervision import WorkerProcess
from signaling.ports import (
    Connection,
    LoggedPacket,
    MediaEvents,
    MediaPlane,
    MediaRefused,
    SubscribeOffer,
    TrackSpec,
    Want,
)

log = logging.getLogger(__name__)


class WorkerPlane(MediaPlane):
    """A `signaling.ports.MediaPlane`. Worker i binds `first_port` + i on every address; 0 lets the system choose."""

    def __init__(
        self,
        events: MediaEvents,
        *,
        workers: int = 0,
        addresses: Sequence[str] = ("127.0.0.1",),
        first_port: int = 0,
        python: str = sys.executable,
        silence_s: float = SILENCE_S,
        uplink_kbps: int | None = None,
    ) -> None:
        """`workers` 0: one for each core. `addresses` are bound and told to clients as they are.

        `uplink_kbps`: what this machine may send in all, shared evenly among the workers.
        """
        self._events = events
        command = [python, "-m", "signaling.media.worker", "--silence-s", str(silence_s)]
        for address in addresses:
            command += ["--address", address]
        count = workers or os.cpu_count() or 1
        if uplink_kbps is not None:
            command += ["--uplink-kbps", str(uplink_kbps / count)]
        self._workers = [
            WorkerProcess(command, first_port + place if first_port else 0, self._told, self._died)
            for place in range(count)
        ]
        self._homes: dict[str, int] = {}
        self._connections: dict[ConnectionKey, int] = {}

    async def start(self) -> None:
        """Raises `PortInUse`, `VersionMismatch` or `MediaError`; then nothing is left running."""
        try:
            for worker in self._workers:
                await worker.start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End all workers; nothing is told any more."""
        await asyncio.gather(*(worker.close() for worker in self._workers))
        self._connections.clear()
        self._homes.clear()

    def pids(self) -> list[int]:
        """Processes that forward now."""
        return [pid for worker in self._workers if (pid := worker.pid) is not None]

    def ports(self) -> list[int]:
        """UDP port of each worker."""
        return [worker.port for worker in self._workers]

    # ---- signaling.ports.MediaPlane ----

    async def publish(
        self, session_id: str, peer_id: str, generation: int, offer_sdp: str, tracks: Sequence[TrackSpec]
    ) -> str:
        key = ConnectionKey(session_id, peer_id, "publish", generation)
        command = control.Publish(
            session_id=session_id, peer_id=peer_id, generation=generation, offer_sdp=offer_sdp, tracks=tuple(tracks)
        )
        return (await self._open(key, command)).sdp

    async def subscribe(self, session_id: str, peer_id: str, generation: int, audio: int, video: int) -> SubscribeOffer:
        key = ConnectionKey(session_id, peer_id, "subscribe", generation)
        command = control.Subscribe(
            session_id=session_id, peer_id=peer_id, generation=generation, audio=audio, video=video
        )
        reply = await self._open(key, command)
        return SubscribeOffer(reply.sdp, reply.slots)

    async def answer(self, session_id: str, peer_id: str, generation: int, sdp: str) -> None:
        await self._call(
            session_id, control.Answer(session_id=session_id, peer_id=peer_id, generation=generation, sdp=sdp)
        )

    async def want(self, session_id: str, peer_id: str, wants: Sequence[Want], budget_kbps: int | None) -> None:
        command = control.SetWants(session_id=session_id, peer_id=peer_id, wants=tuple(wants), budget_kbps=budget_kbps)
        await self._call(session_id, command)

    async def cap(self, session_id: str, peer_id: str, group: str, kbps: int | None) -> None:
        await self._call(session_id, control.SetCap(session_id=session_id, peer_id=peer_id, group=group, kbps=kbps))

    @overload
    async def close(self) -> None: ...
    @overload
    async def close(
        self, session_id: str, peer_id: str, connection: Connection | None, generation: int | None
    ) -> None: ...
    async def close(
        self,
        session_id: str = "",
        peer_id: str = "",
        connection: Connection | None = None,
        generation: int | None = None,
    ) -> None:
        """As in `MediaPlane`; without arguments the whole plane ends, as by `stop`."""
        if not session_id:
            await self.stop()
            return
        self._forget(
            lambda key: (
                (key.session_id, key.peer_id) == (session_id, peer_id)
                and (connection is None or key.direction == connection)
                and (generation is None or key.generation == generation)
            )
        )
        home = self._homes.get(session_id)
        command = control.Close(session_id=session_id, peer_id=peer_id, connection=connection, generation=generation)
        if home is not None:
            await self._tell(home, command)

    async def end_session(self, session_id: str) -> None:
        home = self._homes.pop(session_id, None)
        self._forget(lambda key: key.session_id == session_id)
        if home is not None:
            await self._tell(home, control.EndSession(session_id=session_id))

    async def stats(self) -> Mapping[str, object]:
        """Per worker, in order: its own statistics, or `{}` while it is being restarted."""
        found: list[Mapping[str, object]] = []
        for worker in self._workers:
            try:
                found.append((await worker.call(control.Stats())).stats)
            except MediaRefused:
                found.append({})
        return {"workers": found, "deaths": [worker.deaths for worker in self._workers]}

    # ---- inside ----

    async def _open(self, key: ConnectionKey, command: control.Command) -> control.Reply:
        home = self._home(key.session_id)
        reply = await self._workers[home].call(command)
        same = [
            other.generation
            for other in self._connections
            if (other.session_id, other.peer_id, other.direction) == (key.session_id, key.peer_id, key.direction)
        ]
        if len(same) > 1:  # make before break: two live together, never three
            self._forget(
                lambda other: (
                    (other.session_id, other.peer_id, other.direction) == (key.session_id, key.peer_id, key.direction)
                    and other.generation < max(same)
                )
            )
        self._connections[key] = home
        return reply

    def _home(self, session_id: str) -> int:
        """Where the session lives; a new one goes to the running worker with the fewest connections."""
        home = self._homes.get(session_id)
        if home is None:
            loads = Counter(self._connections.values())
            lives = Counter(self._homes.values())
            running = [place for place, worker in enumerate(self._workers) if worker.pid is not None]
            chosen = min(running, key=lambda place: (loads[place], lives[place]), default=0)
            home = self._homes[session_id] = chosen
        return home

    async def _call(self, session_id: str, command: control.Command) -> None:
        await self._workers[self._home(session_id)].call(command)

    async def _tell(self, home: int, command: control.Command) -> None:
        """A command whose aim is reached too when there is no worker."""
        try:
            await self._workers[home].call(command)
        except MediaRefused as refusal:
            log.debug("command not done by worker %s: %s", home, refusal.code)

    def _forget(self, gone: Callable[[ConnectionKey], bool]) -> None:
        self._connections = {key: home for key, home in self._connections.items() if not gone(key)}

    def _died(self, worker: WorkerProcess) -> None:
        place = self._workers.index(worker)
        lost = [key for key, home in self._connections.items() if home == place]
        self._forget(set(lost).__contains__)
        for key in lost:
            self._events.connection_lost(key.session_id, key.peer_id, key.direction, key.generation, "worker_died")

    def _told(self, told: control.Told | tuple[LoggedPacket, ...]) -> None:
        events = self._events
        match told:
            case tuple():
                events.audio(told)
            case control.Levels():
                events.levels(told.session_id, told.levels)
            case control.SlotsChanged():
                events.slots_changed(told.session_id, told.peer_id, told.generation, told.slots)
            case control.ConnectionUp():
                events.connection_up(told.session_id, told.peer_id, told.connection, told.generation)
            case control.ConnectionLost():
                key = ConnectionKey(told.session_id, told.peer_id, told.connection, told.generation)
                self._connections.pop(key, None)
                events.connection_lost(key.session_id, key.peer_id, key.direction, key.generation, told.cause)
            case control.TrackSuspect():
                events.track_suspect(told.session_id, told.track_id, told.silent_ms)
            case control.TrackLive():
                events.track_live(told.session_id, told.track_id)
            case _:
                log.warning("media worker told something out of place")
