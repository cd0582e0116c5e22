"""Signing in and out, and how the hub is."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from session_manager.access import Action, Kind
from session_manager.errors import NotSignedIn
from session_manager.ports import HubStatus
from session_manager.records import Account
from session_manager.web.context import Context, ContextDep, IdentityDep, permit
from session_manager.web.forms import Login
from session_manager.web.limits import slow_address, slow_secret
from session_manager.web.ratelimit import Rule
from session_manager.web.security import CSRF_COOKIE, LOGIN_COOKIE, VIEW_COOKIE, csrf_token, set_cookie

router = APIRouter(tags=["account"])


@dataclass(frozen=True, slots=True)
class Me:
    """`account_id`: the account, or the person who came by link, provider or class code."""

    kind: Kind
    account_id: str | None
    session_id: str | None
    municipality_id: str | None = None
    person_id: str | None = None


@dataclass(frozen=True, slots=True)
class Health:
    status: str = "ok"


@router.post("/api/login", dependencies=[permit(Action.SIGN_IN)], summary="Sign in by name and password")
async def login(form: Login, request: Request, response: Response, context: ContextDep) -> Account:
    """Sets the login cookie and the readable `shimawa_csrf` that changes need in `X-CSRF-Token`."""
    slow_address(context, request, Rule.LOGIN_ADDRESS)
    slow_secret(context, Rule.LOGIN_NAME, form.name.casefold())
    async with context.hashing:
        account = await asyncio.to_thread(context.store.verify, form.name, form.password)
    if account is None:
        raise NotSignedIn("Name or password is not right.")
    cookie = await asyncio.to_thread(
        context.store.open_login, account.account_id, context.clock(), context.settings.login_ttl_s
    )
    await forget(request, context)
    remember(response, context, cookie)
    return account


@router.post("/api/logout", dependencies=[permit(Action.SIGN_OUT)], status_code=204, summary="Sign out")
async def logout(request: Request, response: Response, context: ContextDep) -> None:
    """Ends this browser's login and its viewer cookies."""
    await forget(request, context)
    for name in request.cookies:
        if name in {LOGIN_COOKIE, CSRF_COOKIE} or name.startswith(f"{VIEW_COOKIE}_"):
            response.delete_cookie(name, path="/")


@router.get("/api/me", dependencies=[permit(Action.SEE_PUBLIC)], summary="Who this browser is signed in as")
async def me(identity: IdentityDep) -> Me:
    return Me(identity.kind, identity.subject, identity.session_id, identity.municipality_id, identity.person_id)


@router.get("/api/status", dependencies=[permit(Action.SEE_STATUS)], summary="State of record and captions")
async def status(context: ContextDep) -> HubStatus:
    return context.runtime.status()


@router.get("/healthz", dependencies=[permit(Action.SEE_PUBLIC)], summary="Whether the hub answers and its store too")
async def healthz(context: ContextDep) -> Health:
    await asyncio.to_thread(context.store.facilities)
    return Health()


async def forget(request: Request, context: Context) -> None:
    """Ends the login that this browser had before, so that a planted one is worth nothing."""
    before = request.cookies.get(LOGIN_COOKIE)
    if before:
        await asyncio.to_thread(context.store.close_login, before)
        await asyncio.to_thread(context.store.close_person_login, before)


def remember(response: Response, context: Context, cookie: str, ttl: float | None = None) -> None:
    """The login and its proof for changes. `ttl`: seconds, else as settings say."""
    settings = context.settings
    age = settings.login_ttl_s if ttl is None else ttl
    set_cookie(response, LOGIN_COOKIE, cookie, age, secure=settings.secure_cookies)
    proof = csrf_token(settings.secret, cookie)
    set_cookie(response, CSRF_COOKIE, proof, age, secure=settings.secure_cookies, script=True)
