"""From a device's thread to the reader on the loop: bounded, in order, the oldest goes first when it is full."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from typing import Generic, TypeVar

from hardware.errors import HardwareError

T = TypeVar("T")


class Mailbox(Generic[T]):
    """Any thread puts, one task on `loop` takes. Capacity 1 means: the latest wins.

    Overflow rule: live data, so the oldest item goes; `dropped` counts. The loop is woken once per empty-to-full turn,
    not per item, so a loop that stands still collects no pile of callbacks.
    """

    def __init__(self, capacity: int, loop: asyncio.AbstractEventLoop) -> None:
        self._items: deque[T] = deque(maxlen=capacity)
        self._loop = loop
        self._lock = threading.Lock()
        self._woken = False
        self._ready = asyncio.Event()
        self._failure: HardwareError | None = None
        self.dropped = 0

    def put(self, item: T) -> None:
        with self._lock:
            if len(self._items) == self._items.maxlen:
                self.dropped += 1
            self._items.append(item)
        self._wake()

    def fail(self, error: HardwareError) -> None:
        """The reader gets what is left, then this error for ever. The first failure is the one that is told."""
        with self._lock:
            self._failure = self._failure or error
        self._wake()

    async def take(self) -> T:
        while True:
            with self._lock:
                self._woken = False
                self._ready.clear()
                if self._items:
                    return self._items.popleft()
                if self._failure is not None:
                    raise self._failure
            await self._ready.wait()

    def _wake(self) -> None:
        with self._lock:
            if self._woken or self._loop.is_closed():
                return
            self._woken = True
            self._loop.call_soon_threadsafe(self._ready.set)
