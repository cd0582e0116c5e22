"""What a subscriber gets: slots of constant SSRC, and the subscribe connection that carries them."""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Protocol

from signaling.media import rtcp
from signaling.media.aiortc_adapter import Certificate
from signaling.media.connection import ClientConnection, ConnectionKey, ConnectionOwner
from signaling.media.fanout import Leg
from signaling.media.forwarding import SlotStream
from signaling.media.ice_lite import Link
from signaling.media.inbound import Inbound
from signaling.media.ladder import VIDEO_FLOOR_KBPS
from signaling.media.lines import WIRE_OVERHEAD
from signaling.media.pacing import Pacer
from signaling.media.rtp import HEADER, HEADER_BYTES, RtpPacket, build_body, wrap_rtx
from signaling.media.sdp import H264_PT, H264_RTX_PT, OPUS_PT, VP8_PT, VP8_RTX_PT, Description, OfferedSlot
from signaling.ports import Slot, TrackKind

REPAIRS_PER_TICK = 100
"""Packets sent again per slot in one tick of the forwarder; more would be a receiver that makes us flood its line."""

REPAIR_SHARE = 0.2
"""Of a line whose end is known: more repair than this is what fills it."""

SOONEST_REPAIR_S = 0.03
REPAIRS_REMEMBERED = 256
OLDEST_AUDIO = 50
"""Packets; a second, and longer than any play-out waits."""

REPORTS_KEPT = 4
FASTER = 1.25
"""Video is let out this much faster than its share, so that a key frame does not stand still."""

PAYLOAD_TYPES = {"OPUS": (OPUS_PT, 0), "VP8": (VP8_PT, VP8_RTX_PT), "H264": (H264_PT, H264_RTX_PT)}


class Source(Protocol):
    """The track in a slot, as the slot sees it."""

    @property
    def track_id(self) -> str: ...
    @property
    def source(self) -> Inbound | None: ...
    @property
    def packets(self) -> int: ...
    @property
    def octets(self) -> int: ...
    def request_keyframe(self, now: float) -> None: ...
    @property
    def newest(self) -> RtpPacket | None: ...
    @property
    def newest_at(self) -> float: ...
    @property
    def kbps(self) -> float: ...
    @property
    def upstream_loss(self) -> float: ...
    def detach(self, slot: OutSlot) -> None: ...
    def receivers_changed(self) -> None: ...


class OutSlot:
    """One m-line of a subscribe connection. `live` once its first packet of the present track went out."""

    def __init__(self, mid: str, kind: TrackKind, connection: SubscribeConnection) -> None:
        self.mid = mid
        self.kind = kind
        self.connection = connection
        self.ssrc = random.getrandbits(32) | 1
        self.rtx_ssrc = random.getrandbits(32) & ~1 or 2
        # below 2**15: see sequence.wire_offset
        self.stream: SlotStream[Inbound] = SlotStream(
            48_000 if kind == "audio" else 90_000, random.getrandbits(14), random.getrandbits(31)
        )
        self.track: Source | None = None
        self.placed_at = 0.0
        self.live = False
        self.payload_type = 0
        self.rtx_payload_type = 0
        self.loss: rtcp.ReportBlock | None = None
        self.repairs_left = REPAIRS_PER_TICK
        self.paced = False
        self._rtx_sequence = random.getrandbits(14)
        self._packets = 0
        self._octets = 0
        self.repaired_octets = 0
        self._repaired: OrderedDict[int, float] = OrderedDict()
        """When the latest repairs went out, by wire number: a second request may have crossed the answer."""
        self._reported: dict[int, float] = {}
        """When the latest sender reports went out, by the middle of their time stamp."""

    def offered(self) -> OfferedSlot:
        return OfferedSlot(self.mid, self.kind, self.ssrc, self.rtx_ssrc)

    def state(self) -> Slot:
        return Slot(self.mid, self.kind, self.track.track_id if self.track is not None else None)

    def begin(self, track: Source, inbound: Inbound, packet: RtpPacket, now: float) -> bool:
        """The first packet of a source; false when this subscriber cannot take its codec."""
        kinds = self.connection.accepted.get((self.mid, inbound.codec))
        if kinds is None:
            return False
        self.payload_type, self.rtx_payload_type = kinds
        self.stream.begin(inbound, packet.sequence, packet.timestamp, now)
        self._packets -= track.packets
        self._octets -= track.octets
        self.live = True
        return True

    def hold(self, track: Source) -> None:
        """No more packets of the present source; the next one continues the numbering."""
        if self.live and track.newest is not None:
            self.stream.hold(track.newest.sequence, track.newest.timestamp, track.newest_at)
            self._packets += track.packets
            self._octets += track.octets
        self.live = False

    def leg(self) -> Leg | None:
        """How the fan-out reaches this slot; None while the connection cannot be reached."""
        link, keys = self.connection.link, self.connection.keys
        if link.port is None or link.address is None or keys is None or not self.connection.reachable:
            return None
        stream = self.stream
        return Leg(
            link.port, link.address, keys, self.payload_type, self.ssrc, stream.sequence_offset, stream.timestamp_offset
        )

    def send_late(self, packet: RtpPacket, body: bytes) -> None:
        """A packet that came out of order: alone, under its own number; nothing when it is older than the segment."""
        numbers = self.stream.rewrite(packet.sequence, packet.timestamp)
        if numbers is not None:
            kind = packet.marker | self.payload_type
            header = HEADER.pack(0x90, kind, numbers.sequence, numbers.timestamp, self.ssrc)
            self.connection.send_rtp(header + body)

    def send_paced(self, packet: RtpPacket, body: bytes) -> bool:
        """Through the pacer of the connection. What finds no room there is given up until the next key frame."""
        numbers = self.stream.rewrite(packet.sequence, packet.timestamp)
        if numbers is None or not self.connection.reachable:
            return False
        header = HEADER.pack(0x90, packet.marker | self.payload_type, numbers.sequence, numbers.timestamp, self.ssrc)
        return self.connection.send_evenly(self, header + body)

    def wire_octets(self) -> int:
        """Bytes sent into this slot so far, headers included."""
        packets, octets = self._packets, self._octets
        if self.live and self.track is not None:
            packets, octets = packets + self.track.packets, octets + self.track.octets
        return octets + WIRE_OVERHEAD * packets + self.repaired_octets

    def round_trip_s(self, block: rtcp.ReportBlock, now: float) -> float | None:
        """By the sender report that the block answers (RFC 3550 6.4.1); None when it is not one of the latest."""
        sent_at = self._reported.get(block.last_sr)
        return None if sent_at is None else max(0.0, now - sent_at - block.delay_since_last_sr / 65_536)

    def _may_repair(self, wire_sequence: int, now: float) -> bool:
        """Not while the answer to an earlier request for the same packet can still be under way."""
        sent_at = self._repaired.get(wire_sequence)
        if sent_at is not None and now - sent_at < max(SOONEST_REPAIR_S, self.connection.round_trip_s):
            return False
        self._repaired[wire_sequence] = now
        self._repaired.move_to_end(wire_sequence)
        if len(self._repaired) > REPAIRS_REMEMBERED:
            self._repaired.popitem(last=False)
        return True

    def send_again(self, wire_sequence: int, send_time: int, now: float) -> bool:
        """Answer a NACK: by RTX for video (RFC 4588), with the same SSRC and number for audio."""
        track = self.track
        newest = track.source.clock.highest_sequence if track is not None and track.source is not None else None
        origin = self.stream.origin(wire_sequence, newest or 0)
        packet = origin.source.ring.get(origin.sequence) if origin is not None else None
        if origin is None or packet is None or self.repairs_left <= 0:
            return False
        if self.kind == "audio" and (newest or 0) - origin.sequence > OLDEST_AUDIO:
            return False
        size = len(packet.payload) + WIRE_OVERHEAD
        if not self._may_repair(wire_sequence, now) or not self.connection.afford_repair(size, now):
            return False
        self.repairs_left -= 1
        self.repaired_octets += size
        timestamp = (packet.timestamp + origin.timestamp_offset) & 0xFFFFFFFF
        if self.kind == "audio" or not self.rtx_payload_type:
            head = HEADER.pack(0x90, packet.marker | self.payload_type, wire_sequence, timestamp, self.ssrc)
            body = build_body(self.kind == "audio", packet.level, packet.payload, send_time)
        else:
            self._rtx_sequence = (self._rtx_sequence + 1) & 0xFFFF
            kind = packet.marker | self.rtx_payload_type
            head = HEADER.pack(0x90, kind, self._rtx_sequence, timestamp, self.rtx_ssrc)
            body = build_body(False, None, wrap_rtx(wire_sequence, packet.payload), send_time)
        if self.paced:
            return self.connection.send_evenly(self, head + body)
        self.connection.send_rtp(head + body)
        return True

    def sender_report(self, track: Source, report: rtcp.SenderReport, now: float) -> None:
        """The source's clock pair, its RTP half shifted as this slot's timestamps are."""
        self._reported[report.ntp >> 16 & 0xFFFFFFFF] = now
        while len(self._reported) > REPORTS_KEPT:
            del self._reported[next(iter(self._reported))]
        data = rtcp.sender_report(
            self.ssrc,
            report.ntp,
            report.timestamp + self.stream.timestamp_offset,
            packets=self._packets + track.packets,
            octets=self._octets + track.octets,
            cname=f"slot{self.mid}",
        )
        self.connection.send_rtcp(data)


class SubscribeConnection(ClientConnection):
    """All slots of one subscriber; answers its NACKs from the sources' rings and passes on its key frame requests."""

    def __init__(
        self, key: ConnectionKey, link: Link, certificate: Certificate, owner: ConnectionOwner, audio: int, video: int
    ) -> None:
        super().__init__(key, link, certificate, owner)
        kinds: list[TrackKind] = ["audio"] * audio + ["video"] * video  # type: ignore[assignment]
        self.slots = [OutSlot(str(place), kind, self) for place, kind in enumerate(kinds)]
        self.accepted: dict[tuple[str, str], tuple[int, int]] = {}
        """(mid, codec) -> (payload type, retransmission payload type) of the client's answer."""
        self.repaired = 0
        self.not_repaired = 0
        self.on_report: Callable[[int, float, float | None, float], None] | None = None
        """Gets bytes sent so far, loss, round trip in seconds or None, now."""
        self.quiet = False
        """Nothing was heard of this client for long: nothing is sent until it is heard again."""
        self.pacer: Pacer[bytes] | None = None
        self.round_trip_s = 0.0
        self._repair_credit = 0.0
        self._repair_at = 0.0
        self._limit_kbps: float | None = None
        self._by_ssrc = {slot.ssrc: slot for slot in self.slots}
        link.on_moved = self._moved

    def take_answer(self, answer: Description) -> None:
        for section in answer.sections:
            if section.port == 0 or section.direction not in ("recvonly", "sendrecv"):
                continue
            names = {codec.name.upper() for codec in section.codecs.values()}
            for name in names & PAYLOAD_TYPES.keys():
                kind, rtx = PAYLOAD_TYPES[name]
                self.accepted[section.mid, name] = (kind, rtx if rtx in section.codecs else 0)

    def states(self) -> tuple[Slot, ...]:
        return tuple(slot.state() for slot in self.slots)

    def _moved(self) -> None:
        for slot in self.slots:
            if slot.track is not None:
                slot.track.receivers_changed()

    @property
    def reachable(self) -> bool:
        return not self.closed and not self.quiet

    def listen_for(self, quiet: bool) -> None:
        """Whether the client has fallen silent, or is heard again."""
        if quiet != self.quiet:
            self.quiet = quiet
            self._moved()

    # ---- pacing ----

    def pace(self, limit_kbps: float | None, audio_kbps: float, now: float) -> None:
        """Let video out evenly below this limit; None: the line has no end that we know, and nothing is held back."""
        self._limit_kbps = limit_kbps
        if limit_kbps is not None:
            rate = FASTER * max(limit_kbps - audio_kbps, VIDEO_FLOOR_KBPS / 2)
            if self.pacer is None:
                self.pacer = Pacer(rate)
                self._paced_changed()
            self.pacer.kbps = rate
        elif self.pacer is not None:
            for packet in self.pacer.clear():
                self.send_rtp(packet)
            self.pacer = None
            self._paced_changed()

    def _paced_changed(self) -> None:
        for slot in self.slots:
            slot.paced = self.pacer is not None and slot.kind == "video"
        self._moved()

    def afford_repair(self, octets: int, now: float) -> bool:
        """Whether this much may be sent again now: a fifth of a line whose end is known."""
        if self._limit_kbps is None:
            return True
        rate = self._limit_kbps * 125 * REPAIR_SHARE
        self._repair_credit = min(rate, self._repair_credit + max(0.0, now - self._repair_at) * rate)
        self._repair_at = now
        if self._repair_credit < octets:
            return False
        self._repair_credit -= octets
        return True

    def send_evenly(self, slot: OutSlot, packet: bytes) -> bool:
        if self.pacer is None:
            self.send_rtp(packet)
            return True
        if self.pacer.put(len(packet) + WIRE_OVERHEAD - HEADER_BYTES, packet):
            return True
        if slot.track is not None:
            slot.track.request_keyframe(slot.track.newest_at)
        return False

    def let_out(self, now: float) -> bool:
        """Send what may go; whether more is waiting."""
        if self.pacer is None:
            return False
        for packet in self.pacer.due(now):
            self.send_rtp(packet)
        return bool(self.pacer)

    # ---- feedback ----

    def on_rtcp(self, data: bytes, now: float) -> None:
        blocks: list[tuple[OutSlot, rtcp.ReportBlock]] = []
        for item in rtcp.parse_rtcp(data):
            if isinstance(item, rtcp.Nack):
                slot = self._by_ssrc.get(item.media_ssrc)
                if slot is not None:
                    self._repair(slot, item, now)
            elif isinstance(item, rtcp.KeyframeRequest):
                slot = self._by_ssrc.get(item.media_ssrc)
                if slot is not None and slot.track is not None:
                    slot.track.request_keyframe(now)
            elif isinstance(item, rtcp.ReportBlock) and item.ssrc in self._by_ssrc:
                slot = self._by_ssrc[item.ssrc]
                slot.loss = item
                blocks.append((slot, item))
        if blocks and self.on_report is not None:
            self._report(blocks, now)

    def _report(self, blocks: Sequence[tuple[OutSlot, rtcp.ReportBlock]], now: float) -> None:
        times = [time for slot, block in blocks if (time := slot.round_trip_s(block, now)) is not None]
        if times:
            self.round_trip_s = min(1.0, *times)
        weights = [max(1.0, slot.track.kbps) if slot.track is not None else 1.0 for slot, _ in blocks]
        lost = sum(_lost(slot, block) * weight for (slot, block), weight in zip(blocks, weights, strict=True))
        assert self.on_report is not None
        sent = sum(slot.wire_octets() for slot in self.slots)
        self.on_report(sent, lost / sum(weights), min(times, default=None), now)

    def _repair(self, slot: OutSlot, request: rtcp.Nack, now: float) -> None:
        stamp = int(now * 262_144) & 0xFFFFFF
        for sequence in request.sequences:
            if slot.send_again(sequence, stamp, now):
                self.repaired += 1
            else:
                self.not_repaired += 1


def _lost(slot: OutSlot, block: rtcp.ReportBlock) -> float:
    """What this client's own line lost: its report counts what never reached us too."""
    upstream = slot.track.upstream_loss if slot.track is not None else 0.0
    return max(0.0, block.fraction_lost / 256 - upstream)
