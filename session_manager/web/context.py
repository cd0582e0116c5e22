"""What every route can ask for: the hub's parts, who is asking, and whether they may.

Use in a route (pages too), so that no route is without a permission:

    @router.get("/sessions", dependencies=[permit(Action.LIST_SESSIONS)])
    async def page(context: ContextDep, identity: IdentityDep): ...

A route whose path has `{session_id}` is judged with that session as the resource.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from session_manager.access import STRANGER, Action, Identity
from session_manager.ports import Runtime
from session_manager.store import Store
from session_manager.web.settings import WebSettings

LOGIN_COOKIE = "shimawa_login"
VIEW_COOKIE = "shimawa_view"
CSRF_COOKIE = "shimawa_csrf"
CSRF_HEADER = "X-CSRF-Token"


@dataclass(frozen=True, slots=True)
class Context:
    store: Store
    runtime: Runtime
    settings: WebSettings
    clock: Callable[[], float] = field(default=time.time)


def context(request: Request) -> Context:
    found: Context = request.app.state.context
    return found


async def identity(request: Request) -> Identity:
    """Who asks, by cookie or bearer token; looked up once per request."""
    raise NotImplementedError


class Permit:
    """Dependency that lets a request through or raises; the route test looks for it."""

    def __init__(self, action: Action) -> None:
        self.action = action

    async def __call__(self, request: Request) -> Identity:
        raise NotImplementedError


ContextDep = Annotated[Context, Depends(context)]
IdentityDep = Annotated[Identity, Depends(identity)]


def permit(action: Action) -> Permit:
    return Depends(Permit(action))  # type: ignore[no-any-return]


__all__ = ["STRANGER", "Action", "Context", "ContextDep", "IdentityDep", "Permit", "context", "identity", "permit"]
