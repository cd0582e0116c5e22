"""Doors for people: links by mail, class codes, other houses' sign-in, and tokens for programs."""

from __future__ import annotations

import asyncio
import hmac
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import RedirectResponse

from session_manager.access import PERSONAL, Action, Identity
from session_manager.doors import class_code_hash, safe_path
from session_manager.errors import NotFound, NotPermitted, NotSignedIn
from session_manager.openid import OpenId, OpenIdProvider, SignInFailed
from session_manager.people import ApiToken, OpenIdTry, Person, Secret
from session_manager.web.context import Context, ContextDep, IdentitiesDep, permit
from session_manager.web.forms import Code
from session_manager.web.limits import slow_address, slow_secret, slowed
from session_manager.web.people_forms import EnterClass, MailForm, NewToken
from session_manager.web.ratelimit import Rule
from session_manager.web.routes_account import forget, remember
from session_manager.web.routes_sessions import base_url, letter_url
from session_manager.web.security import set_cookie

TRY_COOKIE = "shimawa_openid"
TRY_S = 600.0
router = APIRouter(tags=["doors"])
_OPEN = [permit(Action.SIGN_IN)]
_TOKENS = [permit(Action.OWN_TOKENS, within=True)]


@router.post("/api/login/link", dependencies=_OPEN, status_code=202, summary="Ask for a link by mail")
async def send_link(form: MailForm, request: Request, context: ContextDep) -> None:
    """The same answer whether somebody has that address or not."""
    slow_address(context, request, Rule.LINK_ADDRESS)
    slow_secret(context, Rule.LINK_MAIL, form.mail.casefold())
    page = f"{letter_url(context, request)}/login"
    for person in await asyncio.to_thread(context.store.people_by_mail, form.mail):
        await asyncio.to_thread(context.store.send_login_link, person, page, context.clock())


@router.post("/api/login/link/enter", dependencies=_OPEN, status_code=204, summary="Sign in by a link's code, once")
async def enter_by_link(form: Code, request: Request, response: Response, context: ContextDep) -> None:
    slow_address(context, request, Rule.LOGIN_ADDRESS)
    now, ttl = context.clock(), context.settings.login_ttl_s
    cookie = await asyncio.to_thread(context.store.enter_by_link, form.code, now, ttl)
    if cookie is None:
        raise NotSignedIn("This link is used or too old. Ask for a new one.")
    await forget(request, context)
    remember(response, context, cookie)


@router.post("/api/class/enter", dependencies=_OPEN, status_code=204, summary="Enter a class by its code")
async def enter_class(form: EnterClass, request: Request, response: Response, context: ContextDep) -> None:
    """For pupils: no account, no address; opens one group and nothing else."""
    slow_address(context, request, Rule.CLASS_ADDRESS)
    slow_secret(context, Rule.CLASS_HUB, "")
    digest = class_code_hash(context.settings.secret, form.code)
    now, ttl = context.clock(), context.settings.login_ttl_s
    cookie = await asyncio.to_thread(context.store.enter_class, digest, form.display_name, now, ttl)
    if cookie is None:
        raise NotSignedIn("There is no class with that code now. Look at the board again.")
    await forget(request, context)
    remember(response, context, cookie)


@router.get(
    "/openid/{provider}/start",
    dependencies=[slowed(Rule.OPENID_ADDRESS), *_OPEN],
    response_class=RedirectResponse,
    status_code=303,
    summary="Sign in at another house",
)
async def start(
    provider: str, request: Request, context: ContextDep, next: Annotated[str, Query(max_length=512)] = "/"
) -> Response:
    """`next`: a page of ours to go on to; anything else becomes the front page."""
    out = await OpenId(_provider(context, provider)).begin(_back(context, request, provider))
    kept = OpenIdTry(provider, out.verifier, out.nonce, safe_path(next))
    await asyncio.to_thread(context.store.begin_openid, out.state, kept, context.clock())
    answer = RedirectResponse(out.url, 303)
    set_cookie(answer, TRY_COOKIE, out.state, TRY_S, secure=context.settings.secure_cookies)
    return answer


@router.get(
    "/openid/{provider}/return",
    dependencies=[slowed(Rule.OPENID_ADDRESS), *_OPEN],
    response_class=RedirectResponse,
    status_code=303,
    summary="Back from another house",
)
async def come_back(
    provider: str,
    request: Request,
    context: ContextDep,
    state: Annotated[str, Query(max_length=256)] = "",
    code: Annotated[str, Query(max_length=2048)] = "",
) -> Response:
    """Only in the browser that went out (cookie), once, and only for the provider it went to."""
    begun = request.cookies.get(TRY_COOKIE, "")
    if not state or not hmac.compare_digest(begun.encode(), state.encode()):
        raise NotSignedIn("This sign-in was not begun in this browser. Begin again.")
    kept = await asyncio.to_thread(context.store.end_openid, state, context.clock())
    if kept is None or kept.provider != provider or not code:
        raise NotSignedIn("This sign-in is over or was refused. Begin again.")
    house = _provider(context, provider)
    try:
        said = await OpenId(house).finish(
            code, _back(context, request, provider), kept.verifier, kept.nonce, context.clock()
        )
    except SignInFailed as error:
        raise NotSignedIn(str(error)) from error
    person = await asyncio.to_thread(_known, context, house, said.issuer, said.subject, said.mail)
    cookie = await asyncio.to_thread(
        context.store.open_person_login, person.person_id, context.clock(), context.settings.login_ttl_s
    )
    await forget(request, context)
    answer = RedirectResponse(kept.next_path, 303)
    remember(answer, context, cookie)
    answer.delete_cookie(TRY_COOKIE, path="/")
    return answer


@router.get("/api/tokens", dependencies=_TOKENS, summary="One's own tokens for programs")
async def tokens(context: ContextDep, known: IdentitiesDep) -> list[ApiToken]:
    person_id, account_id = _owner(known)
    return await asyncio.to_thread(context.store.tokens, person_id=person_id, account_id=account_id)


@router.post("/api/tokens", dependencies=_TOKENS, status_code=201, summary="Make a token with few rights")
async def add_token(form: NewToken, context: ContextDep, known: IdentitiesDep) -> Secret:
    """Never more than its owner may at that moment, and no token makes another one. Shown this once."""
    if known[0].actions is not None:
        raise NotPermitted("A program's token cannot make another one. Sign in yourself.")
    person_id, account_id = _owner(known)
    now = context.clock()
    actions = sorted({action.value for action in form.actions})
    return await asyncio.to_thread(
        context.store.add_token,
        form.name,
        actions,
        now,
        now + form.days * 86_400.0,
        person_id=person_id,
        account_id=account_id,
    )


@router.delete("/api/tokens/{token_id}", dependencies=_TOKENS, status_code=204, summary="End a token, at once")
async def revoke_token(token_id: str, context: ContextDep, known: IdentitiesDep) -> None:
    person_id, account_id = _owner(known)
    end = context.store.revoke_token
    await asyncio.to_thread(end, token_id, context.clock(), person_id=person_id, account_id=account_id)


def _owner(known: tuple[Identity, ...]) -> tuple[str | None, str | None]:
    """Person or account."""
    for one in known:
        if one.person_id is not None:
            return one.person_id, None
        if one.kind in PERSONAL and one.subject is not None:
            return None, one.subject
    raise NotPermitted("A token belongs to a person or an account.")


def _provider(context: Context, name: str) -> OpenIdProvider:
    for one in context.settings.openid:
        if one.name == name:
            return one
    raise NotFound("There is no sign-in service of that name here.")


def _back(context: Context, request: Request, provider: str) -> str:
    return f"{base_url(context, request)}/openid/{provider}/return"


def _known(context: Context, house: OpenIdProvider, issuer: str, subject: str, mail: str | None) -> Person:
    """Known from before; else the one person of the provider's municipality with the address that it has checked."""
    person = context.store.person_of(issuer, subject)
    if person is not None:
        return person
    found = context.store.people_by_mail(mail) if mail else []
    here = [one for one in found if one.municipality_id == house.municipality_id]
    if len(here) != 1:
        raise NotPermitted("You are not registered here yet. Ask the office to add you with this mail address.")
    context.store.link_identity(issuer, subject, here[0].person_id)
    return here[0]
