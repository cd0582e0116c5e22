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
from urllib.parse import urlsplit

import httpx

from session_manager.errors import NotPermitted, NotPossible
from session_manager.ical import MAX_BYTES

TOTAL_S = 15.0
MAX_URL = 2_000
PRIVATE = "private:"

_NOT_LISTED = "Calendars are not fetched from that address. Ask the administrator to allow it, or upload the file."


async def fetch(url: str, allowed: Sequence[str]) -> bytes:
    """At most 1 MiB in 15 s. Raises NotPermitted (address not allowed) or NotPossible (no calendar there)."""
    host, port, private = _checked(url, allowed)
    try:
        async with asyncio.timeout(TOTAL_S):
            address = await _address(host, port, private)
            return await _get(url, host, port, address)
    except TimeoutError as error:
        raise NotPossible("That calendar takes too long to answer. Try again later.") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NotPossible("That calendar cannot be read now. Check the address.") from error


def _checked(url: str, allowed: Sequence[str]) -> tuple[str, int, bool]:
    if len(url) > MAX_URL or not url.isascii() or any(letter <= " " or letter == "\\" for letter in url):
        raise NotPermitted(_NOT_LISTED)
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip(".").lower(), parts.port
    except ValueError as error:
        raise NotPermitted(_NOT_LISTED) from error
    port = port or (443 if parts.scheme == "https" else 80)
    private = f"{PRIVATE}{host}:{port}" in allowed
    public = host in allowed and parts.scheme == "https" and port == 443
    if not host or parts.username or parts.password or parts.scheme not in {"http", "https"}:
        raise NotPermitted(_NOT_LISTED)
    if not private and not public:
        raise NotPermitted(_NOT_LISTED)
    return host, port, private


async def _address(host: str, port: int, private: bool) -> str:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise NotPossible("That calendar's name is not known here. Check the address.") from error
    addresses = [str(one[4][0]) for one in found]
    if not private and not all(is_public(one) for one in addresses):
        raise NotPermitted(_NOT_LISTED)
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


async def _get(url: str, host: str, port: int, address: str) -> bytes:
    """To the checked address; the certificate is checked against the name."""
    parts = urlsplit(url)
    numeric = f"[{address}]" if ":" in address else address
    target = parts._replace(netloc=f"{numeric}:{port}", fragment="").geturl()
    headers = {"Host": host if port in {80, 443} else f"{host}:{port}", "Accept": "text/calendar"}
    async with httpx.AsyncClient(follow_redirects=False, trust_env=False, timeout=TOTAL_S) as client:
        request = client.stream("GET", target, headers=headers, extensions={"sni_hostname": host})
        async with request as answer:
            if answer.status_code != 200:
                raise NotPossible(f"That calendar answers {answer.status_code}. Give the address it really has.")
            body = bytearray()
            async for part in answer.aiter_bytes():
                body += part
                if len(body) > MAX_BYTES:
                    raise NotPossible("That calendar is larger than 1 MiB. Share a shorter part of it.")
            return bytes(body)
