"""Where a captured block belongs: the sample counter, held against the clock.

An audio server that is late drops capture without telling (`input_overflow` stays off), and every later sample would
then seem older than it is. Here the counter's lag behind the clock is watched: late callbacks raise it for a moment,
a drifting crystal slowly, lost samples for good. Only the last becomes a jump of the position.
"""

from __future__ import annotations

from collections import deque

from hardware.ports import SAMPLE_RATE

WINDOW_S = 0.3
WARM_UP_S = 2.0
THRESHOLD_S = 0.025
"""An audio server was seen to keep 10 to 14 ms more after a stall without losing anything; more than this is loss."""
MAX_DRIFT = 0.001
"""Crystals are within 300 ppm of each other; the baseline may follow a little faster than that."""


class CaptureClock:
    """`place(n, now)` gives the position of a block of n samples whose callback came at `now` (seconds)."""

    def __init__(self) -> None:
        self._position = 0
        self._started_at: float | None = None
        self._lags: deque[tuple[float, float]] = deque()
        self._baseline: float | None = None
        self._judged_at = 0.0
        self.missing_samples = 0

    def place(self, count: int, now: float) -> int:
        if self._started_at is None:
            self._started_at = now - count / SAMPLE_RATE
            self._judged_at = now
        lag = now - self._started_at - (self._position + count) / SAMPLE_RATE
        self._lags.append((now, lag))
        while self._lags[0][0] < now - WINDOW_S:
            self._lags.popleft()
        jump = self._judge(min(lag for _, lag in self._lags), now)
        position = self._position + jump
        self._position = position + count
        return position

    def _judge(self, lag: float, now: float) -> int:
        elapsed, self._judged_at = now - self._judged_at, now
        started_at = self._started_at if self._started_at is not None else now
        if self._baseline is None or now - started_at < WARM_UP_S:
            self._baseline = lag if self._baseline is None else min(lag, self._baseline)
            return 0
        if lag - self._baseline > THRESHOLD_S and self._lags[-1][0] - self._lags[0][0] > WINDOW_S / 2:
            jump = round((lag - self._baseline) * SAMPLE_RATE)
            self.missing_samples += jump
            self._lags = deque((at, old - jump / SAMPLE_RATE) for at, old in self._lags)
            return jump
        reach = MAX_DRIFT * elapsed
        self._baseline += min(reach, max(-reach, lag - self._baseline))
        return 0
