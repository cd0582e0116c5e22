"""One client connection of either direction: ICE-lite link, DTLS handshake, keys, and its end."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from signaling.media.aiortc_adapter import Certificate, FwdDtls, SrtpKeys
from signaling.media.ice_lite import Link
from signaling.media.sdp import Fingerprint, LocalTransport
from signaling.media.udp import Cell
from signaling.ports import Connection

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ConnectionKey:
    session_id: str
    peer_id: str
    direction: Connection
    generation: int


class ConnectionOwner(Protocol):
    """Hears how a connection fares; all calls come on the loop of the forwarder."""

    def came_up(self, connection: ClientConnection) -> None: ...
    def went_down(self, connection: ClientConnection, cause: str) -> None: ...


class ClientConnection:
    """Base of the two directions; they override `on_rtp` and `on_rtcp`."""

    def __init__(self, key: ConnectionKey, link: Link, certificate: Certificate, owner: ConnectionOwner) -> None:
        self.key = key
        self.link = link
        self.keys: SrtpKeys | None = None
        self.closed = False
        self.own_ssrc = random.getrandbits(31) | 1
        self.forged = 0
        self._certificate = certificate
        self._owner = owner
        self._dtls: FwdDtls | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def up(self) -> bool:
        return self.keys is not None and not self.closed

    def local_transport(self, addresses: Sequence[tuple[str, int]]) -> LocalTransport:
        pair = self.link.credentials[-1]
        return LocalTransport(pair.ufrag, pair.password, self._certificate.sha256, tuple(addresses))

    @property
    def started(self) -> bool:
        return self._task is not None

    def start(self, fingerprints: Sequence[Fingerprint], role: str) -> None:
        """Begin the handshake; `role` is ours."""
        self._dtls = FwdDtls(self.link, self._certificate, role)
        pairs = [(fingerprint.algorithm, fingerprint.value) for fingerprint in fingerprints]
        self._task = asyncio.get_running_loop().create_task(self._run(self._dtls, pairs))

    async def _run(self, dtls: FwdDtls, fingerprints: Sequence[tuple[str, str]]) -> None:
        keys = await dtls.handshake(fingerprints)
        if self.closed:
            return
        if keys is None:
            self._owner.went_down(self, "dtls_failed")
            return
        self.keys = keys
        self.link.on_media = self._on_media
        self.link.recognises = self._recognises
        self._owner.came_up(self)
        await dtls.wait_closed()
        if not self.closed:
            self._owner.went_down(self, "closed_by_client")

    def _on_media(self, cell: Cell, size: int, is_rtcp: bool, now: float) -> None:
        keys = self.keys
        if keys is None or self.closed:
            return
        plain = keys.unprotect_rtcp(cell.view[0:size]) if is_rtcp else keys.unprotect(cell, size)
        if plain is None:
            self.forged += 1
        elif is_rtcp:
            self.on_rtcp(plain, now)
        else:
            self.on_rtp(plain, now)

    def _recognises(self, data: bytes) -> bool:
        return self.keys is not None and not self.closed and self.keys.fits(data)

    def on_rtp(self, data: bytes, now: float) -> None:
        """A decrypted RTP packet."""

    def on_rtcp(self, data: bytes, now: float) -> None:
        """A decrypted compound packet."""

    def send_rtp(self, data: bytes) -> None:
        if self.keys is not None and not self.closed:
            self.link.send(self.keys.protect(data))

    def send_rtcp(self, data: bytes) -> None:
        if self.keys is not None and not self.closed:
            self.link.send(self.keys.protect_rtcp(data))

    async def close(self) -> None:
        """Say goodbye to the client and forget the link; safe to call twice."""
        if self.closed:
            return
        self.closed = True
        if self._dtls is not None:
            await self._dtls.stop()
        self.link.close()
        if self._task is not None and self._task is not asyncio.current_task():
            await asyncio.gather(self._task, return_exceptions=True)
