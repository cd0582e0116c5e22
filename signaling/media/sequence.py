"""Counting on where RTP wraps: 16 bit sequence numbers and 32 bit timestamps become integers that never wrap."""

from __future__ import annotations

from dataclasses import dataclass

from signaling.ports import Anchor


class Unwrapper:
    """Unwraps `bits`-wide counters by choosing the value nearest to the highest one seen (RFC 3550 A.1).

    `anchor` is a known value of the unwrapped counter near which the first one lies; without it counting starts in the
    first lap. Exact as long as no two neighbours in the stream are half a lap apart.
    """

    __slots__ = ("_half", "_lap", "_mask", "highest")

    def __init__(self, bits: int, anchor: int | None = None) -> None:
        self._lap = 1 << bits
        self._mask = self._lap - 1
        self._half = self._lap >> 1
        self.highest: int | None = anchor

    def peek(self, value: int) -> int:
        """The unwrapped value, without remembering it."""
        if self.highest is None:
            return value & self._mask
        step = (value - self.highest) & self._mask
        if step >= self._half:
            step -= self._lap
        return self.highest + step

    def unwrap(self, value: int) -> int:
        unwrapped = self.peek(value)
        if self.highest is None or unwrapped > self.highest:
            self.highest = unwrapped
        return unwrapped


class Seen:
    """Remembers which of the newest `size` numbers have come; bounded, older ones count as seen."""

    __slots__ = ("_highest", "_ring", "_size")

    def __init__(self, size: int) -> None:
        self._size = size
        self._ring: list[int | None] = [None] * size
        self._highest: int | None = None

    def add(self, number: int) -> bool:
        """True when `number` is new; false for a repeat and for what is too old to tell."""
        if self._highest is None or number > self._highest:
            self._highest = number
        elif number <= self._highest - self._size:
            return False
        place = number % self._size
        if self._ring[place] == number:
            return False
        self._ring[place] = number
        return True


def wire_offset(anchor_sequence: int) -> int:
    """What a numbered publisher subtracts from its own sequence to get the RTP one: 0 or 2**15.

    RTP must start in the lower half of its lap: a receiver that misses the first packets before a wrap guesses the SRTP
    roll-over counter wrong and can never decrypt again (RFC 3711 3.3.1). Both ends know the anchor, so both know this.
    """
    return anchor_sequence & 0x8000


@dataclass(frozen=True, slots=True)
class LogNumbers:
    """A packet's place in the audio log of its epoch; `sample` on the 48 kHz clock."""

    sequence: int
    sample: int


class LogNumbering:
    """From RTP numbers to those of the audio log: the publisher's own with an anchor, else 0 at the first packet."""

    __slots__ = ("_base", "_offset", "_sample", "_sequence")

    def __init__(self, anchor: Anchor | None) -> None:
        self._offset = wire_offset(anchor.sequence) if anchor else 0
        self._sequence = Unwrapper(16, anchor.sequence if anchor else None)
        self._sample = Unwrapper(32, anchor.sample if anchor else None)
        self._base = LogNumbers(0, 0) if anchor else None

    def number(self, sequence: int, timestamp: int) -> LogNumbers | None:
        """None for what lies before the beginning of the log."""
        number = self._sequence.unwrap((sequence + self._offset) & 0xFFFF)
        sample = self._sample.unwrap(timestamp)
        if self._base is None:
            self._base = LogNumbers(number, sample)
        placed = LogNumbers(number - self._base.sequence, sample - self._base.sample)
        return placed if placed.sequence >= 0 and placed.sample >= 0 else None
