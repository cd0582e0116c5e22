"""How unevenly packets arrive, and how long play-out should therefore wait.

The delay of a packet (arrival minus media time) has an unknown constant in it; what counts is how much later than the
fastest recent packet it came. Delays are kept as the least and the greatest of each 200 ms of arrivals, for ten
seconds: a single stall releases all its packets within one such slot, and so weighs as one event, while jitter that
comes again and again is in most slots.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

SLOT_S = 0.2
SLOTS = 50
STALE_S = 30.0
MARGIN_S = 0.010
MIN_TARGET_S = 0.020
MAX_TARGET_S = 0.300
FORGIVEN = 2
"""Slots that may be worse. Of 50 slots with ten packets each, the rest covers the 99th percentile of packets."""


@dataclass(slots=True)
class _Slot:
    number: int
    least: float
    greatest: float


class Arrivals:
    """`note` every packet; then `fastest_s` is the least delay and `target_s` the wait that covers the jitter."""

    def __init__(self) -> None:
        self._slots: deque[_Slot] = deque(maxlen=SLOTS)
        self.fastest_s: float | None = None
        self.target_s = MIN_TARGET_S

    def note(self, media_s: float, arrived_at: float) -> None:
        delay = arrived_at - media_s
        number = math.floor(arrived_at / SLOT_S)
        if self._slots and number - self._slots[-1].number > STALE_S / SLOT_S:
            self._slots.clear()
        if not self._slots or self._slots[-1].number < number:
            self._slots.append(_Slot(number, delay, delay))
            self._judge()
            return
        slot = self._slots[-1]
        slot.least, slot.greatest = min(slot.least, delay), max(slot.greatest, delay)
        if self.fastest_s is None or delay < self.fastest_s:
            self._judge()

    @property
    def jitter_s(self) -> float:
        return max(0.0, self.target_s - MARGIN_S)

    def _judge(self) -> None:
        fastest = min(slot.least for slot in self._slots)
        worst = sorted(slot.greatest for slot in self._slots)
        covered = worst[-1 - min(FORGIVEN, len(worst) // 3)] - fastest
        self.fastest_s = fastest
        self.target_s = min(MAX_TARGET_S, max(MIN_TARGET_S, covered + MARGIN_S))
