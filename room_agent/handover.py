"""Hand-over inside the board: bounded, each with its overflow rule and a counter."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from signaling.media.aiortc_adapter import NumberedPacket
from signaling.media.errors import SourceEnded

FEED_PACKETS = 25
"""Half a second: enough for a connection to come up, little enough that nobody hears the past."""


class PacketFeed:
    """Numbered packets for one publish connection, in order. Full: the oldest goes and is counted in `dropped`."""

    def __init__(self, limit: int = FEED_PACKETS) -> None:
        self._waiting: deque[NumberedPacket] = deque()
        self._limit = limit
        self._ready = asyncio.Event()
        self._closed = False
        self.dropped = 0
        self.taken = 0

    def put(self, packet: NumberedPacket) -> None:
        if len(self._waiting) == self._limit:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(packet)
        self._ready.set()

    def close(self) -> None:
        self._closed = True
        self._ready.set()

    async def next_packet(self) -> NumberedPacket:
        """Raises `SourceEnded` after `close`."""
        while not self._waiting:
            if self._closed:
                raise SourceEnded
            self._ready.clear()
            await self._ready.wait()
        self.taken += 1
        return self._waiting.popleft()


@dataclass(frozen=True, slots=True)
class Picture420:
    """A picture as the encoder wants it: planar I420, shape (height * 3 / 2, width); time of the monotonic clock."""

    planes: npt.NDArray[np.uint8]
    captured_at: float


@dataclass
class PictureFeed:
    """The newest picture for any number of readers; whoever is slow sees fewer, never an old one."""

    _latest: Picture420 | None = None
    _number: int = 0
    _closed: bool = False
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, picture: Picture420) -> None:
        self._latest = picture
        self._number += 1
        self._wake()

    def close(self) -> None:
        self._closed = True
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def newer_than(self, number: int) -> tuple[int, Picture420]:
        """The newest picture and its number, once that is above `number`. Raises `SourceEnded` after `close`."""
        while True:
            if self._closed:
                raise SourceEnded
            if self._latest is not None and self._number > number:
                return self._number, self._latest
            await self._changed.wait()
