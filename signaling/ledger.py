"""Tells the directory what became of seats, in order, without anybody waiting for it."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict

from signaling.ports import Directory
from signaling.switchboard import Presence

_log = logging.getLogger(__name__)


class Ledger:
    """One entry per seat waits at most, the latest: a directory that is slow hears fewer changes, never a wrong end."""

    def __init__(self, directory: Directory, patience_s: float) -> None:
        self._directory = directory
        self._patience_s = patience_s
        self._waiting: OrderedDict[tuple[str, str], Presence] = OrderedDict()
        self._task: asyncio.Task[None] | None = None

    def note(self, presence: Presence) -> None:
        key = (presence.grant.session_id, presence.grant.seat_id)
        self._waiting.pop(key, None)
        self._waiting[key] = presence
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._tell())

    async def close(self) -> None:
        """Everything noted has been told, or was refused."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _tell(self) -> None:
        while self._waiting:
            _, presence = self._waiting.popitem(last=False)
            telling = asyncio.wait_for(self._directory.seat_changed(presence.grant, presence.state), self._patience_s)
            [outcome] = await asyncio.gather(telling, return_exceptions=True)
            if outcome is not None:
                _log.error(
                    "the directory did not take %s of seat %s", presence.state, presence.grant.seat_id, exc_info=outcome
                )
