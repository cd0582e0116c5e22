"""The loop that sends what waits in the outbox. A part of the hub, so that no one has to set up a timer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from session_manager.errors import StoreFailed
from session_manager.mail import Delivered, NotDelivered, Sendable
from session_manager.store.outbox import Notice

PAUSE_S = 5.0
BATCH = 10
"""Few enough that a batch of slow tries ends before its claim does (`store.outbox.CLAIM_S`)."""

log = logging.getLogger(__name__)


class NoticeStore(Protocol):
    def claim_notices(self, now: float, limit: int) -> list[Notice]: ...
    def settle_notices(self, taken: Collection[str], now: float) -> None: ...
    def notice_sent(self, notice_id: str, now: float) -> None: ...
    def notice_failed(self, notice_id: str, failure: str, now: float, *, for_good: bool = False) -> None: ...


class Carrier(Protocol):
    """`session_manager.post_room`."""

    async def deliver(self, notice: Sendable) -> Delivered | NotDelivered: ...
    async def settle(self, note: Callable[[frozenset[str]], None]) -> bool: ...
    async def close(self) -> None: ...


@dataclass(slots=True)
class OutboxStats:
    sent: int = 0
    failed: int = 0
    given_up: int = 0


class Sender:
    """`send_due` once, or `run` until cancelled."""

    def __init__(self, store: NoticeStore, carrier: Carrier, clock: Callable[[], float]) -> None:
        self._store = store
        self._carrier = carrier
        self._clock = clock
        self._settled = False
        self.stats = OutboxStats()

    async def run(self) -> None:
        try:
            while True:
                await self._round()
                await asyncio.sleep(PAUSE_S)
        finally:
            await self._carrier.close()

    async def _round(self) -> None:
        """Nothing is sent before it is known what was: after a start, a failure, or letters of an earlier round."""
        try:
            if not self._settled:
                self._settled = await self._carrier.settle(self._note)
            if self._settled:
                while await self.send_due() == BATCH:
                    pass
        except StoreFailed:
            self._settled = False
            log.warning("the outbox could not be read; trying again")

    def _note(self, taken: frozenset[str]) -> None:
        self._store.settle_notices(taken, self._clock())

    async def send_due(self) -> int:
        """How many were tried. One after the other: a mail server likes one client better than ten."""
        due: Sequence[Notice] = await asyncio.to_thread(self._store.claim_notices, self._clock(), BATCH)
        for notice in due:
            self._settled = False
            outcome = await self._carrier.deliver(notice)
            if isinstance(outcome, Delivered):
                await asyncio.to_thread(self._store.notice_sent, notice.notice_id, self._clock())
                self.stats.sent += 1
                continue
            self.stats.failed += 1
            self.stats.given_up += outcome.for_good
            log.warning("notice %s was not delivered: %s", notice.notice_id, outcome.cause)
            await asyncio.to_thread(
                self._store.notice_failed,
                notice.notice_id,
                outcome.cause,
                self._clock(),
                for_good=outcome.for_good,
            )
        return len(due)
