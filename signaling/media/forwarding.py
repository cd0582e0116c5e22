"""The rewriting of one stream into a subscriber's slot: SSRC, sequence, timestamp and payload type (RFC 3550 7.1).

Pure. Numbers inside are unwrapped integers; `now` is seconds of any one clock. Laws, whatever the source does:
a slot's sequence numbers have no hole that its source did not have; its timestamps never go back; a packet asked for
again is found under the number it was sent with.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

from signaling.media.sequence import Unwrapper

MAX_JUMP = 1000
"""Packets. A larger step in either direction is a source that started anew, not loss."""

SEGMENTS = 8
"""How many past sources a slot remembers for retransmission; a ring of 1024 packets outlives few more."""

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Placed:
    """Where an arrival stands in its source. `newest`: highest so far. `restarted`: numbering jumped, begin anew."""

    sequence: int
    timestamp: int
    newest: bool
    restarted: bool


class SourceClock:
    """Unwraps what a publisher sends and notices when its numbering starts anew."""

    __slots__ = ("_sequence", "_timestamp", "highest_sequence", "highest_timestamp")

    def __init__(self) -> None:
        self._sequence = Unwrapper(16)
        self._timestamp = Unwrapper(32)
        self.highest_sequence: int | None = None
        self.highest_timestamp = 0

    def place(self, sequence: int, timestamp: int) -> Placed:
        """`sequence` 16 bit, `timestamp` 32 bit."""
        number, time = self._sequence.peek(sequence), self._timestamp.peek(timestamp)
        highest = self.highest_sequence
        if highest is None:
            return self._advance(number, time, restarted=False)
        step = number - highest
        if step > 0:
            return self._advance(number, time, restarted=step > MAX_JUMP or time < self.highest_timestamp)
        if step < -MAX_JUMP:
            return self._advance(number, time, restarted=True)
        return Placed(number, time, newest=False, restarted=False)

    def _advance(self, number: int, time: int, *, restarted: bool) -> Placed:
        self._sequence.highest = self.highest_sequence = number
        self._timestamp.highest = self.highest_timestamp = time
        return Placed(number, time, newest=True, restarted=restarted)


@dataclass(frozen=True, slots=True)
class Numbers:
    """As they go on the wire: 16 and 32 bit."""

    sequence: int
    timestamp: int


@dataclass(frozen=True, slots=True)
class _Segment(Generic[S]):
    """A run of packets from one source; `first_in` to `first_out` fixes the mapping."""

    source: S
    first_in: int
    first_out: int
    timestamp_offset: int


@dataclass(frozen=True, slots=True)
class Origin(Generic[S]):
    """Which packet of which source went out under a number, and the numbers it must have again."""

    source: S
    sequence: int
    timestamp_offset: int


class SlotStream(Generic[S]):
    """The outgoing numbering of one slot, continuous over any number of sources and pauses.

    `begin` opens a segment with the first packet of a source, `hold` closes it with the newest packet sent. In between
    every packet is mapped by the two offsets, which a sender may read once and apply itself.
    """

    __slots__ = ("_clock_rate", "_held_at", "_next_out", "_segments", "_step", "_timestamp_out", "segment_open")

    def __init__(self, clock_rate: int, first_sequence: int, first_timestamp: int) -> None:
        self._clock_rate = clock_rate
        self._step = clock_rate // 50
        self._next_out = first_sequence
        self._timestamp_out = first_timestamp
        self._held_at: float | None = None
        self._segments: deque[_Segment[S]] = deque(maxlen=SEGMENTS)
        self.segment_open = False

    def begin(self, source: S, sequence: int, timestamp: int, now: float) -> None:
        """The next packets come from `source`, starting with these unwrapped numbers."""
        if self._held_at is not None:
            passed = round((now - self._held_at) * self._clock_rate)
            self._timestamp_out += max(self._step, passed)
        self._segments.append(_Segment(source, sequence, self._next_out, self._timestamp_out - timestamp))
        self.segment_open = True

    def hold(self, sequence: int, timestamp: int, now: float) -> None:
        """Stop; these are the highest unwrapped numbers that were sent of the open segment, `now` when they were."""
        if not self.segment_open:
            return
        segment = self._segments[-1]
        sequence = max(sequence, segment.first_in)
        self._next_out = segment.first_out + sequence - segment.first_in + 1
        self._timestamp_out = max(self._timestamp_out, timestamp + segment.timestamp_offset)
        self._held_at = now
        self.segment_open = False

    @property
    def first_in(self) -> int:
        """Packets before this one are older than the open segment and must not be sent."""
        return self._segments[-1].first_in

    @property
    def sequence_offset(self) -> int:
        segment = self._segments[-1]
        return segment.first_out - segment.first_in

    @property
    def timestamp_offset(self) -> int:
        return self._segments[-1].timestamp_offset

    def rewrite(self, sequence: int, timestamp: int) -> Numbers | None:
        """The wire numbers of a packet of the open segment; None when it came before the segment began."""
        if not self.segment_open or sequence < self.first_in:
            return None
        return Numbers((sequence + self.sequence_offset) & 0xFFFF, (timestamp + self.timestamp_offset) & 0xFFFFFFFF)

    def origin(self, wire_sequence: int, highest_in: int) -> Origin[S] | None:
        """What was sent under this 16 bit number; None when that is forgotten.

        `highest_in` is the newest unwrapped number of the open segment's source.
        """
        if not self._segments:
            return None
        newest = highest_in + self.sequence_offset if self.segment_open else self._next_out - 1
        number = newest + ((wire_sequence - newest + 0x8000) & 0xFFFF) - 0x8000
        for segment in reversed(self._segments):
            if number >= segment.first_out:
                return Origin(segment.source, segment.first_in + number - segment.first_out, segment.timestamp_offset)
        return None
