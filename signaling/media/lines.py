"""The line to a peer and the line from it: reports and arrivals into a `Budget`. Pure; `now` is monotonic seconds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from signaling.media.budget import FULL_LOSS, Budget, Evidence, Lowest, heed
from signaling.media.ladder import Standing

WIRE_OVERHEAD = 70
"""Bytes of a packet beside its payload: IPv4, UDP, RTP with two extensions, SRTP tag."""

SHORTEST_S = 0.2
"""Rates over less than this say nothing; the one before is used."""

IDLE_S = 3.0
CUTS_IN_VAIN = 5
STEADY_MS = 5.0
"""A queue that is ours falls by much more than this from one cut to the next."""
DRAINING = 0.8
"""A queue that is this much shorter than at the last report is emptying already."""

_SILK_MS = (10, 20, 40, 60)
_CELT_SAMPLES = (120, 240, 480, 960)


def opus_samples(payload: bytes) -> int:
    """Length of an Opus packet at 48 kHz by its first bytes (RFC 6716 3.1, 3.2); 960 for what is none."""
    if not payload:
        return 960
    config, code = payload[0] >> 3, payload[0] & 3
    if config < 12:
        frame = _SILK_MS[config & 3] * 48
    elif config < 16:
        frame = 480 if config % 2 == 0 else 960
    else:
        frame = _CELT_SAMPLES[config & 3]
    count = 1 if code == 0 else 2 if code < 3 else payload[1] & 0x3F if len(payload) > 1 else 1
    return frame * count


@dataclass(slots=True)
class _Meter:
    """A rate out of a counter of bytes."""

    octets: int | None = None
    at: float = 0.0
    kbps: float = 0.0

    def note(self, octets: int, now: float) -> float:
        if self.octets is None:
            self.octets, self.at = octets, now
        elif now - self.at >= SHORTEST_S:
            self.kbps = max(0, octets - self.octets) * 0.008 / (now - self.at)
            self.octets, self.at = octets, now
        return self.kbps


@dataclass(slots=True)
class Downlink:
    """Towards one peer, as its receiver reports tell. `up_queue_ms`: what waits on its way back, if that is known."""

    budget: Budget = field(default_factory=Budget)
    standing: Standing = field(default_factory=Standing)
    rtt_ms: float | None = None
    queue_ms: float | None = None
    loss: float = 0.0
    up_queue_ms: float = 0.0
    _meter: _Meter = field(default_factory=_Meter)
    _rtts: Lowest = field(default_factory=Lowest)
    _reported_at: float | None = None

    @property
    def kbps(self) -> float:
        return self._meter.kbps

    def report(self, octets: int, loss: float, rtt_s: float | None, now: float) -> None:
        """One receiver report. `octets`: all bytes sent so far; `loss` 0 to 1; `rtt_s` None when it cannot be told."""
        kbps = self._meter.note(octets, now)
        before, self.loss, self._reported_at = self.queue_ms, loss, now
        self.queue_ms = None
        if rtt_s is not None:
            self.rtt_ms = rtt_s * 1000
            self.queue_ms = max(0.0, self._rtts.above(self.rtt_ms, now) - self.up_queue_ms)
        draining = before is not None and self.queue_ms is not None and self.queue_ms < DRAINING * before
        self.budget = heed(self.budget, Evidence(kbps, loss, 0.0 if draining else self.queue_ms), now)

    def idle(self, now: float) -> None:
        """Time passes: a receiver that gets nothing reports nothing, and the limit must creep up all the same."""
        if self._reported_at is None or now - self._reported_at > IDLE_S:
            self.budget = heed(self.budget, Evidence(self.kbps), now)

    def facts(self) -> Mapping[str, object]:
        return {
            "rung": self.standing.rung.name.lower(),
            "limit_kbps": _rounded(self.budget.limit_kbps),
            "kbps": round(self.kbps, 1),
            "rtt_ms": _rounded(self.rtt_ms),
            "queue_ms": _rounded(self.queue_ms),
            "loss": round(self.loss, 3),
        }


class Counted(Protocol):
    """One inbound stream as the uplink sees it: highest number so far, arrivals, payload bytes."""

    @property
    def expected(self) -> int: ...
    @property
    def arrived(self) -> int: ...
    @property
    def wire_octets(self) -> int: ...


@dataclass(slots=True)
class Uplink:
    """From one peer, as its packets arrive: how much, how many are missing, and how long sound waits on the way."""

    budget: Budget = field(default_factory=Budget)
    queue_ms: float | None = None
    loss: float = 0.0
    told_kbps: float | None = None
    _meter: _Meter = field(default_factory=_Meter)
    _transits: Lowest = field(default_factory=Lowest)
    _least_s: float | None = None
    _counts: tuple[int, int] = (0, 0)
    _cut_at_ms: float = 0.0
    _cut_counts: tuple[int, int] = (0, 0)
    _in_vain: int = 0

    @property
    def kbps(self) -> float:
        return self._meter.kbps

    def heard(self, timestamp: int, payload: bytes, now: float) -> None:
        """A packet of sound that came in order; `timestamp` unwrapped, 48 kHz. It left when its last sample was in."""
        transit_s = now - (timestamp + opus_samples(payload)) / 48_000
        if self._least_s is None or transit_s < self._least_s:
            self._least_s = transit_s

    def restarted(self) -> None:
        """The source's clock jumped; what was the fastest before says nothing any more."""
        self._transits, self._least_s = Lowest(), None

    def look(self, streams: Iterable[Counted], now: float) -> None:
        """Close an interval."""
        each = list(streams)
        expected, arrived = sum(one.expected for one in each), sum(one.arrived for one in each)
        more, got = expected - self._counts[0], arrived - self._counts[1]
        self._counts = (expected, arrived)
        kbps = self._meter.note(sum(one.wire_octets for one in each), now)
        if more <= 0:
            return
        self.loss = min(1.0, max(0.0, 1.0 - got / more))
        before, self.queue_ms = self.queue_ms, None
        if self._least_s is not None:
            self.queue_ms = self._transits.above(self._least_s * 1000, now)
            self._least_s = None
        draining = before is not None and self.queue_ms is not None and self.queue_ms < DRAINING * before
        # the rate is what arrived: the loss is out of it already
        sent = kbps / (1.0 - self.loss) if self.loss < 1.0 else kbps
        cut_at = self.budget.cut_at
        self.budget = heed(self.budget, Evidence(sent, self.loss, 0.0 if draining else self.queue_ms), now)
        if self.budget.cut_at != cut_at:
            self._check_clock()

    def _check_clock(self) -> None:
        """A queue that no cut makes shorter, and that loses little, is none: the source's clock is slow, or stood still
        once, as a sound card's does that lost a few blocks. Begin anew."""
        queue_ms = self.queue_ms or 0.0
        expected, arrived = (now - then for now, then in zip(self._counts, self._cut_counts, strict=True))
        lossless = expected > 0 and 1.0 - arrived / expected < FULL_LOSS
        in_vain = queue_ms > self._cut_at_ms - STEADY_MS and lossless
        self._in_vain = self._in_vain + 1 if in_vain else 0
        self._cut_at_ms, self._cut_counts = queue_ms, self._counts
        if self._in_vain >= CUTS_IN_VAIN:
            self.budget, self._in_vain, self._cut_at_ms = Budget(), 0, 0.0
            self.restarted()

    def facts(self) -> Mapping[str, object]:
        return {
            "limit_kbps": _rounded(self.budget.limit_kbps),
            "told_kbps": _rounded(self.told_kbps),
            "kbps": round(self.kbps, 1),
            "queue_ms": _rounded(self.queue_ms),
            "loss": round(self.loss, 3),
        }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
