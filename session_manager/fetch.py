"""Calendars from other houses by address, without becoming somebody's hand inside our network.

Only hosts that the operator listed, only https, no redirects; every address the name stands for must be a public one,
and the connection goes to the very address that was checked (no second look-up that could answer differently).
A host of the house's own network is listed with its port after `private:`; only such a one may be http.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from session_manager.errors import NotPermitted, NotPossible
from session_manager.ical import MAX_BYTES

TOTAL_S = 15.0
MAX_URL = 2_000
PRIVATE = "private:"

_NOT_LISTED = "Calendars are not fetched from that address. Ask the administrator to allow it, or upload the file."


@dataclass(frozen=True, slots=True)
class Target:
    """One address outside, as far as its text goes. `private`: the operator listed this host and port of the house."""

    url: str
    host: str
    port: int
    private: bool

    def at(self, address: str) -> tuple[str, dict[str, str]]:
        """The address that was checked, and the Host header of the name; the certificate is checked by the name."""
        parts = urlsplit(self.url)
        numeric = f"[{address}]" if ":" in address else address
        host = self.host if self.port in {80, 443} else f"{self.host}:{self.port}"
        return parts._replace(netloc=f"{numeric}:{self.port}", fragment="").geturl(), {"Host": host}


async def fetch(url: str, allowed: Sequence[str], total_s: float = TOTAL_S) -> bytes:
    """At most 1 MiB in 15 s. Raises NotPermitted (address not allowed) or NotPossible (no calendar there)."""
    target = target_of(url, allowed)
    if target is None or not (target.private or target.host in allowed):
        raise NotPermitted(_NOT_LISTED)
    try:
        async with asyncio.timeout(total_s):
            address = await resolved(target)
            if address is None:
                raise NotPermitted(_NOT_LISTED)
            return await _get(target, address)
    except TimeoutError as error:
        raise NotPossible("That calendar takes too long to answer. Try again later.") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NotPossible("That calendar cannot be read now. Check the address.") from error
    except OSError as error:
        raise NotPossible("That calendar's name is not known here. Check the address.") from error


def target_of(url: str, allowed: Sequence[str]) -> Target | None:
    """None: nothing that may be reached, whatever the name stands for. A public one is https on 443."""
    if len(url) > MAX_URL or not url.isascii() or any(letter <= " " or letter == "\\" for letter in url):
        return None
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip(".").lower(), parts.port
    except ValueError:
        return None
    port = port or (443 if parts.scheme == "https" else 80)
    private = f"{PRIVATE}{host}:{port}" in allowed
    if not host or parts.username or parts.password or parts.scheme not in {"http", "https"}:
        return None
    if not private and (parts.scheme != "https" or port != 443):
        return None
    return Target(url, host, port, private)


async def resolved(target: Target) -> str | None:
    """One address of the name; None when any of them is not public and nobody listed it. Raises OSError: unknown."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    addresses = [str(one[4][0]) for one in found]
    if not target.private and not all(is_public(one) for one in addresses):
        return None
    return addresses[0]


def is_public(address: str) -> bool:
    """Not this machine, not this house, not a tunnel into either."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    inner: list[ipaddress.IPv4Address | ipaddress.IPv6Address] = [parsed]
    if isinstance(parsed, ipaddress.IPv6Address):
        teredo = parsed.teredo
        inner += [one for one in (parsed.ipv4_mapped, parsed.sixtofour, *(teredo or ())) if one is not None]
        if parsed in ipaddress.ip_network("64:ff9b::/96"):
            inner.append(ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF))
    return all(one.is_global and not one.is_multicast for one in inner)


async def _get(target: Target, address: str) -> bytes:
    url, headers = target.at(address)
    async with httpx.AsyncClient(follow_redirects=False, trust_env=False, timeout=TOTAL_S) as client:
        extensions = {"sni_hostname": target.host}
        request = client.stream("GET", url, headers={**headers, "Accept": "text/calendar"}, extensions=extensions)
        async with request as answer:
            if answer.status_code != 200:
                raise NotPossible(f"That calendar answers {answer.status_code}. Give the address it really has.")
            body = bytearray()
            async for part in answer.aiter_bytes():
                body += part
                if len(body) > MAX_BYTES:
                    raise NotPossible("That calendar is larger than 1 MiB. Share a shorter part of it.")
            return bytes(body)
