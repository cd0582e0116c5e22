"""Between a process's media and its wire: loses RTP datagrams, or holds everything for a while and then lets it go.

Works on asyncio's own datagram transport, below aioice, so what is lost was sent and can be asked for again.
"""

from __future__ import annotations

import asyncio
import contextlib
from asyncio import selector_events
from collections.abc import Iterator
from typing import Any

RTP_VERSION = range(128, 192)
RTCP_KINDS = range(192, 224)


class WireTap:
    def __init__(self) -> None:
        self.lost = 0
        self._to_lose = 0
        self._held_until = 0.0
        self._held: list[tuple[Any, bytes, Any]] = []

    def lose(self, packets: int) -> None:
        """The next so many RTP datagrams."""
        self._to_lose += packets

    def hold(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        self._held_until = loop.time() + seconds
        loop.call_later(seconds, self._release)

    @contextlib.contextmanager
    def on_this_loop(self) -> Iterator[None]:
        transport: Any = selector_events._SelectorDatagramTransport  # type: ignore[attr-defined]
        send = self._send = transport.sendto
        tap = self

        def sendto(self: Any, data: bytes, addr: Any = None) -> None:
            if tap._passes(self, data, addr):
                send(self, data, addr)

        transport.sendto = sendto
        try:
            yield
        finally:
            transport.sendto = send

    def _passes(self, transport: Any, data: bytes, address: Any) -> bool:
        if self._held_until > asyncio.get_running_loop().time():
            self._held.append((transport, data, address))
            return False
        if self._to_lose and len(data) > 12 and data[0] in RTP_VERSION and data[1] not in RTCP_KINDS:
            self._to_lose -= 1
            self.lost += 1
            return False
        return True

    def _release(self) -> None:
        self._held_until = 0.0
        held, self._held = self._held, []
        for transport, data, address in held:
            self._send(transport, data, address)
