"""What every route can ask for: the hub's parts, who is asking, and whether they may.

No route is without a permission; a test walks through all of them:

    @router.get("/sessions/{session_id}", dependencies=[permit(Action.READ_SESSION)])
    async def page(session_id: str, context: ContextDep, identity: IdentityDep): ...

A route whose path has `{session_id}` is judged with that session as the resource: what is not for this identity is
`NotFound`, exactly like what does not exist. Somebody nobody knows is `NotSignedIn`.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import HTTPConnection

from session_manager.access import EVERYBODY, INSTALLATION, RULES, STRANGER, Action, Identity, Kind, Resource, may
from session_manager.errors import NotFound, NotPermitted, NotSignedIn
from session_manager.ports import Runtime
from session_manager.store import Store
from session_manager.web.ratelimit import Limiter
from session_manager.web.security import (
    CSRF_COOKIE,
    CSRF_HEADER,
    LOGIN_COOKIE,
    SAFE_METHODS,
    VIEW_COOKIE,
    bearer,
    check_csrf,
)
from session_manager.web.settings import WebSettings

NO_SESSION = "There is no session with that identifier."
SIGN_IN = "Sign in first."


@dataclass(frozen=True, slots=True)
class Context:
    store: Store
    runtime: Runtime
    settings: WebSettings
    clock: Callable[[], float] = field(default=time.time)
    limiter: Limiter = field(default_factory=Limiter)
    hashing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))
    """Password checks at once: each takes 64 MiB."""


def context(connection: HTTPConnection) -> Context:
    found: Context = connection.app.state.context
    return found


ContextDep = Annotated[Context, Depends(context)]


async def identities(connection: HTTPConnection, context: ContextDep) -> tuple[Identity, ...]:
    """Everybody this request can claim to be, the strongest first; a stranger when it claims nothing that holds."""
    token = bearer(connection)
    found = [await _by_token(context, token)] if token else await _by_cookies(connection, context)
    return tuple(one for one in found if one is not None) or (STRANGER,)


async def identity(known: Annotated[tuple[Identity, ...], Depends(identities)]) -> Identity:
    """Who asks, by bearer token or cookie."""
    return known[0]


IdentityDep = Annotated[Identity, Depends(identity)]


class Permit:
    """Lets a request through or raises."""

    def __init__(self, action: Action) -> None:
        self.action = action

    async def __call__(
        self,
        connection: HTTPConnection,
        context: ContextDep,
        known: Annotated[tuple[Identity, ...], Depends(identities)],
    ) -> None:
        if RULES[self.action] == EVERYBODY:
            return
        if all(one.kind not in RULES[self.action] for one in known):
            raise NotSignedIn(SIGN_IN) if known == (STRANGER,) else NotPermitted("This is not for you to do.")
        if known[0].kind in {Kind.ADMINISTRATOR, Kind.STAFF} and connection.scope.get("method") not in SAFE_METHODS:
            check_csrf(connection, context.settings.secret)
        session_id = connection.path_params.get("session_id")
        resource = await _session(context, session_id) if session_id is not None else INSTALLATION
        if not any(may(one, self.action, resource) for one in known):
            raise NotFound(NO_SESSION)


def permit(action: Action) -> Any:
    """For `dependencies=[...]` of a route."""
    return Depends(Permit(action))


async def _session(context: Context, session_id: str) -> Resource:
    try:
        session = await asyncio.to_thread(context.store.session, session_id)
    except NotFound:
        raise NotFound(NO_SESSION) from None
    return Resource(session.session_id, session.confidential)


async def _by_token(context: Context, token: str) -> Identity | None:
    if hmac.compare_digest(token.encode(), context.settings.worker_token.encode()):
        return Identity(Kind.WORKER)
    board = await asyncio.to_thread(context.store.board_by_token, token, context.clock())
    return Identity(Kind.BOARD, board.board_id) if board is not None else None


async def _by_cookies(connection: HTTPConnection, context: Context) -> list[Identity | None]:
    """Logins before views. One view cookie per session: with the session in the path, only that one is looked at."""
    now = context.clock()
    found: list[Identity | None] = []
    login = connection.cookies.get(LOGIN_COOKIE)
    if login:
        account = await asyncio.to_thread(context.store.login, login, now)
        found.append(Identity(Kind(account.role), account.account_id) if account is not None else None)
    wanted = connection.path_params.get("session_id")
    names = [name for name in connection.cookies if name.startswith(f"{VIEW_COOKIE}_")]
    for name in names[:8] if wanted is None else [f"{VIEW_COOKIE}_{wanted}"]:
        cookie = connection.cookies.get(name)
        session_id = await asyncio.to_thread(context.store.view, cookie, now) if cookie else None
        found.append(Identity(Kind.VIEWER, session_id=session_id) if session_id is not None else None)
    return found


__all__ = [
    "CSRF_COOKIE",
    "CSRF_HEADER",
    "LOGIN_COOKIE",
    "STRANGER",
    "VIEW_COOKIE",
    "Action",
    "Context",
    "ContextDep",
    "Identity",
    "IdentityDep",
    "Permit",
    "context",
    "identity",
    "permit",
]
