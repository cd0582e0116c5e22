"""How much a line carries, learnt from what happens to the packets that are sent over it. Pure.

A *full* line and a *lossy* one are told apart by delay: a queue in front of a bottleneck grows before anything is
dropped, a bad radio or a worn cable loses without delay. So loss alone changes nothing, unless it is so heavy
(`HOPELESS_LOSS`) that it can only be a bottleneck without a queue. On a full line the limit falls at once below what
was seen to arrive; upwards it creeps, after a patience that doubles each time the line turns out to be full again.
The shape is that of Google congestion control (draft-ietf-rmcat-gcc-02, 5), cut down to what a report a
second can carry.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

FULL_QUEUE_MS = 60.0
"""A standing queue of this length in two reports running means full; jitter of the line itself stays below it."""

LOSING_QUEUE_MS = 35.0
FULL_LOSS = 0.05
"""This much loss together with a queue above `LOSING_QUEUE_MS` means full too, in two reports running."""

HOPELESS_LOSS = 0.35
CUT = 0.85
DEEPEST_CUT = 0.7
"""Of the limit before: what a long queue tells is old, and its losses were caused before the last cut."""

CUT_EVERY_S = 1.0
"""A cut needs this long to show, and twice what waits in the queue: that was sent before it."""

FLOOR_KBPS = 16.0
PATIENCE_S = 5.0
LONGEST_PATIENCE_S = 80.0
GROWTH_PER_S = 0.08
LEAST_GROWTH_KBPS_PER_S = 3.0
HEADROOM = 1.5
SPARE_KBPS = 150.0
"""The limit may grow to `HEADROOM` times what flows and this on top, never further: what was not tried is not known."""

UNLIMITED_KBPS = 8_000.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """One report about a line. `kbps`: what was sent into it, headers included; `loss`: share of that, 0 to 1.

    `queue_ms`: how much longer packets take than the fastest of the last minute; None when that was not measured.
    """

    kbps: float
    loss: float = 0.0
    queue_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Budget:
    """`limit_kbps` None: no end of the line was found. Instants are seconds of any one clock."""

    limit_kbps: float | None = None
    signs: int = 0
    cut_at: float | None = None
    settles_s: float = CUT_EVERY_S
    full_at: float | None = None
    heard_at: float | None = None
    patience_s: float = PATIENCE_S


def heed(budget: Budget, evidence: Evidence, now: float) -> Budget:
    """The budget after one more report."""
    passed_s = 0.0 if budget.heard_at is None else min(1.0, max(0.0, now - budget.heard_at))
    budget = replace(budget, heard_at=now)
    if not _is_sign(evidence):
        return _grown(replace(budget, signs=0), evidence, passed_s, now)
    budget = replace(budget, signs=min(2, budget.signs + 1))
    if budget.signs < 2:
        return budget
    return _cut(budget, evidence, now)


def _is_sign(evidence: Evidence) -> bool:
    """Of a full line. It must come twice running: a machine that paused for a moment looks like one once."""
    queue_ms = evidence.queue_ms or 0.0
    losing = queue_ms >= LOSING_QUEUE_MS and evidence.loss >= FULL_LOSS
    return losing or queue_ms >= FULL_QUEUE_MS or evidence.loss >= HOPELESS_LOSS


def _cut(budget: Budget, evidence: Evidence, now: float) -> Budget:
    if budget.cut_at is not None and now - budget.cut_at < budget.settles_s:
        return replace(budget, full_at=now)
    arrived = max(FLOOR_KBPS, CUT * evidence.kbps * (1.0 - evidence.loss))
    before = budget.limit_kbps if budget.limit_kbps is not None else arrived
    again = budget.full_at is not None and CUT_EVERY_S * 3 < now - budget.full_at < 2 * budget.patience_s + 30.0
    patience_s = min(LONGEST_PATIENCE_S, 2 * budget.patience_s) if again else budget.patience_s
    limit = max(FLOOR_KBPS, min(before, max(arrived, DEEPEST_CUT * before)))
    settles_s = CUT_EVERY_S + 2 * min(1_000.0, evidence.queue_ms or 0.0) / 1000
    return replace(budget, limit_kbps=limit, cut_at=now, full_at=now, patience_s=patience_s, settles_s=settles_s)


def _grown(budget: Budget, evidence: Evidence, passed_s: float, now: float) -> Budget:
    limit, full_at = budget.limit_kbps, budget.full_at
    if limit is None or full_at is None or now - full_at < budget.patience_s:
        return budget
    if now - full_at >= 2 * budget.patience_s + 30.0:
        budget = replace(budget, patience_s=PATIENCE_S)
    known = max(limit, HEADROOM * evidence.kbps + SPARE_KBPS)
    grown = min(known, limit + max(GROWTH_PER_S * limit, LEAST_GROWTH_KBPS_PER_S) * passed_s)
    return replace(budget, limit_kbps=None if grown >= UNLIMITED_KBPS else grown)


class Lowest:
    """The least of the last half to one minute: what a line takes when nothing waits in it."""

    __slots__ = ("_before", "_now", "_since", "_span_s")

    def __init__(self, span_s: float = 30.0) -> None:
        self._span_s = span_s
        self._before: float | None = None
        self._now: float | None = None
        self._since = 0.0

    def above(self, value: float, now: float) -> float:
        """Take `value` into account; by how much it lies above the least."""
        if self._now is None or now - self._since >= self._span_s:
            self._before, self._now, self._since = self._now, value, now
        self._now = min(self._now, value)
        least = self._now if self._before is None else min(self._now, self._before)
        return value - least
