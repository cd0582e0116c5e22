"""Groups entered by a member's word, and the class codes of pupils."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass

from fastapi import APIRouter

from session_manager.access import Action, Identity
from session_manager.doors import CODE_LENGTH, CODE_LETTERS, class_code_hash
from session_manager.errors import NotPermitted
from session_manager.people import ClassCode, Group, GroupMember, JoinRequest
from session_manager.web.context import ContextDep, IdentitiesDep, permit
from session_manager.web.people_forms import Ask, Decision, NewClassCode, NewGroup, PutIn

GROUPS = "/api/municipalities/{municipality_id}/groups"
HERE = GROUPS + "/{group_id}"
router = APIRouter(tags=["groups"])
_RUN = [permit(Action.RUN_GROUP)]


@dataclass(frozen=True, slots=True)
class ShownCode:
    """`code` is shown this once."""

    class_code: ClassCode
    code: str


@router.get(GROUPS, dependencies=[permit(Action.CHANGE_PEOPLE)], summary="List groups")
async def groups(municipality_id: str, context: ContextDep) -> list[Group]:
    return await asyncio.to_thread(context.store.groups, municipality_id)


@router.post(GROUPS, dependencies=[permit(Action.CHANGE_PEOPLE)], status_code=201, summary="Add a group")
async def add_group(municipality_id: str, form: NewGroup, context: ContextDep) -> Group:
    add = context.store.add_group
    return await asyncio.to_thread(
        add,
        municipality_id,
        form.name,
        context.clock(),
        referral_only=form.referral_only,
        second_approval=form.second_approval,
    )


@router.get(HERE, dependencies=[permit(Action.READ_GROUP)], summary="One group")
async def group(municipality_id: str, group_id: str, context: ContextDep) -> Group:
    return await asyncio.to_thread(context.store.group, municipality_id, group_id)


@router.get(HERE + "/members", dependencies=[permit(Action.READ_GROUP)], summary="Members, and who brought them")
async def members(municipality_id: str, group_id: str, context: ContextDep) -> list[GroupMember]:
    return await asyncio.to_thread(context.store.group_members, municipality_id, group_id)


@router.post(HERE + "/members", dependencies=[permit(Action.CHANGE_PEOPLE)], status_code=204, summary="Put somebody in")
async def put_in(municipality_id: str, group_id: str, form: PutIn, context: ContextDep) -> None:
    put = context.store.put_in_group
    await asyncio.to_thread(put, municipality_id, group_id, form.person_id, form.role, context.clock())


@router.delete(HERE + "/members/{member_id}", dependencies=_RUN, status_code=204, summary="Take somebody out, at once")
async def take_out(municipality_id: str, group_id: str, member_id: str, context: ContextDep) -> None:
    await asyncio.to_thread(context.store.leave_group, municipality_id, group_id, member_id, context.clock())


@router.post(HERE + "/leave", dependencies=[permit(Action.LEAVE_GROUP)], status_code=204, summary="Leave, at once")
async def leave(municipality_id: str, group_id: str, context: ContextDep, known: IdentitiesDep) -> None:
    await asyncio.to_thread(context.store.leave_group, municipality_id, group_id, oneself(known), context.clock())


@router.post(
    HERE + "/requests", dependencies=[permit(Action.ASK_TO_JOIN)], status_code=201, summary="Ask to join, by a referrer"
)
async def ask(municipality_id: str, group_id: str, form: Ask, context: ContextDep, known: IdentitiesDep) -> JoinRequest:
    values = (oneself(known), form.referrer_id, form.message, context.clock())
    return await asyncio.to_thread(context.store.ask_to_join, municipality_id, group_id, *values)


@router.get(HERE + "/requests", dependencies=_RUN, summary="Who asks to join, and who vouched")
async def requests(municipality_id: str, group_id: str, context: ContextDep) -> list[JoinRequest]:
    return await asyncio.to_thread(context.store.join_requests, municipality_id, group_id)


@router.get(HERE + "/referrals", dependencies=[permit(Action.VOUCH)], summary="Requests that name me")
async def referrals(
    municipality_id: str, group_id: str, context: ContextDep, known: IdentitiesDep
) -> list[JoinRequest]:
    return await asyncio.to_thread(context.store.join_requests, municipality_id, group_id, oneself(known))


@router.post(HERE + "/requests/{request_id}/vouch", dependencies=[permit(Action.VOUCH)], summary="I know this person")
async def vouch(
    municipality_id: str, group_id: str, request_id: str, context: ContextDep, known: IdentitiesDep
) -> JoinRequest:
    values = (request_id, oneself(known), context.clock())
    return await asyncio.to_thread(context.store.vouch, municipality_id, group_id, *values)


@router.post(HERE + "/requests/{request_id}/decide", dependencies=_RUN, summary="Accept or decline")
async def decide(
    municipality_id: str,
    group_id: str,
    request_id: str,
    form: Decision,
    context: ContextDep,
    known: IdentitiesDep,
) -> JoinRequest:
    values = (request_id, form.accept, str(known[0].person_id or known[0].subject), context.clock())
    return await asyncio.to_thread(context.store.decide, municipality_id, group_id, *values)


@router.post(HERE + "/class-codes", dependencies=_RUN, status_code=201, summary="A short code for pupils")
async def add_class_code(municipality_id: str, group_id: str, form: NewClassCode, context: ContextDep) -> ShownCode:
    """For those without a mail address: opens this group only, for these hours and this often."""
    code = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
    digest = class_code_hash(context.settings.secret, code)
    until = context.clock() + form.hours * 3600.0
    made = await asyncio.to_thread(context.store.add_class_code, municipality_id, group_id, digest, form.uses, until)
    return ShownCode(made, f"{code[:4]}-{code[4:]}")


@router.delete(HERE + "/class-codes/{class_code_id}", dependencies=_RUN, status_code=204, summary="End a class code")
async def revoke_class_code(municipality_id: str, group_id: str, class_code_id: str, context: ContextDep) -> None:
    end = context.store.revoke_class_code
    await asyncio.to_thread(end, municipality_id, group_id, class_code_id, context.clock())


def oneself(known: tuple[Identity, ...]) -> str:
    """The person who asks. Raises NotPermitted for an office account: it is nobody in particular."""
    for one in known:
        if one.person_id is not None:
            return one.person_id
    raise NotPermitted("Only a person can do this, not an office account. Sign in as yourself.")
