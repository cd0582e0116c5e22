"""A post office's window without a process of its own: the real postman and journal, in a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from session_manager.mail import Delivered, MailSettings, NotDelivered, Postman, Sendable
from session_manager.sent_journal import hold


class Window:
    """`folder`: of the journal."""

    def __init__(self, settings: MailSettings, clock: Callable[[], float], folder: Path) -> None:
        self._settings, self._clock, self.folder = settings, clock, folder

    async def deliver(self, notice: Sendable) -> Delivered | NotDelivered:
        return await asyncio.to_thread(self._deliver, notice)

    def _deliver(self, notice: Sendable) -> Delivered | NotDelivered:
        with hold(self.folder, 1) as journal:
            assert journal is not None
            return Postman(self._settings, self._clock, journal).deliver(notice)

    async def settle(self, note: Callable[[frozenset[str]], None]) -> bool:
        with hold(self.folder, 0) as journal:
            if journal is None:
                return False
            await asyncio.to_thread(note, journal.found().taken)
            journal.clear()
        return True

    async def close(self) -> None:
        return None
