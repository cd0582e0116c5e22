"""Looks at the clock for the facility's day: offers that end, nobody who came, meetings that are over."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from session_manager.errors import StoreFailed

PERIOD_S = 15.0
REMINDER_PERIOD_S = 60.0

log = logging.getLogger(__name__)


class Day(Protocol):
    def tick(self, now: float) -> int: ...


class Reminders(Protocol):
    def remind(self, now: float) -> int: ...


class Reminder:
    """Reminders as a part of the day, with a loop of their own: they are looked for less often."""

    def __init__(self, store: Reminders) -> None:
        self._store = store

    def tick(self, now: float) -> int:
        return self._store.remind(now)


class Caretaker:
    """One loop in the hub; nothing for an installer to set up. `moved`: bookings, since the start."""

    def __init__(self, day: Day, clock: Callable[[], float], period_s: float = PERIOD_S) -> None:
        self._day, self._clock, self._period_s = day, clock, period_s
        self.moved = 0
        self.failing = False

    async def run(self) -> None:
        """Until cancelled. A database that does not answer is said once, and tried again."""
        while True:
            self.moved += await self.look()
            await asyncio.sleep(self._period_s)

    async def look(self) -> int:
        try:
            moved = await asyncio.to_thread(self._day.tick, self._clock())
        except StoreFailed:
            if not self.failing:
                log.exception("the day's bookings cannot be looked at; trying again")
            self.failing = True
            return 0
        if self.failing:
            log.warning("the day's bookings are looked at again")
        self.failing = False
        return moved
