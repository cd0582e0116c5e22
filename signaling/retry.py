"""When to try again: full-jitter back-off. Pure.

Full jitter spreads a herd best (AWS Architecture Blog, "Exponential Backoff And Jitter", 2015); the lower bound keeps a
single client from hammering.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

STEPS_S: tuple[tuple[float, float], ...] = ((0.0, 0.0), (0.3, 1.0), (0.5, 2.0), (1.0, 3.0))
"""Shortest and longest wait before each attempt; the last row for all that follow.

People sit there and wait: nobody may be away for longer than 3 s after the hub is back. A herd that is too much for
the hub is told to wait by the hub (`retry_after_ms`).
"""

STEADY_S = 10.0
"""A connection that lasted this long starts the row anew."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """How many waits there have been in a row."""

    failures: int = 0

    def wait_s(self, chance: float, retry_after_ms: int | None = None) -> float:
        """Seconds before the next attempt. `chance` is uniform in [0, 1).

        What the hub asked for (`retry_after_ms`) replaces the row's wait, with up to half of it on top: many clients
        heard the same figure.
        """
        if retry_after_ms is not None:
            return retry_after_ms / 1000 * (1 + chance / 2)
        low, high = STEPS_S[min(self.failures, len(STEPS_S) - 1)]
        return low + (high - low) * chance

    def waited(self) -> Backoff:
        return replace(self, failures=self.failures + 1)

    def ended_after(self, lasted_s: float) -> Backoff:
        """A connection that had been welcomed is gone: after a steady one the row starts anew."""
        return Backoff() if lasted_s >= STEADY_S else self
