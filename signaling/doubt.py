"""Is a connection that stands still heard? Asked when something else says that the way may be gone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from signaling.codec import Envelope
from signaling.connection import Connection
from signaling.messages import Beat
from signaling.protocol import CloseCode

ANSWER_S = 1.0


class Doubt:
    """One question at a time. `silent` is called, and the connection ended, when nothing at all came in `ANSWER_S`."""

    def __init__(self, silent: Callable[[], None]) -> None:
        self._silent = silent
        self._asked: Connection | None = None
        self._alive_at = 0.0

    def heard(self) -> None:
        """Anything came."""
        self._alive_at = asyncio.get_running_loop().time()

    def about(self, connection: Connection) -> None:
        if self._asked is connection:
            return
        loop = asyncio.get_running_loop()
        self._asked = connection
        loop.call_later(ANSWER_S, self._judge, connection, loop.time())
        connection.say(Envelope(Beat.type, Beat(ask=True)))

    def _judge(self, connection: Connection, asked_at: float) -> None:
        """An end of a connection that is over changes nothing."""
        if self._asked is not connection:
            return
        self._asked = None
        if self._alive_at < asked_at:
            self._silent()
            connection.end(CloseCode.SILENT)
