"""How fast repair may send beside live sound: a part of what the line carries, as its own posts measure it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

SHARE = 0.5
STRAINED_SHARE = 0.125
"""While live sound is being lost."""
BURST_S = 0.05
"""One post takes the line for about so long; live packets wait behind it for no longer."""
FIRST_BYTES = 4_096
LEAST_BYTES = 1_024
MOST_BYTES = 250_000
"""A body of 256 KiB is the hub's limit."""
SMOOTHING = 0.3


@dataclass
class Pace:
    """A token bucket whose rate is a share of the measured one. Times are seconds of a clock that does not go back.

    A post is not slowed while it runs, so the measure is the line's, not the bucket's: its cost is paid afterwards.
    """

    rate: float | None = None
    """Bytes per second, smoothed; None: nothing was sent yet."""
    _ready_at: float = 0.0

    def size(self, live: bool) -> int:
        """Bytes for the next post."""
        if self.rate is None:
            return FIRST_BYTES
        return max(LEAST_BYTES, min(MOST_BYTES, int(self.rate * (BURST_S if live else 1.0))))

    def sent(self, size: int, began: float, ended: float, *, live: bool, strained: bool) -> None:
        took = max(1e-6, ended - began)
        measured = size / took
        self.rate = measured if self.rate is None else self.rate + SMOOTHING * (measured - self.rate)
        share = STRAINED_SHARE if strained else SHARE
        # By the slower of the two: after a line has become slow, the smoothed rate is still too bold.
        cost = size / (share * min(self.rate, measured)) if live else 0.0
        self._ready_at = max(ended, began + cost)

    def wait_s(self, now: float) -> float:
        return max(0.0, self._ready_at - now)
