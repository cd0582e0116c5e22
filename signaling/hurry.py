"""Waiting that can be cut short: for the back-off and for attempts that hang in a network that was away."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from signaling.errors import Unreachable

T = TypeVar("T")


class Hurry:
    """One waiter at a time. `now` with nobody waiting shortens the next wait."""

    def __init__(self) -> None:
        self._said = asyncio.Event()

    def now(self) -> None:
        self._said.set()

    async def pause(self, wait_s: float) -> bool:
        """Wait so long; true when it was cut short."""
        try:
            async with asyncio.timeout(wait_s):
                await self._said.wait()
        except TimeoutError:
            return False
        self._said.clear()
        return True

    async def unless(self, attempt: Coroutine[Any, Any, T]) -> T:
        """What `attempt` gives; raises `Unreachable` when it was still under way as somebody said to hurry."""
        self._said.clear()
        trying = asyncio.create_task(attempt)
        said = asyncio.create_task(self._said.wait())
        try:
            await asyncio.wait([trying, said], return_when=asyncio.FIRST_COMPLETED)
            if not trying.done():
                raise Unreachable("the network came back meanwhile")
            return trying.result()
        finally:
            said.cancel()
            if not trying.done():
                trying.cancel()
                await asyncio.gather(trying, return_exceptions=True)
