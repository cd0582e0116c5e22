"""A scripted hub without media: the real store behind `ports.Runtime`, for tests and for looking at pages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field

from session_manager import lifecycle
from session_manager.consent import NOT_AGREED
from session_manager.errors import NoRoom, NotPossible
from session_manager.ports import HubStatus, SpoolAnswer, SpoolTold
from session_manager.records import DiskTold, LiveEvent, Session, SiteRisk
from session_manager.store import Store
from signaling.ports import Socket, SocketClosed
from signaling.switchboard import Record
from transcription.audio_log import Packet

GOOD = HubStatus("on", "", "on", "", 1, 1)


@dataclass
class ScriptedRuntime:
    """`tell` and `show` are what happens; `echo` is what a socket hears back. Counters say what was asked."""

    store: Store
    now: float = 0.0
    health: HubStatus = GOOD
    listeners: list[tuple[str, asyncio.Queue[LiveEvent | None]]] = field(default_factory=list)
    peers: list[str] = field(default_factory=list)
    worker_tokens: list[str] = field(default_factory=list)
    heard: list[str | bytes] = field(default_factory=list)
    closed_with: list[int] = field(default_factory=list)
    spools: list[tuple[str, tuple[SpoolTold, ...]]] = field(default_factory=list)
    brought: list[Packet] = field(default_factory=list)
    no_room: bool = False
    disks: list[tuple[str, DiskTold]] = field(default_factory=list)
    risks: list[SiteRisk] = field(default_factory=list)
    off: set[str] = field(default_factory=set)

    async def start_session(self, session_id: str) -> Session:
        return await self._move(session_id, lifecycle.Event.START)

    async def end_session(self, session_id: str) -> Session:
        await self._move(session_id, lifecycle.Event.END)
        session = await self._move(session_id, lifecycle.Event.SETTLED)
        for listening_to, queue in self.listeners:
            if listening_to == session_id:
                queue.put_nowait(None)
        return session

    async def tell(self, session_id: str, kind: str, data: Mapping[str, object]) -> LiveEvent:
        """A fact: stored, numbered, and told."""
        event = await asyncio.to_thread(self.store.append_event, session_id, kind, data, self.now)
        self._spread(session_id, event)
        return event

    def show(self, session_id: str, kind: str, data: Mapping[str, object]) -> None:
        """A view: told to who listens now."""
        self._spread(session_id, LiveEvent(None, kind, dict(data)))

    async def listen(self, session_id: str, after: int | None) -> AsyncIterator[LiveEvent]:
        queue: asyncio.Queue[LiveEvent | None] = asyncio.Queue(500)  # overflow: QueueFull, a test has gone astray
        mine = (session_id, queue)
        self.listeners.append(mine)
        try:
            last = after if after is not None else await asyncio.to_thread(self.store.last_event, session_id)
            for event in await asyncio.to_thread(self.store.events, session_id, last, 10_000):
                last = event.number or last
                yield event
            session = await asyncio.to_thread(self.store.session, session_id)
            while session.state != "ended":
                coming = await queue.get()
                if coming is None:
                    return
                if coming.number is None or coming.number > last:
                    yield coming
        finally:
            self.listeners.remove(mine)

    async def serve_peer(self, socket: Socket, address: str) -> None:
        self.peers.append(address)
        await self._echo(socket)

    async def serve_worker(self, socket: Socket, token: str) -> None:
        self.worker_tokens.append(token)
        await self._echo(socket)

    async def spool_have(self, board_id: str, told: Sequence[SpoolTold]) -> tuple[list[SpoolAnswer], list[SpoolTold]]:
        """Wants everything."""
        self.spools.append((board_id, tuple(told)))
        wanted = [range(one.first_sequence, one.next_sequence) for one in told]
        each = zip(told, wanted, strict=True)
        return [SpoolAnswer(one.session_id, one.name, one.epoch, [numbers], []) for one, numbers in each], []

    async def disk_told(self, board_id: str, disk: DiskTold) -> None:
        self.disks.append((board_id, disk))

    async def at_risk(self, session: Session) -> list[SiteRisk]:
        return self.risks if session.state == "live" else []

    async def set_record(self, session_id: str, on: bool) -> None:
        session = await asyncio.to_thread(self.store.session, session_id)
        if session.state != "live":
            raise NotPossible("Only a session that is going on has a record to switch.")
        if on and await asyncio.to_thread(self.store.forbids_record, session_id):
            raise NotPossible(NOT_AGREED)
        (self.off.discard if on else self.off.add)(session_id)
        record: Record = "on" if on else "off"
        await self.tell(session_id, "session.changed", {"state": "live", "record": record})

    def record_of(self, session: Session) -> Record:
        return "off" if session.session_id in self.off else "on"

    async def spool_packets(
        self, board_id: str, session_id: str, name: str, epoch: int, packets: Sequence[Packet]
    ) -> int:
        if self.no_room:
            raise NoRoom("The disk of the audio log is full.")
        self.brought.extend(packets)
        return len(packets)

    def status(self) -> HubStatus:
        return self.health

    async def _echo(self, socket: Socket) -> None:
        """Until the other side goes or says `bye`."""
        try:
            while (message := await socket.receive()) != "bye":
                self.heard.append(message)
                await socket.send(message)
        except SocketClosed as closed:
            self.closed_with.append(closed.code)
            return
        await socket.close(1000, "bye")

    async def _move(self, session_id: str, event: lifecycle.Event) -> Session:
        session = await asyncio.to_thread(self.store.session, session_id)
        outcome = lifecycle.decide(session.state, event)
        if isinstance(outcome, lifecycle.Refused):
            raise NotPossible(outcome.message)
        if isinstance(outcome, lifecycle.Stay):
            return session
        return await asyncio.to_thread(self.store.set_state, session_id, session.state, outcome.to, self.now)

    def _spread(self, session_id: str, event: LiveEvent) -> None:
        for listening_to, queue in self.listeners:
            if listening_to == session_id:
                queue.put_nowait(event)
