"""Credentials for a TURN relay that end by themselves: coturn's `use-auth-secret`. Pure.

Source: draft-uberti-behave-turn-rest-00, section 2.2. The relay shares one secret with the hub and knows no user; the
name says until when it is good, the password is the name's HMAC. A relay looks at them when an allocation is made, so
a call that goes on outlives them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field

from signaling.messages import IceServerInfo
from signaling.ports import IceServer

TTL_S = 12 * 3600.0
"""A new connection in a session that lasts all day must find them still good."""


@dataclass(frozen=True, slots=True)
class Relay:
    """`urls`: `turn:host:port` or `turns:host:port`, with `?transport=udp` or `tcp`."""

    urls: tuple[str, ...]
    secret: str = field(repr=False)
    ttl_s: float = TTL_S

    def server(self, who: str, now: float) -> IceServer:
        """For one peer; `who` is only for the relay's own log and quotas."""
        username = f"{int(now + self.ttl_s)}:{who}"
        digest = hmac.new(self.secret.encode(), username.encode(), hashlib.sha1).digest()
        return IceServer(self.urls, username, base64.b64encode(digest).decode())


def ice_servers(fixed: Sequence[IceServer], relay: Relay | None, who: str, now: float) -> list[IceServerInfo]:
    """What one peer is told in its welcome."""
    every = [*fixed, *([relay.server(who, now)] if relay is not None else [])]
    return [IceServerInfo(urls=list(one.urls), username=one.username, credential=one.credential) for one in every]
