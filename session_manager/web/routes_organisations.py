"""The door for partners' staff: the office gives their organisation a code; with it they are in, without a letter."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from session_manager.access import Action
from session_manager.doors import CODE_LETTERS, ORGANISATION_CODE_LENGTH, organisation_code_hash
from session_manager.errors import NotSignedIn
from session_manager.store.organisation_doors import DeviceLogin, OrganisationCode
from session_manager.web.context import ContextDep, permit
from session_manager.web.forms import Identifier
from session_manager.web.limits import slow_address, slow_secret
from session_manager.web.pages import language_of
from session_manager.web.ratelimit import Rule
from session_manager.web.routes_account import forget, remember
from session_manager.web.security import set_cookie
from session_manager.web.self_forms import EnterOrganisation, OrganisationCodeForm

HERE = "/api/municipalities/{municipality_id}/organisations/{organisation_id}"
DEVICE_COOKIE = "shimawa_device"
DEVICE_S = 400 * 86_400.0
"""As long as browsers keep a cookie at most."""
LOGIN_S = 180 * 86_400.0
"""Their own telephone stays signed in; the office sees it and can end it."""
DAY_S = 86_400.0
router = APIRouter(tags=["doors"])
_OFFICE = [permit(Action.CHANGE_PEOPLE)]


@dataclass(frozen=True, slots=True)
class ShownOrganisationCode:
    """`code` is shown this once; only its hash is kept."""

    organisation_code: OrganisationCode
    code: str


@router.post(HERE + "/code", dependencies=_OFFICE, status_code=201, summary="Give an organisation a new code")
async def issue(
    municipality_id: Identifier, organisation_id: Identifier, form: OrganisationCodeForm, context: ContextDep
) -> ShownOrganisationCode:
    """For its staff; the one before ends. Only with an agreement in force."""
    code = "".join(secrets.choice(CODE_LETTERS) for _ in range(ORGANISATION_CODE_LENGTH))
    digest = organisation_code_hash(context.settings.secret, code)
    now = context.clock()
    give = context.store.issue_organisation_code
    until = now + form.days * DAY_S
    made = await asyncio.to_thread(give, municipality_id, organisation_id, digest, form.uses, until, now)
    return ShownOrganisationCode(made, f"{code[:5]}-{code[5:]}")


@router.get(HERE + "/code", dependencies=_OFFICE, summary="Until when the code opens; never its letters")
async def current(
    municipality_id: Identifier, organisation_id: Identifier, context: ContextDep
) -> OrganisationCode | None:
    look = context.store.organisation_code
    return await asyncio.to_thread(look, municipality_id, organisation_id, context.clock())


@router.delete(HERE + "/code", dependencies=_OFFICE, status_code=204, summary="Withdraw the code")
async def withdraw(municipality_id: Identifier, organisation_id: Identifier, context: ContextDep) -> None:
    """Who is in stays in until their login is ended."""
    end = context.store.withdraw_organisation_code
    await asyncio.to_thread(end, municipality_id, organisation_id, context.clock())


@router.get(HERE + "/logins", dependencies=_OFFICE, summary="Who came in by the code, on which devices")
async def logins(municipality_id: Identifier, organisation_id: Identifier, context: ContextDep) -> list[DeviceLogin]:
    look = context.store.organisation_logins
    return await asyncio.to_thread(look, municipality_id, organisation_id, context.clock())


@router.delete(HERE + "/logins/{login_id}", dependencies=_OFFICE, status_code=204, summary="End a login, at once")
async def end_login(
    municipality_id: Identifier, organisation_id: Identifier, login_id: Identifier, context: ContextDep
) -> None:
    end = context.store.end_organisation_login
    await asyncio.to_thread(end, municipality_id, organisation_id, login_id, context.clock())


@router.post(
    "/api/login/organisation",
    dependencies=[permit(Action.SIGN_IN)],
    status_code=204,
    summary="Sign in by the code of one's organisation",
)
async def enter(form: EnterOrganisation, request: Request, response: Response, context: ContextDep) -> None:
    """The same answer whatever is wrong with a code. This browser is known again by a cookie of its own."""
    slow_address(context, request, Rule.ORGANISATION_ADDRESS)
    slow_secret(context, Rule.ORGANISATION_HUB, "")
    digest = organisation_code_hash(context.settings.secret, form.code)
    before = request.cookies.get(DEVICE_COOKIE)
    go = context.store.enter_organisation
    language = language_of(request)
    entered = await asyncio.to_thread(go, digest, form.name, before, context.clock(), LOGIN_S, language)
    if entered is None:
        raise NotSignedIn("This code does not open anything now. Ask your organisation or the office for the new one.")
    await forget(request, context)
    remember(response, context, entered.cookie, LOGIN_S)
    set_cookie(response, DEVICE_COOKIE, entered.device, DEVICE_S, secure=context.settings.secure_cookies)
