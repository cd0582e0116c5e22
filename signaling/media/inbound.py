"""What a publisher sends: one `Inbound` per accepted m-line, and the publish connection that feeds it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from signaling.media import rtcp
from signaling.media.aiortc_adapter import Certificate
from signaling.media.connection import ClientConnection, ConnectionKey, ConnectionOwner
from signaling.media.forwarding import Placed, SourceClock
from signaling.media.ice_lite import Link
from signaling.media.ladder import tighter
from signaling.media.lines import WIRE_OVERHEAD, Uplink
from signaling.media.nack import GapTracker, PacketRing
from signaling.media.rtp import ExtensionIds, RtpPacket, parse_rtp, unwrap_rtx
from signaling.media.sdp import Incoming
from signaling.ports import TrackSpec

MOST_KBPS = 2_500.0
"""What a publisher with video is told when nothing limits it."""

TELL_BELOW = 0.95
"""An estimate that fell below this share of what was told is told at once."""


class PacketTaker(Protocol):
    """Where accepted packets go: the forwarder's track."""

    def forward(self, inbound: Inbound, packet: RtpPacket, placed: Placed, now: float) -> None: ...
    def sender_report(self, inbound: Inbound, report: rtcp.SenderReport) -> None: ...


class Inbound:
    """One stream of one publish connection: order, repair, statistics."""

    def __init__(self, spec: TrackSpec, incoming: Incoming, connection: PublishConnection) -> None:
        self.spec = spec
        self.incoming = incoming
        self.connection = connection
        self.ssrc, self.rtx_ssrc = incoming.ssrc, incoming.rtx_ssrc
        self.is_audio = incoming.kind == "audio"
        self.codec = incoming.codec.name.upper()
        self.clock = SourceClock()
        self.gaps = GapTracker(sound=self.is_audio)
        self.ring: PacketRing[RtpPacket] = PacketRing()
        self.statistics = rtcp.ReceptionStatistics(48_000 if self.is_audio else 90_000)
        self.last_at: float | None = None
        self.octets = 0
        self.kbps = 0.0
        """On the wire, headers included."""
        self._metered_octets = 0
        self.expected = 0
        """Packets that were sent to us up to the newest that came, over any restart of the numbering."""
        self._newest: int | None = None
        self._report: tuple[int, float] = (0, 0.0)

    def accept(self, packet: RtpPacket, now: float, repaired: bool) -> Placed | None:
        """Place a packet; its numbers become unwrapped ones. None for a repeat."""
        placed = self.clock.place(packet.sequence, packet.timestamp)
        if placed.restarted:
            self.gaps, self.ring = GapTracker(sound=self.is_audio), PacketRing()
            self.connection.uplink.restarted()
        elif not placed.newest and self.ring.get(placed.sequence) is not None:
            return None
        if placed.newest:
            before = None if placed.restarted else self._newest
            self.expected += 1 if before is None else placed.sequence - before
            self._newest = placed.sequence
        packet.sequence, packet.timestamp = placed.sequence, placed.timestamp
        self.ring.put(placed.sequence, packet)
        self.gaps.add(placed.sequence, now)
        if not repaired:
            self.statistics.add(placed.sequence, placed.timestamp, now)
            if self.is_audio and placed.newest:
                self.connection.uplink.heard(placed.timestamp, packet.payload, now)
        self.last_at = now
        self.octets += len(packet.payload)
        return placed

    @property
    def arrived(self) -> int:
        """Packets that came by themselves; what was repaired does not count."""
        return self.statistics.received

    @property
    def wire_octets(self) -> int:
        return self.octets + WIRE_OVERHEAD * self.statistics.received

    def meter(self, elapsed_s: float) -> None:
        """Close an interval of the rate meter; `kbps` is smoothed over about three intervals."""
        rate = (self.wire_octets - self._metered_octets) * 8 / 1000 / elapsed_s
        self._metered_octets = self.wire_octets
        self.kbps += (rate - self.kbps) * 0.5

    def note_report(self, report: rtcp.SenderReport, now: float) -> None:
        self._report = (report.ntp >> 16 & 0xFFFFFFFF, now)

    def report_block(self, now: float) -> rtcp.ReportBlock | None:
        """Our receiver report about this stream; None before the first packet."""
        highest = self.clock.highest_sequence
        if highest is None or not self.ssrc:
            return None
        last_sr, at = self._report
        delay = int((now - at) * 65536) if last_sr else 0
        return self.statistics.block(self.ssrc, highest, last_sr, min(delay, 0xFFFFFFFF))


class PublishConnection(ClientConnection):
    """Routes what comes in to its `Inbound` by SSRC, else by mid, else by payload type, and asks again for holes."""

    def __init__(
        self, key: ConnectionKey, link: Link, certificate: Certificate, owner: ConnectionOwner, taker: PacketTaker
    ) -> None:
        super().__init__(key, link, certificate, owner)
        self.inbounds: list[Inbound] = []
        self.malformed = 0
        self.superseded = False
        self.uplink = Uplink()
        self._taker = taker
        self._ids = ExtensionIds()
        self._by_ssrc: dict[int, Inbound] = {}

    def accept(self, pairs: Iterable[tuple[TrackSpec, Incoming]]) -> None:
        for spec, incoming in pairs:
            inbound = Inbound(spec, incoming, self)
            self.inbounds.append(inbound)
            # one id space in a BUNDLE (RFC 8843 14); a video m-line has no audio level
            ids = incoming.ids
            self._ids = ExtensionIds(ids.audio_level or self._ids.audio_level, ids.mid or self._ids.mid)
            for ssrc in (incoming.ssrc, incoming.rtx_ssrc):
                if ssrc:
                    self._by_ssrc[ssrc] = inbound

    def on_rtp(self, data: bytes, now: float) -> None:
        packet = parse_rtp(data, self._ids)
        inbound = self._by_ssrc.get(packet.ssrc) or self._route(packet) if packet is not None else None
        if packet is None or inbound is None:
            self.malformed += 1
            return
        incoming, repaired = inbound.incoming, False
        if packet.payload_type != incoming.codec.payload_type:
            if packet.payload_type != incoming.rtx_payload_type:
                self.malformed += 1
                return
            original = unwrap_rtx(packet, incoming.codec.payload_type, inbound.ssrc)
            if original is None:
                return
            packet, repaired = original, True
        placed = inbound.accept(packet, now, repaired)
        if placed is not None:
            self._taker.forward(inbound, packet, placed, now)

    def _route(self, packet: RtpPacket) -> Inbound | None:
        """An SSRC that the offer did not announce: learn it, one media and one retransmission SSRC per m-line."""
        for inbound in self.inbounds:
            incoming = inbound.incoming
            kinds = (incoming.codec.payload_type, incoming.rtx_payload_type)
            if packet.payload_type not in kinds or (packet.mid is not None and packet.mid != incoming.mid):
                continue
            is_rtx = packet.payload_type == incoming.rtx_payload_type
            if (inbound.rtx_ssrc if is_rtx else inbound.ssrc) and packet.mid is None:
                continue
            if is_rtx:
                inbound.rtx_ssrc = packet.ssrc
            else:
                inbound.ssrc = packet.ssrc
            if len(self._by_ssrc) < 64:
                self._by_ssrc[packet.ssrc] = inbound
            return inbound
        return None

    def on_rtcp(self, data: bytes, now: float) -> None:
        for item in rtcp.parse_rtcp(data):
            if isinstance(item, rtcp.SenderReport):
                inbound = self._by_ssrc.get(item.ssrc)
                if inbound is not None and inbound.ssrc == item.ssrc:
                    inbound.note_report(item, now)
                    self._taker.sender_report(inbound, item)

    def ask_for_holes(self, now: float) -> None:
        for inbound in self.inbounds:
            if inbound.gaps and (missing := inbound.gaps.due(now)):
                self.send_rtcp(rtcp.nack(self.own_ssrc, inbound.ssrc, missing))

    def look(self, now: float) -> None:
        """Judge the line from this client by what came since the last look."""
        self.uplink.look(self.inbounds, now)

    def report(self, now: float, ask_kbps: float | None, *, only_if_less: bool = False) -> None:
        """Receiver report, and how much may be sent in all: what the line carries, or `ask_kbps` when that is less."""
        kbps = tighter(self.uplink.budget.limit_kbps, ask_kbps, MOST_KBPS)
        assert kbps is not None
        told = self.uplink.told_kbps
        if only_if_less and told is not None and kbps >= told * TELL_BELOW:
            return
        blocks = [block for inbound in self.inbounds if (block := inbound.report_block(now)) is not None]
        data = rtcp.receiver_report(self.own_ssrc, blocks)
        ssrcs = [inbound.ssrc for inbound in self.inbounds if inbound.ssrc]
        if ssrcs:
            self.uplink.told_kbps = kbps
            data += rtcp.remb(self.own_ssrc, int(kbps * 1000), ssrcs)
        self.send_rtcp(data)
