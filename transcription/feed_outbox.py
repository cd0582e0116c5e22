"""What waits to be sent to the hub. Facts: in order, never dropped, bounded by the feed's flow control (no audio comes
beyond the watermark that facts move). Partials: one a stream, the newest wins, gone when their utterance is decided.
"""

from __future__ import annotations

import asyncio
from collections import deque

from transcription.feed import Final, Message, Partial, Progress, StreamDone, WorkerStatus

FactMessage = Final | Progress | StreamDone


class Outbox:
    def __init__(self) -> None:
        self._facts: deque[Message] = deque()
        self._partials: dict[int, Partial] = {}
        self._status: WorkerStatus | None = None
        self._something = asyncio.Event()
        self._next_id = 0
        self.partials_replaced = 0

    def next_id(self) -> int:
        self._next_id += 1
        return self._next_id

    def fact(self, message: FactMessage) -> None:
        partial = self._partials.get(message.handle)
        if isinstance(message, Final) and partial and partial.start_sample <= message.start_sample:
            del self._partials[message.handle]
        self._facts.append(message)
        self._something.set()

    def partial(self, message: Partial) -> None:
        self.partials_replaced += message.handle in self._partials
        self._partials[message.handle] = message
        self._something.set()

    def status(self, message: WorkerStatus) -> None:
        self._status = message
        self._something.set()

    async def next(self) -> Message:
        """Facts first, then partials, then the status."""
        while True:
            if self._facts:
                return self._facts.popleft()
            if self._partials:
                return self._partials.pop(next(iter(self._partials)))
            if self._status:
                status, self._status = self._status, None
                return status
            self._something.clear()
            await self._something.wait()
