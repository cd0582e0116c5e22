"""Who follows a session by the web: each listener has its own bounded queue.

Bound: `DEPTH` events. Overflow rule: views (no number) are dropped; when a numbered event does not fit, the listener is
cut off and comes back with its last number, because a fact is never skipped silently.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator

from session_manager.records import LiveEvent

DEPTH = 500


class Listener:
    def __init__(self) -> None:
        self._queue: asyncio.Queue[LiveEvent | None] = asyncio.Queue(DEPTH + 1)  # one place is kept for the end
        self._cut = False
        self.dropped_views = 0

    def offer(self, event: LiveEvent) -> None:
        if self._cut:
            return
        if self._queue.qsize() < DEPTH:
            self._queue.put_nowait(event)
        elif event.number is None:
            self.dropped_views += 1
        else:
            self.end()

    def end(self) -> None:
        """Everything already queued is still given; nothing follows."""
        if not self._cut:
            self._cut = True
            self._queue.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[LiveEvent]:
        while (event := await self._queue.get()) is not None:
            yield event


class Listeners:
    """All followers of all sessions; lives on the hub's loop."""

    def __init__(self) -> None:
        self._by_session: defaultdict[str, set[Listener]] = defaultdict(set)

    def add(self, session_id: str) -> Listener:
        listener = Listener()
        self._by_session[session_id].add(listener)
        return listener

    def remove(self, session_id: str, listener: Listener) -> None:
        self._by_session[session_id].discard(listener)
        if not self._by_session[session_id]:
            del self._by_session[session_id]

    def tell(self, session_id: str, event: LiveEvent) -> None:
        for listener in tuple(self._by_session.get(session_id, ())):
            listener.offer(event)

    def end(self, session_id: str) -> None:
        for listener in tuple(self._by_session.get(session_id, ())):
            listener.end()

    def count(self, session_id: str) -> int:
        return len(self._by_session.get(session_id, ()))
