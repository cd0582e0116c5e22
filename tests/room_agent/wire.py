"""A one-way wire in simulated time: packets leave every `frame` samples of the sender, arrive as told, are pulled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from hardware.ports import SAMPLE_RATE, Samples
from room_agent.playout import PlayoutBuffer, PlayoutStats

PACKET = 960
PERIOD = 1 << 18


def place(value: float) -> float:
    return value * PERIOD / SAMPLE_RATE


class Ramp:
    """A decoder whose sound tells where it is from: sample i of the stream has the value (i mod 2**18) / 2**18.

    A packet is its first sample in digits, and as many blanks before it as it is longer than 20 ms, in 20 ms.
    """

    def __init__(self, *, conceals: bool = True) -> None:
        self.conceals = conceals

    def decode(self, payload: bytes) -> Samples | None:
        if not payload.strip().isdigit():
            return None
        start, size = int(payload), PACKET * (1 + len(payload) - len(payload.lstrip()))
        return ((np.arange(start, start + size) % PERIOD) / PERIOD).astype(np.float32)

    def conceal(self, count: int, following: bytes | None = None) -> Samples | None:
        return np.zeros(count, np.float32) if self.conceals else None


@dataclass
class Wire:
    """`delay(i)` in seconds for packet i, None when it is lost. `drift`: how much faster the sender's clock runs."""

    buffer: PlayoutBuffer = field(default_factory=lambda: PlayoutBuffer(Ramp()))
    delay: Callable[[int], float | None] = lambda index: 0.040
    drift: float = 0.0
    first_timestamp: int = 0
    first_sequence: int = 0
    block: int = 480
    frame: int = PACKET
    payload: Callable[[int], bytes] = lambda start: b"%d" % start
    paused: Callable[[float], bool] = lambda now: False
    asked_until: float = 0.0
    _arrivals: list[tuple[float, int, int, bytes]] = field(default_factory=list)
    _sent: int = 0
    _start: int = 0
    _pulled: int = 0

    def run(self, seconds: float) -> Iterator[tuple[float, Samples]]:
        """Every block pulled: (its time, its samples)."""
        end = self.asked_until = self.asked_until + seconds
        while self._pulled * self.block / SAMPLE_RATE < end:
            now = self._pulled * self.block / SAMPLE_RATE
            self._pulled += 1
            self._send_until(now)
            if not self.paused(now):
                yield now, self.buffer.pull(self.block, now)

    def settle(self, seconds: float) -> PlayoutStats:
        for _ in self.run(seconds):
            pass
        return self.buffer.stats()

    def _send_until(self, now: float) -> None:
        while (sent_at := (self._start + self.frame) / SAMPLE_RATE / (1 + self.drift)) <= now:
            delay = self.delay(self._sent)
            if delay is not None:
                payload = b" " * (self.frame // PACKET - 1) + self.payload(self._start)
                self._arrivals.append((sent_at + delay, self._sent, self._start, payload))
            self._sent += 1
            self._start += self.frame
        due = sorted(arrival for arrival in self._arrivals if arrival[0] <= now)
        self._arrivals = [arrival for arrival in self._arrivals if arrival[0] > now]
        for at, index, start, payload in due:
            self.buffer.push(self.first_sequence + index, self.first_timestamp + start, payload, at)
