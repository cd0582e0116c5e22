"""RTCP: the few packets a forwarder reads and writes (RFC 3550 6, RFC 4585, RFC 5104, draft-alvestrand-rmcat-remb).

Reading is tolerant: what is malformed or unknown is left out, nothing raises. Sequence numbers are 16 bit here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from struct import Struct, pack, unpack_from

SR, RR, SDES, BYE, RTPFB, PSFB = 200, 201, 202, 203, 205, 206
FMT_NACK, FMT_PLI, FMT_FIR, FMT_AFB = 1, 1, 4, 15

MAX_NACKED = 512
"""Sequence numbers taken out of one datagram; a receiver that asks for more is past helping by repair."""

_HEAD = Struct("!BBH")
_BLOCK = Struct("!II")


@dataclass(frozen=True, slots=True)
class SenderReport:
    ssrc: int
    ntp: int
    """64 bit NTP time."""
    timestamp: int


@dataclass(frozen=True, slots=True)
class Nack:
    media_ssrc: int
    sequences: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class KeyframeRequest:
    """PLI or FIR."""

    media_ssrc: int


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """What a receiver says about one stream; fraction lost in 1/256."""

    ssrc: int
    fraction_lost: int
    cumulative_lost: int
    highest_sequence: int
    jitter: int
    last_sr: int = 0
    delay_since_last_sr: int = 0


Feedback = SenderReport | Nack | KeyframeRequest | ReportBlock


def parse_rtcp(data: bytes) -> list[Feedback]:
    """Everything of interest in a compound packet, in order."""
    found: list[Feedback] = []
    at = 0
    while at + 4 <= len(data):
        first, kind, words = _HEAD.unpack_from(data, at)
        stop = at + 4 + 4 * words
        if first >> 6 != 2 or stop > len(data):
            break
        found.extend(_read(kind, first & 0x1F, data[at + 4 : stop]))
        at = stop
    return found


def _read(kind: int, count: int, body: bytes) -> Iterator[Feedback]:
    if kind == SR and len(body) >= 24:
        ssrc, ntp, timestamp = unpack_from("!IQI", body)
        yield SenderReport(ssrc, ntp, timestamp)
        yield from _blocks(body, 24, count)
    elif kind == RR and len(body) >= 4:
        yield from _blocks(body, 4, count)
    elif kind == RTPFB and count == FMT_NACK and len(body) >= 12:
        yield Nack(_BLOCK.unpack_from(body)[1], tuple(_nacked(body)))
    elif kind == PSFB and count == FMT_PLI and len(body) >= 8:
        yield KeyframeRequest(_BLOCK.unpack_from(body)[1])
    elif kind == PSFB and count == FMT_FIR:
        for at in range(8, len(body) - 7, 8):
            yield KeyframeRequest(unpack_from("!I", body, at)[0])


def _blocks(body: bytes, at: int, count: int) -> Iterator[ReportBlock]:
    for start in range(at, min(at + 24 * count, len(body) - 23), 24):
        ssrc, lost, highest, jitter, lsr, dlsr = unpack_from("!IIIIII", body, start)
        cumulative = lost & 0xFFFFFF
        if cumulative & 0x800000:
            cumulative -= 1 << 24
        yield ReportBlock(ssrc, lost >> 24, cumulative, highest, jitter, lsr, dlsr)


def _nacked(body: bytes) -> Iterator[int]:
    left = MAX_NACKED
    for at in range(8, len(body) - 3, 4):
        first, mask = unpack_from("!HH", body, at)
        for bit in range(17):
            if bit and not mask >> (bit - 1) & 1:
                continue
            if not left:
                return
            left -= 1
            yield (first + bit) & 0xFFFF


def _packet(kind: int, count: int, body: bytes) -> bytes:
    return _HEAD.pack(0x80 | count, kind, len(body) // 4) + body


def sender_report(ssrc: int, ntp: int, timestamp: int, *, packets: int, octets: int, cname: str) -> bytes:
    """SR with its SDES. Counts are those of the slot, the clock pair is the source's with the slot's shift."""
    report = pack("!IQIII", ssrc, ntp, timestamp & 0xFFFFFFFF, packets & 0xFFFFFFFF, octets & 0xFFFFFFFF)
    name = cname.encode()[:255]
    chunk = pack("!IBB", ssrc, 1, len(name)) + name + b"\0"
    chunk += b"\0" * (-len(chunk) % 4)
    return _packet(SR, 0, report) + _packet(SDES, 1, chunk)


def receiver_report(own_ssrc: int, blocks: Sequence[ReportBlock]) -> bytes:
    body = pack("!I", own_ssrc)
    for block in blocks[:31]:
        lost = (block.fraction_lost & 0xFF) << 24 | (block.cumulative_lost & 0xFFFFFF)
        body += pack(
            "!IIIIII",
            block.ssrc,
            lost,
            block.highest_sequence & 0xFFFFFFFF,
            block.jitter & 0xFFFFFFFF,
            block.last_sr,
            block.delay_since_last_sr,
        )
    return _packet(RR, min(len(blocks), 31), body)


def nack(own_ssrc: int, media_ssrc: int, sequences: Iterable[int]) -> bytes:
    """Ask for these again. `sequences` in ascending order of the unwrapped stream, so runs share a mask."""
    body = _BLOCK.pack(own_ssrc, media_ssrc)
    pairs: list[list[int]] = []
    for sequence in sequences:
        step = (sequence - pairs[-1][0] & 0xFFFF) if pairs else 0
        if pairs and 0 < step <= 16:
            pairs[-1][1] |= 1 << (step - 1)
        else:
            pairs.append([sequence & 0xFFFF, 0])
    return _packet(RTPFB, FMT_NACK, body + b"".join(pack("!HH", *pair) for pair in pairs))


def pli(own_ssrc: int, media_ssrc: int) -> bytes:
    return _packet(PSFB, FMT_PLI, _BLOCK.pack(own_ssrc, media_ssrc))


def remb(own_ssrc: int, bits_per_s: int, ssrcs: Sequence[int]) -> bytes:
    """Receiver's estimated maximum: 18 bit mantissa, 6 bit exponent."""
    exponent = max(0, bits_per_s.bit_length() - 18)
    mantissa = bits_per_s >> exponent
    fci = b"REMB" + pack("!I", len(ssrcs) << 24 | exponent << 18 | mantissa)
    fci += b"".join(pack("!I", ssrc) for ssrc in ssrcs)
    return _packet(PSFB, FMT_AFB, _BLOCK.pack(own_ssrc, 0) + fci)


class ReceptionStatistics:
    """Loss and jitter of one inbound stream for our own receiver reports (RFC 3550 A.3, A.8)."""

    __slots__ = ("_clock_rate", "_expected_prior", "_first", "_jitter", "_received_prior", "_transit", "received")

    def __init__(self, clock_rate: int) -> None:
        self._clock_rate = clock_rate
        self._first: int | None = None
        self._jitter = 0.0
        self._transit: float | None = None
        self._expected_prior = 0
        self._received_prior = 0
        self.received = 0

    def add(self, sequence: int, timestamp: int, now: float) -> None:
        """One arrival in order; unwrapped numbers."""
        if self._first is None:
            self._first = sequence
        self.received += 1
        transit = now * self._clock_rate - timestamp
        if self._transit is not None:
            self._jitter += (abs(transit - self._transit) - self._jitter) / 16
        self._transit = transit

    def block(self, ssrc: int, highest: int, last_sr: int, delay_since_last_sr: int) -> ReportBlock:
        """The report of this interval; closes it."""
        expected = highest - (self._first if self._first is not None else highest) + 1
        interval, got = expected - self._expected_prior, self.received - self._received_prior
        self._expected_prior, self._received_prior = expected, self.received
        lost = max(0, interval - got)
        return ReportBlock(
            ssrc,
            min(255, (lost << 8) // interval) if interval > 0 else 0,
            max(-0x800000, min(0x7FFFFF, expected - self.received)),
            highest,
            int(self._jitter),
            last_sr,
            delay_since_last_sr,
        )
