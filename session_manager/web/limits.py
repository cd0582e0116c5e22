"""Where the limiter stands at the doors."""

from __future__ import annotations

import hashlib
import math
from typing import Any

from fastapi import Depends
from starlette.requests import HTTPConnection

from session_manager.errors import TooFast
from session_manager.web.context import Context, ContextDep
from session_manager.web.ratelimit import Rule, neighbourhood
from session_manager.web.security import bearer


def slow_address(context: Context, connection: HTTPConnection, rule: Rule) -> None:
    """Raises TooFast when this address has knocked too often."""
    host = connection.client.host if connection.client is not None else ""
    _take(context, rule, neighbourhood(host))


def slow_secret(context: Context, rule: Rule, secret: str) -> None:
    """Raises TooFast when this code or name was tried too often; the limiter keeps a hash, not the text."""
    _take(context, rule, hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest())


def slowed(rule: Rule) -> Any:
    """For `dependencies=[...]` of a route, before its permission: asking costs the store a write."""

    async def by_address(connection: HTTPConnection, context: ContextDep) -> None:
        slow_address(context, connection, rule)

    return Depends(by_address)


def slowed_token(rule: Rule, address: Rule) -> Any:
    """For routes of devices, of which many may stand behind one address: each has its own measure by its token.

    The address has one too, as wide as a hundred devices: tokens that nobody gave out share it.
    """

    async def by_token(connection: HTTPConnection, context: ContextDep) -> None:
        slow_address(context, connection, address)
        slow_secret(context, rule, bearer(connection) or "")

    return Depends(by_token)


def _take(context: Context, rule: Rule, key: str) -> None:
    wait = context.limiter.take(rule, key, context.clock())
    if wait:
        raise TooFast("Too many tries. Wait a moment, then try again.", math.ceil(wait))
