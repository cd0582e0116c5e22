"""The bytes of an audio log file, version 1. Pure; network byte order throughout.

    file    = header record*
    header  = magic 8 ("shimalog")  version u16  reserved u16  clock u32 (48000)  epoch u64  reserved u32  crc u32
    record  = marker 2 (93 87)  crc u32  length u16  sequence u64  sample u64  payload (`length` bytes)

The header's crc is CRC-32 (as in zlib) over its first 28 bytes. A record's crc is CRC-32 over everything after it
(length, sequence, sample, payload), started with the CRC-32 of "track_id/epoch": bytes of another log (a stale block
that a power cut brought back, a file copied to the wrong place) are therefore never taken for this log's audio. The
marker is only there to find the next record after damage; it proves nothing.

On the wire, where a board brings the packets that a hub misses, a record is plain; HTTPS keeps it whole:

    record  = sequence u64  sample u64  length u16  payload (`length` bytes, 1 to 8192)
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

VERSION = 1
CLOCK = 48_000
MAX_PAYLOAD = 8_192
"""Bytes; 120 ms of Opus at its highest rate are 7,650 (RFC 6716)."""

MARKER = "島".encode("shift_jis")
_MAGIC = b"shimalog"
_HEADER = struct.Struct("!8sHHIQI")
_CHECK = struct.Struct("!I")
HEADER_SIZE = _HEADER.size + _CHECK.size
_HEAD = struct.Struct("!2sIHQQ")
_BODY = struct.Struct("!HQQ")
_PARCEL = struct.Struct("!QQH")
RECORD_OVERHEAD = _HEAD.size
MAX_RECORD = RECORD_OVERHEAD + MAX_PAYLOAD
_UNCHECKED = len(MARKER) + _CHECK.size


@dataclass(frozen=True, slots=True)
class Packet:
    """One Opus packet. `sample`: position of its first sample on the 48 kHz clock; both numbers count in one epoch."""

    sequence: int
    sample: int
    payload: bytes


class Record(NamedTuple):
    """A whole, checked record of a buffer: where it lies in it, and what it holds."""

    offset: int
    size: int
    packet: Packet


def header(epoch: int) -> bytes:
    fields = _HEADER.pack(_MAGIC, VERSION, 0, CLOCK, epoch, 0)
    return fields + _CHECK.pack(zlib.crc32(fields))


def version(data: bytes) -> int | None:
    """Version in a file's first bytes; None when there is no undamaged header."""
    if len(data) < HEADER_SIZE or data[:8] != _MAGIC:
        return None
    fields = data[: _HEADER.size]
    (check,) = _CHECK.unpack_from(data, _HEADER.size)
    return int(_HEADER.unpack(fields)[1]) if zlib.crc32(fields) == check else None


def seed(track_id: str, epoch: int) -> int:
    """What every record's crc of this log is started with."""
    return zlib.crc32(f"{track_id}/{epoch}".encode())


def pack(packet: Packet, log_seed: int) -> bytes:
    """One record. The payload has 1 to `MAX_PAYLOAD` bytes, the numbers fit 64 bits."""
    body = _BODY.pack(len(packet.payload), packet.sequence, packet.sample) + packet.payload
    return MARKER + _CHECK.pack(zlib.crc32(body, log_seed)) + body


def records(data: bytes, log_seed: int, *, more: bool = False) -> Iterator[Record]:
    """Whole records of `data` in order of their place; anything else is stepped over.

    With `more` the buffer is part of a file that goes on: stops before a record that what follows may complete.
    """
    view = memoryview(data)
    position = data.find(MARKER)
    while 0 <= position <= len(data) - RECORD_OVERHEAD:
        _, check, length, sequence, sample = _HEAD.unpack_from(data, position)
        end = position + RECORD_OVERHEAD + length
        if end > len(data) and more and length <= MAX_PAYLOAD:
            return
        if end <= len(data) and zlib.crc32(view[position + _UNCHECKED : end], log_seed) == check:
            payload = data[position + RECORD_OVERHEAD : end]
            yield Record(position, end - position, Packet(sequence, sample, payload))
            position = end
            if data[position : position + 2] != MARKER:
                position = data.find(MARKER, position)
        else:
            position = data.find(MARKER, position + 1)


def pack_packets(packets: Iterable[Packet]) -> bytes:
    """The body of an upload. Payloads have 1 to `MAX_PAYLOAD` bytes, the numbers fit 64 bits."""
    return b"".join(_PARCEL.pack(each.sequence, each.sample, len(each.payload)) + each.payload for each in packets)


def unpack_packets(body: bytes) -> list[Packet]:
    """What `pack_packets` packed. Raises ValueError when it is cut short or holds a length that cannot be."""
    packets, position = [], 0
    while position < len(body):
        if position + _PARCEL.size > len(body):
            raise ValueError("the packets end within a record's head")
        sequence, sample, length = _PARCEL.unpack_from(body, position)
        position += _PARCEL.size
        if not 1 <= length <= MAX_PAYLOAD or position + length > len(body):
            raise ValueError(f"no packet has {length} bytes here")
        packets.append(Packet(sequence, sample, body[position : position + length]))
        position += length
    return packets
