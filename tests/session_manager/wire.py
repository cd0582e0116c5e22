"""Two ends of one in-memory WebSocket."""

from __future__ import annotations

import asyncio

from signaling.ports import SocketClosed


class End:
    def __init__(self) -> None:
        self.inbox: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        self.other: End
        self.closed_with: int | None = None

    async def receive(self) -> str | bytes:
        message = await self.inbox.get()
        if message is None:
            self.inbox.put_nowait(None)
            raise SocketClosed(self.closed_with or 1006)
        return message

    async def send(self, message: str | bytes) -> None:
        if self.closed_with is not None:
            raise SocketClosed(self.closed_with)
        self.other.inbox.put_nowait(message)

    async def close(self, code: int, reason: str) -> None:
        for end in (self, self.other):
            end.closed_with = end.closed_with or code
            end.inbox.put_nowait(None)


def pair() -> tuple[End, End]:
    one, two = End(), End()
    one.other, two.other = two, one
    return one, two
