"""RTP packets: reading what comes in, building the part that is the same for every receiver (RFC 3550, RFC 8285)."""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct, error

HEADER = Struct("!BBHII")
HEADER_BYTES = 12
MAX_PACKET_BYTES = 1500

URI_AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
URI_ABS_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
URI_MID = "urn:ietf:params:rtp-hdrext:sdes:mid"

OUT_AUDIO_LEVEL_ID = 2
OUT_ABS_SEND_TIME_ID = 3
"""Our ids towards every subscriber; the subscribe offer announces them. RFC 8285: unknown ids are ignored."""


@dataclass(slots=True)
class RtpPacket:
    """One packet, numbers as on the wire. `level` is the RFC 6464 byte (voice flag and -dBov) or None."""

    marker: int
    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    level: int | None = None
    mid: str | None = None


@dataclass(frozen=True, slots=True)
class ExtensionIds:
    """The ids a publisher uses; 0 where it does not send that extension."""

    audio_level: int = 0
    mid: int = 0


def parse_rtp(data: bytes, ids: ExtensionIds) -> RtpPacket | None:
    """Read one packet; None when it is not well formed. Contributing sources and padding are dropped."""
    try:
        first, second, sequence, timestamp, ssrc = HEADER.unpack_from(data)
    except error:
        return None
    if first >> 6 != 2:
        return None
    start, end = HEADER_BYTES + 4 * (first & 0x0F), len(data)
    level = mid = None
    if first & 0x10:
        if start + 4 > end:
            return None
        profile = data[start] << 8 | data[start + 1]
        words = data[start + 2] << 8 | data[start + 3]
        stop = start + 4 + 4 * words
        if stop > end:
            return None
        level, mid = _extensions(data, start + 4, stop, profile, ids)
        start = stop
    if first & 0x20 and end > start:
        end -= data[end - 1]
    if end < start:
        return None
    return RtpPacket(second & 0x80, second & 0x7F, sequence, timestamp, ssrc, data[start:end], level, mid)


def _extensions(data: bytes, at: int, stop: int, profile: int, ids: ExtensionIds) -> tuple[int | None, str | None]:
    """Audio level and mid out of one-byte (0xBEDE) and two-byte (0x100x) headers; a truncated element ends the walk."""
    level: int | None = None
    mid: str | None = None
    two_bytes = profile & 0xFFF0 == 0x1000
    if not two_bytes and profile != 0xBEDE:
        return None, None
    while at < stop:
        lead = data[at]
        if lead == 0:
            at += 1
            continue
        if two_bytes:
            if at + 2 > stop:
                break
            number, length, at = lead, data[at + 1], at + 2
        else:
            number, length, at = lead >> 4, (lead & 0x0F) + 1, at + 1
            if number == 15:
                break
        if at + length > stop:
            break
        if number == ids.audio_level and length == 1:
            level = data[at]
        elif number == ids.mid and length:
            mid = data[at : at + length].decode("ascii", "replace")
        at += length
    return level, mid


_AUDIO_BLOCK = Struct("!HHBBB3sxx")
_VIDEO_BLOCK = Struct("!HHB3s")


def build_body(kind_is_audio: bool, level: int | None, payload: bytes, send_time: int) -> bytes:
    """Extension block and payload: everything after the 12 header bytes, the same for every receiver.

    `send_time` is NTP seconds as 6.18 bit fixed point (abs-send-time). The mid is left out: receivers route by SSRC.
    """
    stamp = send_time.to_bytes(3, "big")
    abs_lead = OUT_ABS_SEND_TIME_ID << 4 | 2
    if kind_is_audio and level is not None:
        block = _AUDIO_BLOCK.pack(0xBEDE, 2, OUT_AUDIO_LEVEL_ID << 4, level, abs_lead, stamp)
    else:
        block = _VIDEO_BLOCK.pack(0xBEDE, 1, abs_lead, stamp)
    return block + payload


def wrap_rtx(sequence: int, payload: bytes) -> bytes:
    """Payload of a retransmission packet: the original sequence number first (RFC 4588 4)."""
    return (sequence & 0xFFFF).to_bytes(2, "big") + payload


def unwrap_rtx(packet: RtpPacket, payload_type: int, ssrc: int) -> RtpPacket | None:
    """The original inside a retransmission; None for the empty ones that browsers send as padding."""
    if len(packet.payload) < 2:
        return None
    original = packet.payload[0] << 8 | packet.payload[1]
    return RtpPacket(
        packet.marker,
        payload_type,
        original,
        packet.timestamp,
        ssrc,
        packet.payload[2:],
        packet.level,
        packet.mid,
    )


def starts_keyframe(codec: str, payload: bytes) -> bool:
    """Whether a decoder can start here. VP8: RFC 7741 4.2; H264: SPS, IDR or a STAP-A/FU-A that begins with one."""
    if codec == "VP8":
        return _vp8_keyframe(payload)
    if codec == "H264":
        return _h264_keyframe(payload)
    return True


def _vp8_keyframe(payload: bytes) -> bool:
    if not payload:
        return False
    lead, at = payload[0], 1
    if lead & 0x17 != 0x10:  # start of partition 0 only
        return False
    if lead & 0x80:
        if len(payload) < 2:
            return False
        flags, at = payload[1], 2
        if flags & 0x80:
            at += 2 if len(payload) > 2 and payload[2] & 0x80 else 1
        at += bool(flags & 0x40) + bool(flags & 0x30)
    return len(payload) > at and not payload[at] & 0x01


def _h264_keyframe(payload: bytes) -> bool:
    if not payload:
        return False
    unit = payload[0] & 0x1F
    if unit == 24 and len(payload) > 3:
        unit = payload[3] & 0x1F
    elif unit == 28 and len(payload) > 1:
        unit = payload[1] & 0x1F if payload[1] & 0x80 else 0
    return unit in (5, 7)
