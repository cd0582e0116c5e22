"""What the web part is told at start: secrets, cookie rules and waiting times."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from session_manager.openid import OpenIdProvider


@dataclass(frozen=True, slots=True)
class WebSettings:
    """`secret`: 32 random bytes of this installation (`tokens.load_secret`), signs join tokens and CSRF tokens.

    `secure_cookies`: the hub is reached by https, so cookies are never sent in clear. `allowed_hosts` empty: any Host
    header is taken; list names when the hub faces the internet. `public_url`: what invitation links begin with; None:
    the address the request came to.
    """

    secret: bytes = field(repr=False)
    worker_token: str = field(repr=False)
    secure_cookies: bool = False
    allowed_hosts: tuple[str, ...] = ()
    public_url: str | None = None
    join_token_ttl_s: float = 120.0
    login_ttl_s: float = 12 * 3600.0
    view_ttl_s: float = 12 * 3600.0
    board_retry_s: int = 15
    max_request_bytes: int = 1_048_576
    ping_s: float = 15.0
    openid: tuple[OpenIdProvider, ...] = ()
    """Other houses' sign-in, by name in the address."""
    calendar_hosts: tuple[str, ...] = ()
    """Names from which calendars may be fetched; empty: from nowhere."""
    data: Path | None = None
    """The folder whose disk the office is told about."""
    webhook_hosts: tuple[str, ...] = ()
    """`private:host:port` of the house's own network that messages to programs may go to."""
