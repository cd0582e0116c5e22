"""Opus packets in an Ogg file and back (RFC 3533, RFC 7845): a span of an audio log for players and editors.

The packets are written as they are, one page a second. Time 0 of the file is the first sample of the first packet. A
hole is filled with packets that carry no frames, which ask the player for concealment (RFC 7845, section 4.1): it
keeps its length to 2.5 ms, and what remains is made good at the next hole.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from transcription.errors import NotSound
from transcription.log_format import Packet
from transcription.opus import SAMPLE_RATE, channels, frame_duration, packet_duration

_PAGE = struct.Struct("<4sBBQIIIB")
_CAPTURE = b"OggS"
_CHECK_AT = 22
_CONTINUED, _FIRST, _LAST = 1, 2, 4
_HEAD = struct.Struct("<8sBBHIhB")
_VENDOR = b"shimawa"
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_STEP = 120
_LONGEST_HOLE = 24 * 3_600 * SAMPLE_RATE
_CELT_ONLY = 16


@dataclass(frozen=True, slots=True)
class OggOpus:
    """`preskip`: samples at the beginning that a player throws away. `packets` count from number 0 and sample 0."""

    channels: int
    preskip: int
    packets: tuple[Packet, ...]


def write_ogg(path: Path | str, packets: Iterable[Packet], serial: int = 1) -> int:
    """Write packets that come in order of samples; returns the samples written. Raises OSError.

    Packets that cannot be Opus, or begin before the end of the one before them or a day after it, are left out.
    """
    with open(path, "wb") as file:
        pages = _Pages(serial)
        for page in _stream(pages, packets):
            file.write(page)
    return pages.granule


def read_ogg(path: Path | str) -> OggOpus:
    """The first logical stream of a file. Raises `NotSound` when that is not Opus; damaged pages are left out."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise NotSound(f"{path} cannot be read: {error.strerror}.") from error
    found = list(_packets(data))
    if not found or len(found[0]) < _HEAD.size or not found[0].startswith(b"OpusHead"):
        raise NotSound(f"{path} is not an Ogg file with Opus sound.")
    _, _, channel_count, preskip, *_ = _HEAD.unpack_from(found[0])
    packets: list[Packet] = []
    sample = 0
    for sequence, payload in enumerate(found[2:]):
        packets.append(Packet(sequence, sample, payload))
        sample += packet_duration(payload)
    return OggOpus(channel_count, preskip, tuple(packets))


# ---- writing ---------------------------------------------------------------------------------------------------------


class _Pages:
    """Numbers the pages of one logical stream. `granule`: samples in the packets that have ended."""

    def __init__(self, serial: int) -> None:
        self.granule = 0
        self._serial = serial
        self._number = 0

    def page(self, packets: list[bytes], flags: int = 0) -> bytes:
        """Whole packets, of at most 255 segments together."""
        lacing = b"".join(_lacing(packet) for packet in packets)
        head = _PAGE.pack(_CAPTURE, 0, flags, self.granule, self._serial, self._number, 0, len(lacing))
        self._number += 1
        page = head + lacing + b"".join(packets)
        return page[:_CHECK_AT] + struct.pack("<I", _check(page)) + page[_CHECK_AT + 4 :]


def _stream(pages: _Pages, packets: Iterable[Packet]) -> Iterator[bytes]:
    waiting: list[bytes] = []
    segments = samples = 0
    filled = iter(_filled(packets))
    first = next(filled, None)
    yield pages.page([_head(channels(first) if first else 1)], _FIRST)
    yield pages.page([_tags()])
    payload = first
    while payload is not None:
        if waiting and (samples >= SAMPLE_RATE or segments + len(payload) // 255 + 1 > 255):
            yield pages.page(waiting)
            waiting, segments, samples = [], 0, 0
        waiting.append(payload)
        segments += len(payload) // 255 + 1
        samples += packet_duration(payload)
        pages.granule += packet_duration(payload)
        payload = next(filled, None)
    yield pages.page(waiting, _LAST)


def _filled(packets: Iterable[Packet]) -> Iterator[bytes]:
    """Payloads, with empty ones in place of what is missing."""
    position: int | None = None
    toc = 0
    for packet in packets:
        samples = packet_duration(packet.payload)
        if position is None:
            position = packet.sample
        hole = packet.sample - position
        if not samples or not -_STEP < hole <= _LONGEST_HOLE:
            continue
        for filler in _fillers(toc, hole):
            yield filler
            position += packet_duration(filler)
        yield packet.payload
        position += samples
        toc = packet.payload[0]


def _fillers(toc: int, samples: int) -> Iterator[bytes]:
    """Packets of empty frames: in the mode of the packet before as long as its frames fit, then 2.5 ms of CELT."""
    frame = frame_duration(toc)
    while samples >= frame:
        count = min(samples // frame, 5_760 // frame)
        yield bytes((toc & 0xFC | 3, count))
        samples -= count * frame
    if samples >= _STEP:
        yield bytes(((_CELT_ONLY << 3) | (toc & 4) | 3, samples // _STEP))


def _head(channel_count: int) -> bytes:
    return _HEAD.pack(b"OpusHead", 1, channel_count, 0, SAMPLE_RATE, 0, 0)


def _tags() -> bytes:
    return b"OpusTags" + struct.pack("<I", len(_VENDOR)) + _VENDOR + struct.pack("<I", 0)


def _lacing(packet: bytes) -> bytes:
    return b"\xff" * (len(packet) // 255) + bytes((len(packet) % 255,))


def _check(page: bytes) -> int:
    """Ogg's CRC-32: zlib's with the bits of every byte and of the result the other way round, begun at 0."""
    crc = zlib.crc32(page.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{crc:032b}"[::-1], 2)


# ---- reading ---------------------------------------------------------------------------------------------------------


def _packets(data: bytes) -> Iterator[bytes]:
    """Packets of the first logical stream, put together over pages."""
    serial: int | None = None
    part = b""
    for flags, page_serial, segments, body in _pages_of(data):
        if serial is None:
            serial = page_serial
        if page_serial != serial:
            continue
        if not flags & _CONTINUED:
            part = b""
        at = 0
        for length in segments:
            part += body[at : at + length]
            at += length
            if length < 255:
                yield part
                part = b""


def _pages_of(data: bytes) -> Iterator[tuple[int, int, bytes, bytes]]:
    """Flags, serial, lacing and body of every undamaged page."""
    at = data.find(_CAPTURE)
    while at >= 0 and at + _PAGE.size <= len(data):
        _, _, flags, _, serial, _, check, count = _PAGE.unpack_from(data, at)
        body = at + _PAGE.size + count
        segments = data[at + _PAGE.size : body]
        end = body + sum(segments)
        page = data[at:end]
        if end <= len(data) and _check(page[:_CHECK_AT] + bytes(4) + page[_CHECK_AT + 4 :]) == check:
            yield flags, serial, segments, data[body:end]
            at = data.find(_CAPTURE, end)
        else:
            at = data.find(_CAPTURE, at + 1)
