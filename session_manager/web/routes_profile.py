"""About oneself: name, language of letters, address; and what facilities tell everybody who comes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from fastapi import APIRouter, Request

from session_manager.access import Action, Identity
from session_manager.people import Person
from session_manager.schedule import local_time
from session_manager.store import Store
from session_manager.web.context import ContextDep, IdentitiesDep, permit
from session_manager.web.forms import Code, Identifier
from session_manager.web.limits import slow_address, slow_secret
from session_manager.web.ratelimit import Rule
from session_manager.web.routes_groups import oneself
from session_manager.web.routes_sessions import base_url
from session_manager.web.self_forms import OwnMailForm, ProfileForm

router = APIRouter(prefix="/api/municipalities/{municipality_id}/me/profile", tags=["self-service"])
_OWN = [permit(Action.SELF_SERVICE)]


@dataclass(frozen=True, slots=True)
class Profile:
    """`organisation`: whose agreement holds today, or empty. `user_class`, `level`: of the price rules."""

    person_id: str
    name: str
    mail: str | None
    language: str
    organisation: str
    user_class: str
    level: int


@router.get("", dependencies=_OWN, summary="What the hub knows about me")
async def profile(municipality_id: Identifier, context: ContextDep, known: IdentitiesDep) -> Profile:
    return await asyncio.to_thread(_profile, context.store, municipality_id, known, context.clock())


@router.patch("", dependencies=_OWN, summary="Change my name or the language of my letters")
async def change_profile(
    municipality_id: Identifier, form: ProfileForm, context: ContextDep, known: IdentitiesDep
) -> Profile:
    def work(store: Store) -> Profile:
        store.change_person(municipality_id, oneself(known), name=form.name, language=form.language)
        return _profile(store, municipality_id, known, context.clock())

    return await asyncio.to_thread(work, context.store)


@router.put("/mail", dependencies=_OWN, status_code=202, summary="Where my letters go")
async def ask_mail(
    municipality_id: Identifier, form: OwnMailForm, request: Request, context: ContextDep, known: IdentitiesDep
) -> None:
    """The address is mine once the letter that goes there is opened. The same answer whoever has it."""
    slow_address(context, request, Rule.LINK_ADDRESS)
    me = oneself(known)
    if not form.mail:
        await asyncio.to_thread(context.store.drop_mail, municipality_id, me)
        return
    slow_secret(context, Rule.LINK_MAIL, form.mail.casefold())
    page = f"{base_url(context, request)}/mine"
    await asyncio.to_thread(context.store.ask_mail, municipality_id, me, form.mail, page, context.clock())


@router.post("/mail/confirm", dependencies=_OWN, summary="The code out of that letter")
async def confirm_mail(
    municipality_id: Identifier, form: Code, request: Request, context: ContextDep, known: IdentitiesDep
) -> Profile:
    """Only by who asked for it."""
    slow_address(context, request, Rule.LOGIN_ADDRESS)

    def work(store: Store) -> Profile:
        store.confirm_mail(municipality_id, oneself(known), form.code, context.clock())
        return _profile(store, municipality_id, known, context.clock())

    return await asyncio.to_thread(work, context.store)


def _profile(store: Store, municipality_id: str, known: tuple[Identity, ...], now: float) -> Profile:
    person: Person = store.person(municipality_id, oneself(known))
    day = local_time(int(now), store.home(municipality_id).timezone).date()
    held = store.holding(municipality_id, person.person_id, day, now)
    return Profile(
        person.person_id,
        person.name,
        person.mail,
        person.language,
        held.organisation,
        held.holder.user_class,
        held.holder.level,
    )
