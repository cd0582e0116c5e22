"""What the hub's clock reads, and how far that may be off at most: NTP's exchange of four instants (RFC 5905, 8). Pure.

The base is this machine's clock that only counts (`time.monotonic`), so a jump of the clock of the day changes nothing
here. Law (held by properties): whatever was delayed, on whichever way, an estimate is wrong by no more than its bound,
and the bound is half the best round trip of those kept and what two clocks may have drifted apart since it was asked.
"""

from __future__ import annotations

from dataclasses import dataclass

KEPT = 8
"""As many answers as RFC 5905's clock filter has stages; the one with the least bound counts."""

DRIFT = 1e-4
"""Seconds in a second that two clocks may part: cheap quartz is off by 50 ppm, and either may be slewed."""

ROUNDING_S = 1e-6
"""What an instant of the day loses in a float."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question and its answer. `left_at`, `back_at` by our clock; `came_at`, `answered_at` by the hub's."""

    left_at: float
    came_at: float
    answered_at: float
    back_at: float

    @property
    def delay_s(self) -> float:
        """On both ways together. Negative: a clock was set meanwhile."""
        return (self.back_at - self.left_at) - (self.answered_at - self.came_at)


@dataclass(frozen=True, slots=True)
class Instant:
    """UTC POSIX seconds by the hub's clock, wrong by `within_s` at most."""

    at: float
    within_s: float

    def beats(self, other: Instant) -> bool:
        """Of the same moment, told before: it is surer, or both cannot be true, since a clock was set."""
        return self.within_s < other.within_s or abs(self.at - other.at) > self.within_s + other.within_s


@dataclass(frozen=True, slots=True)
class _Sample:
    """`offset_s`: the hub's clock less ours, as it was at `taken_at` (ours)."""

    offset_s: float
    within_s: float
    taken_at: float

    def bound(self, at: float) -> float:
        return self.within_s + DRIFT * abs(at - self.taken_at)


class HubClock:
    """Every instant given and taken here as `ours` is of one clock that only counts."""

    def __init__(self) -> None:
        self._samples: tuple[_Sample, ...] = ()

    def heard(self, exchange: Exchange) -> None:
        """An answer came. One during which a clock was set tells nothing."""
        unsure_s = ROUNDING_S + DRIFT * (exchange.back_at - exchange.left_at)
        if exchange.delay_s < -unsure_s or exchange.answered_at < exchange.came_at:
            return
        within = max(0.0, exchange.delay_s) / 2 + unsure_s
        offset = ((exchange.came_at - exchange.left_at) + (exchange.answered_at - exchange.back_at)) / 2
        newest = _Sample(offset, within, exchange.back_at)
        # What cannot be true together with the newest is of before the hub's clock was set, or our machine slept.
        agreeing = tuple(each for each in self._samples if _agree(each, newest))
        self._samples = (*agreeing, newest)[-KEPT:]

    def instant(self, ours: float) -> Instant | None:
        """That instant by the hub's clock; None before the first answer."""
        if not self._samples:
            return None
        best = min(self._samples, key=lambda each: each.bound(ours))
        return Instant(ours + best.offset_s, best.bound(ours))


def _agree(old: _Sample, new: _Sample) -> bool:
    return abs(old.offset_s - new.offset_s) <= old.bound(new.taken_at) + new.within_s
