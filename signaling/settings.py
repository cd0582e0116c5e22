"""What can be set about a signaling server; the defaults are the protocol's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from signaling.delivery import Bounds
from signaling.ports import IceServer
from signaling.protocol import Pace
from signaling.relay import Relay
from signaling.switchboard import Grace


@dataclass(frozen=True, slots=True)
class SignalingSettings:
    """`directory_s`, `media_s`: patience with a directory or plane call. `test_door` is for tests only."""

    pace: Pace = field(default_factory=Pace)
    grace: Grace = field(default_factory=Grace)
    bounds: Bounds = field(default_factory=Bounds)
    ice_servers: tuple[IceServer, ...] = ()
    relay: Relay | None = None
    directory_s: float = 10.0
    media_s: float = 10.0
    media_retry_ms: int = 1_000
    max_connections: int = 1_000
    last_words_s: float = 2.0
    test_door: bool = False
    site_kbps: Mapping[str, int] = field(default_factory=dict)
    """What the cable of a site carries each way, by site id; sites that are not named have no set limit."""
