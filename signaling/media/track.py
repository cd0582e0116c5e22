"""A published track: takes the packets of its present source and fans them out to the slots it is in."""

from __future__ import annotations

from typing import Protocol

from signaling.media import rtcp
from signaling.media.fanout import Fanout
from signaling.media.forwarding import Placed
from signaling.media.inbound import Inbound
from signaling.media.outbound import REPAIRS_PER_TICK, OutSlot
from signaling.media.rtp import RtpPacket, build_body, starts_keyframe
from signaling.media.selection import SPEAKING_DBOV, Voice
from signaling.media.sequence import LogNumbering, LogNumbers, Seen
from signaling.ports import TrackSpec

KEYFRAME_THROTTLE_S = 0.3
KEYFRAME_AGAIN_S = 0.5
SUSPECT_AFTER_S = 1.0
SEEN_PACKETS = 4096

_NOBODY = Fanout([])


class TrackOwner(Protocol):
    """What a track tells; called in the middle of forwarding, so it must be quick."""

    def source_changed(self, track: Track, old: Inbound | None) -> None: ...
    def went_live(self, track: Track) -> None: ...
    def log_audio(self, track: Track, numbers: LogNumbers, payload: bytes) -> None: ...


class Track:
    """Keeps its slots over any change of source: a newer generation takes over with its first packet."""

    def __init__(self, spec: TrackSpec, peer_id: str, owner: TrackOwner) -> None:
        self.spec = spec
        self.peer_id = peer_id
        self.source: Inbound | None = None
        self.packets = 0
        self.octets = 0
        self.copies = 0
        self.dropped = 0
        """Copies that found the socket's buffer full or no way; receivers ask for them again."""
        self.live = False
        self.level = 127
        self.told_level = 127
        self.spoke_at: float | None = None
        self._owner = owner
        self._slots: list[OutSlot] = []
        self._waiting: list[OutSlot] = []
        self._fan = _NOBODY
        self._paced: list[OutSlot] = []
        self.target_kbps: float | None = None
        """What its receivers can take, headers included; None: as much as it likes."""
        self.newest: RtpPacket | None = None
        self.newest_at = 0.0
        self._stale = False
        self._keyframe_at = -1.0
        self._keyframe_wanted = False
        self._numbering: LogNumbering | None = None
        self._seen = Seen(SEEN_PACKETS)

    @property
    def track_id(self) -> str:
        return self.spec.track_id

    @property
    def is_audio(self) -> bool:
        return self.spec.kind == "audio"

    # ---- receivers ----

    def attach(self, slot: OutSlot, now: float) -> None:
        """Flows into the slot from the next packet a decoder can start with."""
        slot.track, slot.placed_at = self, now
        self._slots.append(slot)
        self._waiting.append(slot)
        if not self.is_audio and slot.connection.up:
            self.request_keyframe(now)

    def detach(self, slot: OutSlot) -> None:
        slot.hold(self)
        slot.track = None
        self._slots.remove(slot)
        if slot in self._waiting:
            self._waiting.remove(slot)
        self._stale = True

    def receivers_changed(self) -> None:
        """An address or a set of keys is another one."""
        self._stale = True

    def detach_all(self) -> None:
        for slot in list(self._slots):
            self.detach(slot)

    # ---- packets ----

    def forward(self, inbound: Inbound, packet: RtpPacket, placed: Placed, now: float) -> None:
        """One new packet of `inbound`; numbers unwrapped."""
        if inbound is not self.source and not self._take_over(inbound):
            return
        if placed.restarted:
            self._hold_all()
        if not self.live:
            self.live = True
            self._owner.went_live(self)
        if self.is_audio:
            self._hear(packet, now)
        body = build_body(self.is_audio, packet.level, packet.payload, int(now * 262_144) & 0xFFFFFF)
        if not placed.newest:
            for slot in self._slots:
                if slot.live:
                    slot.send_late(packet, body)
            return
        if self._waiting:
            self._admit(inbound, packet, now)
        if self._stale:
            self._rebuild()
        self.newest, self.newest_at = packet, now
        self.packets += 1
        self.octets += len(packet.payload)
        if self._fan.legs:
            sent = self._fan.send(packet.marker, packet.sequence, packet.timestamp, body)
            self.copies += sent
            self.dropped += self._fan.legs - sent
        for slot in self._paced:
            self.copies += slot.send_paced(packet, body)

    def _take_over(self, inbound: Inbound) -> bool:
        old = self.source
        if inbound.connection.superseded:
            return False
        self._hold_all()
        if self._numbering is not None and inbound.spec.epoch != self.spec.epoch:
            self._seen = Seen(SEEN_PACKETS)
        self.source, self.spec = inbound, inbound.spec
        self.peer_id = inbound.connection.key.peer_id
        self._numbering = LogNumbering(inbound.spec.anchor)
        self._owner.source_changed(self, old)
        return True

    def _hold_all(self) -> None:
        for slot in self._slots:
            slot.hold(self)
        self._waiting = list(self._slots)
        self._stale = True

    def _admit(self, inbound: Inbound, packet: RtpPacket, now: float) -> None:
        """Slots that wait: audio starts anywhere, video at a key frame."""
        if not self.is_audio and not starts_keyframe(inbound.codec, packet.payload):
            return
        ready = [slot for slot in self._waiting if slot.connection.up and slot.begin(self, inbound, packet, now)]
        if ready:
            self._waiting = [slot for slot in self._waiting if slot not in ready]
            self._stale = True

    def _rebuild(self) -> None:
        self._stale = False
        live = [slot for slot in self._slots if slot.live]
        self._paced = [slot for slot in live if slot.paced]
        self._fan = Fanout([leg for slot in live if not slot.paced and (leg := slot.leg()) is not None])

    def _hear(self, packet: RtpPacket, now: float) -> None:
        if packet.level is not None:
            level = packet.level & 0x7F
            self.level = min(self.level, level)
            if level <= SPEAKING_DBOV:
                self.spoke_at = now
        if self._numbering is not None and packet.payload:
            numbers = self._numbering.number(packet.sequence & 0xFFFF, packet.timestamp & 0xFFFFFFFF)
            if numbers is not None and self._seen.add(numbers.sequence):
                self._owner.log_audio(self, numbers, packet.payload)

    def sender_report(self, report: rtcp.SenderReport, now: float) -> None:
        for slot in self._slots:
            if slot.live:
                slot.sender_report(self, report, now)

    # ---- time ----

    def request_keyframe(self, now: float) -> None:
        """Ask the publisher, at most every 0.3 s; what comes too early is asked for later."""
        source = self.source
        if source is None or not source.connection.up or now - self._keyframe_at < KEYFRAME_THROTTLE_S:
            self._keyframe_wanted = True
            return
        self._keyframe_at, self._keyframe_wanted = now, False
        source.connection.send_rtcp(rtcp.pli(source.connection.own_ssrc, source.ssrc))

    def tick(self, now: float) -> None:
        for slot in self._slots:
            slot.repairs_left = REPAIRS_PER_TICK
        if self.is_audio:
            return
        starving = any(slot.connection.up for slot in self._waiting)
        if self._keyframe_wanted or (starving and now - self._keyframe_at >= KEYFRAME_AGAIN_S):
            self.request_keyframe(now)

    def silent_ms(self, now: float) -> int | None:
        """How long nothing has come, when that is news: once per silence. The track is then no longer live."""
        if not self.live or self.source is None or self.source.last_at is None:
            return None
        silent = now - self.source.last_at
        if silent < SUSPECT_AFTER_S:
            return None
        self.live = False
        return int(silent * 1000)

    def take_level(self) -> int | None:
        """Loudest since the last call in -dBov, when it changed or somebody speaks; else None."""
        level, self.level = self.level, 127
        if level == self.told_level and level > SPEAKING_DBOV:
            return None
        self.told_level = level
        return level

    def voice(self) -> Voice:
        return Voice(self.track_id, self.spoke_at, self.told_level)

    @property
    def kbps(self) -> float:
        return self.source.kbps if self.source is not None else 0.0

    @property
    def upstream_loss(self) -> float:
        """Share of this track's packets that did not reach us lately."""
        return self.source.connection.uplink.loss if self.source is not None else 0.0
