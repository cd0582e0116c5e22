"""Every private attribute of aiortc, aioice and pylibsrtp that we touch, in one place, for one pinned version.

Server side: `FwdDtls` (DTLS-SRTP without a peer connection) and `SrtpKeys` (libsrtp on our own buffers).
Client side, for the board: numbered audio out, encoded audio in, key frames, encoders.
`assert_pinned()` must be called once at start-up; it says in one error what does not fit.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Protocol

from aioice import ice
from aiortc import RTCCertificate, RTCDtlsTransport, RTCPeerConnection, RTCRtpReceiver, RTCRtpSender, clock, rtp
from aiortc.codecs.base import Encoder
from aiortc.rtcdtlstransport import RTCDtlsFingerprint, RTCDtlsParameters
from aiortc.rtcrtpparameters import RTCRtpCodecParameters, RTCRtpReceiveParameters
from aiortc.rtcrtpreceiver import StreamStatistics
from pylibsrtp import Error as SrtpError
from pylibsrtp import Session, _binding

from signaling.media.errors import SourceEnded, VersionMismatch
from signaling.media.nack import GapTracker
from signaling.media.sequence import Unwrapper, wire_offset
from signaling.ports import Anchor

PINNED = {"aiortc": "1.16.0", "aioice": "0.13.0"}


# ---- client side: what the board needs -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EncodedAudio:
    """One RTP audio packet as it came. `sequence` (16 bit) and `timestamp` (32 bit, 48 kHz) are the wire's."""

    ssrc: int
    sequence: int
    timestamp: int
    marker: bool
    payload: bytes
    arrived_at: float
    """`time.monotonic()` seconds."""


@dataclass(frozen=True, slots=True)
class NumberedPacket:
    """One Opus packet with the board's own numbers. `level` is -dBov, 0 loudest, 127 silence (RFC 6464)."""

    sequence: int
    sample: int
    payload: bytes
    level: int = 127
    voice: bool = False


class NumberedSource(Protocol):
    async def next_packet(self) -> NumberedPacket:
        """The next packet, when its time has come. Raises `SourceEnded` when there will be none."""


def encoded_audio_sink(receiver: RTCRtpReceiver, callback: Callable[[EncodedAudio], None]) -> None:
    """Give every arriving RTP audio packet to `callback` and never to aiortc's buffer and decoder.

    Packets come in order of arrival, repeats and late repairs included; the callback runs on the loop and must return
    at once. Holes are asked for again (NACK) as long as packets keep coming. The decoder thread is stopped as soon as
    aiortc starts it, so the receiver's track ends and must not be read. Call before the remote description is set.
    """
    private: Any = receiver
    original: Callable[[RTCRtpReceiveParameters], Awaitable[None]] = receiver.receive
    tap = _AudioTap(receiver, callback)

    async def receive(parameters: RTCRtpReceiveParameters) -> None:
        await original(parameters)
        private._RTCRtpReceiver__stop_decoder()

    private.receive = receive
    private._handle_rtp_packet = tap.packet


class _AudioTap:
    def __init__(self, receiver: RTCRtpReceiver, callback: Callable[[EncodedAudio], None]) -> None:
        self._private: Any = receiver
        self._callback = callback
        self._unwrap = Unwrapper(16)
        self._gaps = GapTracker(sound=True)
        self._ssrc: int | None = None

    async def packet(self, packet: rtp.RtpPacket, arrival_time_ms: int) -> None:
        now = time.monotonic()
        if packet.ssrc != self._ssrc:
            self._ssrc, self._unwrap, self._gaps = packet.ssrc, Unwrapper(16), GapTracker(sound=True)
        # aiortc's receiver reports are made of these
        streams: dict[int, StreamStatistics] = self._private._RTCRtpReceiver__remote_streams
        if packet.ssrc not in streams:
            streams[packet.ssrc] = StreamStatistics(48_000)
        streams[packet.ssrc].add(packet)
        if packet.payload:
            self._callback(
                EncodedAudio(
                    packet.ssrc, packet.sequence_number, packet.timestamp, bool(packet.marker), packet.payload, now
                )
            )
        self._gaps.add(self._unwrap.unwrap(packet.sequence_number), now)
        if self._gaps and (missing := self._gaps.due(now)):
            await self._private._send_rtcp_nack(packet.ssrc, [number & 0xFFFF for number in missing])


def send_numbered_audio(sender: RTCRtpSender, source: NumberedSource, anchor: Anchor) -> None:
    """Let `sender` send the packets of `source` with the board's own numbers instead of encoding a track.

    RTP sequence = (sequence - `wire_offset(anchor.sequence)`) mod 2**16, RTP timestamp = sample mod 2**32. `anchor`
    must be the one announced with the track offer. History is kept, so aiortc answers NACKs with the same SSRC. Call
    after the transceiver is made and before negotiation ends; the sender needs no track.
    """
    private: Any = sender
    pump = _NumberedPump(sender, source, wire_offset(anchor.sequence))
    private._run_rtp = pump.run


class _NumberedPump:
    def __init__(self, sender: RTCRtpSender, source: NumberedSource, offset: int) -> None:
        self._private: Any = sender
        self._source = source
        self._offset = offset

    async def run(self, codec: RTCRtpCodecParameters) -> None:
        """Replaces `RTCRtpSender._run_rtp`; the two events it sets are what `RTCRtpSender.stop` waits for."""
        self._private._RTCRtpSender__rtp_started.set()
        try:
            while True:
                await self._send(codec.payloadType or 0, await self._source.next_packet())
        except (asyncio.CancelledError, ConnectionError, SourceEnded):
            pass  # stopped, transport gone or nothing more to say: the ways a sender ends
        finally:
            self._private._RTCRtpSender__rtp_exited.set()

    async def _send(self, payload_type: int, numbered: NumberedPacket) -> None:
        private = self._private
        packet = rtp.RtpPacket(
            payload_type=payload_type,
            sequence_number=(numbered.sequence - self._offset) & 0xFFFF,
            timestamp=numbered.sample & 0xFFFFFFFF,
            ssrc=private._ssrc,
            payload=numbered.payload,
        )
        packet.extensions.mid = private._RTCRtpSender__mid
        packet.extensions.audio_level = (numbered.voice, numbered.level)
        packet.extensions.abs_send_time = (clock.current_ntp_time() >> 14) & 0x00FFFFFF
        private._RTCRtpSender__rtp_history[packet.sequence_number % rtp.RTP_HISTORY_SIZE] = packet
        data = packet.serialize(private._RTCRtpSender__rtp_header_extensions_map)
        await private.transport._send_rtp(data)
        private._RTCRtpSender__ntp_timestamp = clock.current_ntp_time()
        private._RTCRtpSender__rtp_timestamp = packet.timestamp
        private._RTCRtpSender__octet_count += len(numbered.payload)
        private._RTCRtpSender__packet_count += 1


def keep_consent() -> None:
    """Let no connection of this process end by itself for want of an answer, and check where it stands every 2 s.

    aioice closes after six unanswered checks; a path that comes back after ten minutes then has to be negotiated anew.
    Who calls this watches the path and replaces it by its own rule.
    """
    ice.CONSENT_FAILURES = 1 << 30
    ice.CONSENT_INTERVAL = 2


async def send_pulse(connection: RTCPeerConnection) -> None:
    """An empty receiver report on the connection's transport: 8 bytes that say where we are."""
    transceivers = connection.getTransceivers()
    transport: Any = transceivers[0].receiver.transport if transceivers else None
    if transport is not None:
        with contextlib.suppress(ConnectionError):
            await transport._send_rtp(_EMPTY_REPORT)


_EMPTY_REPORT = bytes(rtp.RtcpRrPacket(ssrc=1, reports=[]))


def force_keyframe(sender: RTCRtpSender) -> None:
    """The next video frame shall stand alone."""
    private: Any = sender
    private._send_keyframe()


def replace_encoder(sender: RTCRtpSender, encoder: Encoder) -> None:
    """Encode with `encoder` instead of aiortc's choice; it must fit the negotiated codec. Call before media flows.

    If it has `target_bitrate`, aiortc sets it (bits/s) from the receiver's REMB.
    """
    private: Any = sender
    private._RTCRtpSender__encoder = encoder


# ---- server side: DTLS-SRTP without a peer connection --------------------------------------------------------------

srtp_protect: Callable[[Any, Any, Any], int] = _binding.lib.srtp_protect
"""`(SrtpKeys.tx, cell.buffer, cell.length) -> 0 when good`; encrypts in place and lengthens."""

_srtp_unprotect: Callable[[Any, Any, Any], int] = _binding.lib.srtp_unprotect


class DtlsPath(Protocol):
    """What a handshake needs of the transport under it; `ice_lite.Link` has it."""

    def send(self, data: bytes) -> bool: ...

    async def receive_dtls(self) -> bytes:
        """Raises `ConnectionError` when there will be none."""


class _DuckIceTransport:
    """As much of RTCIceTransport as RTCDtlsTransport looks at."""

    role = "controlled"

    def __init__(self, path: DtlsPath) -> None:
        self._path = path

    async def _recv(self) -> bytes:
        return await self._path.receive_dtls()

    async def _send(self, data: bytes) -> None:
        self._path.send(data)


class SrtpKeys:
    """The keys of one connection. RTP is worked on in place by libsrtp, RTCP (rare) through pylibsrtp."""

    def __init__(self, transport: Any) -> None:
        self._rx, self._tx = transport._rx_srtp, transport._tx_srtp
        self._rx_handle = self._rx._srtp[0]
        self.tx = self._tx._srtp[0]
        self._length = _binding.ffi.new("int *")

    def unprotect(self, cell: Any, size: int) -> bytes | None:
        """The RTP packet in `cell` in the clear; None when it is forged, repeated or too old."""
        self._length[0] = size
        if _srtp_unprotect(self._rx_handle, cell.buffer, self._length):
            return None
        plain: bytes = cell.view[0 : self._length[0]]
        return plain

    def unprotect_rtcp(self, data: bytes) -> bytes | None:
        try:
            plain: bytes = self._rx.unprotect_rtcp(data)
        except (SrtpError, ValueError):
            return None
        return plain

    def fits(self, data: bytes) -> bool:
        """Whether this packet, RTP or RTCP, was protected with these keys and is new. It counts as seen afterwards."""
        try:
            if len(data) > 1 and 192 <= data[1] <= 223:
                self._rx.unprotect_rtcp(data)
            else:
                self._rx.unprotect(data)
        except (SrtpError, ValueError):
            return False
        return True

    def protect_rtcp(self, data: bytes) -> bytes:
        protected: bytes = self._tx.protect_rtcp(data)
        return protected

    def protect(self, data: bytes) -> bytes:
        protected: bytes = self._tx.protect(data)
        return protected


class Certificate:
    """Our certificate: one for all connections of a worker."""

    def __init__(self) -> None:
        self.certificate = RTCCertificate.generateCertificate()
        self.sha256 = next(f.value for f in self.certificate.getFingerprints() if f.algorithm == "sha-256")


class FwdDtls:
    """A DTLS-SRTP end on any datagram path; media itself never passes through here."""

    def __init__(self, path: DtlsPath, certificate: Certificate, role: str) -> None:
        """`role` is `server` or `client`."""
        duck: Any = _DuckIceTransport(path)
        self._transport = RTCDtlsTransport(duck, [certificate.certificate])
        self._transport._set_role(role)
        self._changed = asyncio.Event()
        self._transport.on("statechange", self._changed.set)

    async def handshake(self, fingerprints: Sequence[tuple[str, str]]) -> SrtpKeys | None:
        """`fingerprints`: (algorithm, value) of the client. None when it failed or the path was closed."""
        parameters = RTCDtlsParameters([RTCDtlsFingerprint(*pair) for pair in fingerprints])
        await self._transport.start(parameters)
        return SrtpKeys(self._transport) if self._transport.state == "connected" else None

    async def wait_closed(self) -> None:
        """Returns when the other side has said goodbye or the path was closed."""
        while self._transport.state == "connected":
            self._changed.clear()
            await self._changed.wait()

    async def stop(self) -> None:
        """Say goodbye."""
        await self._transport.stop()


# ---- the contract --------------------------------------------------------------------------------------------------


TOUCHED: tuple[tuple[str, object, tuple[str, ...]], ...] = (
    ("aiortc.RTCDtlsTransport", RTCDtlsTransport, ("_set_role", "_send_rtp")),
    ("aiortc.RTCRtpSender", RTCRtpSender, ("_run_rtp", "_send_keyframe")),
    ("aiortc.RTCRtpReceiver", RTCRtpReceiver, ("_handle_rtp_packet", "_send_rtcp_nack")),
    ("aiortc.RTCRtpReceiver", RTCRtpReceiver, ("_RTCRtpReceiver__stop_decoder",)),
    ("aioice.ice", ice, ("CONSENT_FAILURES", "CONSENT_INTERVAL")),
    ("pylibsrtp._binding.lib", _binding.lib, ("srtp_protect", "srtp_unprotect")),
)
"""Private names that can be seen on the classes."""

_SENDER_FIELDS = """
    encoder mid ntp_timestamp octet_count packet_count rtp_exited rtp_header_extensions_map rtp_history rtp_started
    rtp_timestamp
"""
TOUCHED_INSIDE: tuple[tuple[str, Any, tuple[str, ...]], ...] = (
    ("aiortc.RTCDtlsTransport", RTCDtlsTransport.__init__, ("_rx_srtp", "_tx_srtp")),
    (
        "aiortc.RTCRtpSender",
        RTCRtpSender.__init__,
        ("_ssrc", *(f"_RTCRtpSender__{name}" for name in _SENDER_FIELDS.split())),
    ),
    (
        "aiortc.RTCRtpReceiver",
        RTCRtpReceiver.__init__,
        ("_RTCRtpReceiver__remote_streams",),
    ),
    ("pylibsrtp.Session", Session.__init__, ("_srtp",)),
)
"""Private names that only exist on instances: their constructors must set them."""


def assert_pinned() -> None:
    """Raise one `VersionMismatch` that names every wrong version and missing attribute."""
    missing = [*_wrong_versions()]
    missing += [
        f"{owner} has no {name}" for owner, where, names in TOUCHED for name in names if not hasattr(where, name)
    ]
    for owner, constructor, names in TOUCHED_INSIDE:
        present = constructor.__code__.co_names
        missing += [f"{owner} has no {name}" for name in names if name not in present]
    if missing:
        raise VersionMismatch(tuple(missing))


def _wrong_versions() -> list[str]:
    wrong: list[str] = []
    for name, wanted in PINNED.items():
        try:
            found = version(name)
        except PackageNotFoundError:
            found = "nothing"
        if found != wanted:
            wrong.append(f"{name} must be {wanted}, found {found}")
    return wrong
