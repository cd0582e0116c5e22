"""How unevenly packets arrive, and how long play-out should therefore wait.

The delay of a packet (arrival minus media time) has an unknown constant in it; what counts is how much later than the
fastest recent packet it came. Delays are kept by 200 ms of arrivals, for ten seconds.

Two questions are kept apart. *Jitter*, of packets that come in order, is covered whole: a single stall releases its
packets within one slot, and so weighs as one event, while jitter that comes again and again is in most slots.
*Repairs*, packets that come behind newer ones because they were lost and asked for again, are worth waiting for when
there are many: the wait is the one with the least sum of delay and loss (a percent of sound is worth 35 ms), so
a lossy far path asks for one round trip more, a rare loss for nothing, and ten seconds after the last loss it is over.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice

SLOT_S = 0.2
SLOTS = 50
STALE_S = 30.0
MARGIN_S = 0.010
REPAIR_MARGIN_S = 0.005
MIN_TARGET_S = 0.012
MAX_TARGET_S = 0.300
FORGIVEN = 2
"""Slots that may be worse. Of 50 slots with ten packets each, the rest covers the 99th percentile of packets."""

WORTH_S = 0.035
"""Waiting that a percent of sound is worth."""
KEEP = 1.5
"""So much more it is worth to go on waiting: each change of mind is heard."""
RECENT_SLOTS = 15
"""A line that goes bad is followed within these three seconds, once they alone make the wait worth it."""
LEAST_PACKETS = 100


@dataclass(slots=True)
class _Slot:
    number: int
    least: float = math.inf
    greatest: float = -math.inf
    packets: int = 0
    repairs: list[float] = field(default_factory=list)


class Arrivals:
    """`note` every packet once; then `fastest_s` is the least delay and `target_s` the wait that is right."""

    def __init__(self) -> None:
        self._slots: deque[_Slot] = deque(maxlen=SLOTS)
        self._newest_s = -math.inf
        self._waiting = False
        self.fastest_s: float | None = None
        self.target_s = MIN_TARGET_S

    def note(self, media_s: float, arrived_at: float) -> None:
        delay = arrived_at - media_s
        slot, fresh = self._slot(math.floor(arrived_at / SLOT_S))
        slot.packets += 1
        if media_s < self._newest_s and self.fastest_s is not None and delay > self.fastest_s:
            slot.repairs.append(delay)
        else:
            self._newest_s = max(media_s, self._newest_s)
            slot.least, slot.greatest = min(slot.least, delay), max(slot.greatest, delay)
            fresh = fresh or self.fastest_s is None or delay < self.fastest_s
        if fresh:
            self._judge()

    def _slot(self, number: int) -> tuple[_Slot, bool]:
        if self._slots and number - self._slots[-1].number > STALE_S / SLOT_S:
            self._slots.clear()
            self._newest_s = -math.inf
        if self._slots and self._slots[-1].number >= number:
            return self._slots[-1], False
        self._slots.append(_Slot(number))
        return self._slots[-1], True

    def _judge(self) -> None:
        steady = [slot for slot in self._slots if slot.packets > len(slot.repairs)]
        if not steady:
            return
        fastest = min(slot.least for slot in steady)
        worst = sorted(slot.greatest for slot in steady)
        covered = worst[-1 - min(FORGIVEN, len(worst) // 3)] - fastest + MARGIN_S
        recent = list(islice(reversed(self._slots), RECENT_SLOTS))
        worth = (KEEP if self._waiting else 1.0) * WORTH_S
        repairs = max(_worth_waiting_s(slots, fastest, covered, worth) for slots in (self._slots, recent))
        self._waiting = repairs > covered
        self.fastest_s = fastest
        self.target_s = min(MAX_TARGET_S, max(MIN_TARGET_S, covered, repairs))


def _worth_waiting_s(slots: Sequence[_Slot], fastest: float, least: float, worth_s: float) -> float:
    """The wait from `least` up that costs least; two bad slots are no reason to wait at all."""
    if sum(bool(slot.repairs) for slot in slots) <= FORGIVEN:
        return least
    waits = sorted(delay - fastest + REPAIR_MARGIN_S for slot in slots for delay in slot.repairs)
    waits = [wait for wait in waits if least < wait <= MAX_TARGET_S]
    percent_s = 100.0 * worth_s / max(LEAST_PACKETS, sum(slot.packets for slot in slots))
    costs = [(wait + percent_s * (len(waits) - 1 - index), wait) for index, wait in enumerate(waits)]
    return min([(least + percent_s * len(waits), least), *costs])[1]
