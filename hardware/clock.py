"""Time as an argument: the clock that paces simulated devices."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    def now(self) -> float:
        """Seconds; only differences mean something."""

    async def until(self, at: float) -> None:
        """Return when `now()` has reached `at`; always gives other tasks a turn."""


class MonotonicClock:
    """`time.monotonic`, the clock that every `captured_at` is on."""

    def now(self) -> float:
        return time.monotonic()

    async def until(self, at: float) -> None:
        await asyncio.sleep(max(0.0, at - time.monotonic()))


class SteppedClock:
    """A clock for tests: waiting is what moves it, so an hour of audio passes as fast as it is computed."""

    def __init__(self, now: float = 0.0) -> None:
        self._now = now

    def now(self) -> float:
        return self._now

    def step(self, seconds: float) -> None:
        self._now += seconds

    async def until(self, at: float) -> None:
        self._now = max(self._now, at)
        await asyncio.sleep(0)
