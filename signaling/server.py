"""The hub's shell: accepts peers, carries out what the switchboard decides, and hears the media plane."""

from __future__ import annotations

import asyncio
import itertools
import logging
import secrets
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace

from signaling import messages as m
from signaling.codec import Envelope
from signaling.commands import Commands
from signaling.connection import Connection, Ears, hang_up
from signaling.errors import MessageTooLarge
from signaling.ledger import Ledger
from signaling.messages import Body, Delivery, Dismissed, ErrorCode, SiteAtRisk
from signaling.peer import Peer
from signaling.peer_media import PeerMedia
from signaling.ports import Connection as MediaConnection
from signaling.ports import Directory, Grant, LoggedPacket, MediaPlane, MediaRefused, Slot, Socket
from signaling.protocol import FEATURES, CloseCode
from signaling.reception import Greeting, Reception
from signaling.relay import ice_servers
from signaling.resume import ResumeTokens
from signaling.settings import SignalingSettings
from signaling.switchboard import Captions, Effect, Gone, Presence, Record, Say, State, Switchboard

_log = logging.getLogger(__name__)

_FAREWELL: Mapping[str, tuple[str, CloseCode, Dismissed]] = {
    "left": ("left", CloseCode.NORMAL, Dismissed(action="stop", code="left", message="You have left.")),
    "removed": (
        "left",
        CloseCode.REMOVED,
        Dismissed(action="stop", code="removed", message="The facilitator has removed you from this session."),
    ),
    "replaced": (
        "replaced",
        CloseCode.REPLACED,
        Dismissed(action="stop", code="replaced", message="This seat has been opened in another place."),
    ),
    "expired": (
        "lost",
        CloseCode.SILENT,
        Dismissed(action="rejoin", code=ErrorCode.TIMED_OUT, message="You were away for too long; join again."),
    ),
}
"""Why a peer is gone: the directory's word for its tracks, the close code, the last message."""


class SignalingServer:
    """Also the plane's `MediaEvents`. One loop calls everything; only the `async` methods wait.

    `clock` gives UTC POSIX seconds. `on_audio` gets what the plane logs, in order, and must return at once.
    """

    def __init__(
        self,
        directory: Directory,
        plane: MediaPlane,
        *,
        clock: Callable[[], float] = time.time,
        settings: SignalingSettings | None = None,
        on_audio: Callable[[Sequence[LoggedPacket]], None] = lambda packets: None,
    ) -> None:
        self._settings = settings or SignalingSettings()
        self._directory = directory
        self._plane = plane
        self._clock = clock
        self._on_audio = on_audio
        self._switchboard = Switchboard(self._settings.grace, test_door=self._settings.test_door)
        self._reception = Reception(directory, self._settings)
        self._ledger = Ledger(directory, self._settings.directory_s)
        self._tokens = ResumeTokens()
        self._commands = Commands(self._switchboard, self._inject, directory.set_record)
        self._peers: dict[str, Peer] = {}
        self._workers: dict[asyncio.Task[None], Peer] = {}
        self._sockets: set[asyncio.Task[object]] = set()
        self._epochs = itertools.count(1)
        self._expiry: asyncio.TimerHandle | None = None
        self._closing = False
        self._counts = {"accepted": 0, "resumed": 0, "resyncs": 0, "too_slow": 0, "not_sent": 0}

    # ---- one connection ----

    async def serve(self, socket: Socket, address: str) -> None:
        """Until it closes. `address` only tells callers apart who fail too often; it is not stored or logged."""
        if self._closing or len(self._sockets) >= self._settings.max_connections:
            await hang_up(socket, CloseCode.TRY_LATER, self._settings.last_words_s)
            return
        task = asyncio.current_task()
        assert task is not None
        self._sockets.add(task)
        try:
            await self._serve(socket, address)
        finally:
            self._sockets.discard(task)

    async def _serve(self, socket: Socket, address: str) -> None:
        greeting = await self._reception.greet(socket)
        if greeting is None:
            return
        resume = greeting.hello.resume
        peer = self._peers.get(self._tokens.owner(resume.token) or "") if resume is not None else None
        if peer is not None and m.VERSION in greeting.hello.versions:
            await self._connect(socket, greeting, peer, resumed=True)
            return
        grant = await self._reception.admit(greeting.hello, address)
        said = self._switchboard.objection(grant) if isinstance(grant, Grant) else grant
        if said is None and self._closing:
            said = m.Refused(code=ErrorCode.INTERNAL, message="The hub is going down; come back in a moment.")
        if said is not None or not isinstance(grant, Grant):
            assert said is not None
            await self._reception.refuse(socket, greeting.command_id, said, address)
            return
        await self._connect(socket, greeting, self._join(grant), resumed=False)

    async def _connect(self, socket: Socket, greeting: Greeting, peer: Peer, *, resumed: bool) -> None:
        epoch = next(self._epochs)
        peer.end(CloseCode.REPLACED, None)
        ears = Ears(
            heard=peer.command,
            stamp=lambda envelope: replace(envelope, ep=epoch),
            acked=peer.outbox.acknowledge,
            alive=lambda: self._alive(peer, connection),
        )
        connection = Connection(socket, greeting.line, peer.outbox, ears, self._settings.last_words_s)
        peer.connection = connection
        welcome = self._welcome(greeting.hello, peer, resumed)
        greeting.line.welcomed(epoch, asyncio.get_running_loop().time())
        self._apply(self._switchboard.regain(peer.peer_id))
        peer.notify()
        try:
            code = await connection.run(Envelope(welcome.type, welcome, re=greeting.command_id))
            self._counts["too_slow"] += code is CloseCode.TOO_SLOW
        finally:
            if peer.connection is connection:
                peer.connection = None
                peer.outbox.detach()
                self._apply(self._switchboard.lose(peer.peer_id, asyncio.get_running_loop().time()))
                self._watch_grace()

    def _join(self, grant: Grant) -> Peer:
        peer_id = secrets.token_urlsafe(9)
        media = PeerMedia(grant.site_id, grant.session_id, peer_id, self._directory, self._plane, self._settings)
        peer = Peer(grant.session_id, peer_id, media, self._settings)
        self._peers[peer_id] = peer
        effects = self._switchboard.join(grant, peer_id)
        before = next((self._peers[e.peer_id] for e in effects if isinstance(e, Gone)), None)
        worker = asyncio.create_task(peer.work(self._commands, self._apply, before.work_done if before else _already()))
        self._workers[worker] = peer
        worker.add_done_callback(self._worked)
        self._apply(effects)
        self._counts["accepted"] += 1
        return peer

    def _welcome(self, hello: m.Hello, peer: Peer, resumed: bool) -> m.Welcome:
        """Reattaches the outbox and mints the next token; what is said from now on follows the welcome."""
        resync, redeemed = None, None
        if resumed and hello.resume is not None:
            redeemed = hello.resume.token
            resync = peer.outbox.resume(hello.resume.recv_seq, asyncio.get_running_loop().time())
            next_seq = peer.outbox.next_seq if resync else hello.resume.recv_seq + 1
            self._counts["resumed"] += 1
            self._counts["resyncs"] += resync is not None
        else:
            peer.outbox.attach()
            next_seq = 1
        grant = self._switchboard.grant(peer.peer_id)
        assert grant is not None
        return m.Welcome(
            features=[one for one in hello.features if one in FEATURES],
            version=m.VERSION,
            peer_id=peer.peer_id,
            role=grant.role.value,
            permissions=self._switchboard.permissions(peer.peer_id),
            resume_token=self._tokens.issue(peer.peer_id, redeemed),
            resumed=resumed,
            resync=resync,
            next_seq=next_seq,
            server_time=self._clock(),
            heartbeat_ms=round(self._settings.pace.beat_s * 1000),
            grace_s=self._switchboard.grace_s(peer.peer_id),
            ice_servers=ice_servers(self._settings.ice_servers, self._settings.relay, peer.peer_id, self._clock()),
            snapshot=self._switchboard.snapshot(peer.peer_id) if resync or not resumed else None,
        )

    # ---- for the hub ----

    def announce(self, session_id: str, body: Body, key: Hashable = None) -> None:
        """Tell everybody in the session who may hear it. Of ephemerals with the same `key` only the latest is kept."""
        for peer_id in self._switchboard.hearers(session_id, body):
            self._tell(peer_id, body, key)

    def open_session(
        self,
        session_id: str,
        title: str = "",
        state: State = "planned",
        record: Record = "on",
        captions: Captions = "on",
    ) -> None:
        """Set everything about a session; one that was never opened is `planned` from its first peer on."""
        self._apply(self._switchboard.open(session_id, title, state, record, captions))

    def set_state(
        self,
        session_id: str,
        *,
        title: str | None = None,
        state: State | None = None,
        record: Record | None = None,
        captions: Captions | None = None,
        message: str = "",
        at_risk: Sequence[SiteAtRisk] | None = None,
    ) -> None:
        """Change what is given; peers hear `session.changed` when they can see a difference."""
        change = self._switchboard.change
        self._apply(
            change(
                session_id,
                title=title,
                state=state,
                record=record,
                captions=captions,
                message=message,
                at_risk=at_risk,
            )
        )

    async def end_session(self, session_id: str, code: str = "session_over", message: str = "") -> None:
        """Dismiss everybody, wait until what they published is closed, and tell the plane."""
        self._apply(self._switchboard.change(session_id, state="ended"))
        last = Dismissed.model_validate(
            {"action": "stop", "code": code, "message": message or "The session is over. Thank you."}
        )
        gone = [peer for peer in self._peers.values() if peer.session_id == session_id]
        self._apply(self._switchboard.end(session_id), last)
        for peer in gone:
            await peer.work_done.wait()
        try:
            async with asyncio.timeout(self._settings.media_s):
                await self._plane.end_session(session_id)
        except (MediaRefused, TimeoutError):
            _log.warning("the media plane did not end session %s", session_id)

    def peers(self, session_id: str) -> list[m.PeerInfo]:
        return self._switchboard.peers(session_id)

    def stats(self) -> Mapping[str, object]:
        return {
            **self._switchboard.counts(),
            "connections": len(self._sockets),
            **self._counts,
            "refused_hellos": dict(self._reception.refused),
            "views_dropped": sum(peer.outbox.views_dropped for peer in self._peers.values()),
        }

    async def close(self) -> None:
        """Send everybody away to come back later, and close what they published."""
        self._closing = True
        if self._expiry is not None:
            self._expiry.cancel()
        last = Dismissed(action="resume", code="going_away", message="The hub is restarting.", retry_after_ms=1_000)
        for peer in self._peers.values():
            peer.end(CloseCode.GOING_AWAY, last)
        if self._sockets:
            await asyncio.wait(self._sockets, timeout=2 * self._settings.last_words_s)
        for peer in self._workers.values():
            peer.gone("lost")
        if self._workers:
            await asyncio.wait(self._workers, timeout=self._settings.media_s)
        for task in [*self._sockets, *self._workers]:
            task.cancel()
        if self._expiry is not None:
            self._expiry.cancel()
        await self._ledger.close()

    # ---- MediaEvents ----

    def slots_changed(self, session_id: str, peer_id: str, generation: int, slots: Sequence[Slot]) -> None:
        peer = self._peers.get(peer_id)
        if peer is not None and peer.media.subscribing.counts(generation):
            table = [m.SlotInfo(mid=slot.mid, kind=slot.kind, track_id=slot.track_id) for slot in slots]
            self._tell(peer_id, m.MediaSlots(generation=generation, slots=table))

    def connection_up(self, session_id: str, peer_id: str, connection: MediaConnection, generation: int) -> None:
        peer = self._peers.get(peer_id)
        if peer is not None and peer.media.up(connection, generation):
            peer.chores()

    def connection_lost(
        self, session_id: str, peer_id: str, connection: MediaConnection, generation: int, cause: str
    ) -> None:
        peer = self._peers.get(peer_id)
        if peer is None or not peer.media.lost(connection, generation):
            return
        self._tell(peer_id, m.MediaReplace(connection=connection, generation=generation, cause=cause[:200]))
        for track_id in list(self._switchboard.tracks(peer_id)) if connection == "publish" else ():
            self.track_suspect(session_id, track_id, 0)

    def track_suspect(self, session_id: str, track_id: str, silent_ms: int) -> None:
        self._apply(self._switchboard.suspect(session_id, track_id, True))

    def track_live(self, session_id: str, track_id: str) -> None:
        self._apply(self._switchboard.suspect(session_id, track_id, False))

    def levels(self, session_id: str, levels: Mapping[str, int]) -> None:
        self.announce(session_id, m.Levels(levels=dict(levels)))

    def audio(self, packets: Sequence[LoggedPacket]) -> None:
        self._on_audio(packets)

    # ---- inside ----

    def _alive(self, peer: Peer, connection: Connection) -> None:
        if peer.connection is connection:
            self._tokens.heard(peer.peer_id)

    def _worked(self, worker: asyncio.Task[None]) -> None:
        self._workers.pop(worker, None)
        if not worker.cancelled() and worker.exception() is not None:
            _log.error("the loop of a peer failed inside", exc_info=worker.exception())

    def _apply(self, effects: Sequence[Effect], last: Dismissed | None = None) -> None:
        for effect in effects:
            match effect:
                case Say(peer_id, body):
                    self._tell(peer_id, body)
                case Presence():
                    self._ledger.note(effect)
                case Gone(peer_id, why):
                    self._dismiss(peer_id, why, last)

    def _tell(self, peer_id: str, body: Body, key: Hashable = None) -> None:
        peer = self._peers.get(peer_id)
        if peer is None:
            return
        try:
            if body.delivery is Delivery.EVENT:
                peer.event(body)
            else:
                peer.view(body, (body.type, key if key is not None else getattr(body, "track_id", None)))
        except MessageTooLarge as error:
            self._counts["not_sent"] += 1
            _log.error("an event was not sent: %s", error)

    def _dismiss(self, peer_id: str, why: str, last: Dismissed | None) -> None:
        peer = self._peers.pop(peer_id, None)
        if peer is None:
            return
        over = Dismissed(action="stop", code="session_over", message="The session is over.")
        cause, code, said = _FAREWELL.get(why, ("ended", CloseCode.SESSION_OVER, last or over))
        self._tokens.forget(peer_id)
        peer.end(code, said)
        peer.gone(cause)

    def _watch_grace(self) -> None:
        """One timer for the seat whose grace ends first."""
        loop = asyncio.get_running_loop()
        if self._expiry is not None:
            self._expiry.cancel()
        deadline = self._switchboard.deadline()
        if deadline != float("inf") and not self._closing:
            self._expiry = loop.call_at(deadline, self._expire)

    def _expire(self) -> None:
        self._apply(self._switchboard.expire(asyncio.get_running_loop().time()))
        self._watch_grace()

    def _inject(self, peer: Peer, body: m.Inject) -> None:
        doors: Mapping[str, Callable[[], None]] = {
            "drop_socket": lambda: peer.end(CloseCode.FAILED, None),
            "stop_beating": lambda: peer.connection.fall_silent() if peer.connection else None,
            "refuse_resume": lambda: self._tokens.forget(peer.peer_id),
            "forget_history": peer.outbox.forget,
        }
        asyncio.get_running_loop().call_later(body.after_ms / 1000, doors[body.scenario])


def _already() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event
