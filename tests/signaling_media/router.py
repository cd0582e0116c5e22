"""A router between a client and the hub whose outer address can change in the middle of a call."""

from __future__ import annotations

import asyncio
import re
from typing import Any

Address = tuple[str, int]


class _Side(asyncio.DatagramProtocol):
    def __init__(self, router: Router, outer: bool) -> None:
        self._router = router
        self._outer = outer

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if self._outer:
            self._router.inwards(data)
        else:
            self._router.outwards(data, addr)


class Router:
    """`through(sdp)` makes the hub's description point here. `down` loses everything both ways."""

    def __init__(self) -> None:
        self.down = False
        self.forwarded_in = 0
        self._hub: Address | None = None
        self._client: Address | None = None
        self._inner: asyncio.DatagramTransport
        self._outer: asyncio.DatagramTransport
        self.number = 0

    async def open(self) -> Router:
        loop = asyncio.get_running_loop()
        self._inner, _ = await loop.create_datagram_endpoint(lambda: _Side(self, False), ("127.0.0.1", 0))
        self.number = self._inner.get_extra_info("sockname")[1]
        self._outer, _ = await loop.create_datagram_endpoint(lambda: _Side(self, True), ("127.0.0.1", 0))
        return self

    async def rebind(self) -> None:
        """Another outer address from now on; what still goes to the old one is lost."""
        self._outer.close()
        self._outer, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Side(self, True), ("127.0.0.1", 0)
        )

    def through(self, sdp: str) -> str:
        """A description whose candidates are this router."""
        host, number = re.findall(r"a=candidate:\S+ 1 udp \d+ (\S+) (\d+)", sdp, re.IGNORECASE)[0]
        self._hub = (host, int(number))
        return re.sub(
            r"(a=candidate:\S+ 1 udp \d+ )\S+ \d+", rf"\g<1>127.0.0.1 {self.number}", sdp, flags=re.IGNORECASE
        )

    def outwards(self, data: bytes, client: Address) -> None:
        self._client = client
        if not self.down and self._hub is not None:
            self._outer.sendto(data, self._hub)

    def inwards(self, data: bytes) -> None:
        if not self.down and self._client is not None:
            self.forwarded_in += 1
            self._inner.sendto(data, self._client)

    def close(self) -> None:
        self._inner.close()
        self._outer.close()
