"""What every route can ask for: the hub's parts, who is asking, and whether they may.

No route is without a permission; a test walks through all of them:

    @router.get("/sessions/{session_id}", dependencies=[permit(Action.READ_SESSION)])
    async def page(session_id: str, context: ContextDep, identity: IdentityDep): ...

A route whose path has `{session_id}` is judged with that session as the resource: what is not for this identity is
`NotFound`, exactly like what does not exist. Somebody nobody knows is `NotSignedIn`. A path with `{municipality_id}`
(and `{group_id}`, `{person_id}`) is judged with that boundary. What changes something, and every look at what is
confidential, is noted in the audit log before it is done; so is a try to reach over the boundary.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import HTTPConnection

from session_manager.access import (
    EVERYBODY,
    INSTALLATION,
    PERSONAL,
    RULES,
    STRANGER,
    Action,
    Identity,
    Kind,
    Resource,
    may,
    own,
)
from session_manager.errors import NotFound, NotPermitted, NotSignedIn
from session_manager.people import Standing
from session_manager.ports import Runtime
from session_manager.store import Store
from session_manager.web.ratelimit import Limiter
from session_manager.web.security import (
    CSRF_COOKIE,
    CSRF_HEADER,
    LOGIN_COOKIE,
    PANEL_COOKIE,
    SAFE_METHODS,
    VIEW_COOKIE,
    bearer,
    check_csrf,
)
from session_manager.web.settings import WebSettings

NO_SESSION = "There is no session with that identifier."
NOTHING = "There is nothing of that kind under that identifier."
SIGN_IN = "Sign in first."
API_TOKEN = "shi_"
"""What a program's token begins with, so that a leaked one is recognised."""


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
    found = await _by_token(context, token) if token else await _by_cookies(connection, context)
    known = tuple(found) or (STRANGER,)
    connection.state.known = known  # pages draw their menu from it
    return known


IdentitiesDep = Annotated[tuple[Identity, ...], Depends(identities)]


async def identity(known: Annotated[tuple[Identity, ...], Depends(identities)]) -> Identity:
    """Who asks, by bearer token or cookie."""
    return known[0]


IdentityDep = Annotated[Identity, Depends(identity)]


class Permit:
    """Lets a request through or raises. `within`: the route itself gives everybody only their own part."""

    def __init__(self, action: Action, within: bool = False) -> None:
        self.action = action
        self.within = within

    async def __call__(self, connection: HTTPConnection, context: ContextDep, known: IdentitiesDep) -> None:
        if RULES[self.action] == EVERYBODY:
            return
        if all(one.kind not in RULES[self.action] for one in known):
            raise NotSignedIn(SIGN_IN) if known == (STRANGER,) else NotPermitted("This is not for you to do.")
        changes = connection.scope.get("method") not in SAFE_METHODS
        if changes and bearer(connection) is None:
            _check_page(connection, context, next(one for one in known if one.kind in RULES[self.action]))
        resource = await _resource(context, connection.path_params)
        who = next((one for one in known if may(one, self.action, own(one) if self.within else resource)), None)
        speaker = who or known[0]
        if speaker.kind in (*PERSONAL, Kind.PANEL) and (changes or who is None or resource.confidential):
            await self._note(connection, context, speaker, resource, "allowed" if who is not None else "refused")
        if who is None:
            raise NotFound(NO_SESSION if "session_id" in connection.path_params else NOTHING)

    async def _note(
        self, connection: HTTPConnection, context: Context, speaker: Identity, resource: Resource, outcome: str
    ) -> None:
        await asyncio.to_thread(
            context.store.note,
            happened_at=context.clock(),
            municipality_id=next(iter(sorted(resource.municipality_ids)), speaker.municipality_id),
            role=speaker.kind.value,
            actor=speaker.subject,
            action=self.action.value,
            target=f"{connection.scope.get('method', 'SOCKET')} {connection.url.path}",
            outcome=outcome,
        )


def _check_page(connection: HTTPConnection, context: Context, asking: Identity) -> None:
    """That a page of ours meant this change, for those whom a cookie lets in."""
    if asking.kind in PERSONAL:
        check_csrf(connection, context.settings.secret)
    elif asking.kind is Kind.PANEL:
        check_csrf(connection, context.settings.secret, PANEL_COOKIE)


def permit(action: Action, *, within: bool = False) -> Any:
    """For `dependencies=[...]` of a route."""
    return Depends(Permit(action, within))


def as_identities(standing: Standing, actions: frozenset[str] | None = None) -> list[Identity]:
    """One per role, the strongest first. Who is registered in a municipality is at least a member of it."""
    person_id = standing.person.person_id if standing.person is not None else None
    home = standing.municipality_id or None
    inside: dict[str, set[str]] = {}
    for group_id, role in standing.groups:
        inside.setdefault(role, set()).add(group_id)
    roles = {*standing.grants, *inside, *(("member",) if person_id is not None else ())}
    return [
        Identity(
            kind,
            standing.subject,
            municipality_id=home,
            group_ids=frozenset(inside.get(kind.value, ())),
            person_id=person_id,
            actions=actions,
        )
        for kind in PERSONAL
        if kind.value in roles
    ]


async def _resource(context: Context, path: Mapping[str, Any]) -> Resource:
    if "session_id" in path:
        return await _session(context, path["session_id"])
    if "municipality_id" in path:
        try:
            await asyncio.to_thread(context.store.home, str(path["municipality_id"]))
        except NotFound:
            raise NotFound(NOTHING) from None
        homes = frozenset({str(path["municipality_id"])})
        found = Resource(municipality_ids=homes, group_id=path.get("group_id"), person_id=path.get("person_id"))
        return await _with_group(context, path, found)
    if "evening_id" in path or "series_id" in path:
        return await _with_group(context, path, INSTALLATION)
    return INSTALLATION


async def _with_group(context: Context, path: Mapping[str, Any], found: Resource) -> Resource:
    """What is about a series or an evening is about the group behind it too; else nothing changes."""
    try:
        if "evening_id" in path:
            _, behind = await asyncio.to_thread(context.store.evening_behind, str(path["evening_id"]))
        elif "series_id" in path:
            behind = await asyncio.to_thread(context.store.behind, str(path["series_id"]))
        else:
            return found
    except NotFound:
        if "municipality_id" in path and "evening_id" not in path:
            return found  # the route says what is missing
        raise NotFound(NOTHING) from None
    if found.municipality_ids and behind.municipality_id not in found.municipality_ids:
        if "evening_id" in path:
            raise NotFound(NOTHING)
        return found
    homes = frozenset({behind.municipality_id})
    secret = behind.confidential and "evening_id" in path
    return replace(found, municipality_ids=homes, group_id=found.group_id or behind.group_id, confidential=secret)


async def _session(context: Context, session_id: str) -> Resource:
    try:
        session = await asyncio.to_thread(context.store.session, session_id)
    except NotFound:
        raise NotFound(NO_SESSION) from None
    homes, group_id = await asyncio.to_thread(context.store.session_home, session_id)
    return Resource(session.session_id, session.confidential, homes, group_id)


async def _by_token(context: Context, token: str) -> list[Identity]:
    if hmac.compare_digest(token.encode(), context.settings.worker_token.encode()):
        return [Identity(Kind.WORKER)]
    now = context.clock()
    if token.startswith(API_TOKEN):
        known = await asyncio.to_thread(context.store.token, token, now)
        return as_identities(known[1], frozenset(known[0].actions)) if known is not None else []
    board = await asyncio.to_thread(context.store.board_by_token, token, now)
    return [Identity(Kind.BOARD, board.board_id)] if board is not None else []


async def _by_login(context: Context, cookie: str, now: float) -> list[Identity]:
    account = await asyncio.to_thread(context.store.login, cookie, now)
    if account is not None:
        home = await asyncio.to_thread(context.store.account_home, account.account_id)
        return [Identity(Kind(account.role), account.account_id, municipality_id=home)]
    standing = await asyncio.to_thread(context.store.person_login, cookie, now)
    return as_identities(standing) if standing is not None else []


async def _by_panel(context: Context, cookie: str, now: float) -> list[Identity]:
    panel = await asyncio.to_thread(context.store.panel_by_cookie, cookie, now)
    if panel is None:
        return []
    return [Identity(Kind.PANEL, panel.panel_id, municipality_id=panel.municipality_id, room_id=panel.room_id)]


async def _by_cookies(connection: HTTPConnection, context: Context) -> list[Identity]:
    """Logins before views. One view cookie per session: with the session in the path, only that one is looked at."""
    now = context.clock()
    login = connection.cookies.get(LOGIN_COOKIE)
    found = await _by_login(context, login, now) if login else []
    panel = connection.cookies.get(PANEL_COOKIE)
    found += await _by_panel(context, panel, now) if panel else []
    wanted = connection.path_params.get("session_id")
    names = [name for name in connection.cookies if name.startswith(f"{VIEW_COOKIE}_")]
    for name in names[:8] if wanted is None else [f"{VIEW_COOKIE}_{wanted}"]:
        cookie = connection.cookies.get(name)
        session_id = await asyncio.to_thread(context.store.view, cookie, now) if cookie else None
        if session_id is not None:
            found.append(Identity(Kind.VIEWER, session_id=session_id))
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
    "IdentitiesDep",
    "Identity",
    "IdentityDep",
    "Permit",
    "as_identities",
    "context",
    "identity",
    "permit",
]
