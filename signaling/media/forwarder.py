"""The embedded forwarder: `MediaPlane` in one process, on one loop, over ICE-lite ports.

It is the only writer of everything under it. Packets come in by `receive`, time by `tick` (every 20 ms), commands by
the methods of `MediaPlane`; what happened goes to `MediaEvents`. `worker` runs one of these in a process of its own.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

from signaling.media import rtcp, sdp
from signaling.media.aiortc_adapter import Certificate
from signaling.media.connection import ClientConnection, ConnectionKey
from signaling.media.errors import MediaError
from signaling.media.forwarding import Placed
from signaling.media.ice_lite import IceLite, Link
from signaling.media.inbound import Inbound, PublishConnection
from signaling.media.outbound import SubscribeConnection
from signaling.media.rtp import RtpPacket
from signaling.media.sequence import LogNumbers
from signaling.media.session import MAX_WANTS, Peer, Session
from signaling.media.statistics import Histogram, describe_session
from signaling.media.track import Track
from signaling.media.udp import Port
from signaling.ports import (
    Connection,
    LoggedPacket,
    MediaEvents,
    MediaRefused,
    SubscribeOffer,
    TrackSpec,
    Want,
)

log = logging.getLogger(__name__)

TICK_S = 0.02
LEVEL_TICKS = 10
PULSE_TICKS = 25
REPORT_TICKS = 50
PACE_S = 0.005
QUIET_S = 8.0
"""A client that was not heard for so long gets nothing but a pulse, until it is heard again. A check for consent comes
every 6 s from a client that says nothing else."""

SILENCE_S = 900.0
"""As long as a board keeps its seat: a line that returns finds its media as it left it."""
MAX_SLOTS = 32


class Forwarder:
    """`addresses` are what clients are told (host, port); `silence_s` ends a connection from which nothing comes.

    `uplink_kbps`: what this machine may send in all, None when nobody said.
    """

    def __init__(
        self,
        ports: Sequence[Port],
        events: MediaEvents,
        *,
        silence_s: float = SILENCE_S,
        uplink_kbps: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.ice = IceLite(list(ports))
        self.burst_ms = Histogram()
        self._addresses = [(port.host, port.number) for port in ports]
        self._events = events
        self._silence_s = silence_s
        self._uplink_kbps = uplink_kbps
        self._clock, self._wall = clock, wall
        self._certificate = Certificate()
        self._sessions: dict[str, Session] = {}
        self._logged: list[LoggedPacket] = []
        self._ticks = 0
        self._received = 0
        self._tasks: set[asyncio.Task[None]] = set()

    # ---- commands (signaling.ports.MediaPlane) ----

    async def publish(
        self, session_id: str, peer_id: str, generation: int, offer_sdp: str, tracks: Sequence[TrackSpec]
    ) -> str:
        offer = sdp.parse(offer_sdp)
        accepted = _match(offer, tracks)
        session = self._session(session_id)
        peer = session.peer(peer_id)
        _require_newer(generation, peer.publish)
        key = ConnectionKey(session_id, peer_id, "publish", generation)
        connection = PublishConnection(key, self._link(), self._certificate, self, self)
        connection.accept((spec, accepted[spec.mid]) for spec in tracks)
        peer.publish[generation] = connection
        for spec in tracks:
            session.open_track(spec, peer_id)
        self._tell_slots(session.place_all(self._clock()))
        connection.start(offer.fingerprints, sdp.dtls_role(offer.setup))
        return sdp.publish_answer(offer, accepted, connection.local_transport(self._addresses))

    async def subscribe(self, session_id: str, peer_id: str, generation: int, audio: int, video: int) -> SubscribeOffer:
        if audio < 0 or video < 0 or not 0 < audio + video <= MAX_SLOTS:
            raise MediaRefused("bad_message", f"Ask for 1 to {MAX_SLOTS} slots in all.")
        session = self._session(session_id)
        peer = session.peer(peer_id)
        _require_newer(generation, peer.subscribe)
        key = ConnectionKey(session_id, peer_id, "subscribe", generation)
        connection = SubscribeConnection(key, self._link(), self._certificate, self, audio, video)
        connection.on_report = peer.line.report
        peer.subscribe[generation] = connection
        session.place(peer_id, peer, connection, self._clock())
        local = connection.local_transport(self._addresses)
        text = sdp.subscribe_offer([slot.offered() for slot in connection.slots], local, "shimawa")
        return SubscribeOffer(text, connection.states())

    async def answer(self, session_id: str, peer_id: str, generation: int, sdp_text: str) -> None:
        peer = self._known_peer(session_id, peer_id)
        connection = peer.subscribe.get(generation) if peer is not None else None
        if connection is None or connection.started:
            raise MediaRefused("stale_generation", "There is no open offer of that generation. Subscribe again.")
        answer = sdp.parse(sdp_text)
        connection.take_answer(answer)
        connection.start(answer.fingerprints, sdp.dtls_role(answer.setup))

    async def want(self, session_id: str, peer_id: str, wants: Sequence[Want], budget_kbps: int | None) -> None:
        if len(wants) > MAX_WANTS:
            raise MediaRefused("bad_message", f"At most {MAX_WANTS} wishes at once.")
        session = self._session(session_id)
        peer = session.peer(peer_id)
        peer.wants = {want.track_id: want for want in wants}
        peer.budget_kbps = budget_kbps
        now = self._clock()
        changed = session.keep_budgets(now, self._hub_share())
        changed += [each for each in peer.subscribe.values() if session.place(peer_id, peer, each, now)]
        self._tell_slots(list(dict.fromkeys(changed)))

    async def cap(self, session_id: str, peer_id: str, group: str, kbps: int | None) -> None:
        peer = self._session(session_id).peer(peer_id)
        peer.group, peer.cap_kbps = group, kbps

    async def close(self, session_id: str, peer_id: str, connection: Connection | None, generation: int | None) -> None:
        peer = self._known_peer(session_id, peer_id)
        if peer is None:
            return
        chosen = [
            each
            for each in peer.connections()
            if (connection is None or each.key.direction == connection)
            and (generation is None or each.key.generation == generation)
        ]
        for each in chosen:
            await self._drop(each)
        self._forget_if_empty(session_id, peer_id)

    async def end_session(self, session_id: str) -> None:
        session = self._sessions.pop(session_id, None)
        for peer in session.peers.values() if session is not None else ():
            for connection in peer.connections():
                await connection.close()

    async def stats(self) -> Mapping[str, object]:
        links, names, addresses = self.ice.sizes()
        return {
            "datagrams_in": self._received,
            "counters": dict(self.ice.counters),
            "links": links,
            "user_names": names,
            "addresses": addresses,
            "burst_ms": self.burst_ms.summary(),
            "sessions": {key: describe_session(session) for key, session in self._sessions.items()},
        }

    async def shut_down(self) -> None:
        """End everything and hand over the last audio."""
        for session_id in list(self._sessions):
            await self.end_session(session_id)
        self._hand_over_audio()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for port in self.ice.ports:
            port.close()

    def _session(self, session_id: str) -> Session:
        return self._sessions.setdefault(session_id, Session(session_id, self))

    def _known_peer(self, session_id: str, peer_id: str) -> Peer | None:
        session = self._sessions.get(session_id)
        return session.peers.get(peer_id) if session is not None else None

    def _link(self) -> Link:
        try:
            return self.ice.link(self._clock())
        except MediaError as fault:
            raise MediaRefused("no_media", str(fault)) from fault

    def _forget_if_empty(self, session_id: str, peer_id: str) -> None:
        session = self._sessions.get(session_id)
        if session is None:
            return
        if (peer := session.peers.get(peer_id)) is not None and not peer.connections():
            del session.peers[peer_id]
        if not session.peers:
            del self._sessions[session_id]

    async def _drop(self, connection: ClientConnection) -> None:
        """Take a connection out of its session; its tracks and slots go with it."""
        key = connection.key
        session = self._sessions.get(key.session_id)
        if session is not None and (peer := session.peers.get(key.peer_id)) is not None:
            if isinstance(connection, PublishConnection) and peer.publish.get(key.generation) is connection:
                del peer.publish[key.generation]
                session.drop_tracks(connection)
                self._tell_slots(session.place_all(self._clock()))
            elif isinstance(connection, SubscribeConnection) and peer.subscribe.get(key.generation) is connection:
                del peer.subscribe[key.generation]
                _empty(connection)
        await connection.close()

    # ---- packets ----

    def receive(self, port: Port) -> None:
        """The port has datagrams: take one burst and forward it."""
        began = self._clock()
        self._received += self.ice.receive(port, began)
        self.burst_ms.add((self._clock() - began) * 1000)

    def forward(self, inbound: Inbound, packet: RtpPacket, placed: Placed, now: float) -> None:
        session = self._sessions.get(inbound.connection.key.session_id)
        track = session.tracks.get(inbound.spec.track_id) if session is not None else None
        if track is not None:
            track.forward(inbound, packet, placed, now)

    def sender_report(self, inbound: Inbound, report: rtcp.SenderReport) -> None:
        session = self._sessions.get(inbound.connection.key.session_id)
        track = session.tracks.get(inbound.spec.track_id) if session is not None else None
        if track is not None and track.source is inbound:
            track.sender_report(report, self._clock())

    # ---- what tracks and connections tell ----

    def source_changed(self, track: Track, old: Inbound | None) -> None:
        """The first packet of a newer generation: the older one has done its part."""
        if old is None or old.connection.superseded:
            return
        old.connection.superseded = True
        self._spawn(self._drop(old.connection))

    def went_live(self, track: Track) -> None:
        self._events.track_live(track.spec.session_id, track.track_id)

    def log_audio(self, track: Track, numbers: LogNumbers, payload: bytes) -> None:
        self._logged.append(
            LoggedPacket(track.track_id, track.spec.epoch, numbers.sequence, numbers.sample, self._wall(), payload)
        )

    def came_up(self, connection: ClientConnection) -> None:
        key = connection.key
        session = self._sessions.get(key.session_id)
        if isinstance(connection, SubscribeConnection) and session is not None:
            now = self._clock()
            for slot in connection.slots:
                if slot.track is not None and slot.kind == "video":
                    slot.track.request_keyframe(now)
            for generation, older in list(session.peer(key.peer_id).subscribe.items()):
                if generation < key.generation:
                    self._spawn(self._drop(older))
        self._events.connection_up(key.session_id, key.peer_id, key.direction, key.generation)

    def went_down(self, connection: ClientConnection, cause: str) -> None:
        """The connection is of no more use; its tracks keep their slots for the next generation."""
        key = connection.key
        peer = self._known_peer(key.session_id, key.peer_id)
        if peer is None or connection not in peer.connections():
            return
        log.info("connection %s %s of peer %s lost: %s", key.direction, key.generation, key.peer_id, cause)
        if isinstance(connection, SubscribeConnection):
            del peer.subscribe[key.generation]
            _empty(connection)
        self._spawn(connection.close())
        self._events.connection_lost(key.session_id, key.peer_id, key.direction, key.generation, cause)

    def _tell_slots(self, connections: Sequence[SubscribeConnection]) -> None:
        for connection in connections:
            key = connection.key
            self._events.slots_changed(key.session_id, key.peer_id, key.generation, connection.states())

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # ---- time ----

    def tick(self) -> None:
        """Every `TICK_S`: repair, audio to the log; five times a second levels; once a second reports and budgets."""
        now = self._clock()
        self._ticks += 1
        self._hand_over_audio()
        self.pace()
        for session in list(self._sessions.values()):
            for peer in session.peers.values():
                for publish in peer.publish.values():
                    publish.ask_for_holes(now)
            for track in session.tracks.values():
                track.tick(now)
            if self._ticks % LEVEL_TICKS == 0:
                self._watch(session, now)
            if self._ticks % PULSE_TICKS == 0:
                self._pulse(session, now)
            if self._ticks % REPORT_TICKS == 0:
                self._report(session, now)

    def _hand_over_audio(self) -> None:
        if self._logged:
            packets, self._logged = self._logged, []
            self._events.audio(packets)

    def _watch(self, session: Session, now: float) -> None:
        levels: dict[str, int] = {}
        for track in session.tracks.values():
            silent = track.silent_ms(now)
            if silent is not None:
                self._events.track_suspect(session.session_id, track.track_id, silent)
            if track.is_audio and (level := track.take_level()) is not None:
                levels[track.track_id] = level
        if levels:
            self._events.levels(session.session_id, levels)
        self._tell_slots(session.hear_speakers(now))
        for peer in session.peers.values():
            for publish in peer.publish.values():
                publish.look(now)
        self._tell_slots(session.keep_budgets(now, self._hub_share()))
        for peer in session.peers.values():
            for publish in peer.publish.values():
                publish.report(now, session.ask_kbps(publish, peer), only_if_less=True)
            for subscribe in peer.subscribe.values():
                subscribe.listen_for(now - subscribe.link.heard_at > QUIET_S)

    def _pulse(self, session: Session, now: float) -> None:
        """Something to hear on every connection, whatever flows or does not: its end is noticed within seconds."""
        for peer in session.peers.values():
            for publish in peer.publish.values():
                publish.report(now, session.ask_kbps(publish, peer))
            for subscribe in peer.subscribe.values():
                subscribe.send_rtcp(rtcp.receiver_report(subscribe.own_ssrc, ()))

    def _hub_share(self) -> float | None:
        """Each subscriber's even part of what this machine may send."""
        if self._uplink_kbps is None:
            return None
        receiving = sum(bool(peer.subscribe) for each in self._sessions.values() for peer in each.peers.values())
        return self._uplink_kbps / max(1, receiving)

    def pace(self) -> None:
        """Let video out on thin lines; every `PACE_S`."""
        now = self._clock()
        for session in self._sessions.values():
            for peer in session.peers.values():
                for subscribe in peer.subscribe.values():
                    subscribe.let_out(now)

    def _report(self, session: Session, now: float) -> None:
        for inbound in session.inbounds():
            inbound.meter(TICK_S * REPORT_TICKS)
        for peer in list(session.peers.values()):
            for connection in peer.connections():
                if not connection.closed and now - connection.link.heard_at > self._silence_s:
                    self.went_down(connection, "silent")


def _match(offer: sdp.Description, tracks: Sequence[TrackSpec]) -> dict[str, sdp.Incoming]:
    """The m-lines of the announced tracks by mid. Raises `MediaRefused`."""
    by_mid = {section.mid: section for section in offer.sections if section.kind in ("audio", "video")}
    accepted: dict[str, sdp.Incoming] = {}
    for spec in tracks:
        section = by_mid.get(spec.mid)
        if section is None or section.kind != spec.kind:
            raise sdp.refuse(f"there is no {spec.kind} m-line {spec.mid}")
        if spec.mid in accepted:
            raise sdp.refuse(f"two tracks name m-line {spec.mid}")
        accepted[spec.mid] = sdp.incoming(section)
    return accepted


def _require_newer(generation: int, known: Mapping[int, object]) -> None:
    if known and generation <= max(known):
        raise MediaRefused("stale_generation", "A newer connection of this peer exists already.")


def _empty(connection: SubscribeConnection) -> None:
    for slot in connection.slots:
        if slot.track is not None:
            slot.track.detach(slot)
