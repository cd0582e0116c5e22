"""The school bell: shortly before a session its boards are looked at, into a lesson the school hears who is missing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from session_manager.errors import StoreFailed

PERIOD_S = 10.0

log = logging.getLogger(__name__)


class Day(Protocol):
    def check_boards(self, now: float) -> int: ...
    def class_minute(self, now: float) -> int: ...


class Bell:
    """One loop in the hub. `looks`, `lists`: since the start."""

    def __init__(self, day: Day, clock: Callable[[], float], period_s: float = PERIOD_S) -> None:
        self._day, self._clock, self._period_s = day, clock, period_s
        self.looks = 0
        self.lists = 0
        self.failing = False

    async def run(self) -> None:
        """Until cancelled. A database that does not answer is said once, and tried again."""
        while True:
            await self.look()
            await asyncio.sleep(self._period_s)

    async def look(self) -> None:
        try:
            self.looks += await asyncio.to_thread(self._day.check_boards, self._clock())
            self.lists += await asyncio.to_thread(self._day.class_minute, self._clock())
        except StoreFailed:
            if not self.failing:
                log.exception("boards and classes cannot be looked at; trying again")
            self.failing = True
            return
        if self.failing:
            log.warning("boards and classes are looked at again")
        self.failing = False
