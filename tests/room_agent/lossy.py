"""Packets over lossy hops that repair by asking again, in simulated time: the real gap tracker at each hop's far end.

Each hop loses packets, requests and repairs alike, at random; the hub in the middle forwards what comes, late or not.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from room_agent.playout import PlayoutBuffer, PlayoutStats
from signaling.media.nack import GapTracker
from tests.room_agent.wire import PACKET, Ramp

FRAME_S = 0.02
TICK_S = 0.020
BLOCK_S = 0.01
BLOCK = 480


@dataclass
class Hop:
    loss: Callable[[float], float]
    delay_s: float = 0.040
    jitter_s: float = 0.005
    ticks: bool = False
    """The hub looks for holes at every tick, a board at every packet."""


@dataclass
class LossyPath:
    """From a sender that speaks all the time through `hops` into a play-out buffer that is asked every 10 ms."""

    hops: list[Hop]
    seed: int = 1
    buffer: PlayoutBuffer = field(default_factory=lambda: PlayoutBuffer(Ramp()))
    now: float = 0.0

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._gaps = [GapTracker(sound=True) for _ in self.hops]
        self._held: list[set[int]] = [set() for _ in self.hops]
        self._at(0.0, lambda: self._send(0))
        self._at(0.0, self._pull)
        for number, hop in enumerate(self.hops):
            if hop.ticks:
                self._at(0.0, lambda number=number: self._tick(number))  # type: ignore[misc]

    def run(self, until_s: float) -> PlayoutStats:
        while self._events[0][0] <= until_s:
            self.now, _, act = heapq.heappop(self._events)
            act()
        return self.buffer.stats()

    def _at(self, instant: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._events, (instant, next(self._order), act))

    def _send(self, index: int) -> None:
        self._reach(0, index)
        self._at((index + 1) * FRAME_S, lambda: self._send(index + 1))

    def _pull(self) -> None:
        self.buffer.pull(BLOCK, self.now)
        self._at(self.now + BLOCK_S, self._pull)

    def _reach(self, hop: int, index: int) -> None:
        """The packet stands at the near end of that hop (or in the ear)."""
        if hop == len(self.hops):
            self.buffer.push(index, index * PACKET, b"%d" % (index * PACKET), self.now)
            return
        self._held[hop].add(index)
        self._cross(hop, lambda: self._arrive(hop, index))

    def _cross(self, hop: int, then: Callable[[], None]) -> None:
        at = self.hops[hop]
        if self._random.random() >= at.loss(self.now):
            self._at(self.now + at.delay_s + self._random.uniform(-at.jitter_s, at.jitter_s), then)

    def _arrive(self, hop: int, index: int) -> None:
        self._gaps[hop].add(index, self.now)
        self._reach(hop + 1, index)
        if not self.hops[hop].ticks:
            self._ask(hop)

    def _tick(self, hop: int) -> None:
        self._ask(hop)
        self._at(self.now + TICK_S, lambda: self._tick(hop))

    def _ask(self, hop: int) -> None:
        if missing := self._gaps[hop].due(self.now):
            self._cross(hop, lambda: self._repair(hop, missing))

    def _repair(self, hop: int, missing: list[int]) -> None:
        for index in missing:
            if index in self._held[hop]:
                self._cross(hop, lambda index=index: self._arrive(hop, index))  # type: ignore[misc]
