"""The loop that brings messages to other programs: signed, at least once, and never into our own network.

The address is checked as text when a webhook is made, and what its name stands for at every delivery; the connection
goes to the very address that was checked, and no redirect is followed (`session_manager.fetch`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import httpx

from session_manager.errors import StoreFailed
from session_manager.fetch import resolved, target_of
from session_manager.store.hooks import Delivery
from session_manager.webhooks import secret_of, signature

PAUSE_S = 5.0
TOTAL_S = 15.0
BATCH = 20

log = logging.getLogger(__name__)


class DeliveryStore(Protocol):
    def claim_deliveries(self, now: float, limit: int) -> list[Delivery]: ...
    def delivery_taken(self, delivery: Delivery, now: float) -> None: ...
    def delivery_failed(self, delivery: Delivery, failure: str, now: float, *, gone: bool = False) -> bool: ...


@dataclass(slots=True)
class CourierStats:
    taken: int = 0
    failed: int = 0
    switched_off: int = 0


class Courier:
    """`deliver_due` once, or `run` until cancelled. `secret`: the installation's, `allowed`: `private:host:port`."""

    def __init__(self, store: DeliveryStore, secret: bytes, allowed: Sequence[str], clock: Callable[[], float]) -> None:
        self._store, self._secret, self._allowed, self._clock = store, secret, tuple(allowed), clock
        self.stats = CourierStats()

    async def run(self) -> None:
        while True:
            try:
                while await self.deliver_due() == BATCH:
                    pass
            except StoreFailed:
                log.warning("the messages to other programs could not be read; trying again")
            await asyncio.sleep(PAUSE_S)

    async def deliver_due(self) -> int:
        """How many were tried. All of a batch at once: one that hangs keeps nobody else waiting for long."""
        due = await asyncio.to_thread(self._store.claim_deliveries, self._clock(), BATCH)
        for delivery, status in zip(due, await asyncio.gather(*(self._bring(one) for one in due)), strict=True):
            await self._note(delivery, status)
        return len(due)

    async def _note(self, delivery: Delivery, status: int | str) -> None:
        if isinstance(status, int) and 200 <= status < 300:
            self.stats.taken += 1
            await asyncio.to_thread(self._store.delivery_taken, delivery, self._clock())
            return
        self.stats.failed += 1
        off = await asyncio.to_thread(
            lambda: self._store.delivery_failed(delivery, str(status), self._clock(), gone=status == 410)
        )
        if off:
            self.stats.switched_off += 1
            log.warning("webhook %s is switched off: %s", delivery.webhook_id, status)

    async def _bring(self, delivery: Delivery) -> int | str:
        """The other side's status, or the cause in a word."""
        target = target_of(delivery.url, self._allowed)
        if target is None:
            return "address not allowed"
        try:
            async with asyncio.timeout(TOTAL_S):
                address = await resolved(target)
                if address is None:
                    return "address not allowed"
                url, headers = target.at(address)
                headers |= self._signed(delivery)
                async with httpx.AsyncClient(follow_redirects=False, trust_env=False, timeout=TOTAL_S) as client:
                    ask = client.stream(
                        "POST",
                        url,
                        content=delivery.body.encode(),
                        headers=headers,
                        extensions={"sni_hostname": target.host},
                    )
                    async with ask as answer:  # its words are of no use to us, so they are not read
                        return answer.status_code
        except TimeoutError:
            return "too slow"
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            return type(error).__name__

    def _signed(self, delivery: Delivery) -> dict[str, str]:
        at = int(self._clock())
        secret = secret_of(self._secret, delivery.webhook_id)
        return {
            "content-type": "application/json",
            "user-agent": "Shimawa",
            "webhook-id": delivery.delivery_id,
            "webhook-timestamp": str(at),
            "webhook-signature": signature(secret, delivery.delivery_id, at, delivery.body),
        }
