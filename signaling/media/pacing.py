"""Video let out evenly towards a thin line, so that no sound waits behind a key frame. Pure.

Sound never enters here: it is sent at once and finds at most `BURST_S` of video in front of it, or one packet.
"""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

BURST_S = 0.010
LONGEST_S = 0.5
"""Video that would wait longer than this is thrown away, all of it: the next key frame starts afresh."""

T = TypeVar("T")


class Pacer(Generic[T]):
    """A queue with a rate: `put` what is to go, ask `due` every few milliseconds. `dropped` counts what never went."""

    __slots__ = ("_at", "_bytes", "_credit", "_kbps", "_waiting", "dropped")

    def __init__(self, kbps: float) -> None:
        self._kbps = kbps
        self._waiting: deque[tuple[int, T]] = deque()
        self._bytes = 0
        self._credit = 0.0
        self._at: float | None = None
        self.dropped = 0

    def __bool__(self) -> bool:
        return bool(self._waiting)

    @property
    def kbps(self) -> float:
        return self._kbps

    @kbps.setter
    def kbps(self, kbps: float) -> None:
        self._kbps = max(1.0, kbps)

    def put(self, size: int, item: T) -> bool:
        """False: too much is waiting; everything was thrown away, this too."""
        if (self._bytes + size) * 8 > self._kbps * 1000 * LONGEST_S and self._waiting:
            self.dropped += len(self._waiting) + 1
            self.clear()
            return False
        self._waiting.append((size, item))
        self._bytes += size
        return True

    def due(self, now: float) -> list[T]:
        """What may go now, in order; a packet goes as soon as nothing is owed for those before it."""
        burst = self._kbps * 125 * BURST_S
        if self._at is not None:
            self._credit = min(burst, self._credit + max(0.0, now - self._at) * self._kbps * 125)
        else:
            self._credit = burst
        self._at = now
        going: list[T] = []
        while self._waiting and self._credit > 0:
            size, item = self._waiting.popleft()
            self._bytes -= size
            self._credit -= size
            going.append(item)
        return going

    def clear(self) -> list[T]:
        """Take out all that waits."""
        waiting = [item for _, item in self._waiting]
        self._waiting.clear()
        self._bytes = 0
        return waiting
