"""ICE-lite on one UDP port per address family (RFC 8445 2.4, RFC 8489): who sends, and where to send.

Every datagram of every client comes in here and is told apart by its first byte (RFC 7983). A `Link` is one client
connection: it is found by the user name of a connectivity check, its address is learnt from the packet that carried a
good one, and it may have several credentials, so an ICE restart is a second pair on the same link. There are no
consent checks of our own; the owner watches `heard_at`. What is malformed or unknown is counted and dropped.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from struct import error as StructError
from typing import Any

from aioice import stun

from signaling.media.errors import MediaError
from signaling.media.udp import Address, Cell, Port

MAX_LINKS = 4096
MAX_ADDRESSES = 8
"""Addresses of one link from which media is taken; the one longest unused goes."""

MAX_CREDENTIALS = 4
DTLS_QUEUE = 64
"""Datagrams of a handshake not yet read; the newest is dropped, DTLS sends again."""

STRANGER_CHECKS_PER_S = 400
"""Checks from unknown addresses that are worth a hash; more is a flood. A join needs fewer than ten."""

MOVED_AFTER_S = 0.25
"""A link that was silent for so long may have another address: packets from strangers are tried against its keys."""

MOST_TRIED = 16

MOVE_AFTER_S = 2.0
"""A check without USE-CANDIDATE moves the link only when its address has been silent for this long."""


@dataclass(frozen=True, slots=True)
class Credentials:
    ufrag: str
    password: str


def new_credentials() -> Credentials:
    return Credentials(secrets.token_hex(4), secrets.token_hex(16))


class Link:
    """One client connection under ICE-lite; owner sets the callbacks before media can flow.

    `on_media(cell, size, is_rtcp, now)` gets protected packets in place; `on_moved()` says that `address` changed.
    """

    def __init__(self, ice: IceLite, now: float) -> None:
        self._ice = ice
        self._dtls: deque[bytes] = deque()
        self._arrived = asyncio.Event()
        self.port: Port | None = None
        self.address: Address | None = None
        self.heard_at = now
        self.heard_from: Address | None = None
        self.closed = False
        self.addresses: dict[tuple[Port, Address], float] = {}
        self.credentials: list[Credentials] = []
        self.on_media: Callable[[Cell, int, bool, float], None] | None = None
        self.on_moved: Callable[[], None] | None = None
        self.recognises: Callable[[bytes], bool] | None = None
        """Whether a protected packet from an unknown address can only be this client's."""

    def send(self, data: bytes) -> bool:
        """False when the link has no address yet or the datagram was dropped."""
        return self.port is not None and self.address is not None and self.port.send(data, self.address)

    async def receive_dtls(self) -> bytes:
        """The next datagram of the handshake; `ConnectionError` when the link is closed."""
        while not self._dtls:
            if self.closed:
                raise ConnectionError("link closed")
            self._arrived.clear()
            await self._arrived.wait()
        return self._dtls.popleft()

    def put_dtls(self, data: bytes) -> bool:
        if len(self._dtls) >= DTLS_QUEUE:
            return False
        self._dtls.append(data)
        self._arrived.set()
        return True

    def restart(self) -> Credentials:
        """A further pair for an ICE restart (RFC 8445 9): DTLS and SRTP go on. The oldest pair beyond four goes."""
        return self._ice.add_credentials(self)

    def close(self) -> None:
        self.closed = True
        self._arrived.set()
        self._ice.forget(self)


class IceLite:
    """All links of one worker on its ports."""

    def __init__(self, ports: list[Port]) -> None:
        self.ports = ports
        self.counters: Counter[str] = Counter()
        self._by_ufrag: dict[str, tuple[Link, Credentials]] = {}
        self._by_address: dict[Port, dict[Address, Link]] = {port: {} for port in ports}
        self._links: set[Link] = set()
        self._stranger_budget = float(STRANGER_CHECKS_PER_S)
        self._budget_at = 0.0

    def link(self, now: float) -> Link:
        """A new link with its first credentials. Raises `MediaError` when there are too many."""
        if len(self._links) >= MAX_LINKS:
            raise MediaError("This media worker has no room for another connection. Try again later.")
        link = Link(self, now)
        self._links.add(link)
        self.add_credentials(link)
        return link

    def add_credentials(self, link: Link) -> Credentials:
        pair = new_credentials()
        link.credentials.append(pair)
        self._by_ufrag[pair.ufrag] = (link, pair)
        if len(link.credentials) > MAX_CREDENTIALS:
            del self._by_ufrag[link.credentials.pop(0).ufrag]
        return pair

    def forget(self, link: Link) -> None:
        self._links.discard(link)
        for pair in link.credentials:
            self._by_ufrag.pop(pair.ufrag, None)
        for port, address in link.addresses:
            if self._by_address[port].get(address) is link:
                del self._by_address[port][address]
        link.addresses.clear()

    def sizes(self) -> tuple[int, int, int]:
        """(links, user names, addresses) held now."""
        return len(self._links), len(self._by_ufrag), sum(map(len, self._by_address.values()))

    def receive(self, port: Port, now: float) -> int:
        """Take in one burst of datagrams; returns how many there were. `now` is monotonic seconds."""
        count = port.receive()
        links = self._by_address[port]
        for i in range(count):
            cell, size, source = port.cells[i], port.sizes[i], port.sources[i]
            first = cell.view[0][0] if size else 255
            link = links.get(source)
            if 128 <= first <= 191 and link is not None and size > 11:
                link.heard_at = now
                link.heard_from = source
                if link.on_media is not None:
                    link.on_media(cell, size, 192 <= cell.view[1][0] <= 223, now)
                else:
                    self.counters["media_before_keys"] += 1
            else:
                self._other(port, source, link, cell.view[0:size], now)
        return count

    def _other(self, port: Port, source: Address, link: Link | None, data: bytes, now: float) -> None:
        first = data[0] if data else 255
        if first < 4:
            self._check(port, source, link, data, now)
        elif 20 <= first <= 63 and link is not None:
            link.heard_at = now
            if not link.put_dtls(data):
                self.counters["dtls_overflow"] += 1
        elif link is None and 128 <= first <= 191 and self._recognised(port, source, data, now):
            self.counters["addresses_followed"] += 1
        elif link is None:
            self.counters["from_strangers"] += 1
        else:
            self.counters["malformed"] += 1

    def _affordable(self, now: float) -> bool:
        passed = max(0.0, now - self._budget_at)
        self._budget_at = now
        self._stranger_budget = min(STRANGER_CHECKS_PER_S, self._stranger_budget + passed * STRANGER_CHECKS_PER_S)
        if self._stranger_budget < 1:
            return False
        self._stranger_budget -= 1
        return True

    def _check(self, port: Port, source: Address, link: Link | None, data: bytes, now: float) -> None:
        if link is None and not self._affordable(now):
            self.counters["checks_refused"] += 1
            return
        try:
            message = stun.parse_message(data)
        except (ValueError, StructError):
            self.counters["stun_malformed"] += 1
            return
        user = message.attributes.get("USERNAME", "").split(":")[0]
        known = self._by_ufrag.get(user)
        if message.message_class != stun.Class.REQUEST or message.message_method != stun.Method.BINDING:
            self.counters["stun_not_a_check"] += 1
        elif known is None:
            self.counters["stun_unknown_user"] += 1
        elif "FINGERPRINT" not in message.attributes or not _authentic(message, known[1].password):
            self.counters["stun_not_authentic"] += 1
        else:
            self._answer(port, source, message, known[1])
            self._learn(known[0], port, source, "USE-CANDIDATE" in message.attributes, now)

    def _recognised(self, port: Port, source: Address, data: bytes, now: float) -> bool:
        """A client whose address changed under it (another network, a new mapping in a router) goes on sending, and its
        next connectivity check may be seconds away: its keys say who it is. The packet itself is spent on that."""
        if not self._affordable(now):
            return False
        quiet = [link for link in self._links if link.recognises is not None and now - link.heard_at >= MOVED_AFTER_S]
        for link in sorted(quiet, key=lambda link: -link.heard_at)[:MOST_TRIED]:
            if link.recognises is not None and link.recognises(data):
                self._move(link, port, source, now)
                return True
        return False

    def _answer(self, port: Port, source: Address, request: stun.Message, pair: Credentials) -> None:
        if "ICE-CONTROLLED" in request.attributes:
            # a lite agent is always the controlled one (RFC 8445 6.1.1): the other side must switch
            response = _response(request, stun.Class.ERROR, {"ERROR-CODE": (487, "Role Conflict")})
        else:
            response = _response(request, stun.Class.RESPONSE, {"XOR-MAPPED-ADDRESS": port.name_of(source)})
        response.add_message_integrity(pair.password.encode())
        port.send(bytes(response), source)
        self.counters["checks_answered"] += 1

    def _learn(self, link: Link, port: Port, source: Address, nominated: bool, now: float) -> None:
        current = (link.port, link.address)
        silent = now - link.heard_at if link.heard_from == link.address else MOVE_AFTER_S + 1
        link.heard_at = now
        self._remember(link, port, source, now)
        if current == (port, source):
            link.heard_from = source
        elif nominated or link.address is None or silent > MOVE_AFTER_S:
            self._move(link, port, source, now)

    def _move(self, link: Link, port: Port, source: Address, now: float) -> None:
        self._remember(link, port, source, now)
        link.port, link.address = port, source
        link.heard_at, link.heard_from = now, source
        self.counters["addresses_learnt"] += 1
        if link.on_moved is not None:
            link.on_moved()

    def _remember(self, link: Link, port: Port, source: Address, now: float) -> None:
        here, current = (port, source), (link.port, link.address)
        if here not in link.addresses and len(link.addresses) >= MAX_ADDRESSES:
            oldest = min((seen, key) for key, seen in link.addresses.items() if key != current)[1]
            del link.addresses[oldest]
            self._by_address[oldest[0]].pop(oldest[1], None)
        link.addresses[here] = now
        self._by_address[port][source] = link


def _authentic(message: stun.Message, password: str) -> bool:
    return message.check_message_integrity(password.encode())


def _response(request: stun.Message, kind: stun.Class, attributes: dict[str, Any]) -> stun.Message:
    return stun.Message(
        message_method=stun.Method.BINDING,
        message_class=kind,
        transaction_id=request.transaction_id,
        attributes=attributes,
    )
