"""People, organisations, memberships, agreements and roles of a municipality."""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from session_manager.access import Action, Identity, Kind
from session_manager.errors import NotPermitted, NotPossible
from session_manager.membership import Agreement, Level, Step
from session_manager.people import AuditEntry, Grant, Membership, Municipality, Organisation, Person
from session_manager.sheets import read_sheet, write_sheet
from session_manager.store.outbox import OutboxRow
from session_manager.web.context import ContextDep, IdentitiesDep, permit
from session_manager.web.forms import Form
from session_manager.web.people_forms import (
    Confirmation,
    Ladder,
    NewAgreement,
    NewGrant,
    NewMembership,
    NewMunicipality,
    NewOrganisation,
    NewPerson,
    NewStep,
    PersonRef,
)

HERE = "/api/municipalities/{municipality_id}"
router = APIRouter(tags=["people"])
_READ = [permit(Action.READ_PEOPLE)]
_CHANGE = [permit(Action.CHANGE_PEOPLE)]
_GRANT = [permit(Action.GRANT_ROLES)]
COLUMNS = ("name", "mail", "language", "organisation")
_F = TypeVar("_F", bound=Form)


@router.get("/api/municipalities", dependencies=[permit(Action.READ_PLACES, within=True)], summary="Municipalities")
async def municipalities(context: ContextDep, known: IdentitiesDep) -> list[Municipality]:
    """All for those who run the installation, else one's own."""
    found = await asyncio.to_thread(context.store.homes)
    return [one for one in found if known[0].municipality_id in {None, one.municipality_id}]


@router.post(
    "/api/municipalities",
    dependencies=[permit(Action.RUN_INSTALLATION)],
    status_code=201,
    summary="Add a municipality with its own people, rooms and rules",
)
async def add_municipality(form: NewMunicipality, context: ContextDep) -> Municipality:
    return await asyncio.to_thread(context.store.add_home, form.name, form.timezone, context.clock())


@router.put(
    "/api/accounts/{account_id}/municipality/{home_id}",
    dependencies=[permit(Action.RUN_INSTALLATION)],
    status_code=204,
    summary="Bind an account to one municipality",
)
async def bind_account(account_id: str, home_id: str, context: ContextDep) -> None:
    await asyncio.to_thread(context.store.bind_account, account_id, home_id)


@router.get(HERE + "/people", dependencies=_READ, summary="List people")
async def people(municipality_id: str, context: ContextDep) -> list[Person]:
    return await asyncio.to_thread(context.store.people, municipality_id)


@router.post(HERE + "/people", dependencies=_CHANGE, status_code=201, summary="Add a person")
async def add_person(municipality_id: str, form: NewPerson, context: ContextDep) -> Person:
    add = context.store.register_person
    return await asyncio.to_thread(
        add, municipality_id, form.name, context.clock(), mail=form.mail, language=form.language
    )


@router.get(HERE + "/people/{person_id}", dependencies=_READ, summary="One person: for the office, and oneself")
async def person(municipality_id: str, person_id: str, context: ContextDep) -> Person:
    return await asyncio.to_thread(context.store.person, municipality_id, person_id)


@router.delete(
    HERE + "/people/{person_id}", dependencies=_CHANGE, status_code=204, summary="Forget a person's name and doors"
)
async def forget_person(municipality_id: str, person_id: str, context: ContextDep) -> None:
    await asyncio.to_thread(context.store.forget_person, municipality_id, person_id, context.clock())


@router.get(HERE + "/people.csv", dependencies=_CHANGE, response_class=Response, summary="People as CSV")
async def export_people(municipality_id: str, context: ContextDep) -> Response:
    def rows() -> list[tuple[str, ...]]:
        store = context.store
        return [
            (one.name, one.mail or "", one.language, "/".join(o.name for o in store.works_for(one.person_id)))
            for one in store.people(municipality_id)
        ]

    return sheet(write_sheet(COLUMNS, await asyncio.to_thread(rows)), "people.csv")


@router.post(HERE + "/people.csv", dependencies=_CHANGE, status_code=201, summary="Add people from a CSV file")
async def import_people(municipality_id: str, request: Request, context: ContextDep) -> list[Person]:
    """Columns: name, mail, language, organisation. Every row is checked before the first is taken."""
    rows = [
        (
            checked(
                NewPerson,
                number,
                {"name": row["name"], "mail": row["mail"] or None, "language": row["language"] or "ja"},
            ),
            row["organisation"],
        )
        for number, row in enumerate(await sheet_rows(request, COLUMNS), start=2)
    ]
    wanted = [(one.name, one.mail, one.language, organisation) for one, organisation in rows]
    return await asyncio.to_thread(context.store.register_people, municipality_id, wanted, context.clock())


@router.get(HERE + "/organisations", dependencies=_READ, summary="List organisations")
async def organisations(municipality_id: str, context: ContextDep) -> list[Organisation]:
    return await asyncio.to_thread(context.store.organisations, municipality_id)


@router.post(HERE + "/organisations", dependencies=_CHANGE, status_code=201, summary="Add an organisation")
async def add_organisation(municipality_id: str, form: NewOrganisation, context: ContextDep) -> Organisation:
    add = context.store.add_organisation
    return await asyncio.to_thread(add, municipality_id, form.name, context.clock(), sector=form.sector)


@router.post(
    HERE + "/organisations/{organisation_id}/staff", dependencies=_CHANGE, status_code=204, summary="Works for it"
)
async def affiliate(municipality_id: str, organisation_id: str, form: PersonRef, context: ContextDep) -> None:
    add = context.store.affiliate
    await asyncio.to_thread(add, municipality_id, form.person_id, organisation_id, context.clock())


@router.get(HERE + "/agreements", dependencies=_READ, summary="List agreements")
async def agreements(municipality_id: str, context: ContextDep) -> list[Agreement]:
    return await asyncio.to_thread(context.store.agreements, municipality_id)


@router.post(HERE + "/agreements", dependencies=_CHANGE, status_code=201, summary="Add an agreement")
async def add_agreement(municipality_id: str, form: NewAgreement, context: ContextDep) -> Agreement:
    """Its benefits hold from its first day to its last."""
    values = (form.organisation_id, form.title, form.starts_on, form.ends_on, form.benefits)
    return await asyncio.to_thread(context.store.add_agreement, municipality_id, *values)


@router.get(HERE + "/ladder", dependencies=[permit(Action.CONFIRM_STEP)], summary="Levels of membership")
async def ladder(municipality_id: str, context: ContextDep) -> list[Level]:
    return await asyncio.to_thread(context.store.ladder, municipality_id)


@router.put(HERE + "/ladder", dependencies=_GRANT, summary="Set the levels of membership")
async def set_ladder(municipality_id: str, form: Ladder, context: ContextDep) -> list[Level]:
    levels = [
        Level(number, one.name, one.criteria, tuple(one.benefits)) for number, one in enumerate(form.levels, start=1)
    ]
    await asyncio.to_thread(context.store.set_ladder, municipality_id, levels)
    return levels


@router.get(HERE + "/memberships", dependencies=_READ, summary="List memberships")
async def memberships(municipality_id: str, context: ContextDep) -> list[Membership]:
    return await asyncio.to_thread(context.store.memberships, municipality_id)


@router.post(HERE + "/memberships", dependencies=_CHANGE, status_code=201, summary="Begin a membership")
async def add_membership(municipality_id: str, form: NewMembership, context: ContextDep) -> Membership:
    whose: dict[str, Any] = form.model_dump()
    add = context.store.add_membership
    return await asyncio.to_thread(add, municipality_id, context.clock(), **whose)


@router.delete(HERE + "/memberships/{membership_id}", dependencies=_CHANGE, status_code=204, summary="End one")
async def end_membership(municipality_id: str, membership_id: str, context: ContextDep) -> None:
    await asyncio.to_thread(context.store.end_membership, municipality_id, membership_id, context.clock())


@router.get(HERE + "/memberships/{membership_id}/steps", dependencies=_READ, summary="When it deepened, and why")
async def steps(municipality_id: str, membership_id: str, context: ContextDep) -> list[Step]:
    return await asyncio.to_thread(context.store.steps, municipality_id, membership_id)


@router.post(
    HERE + "/memberships/{membership_id}/steps", dependencies=_CHANGE, status_code=201, summary="Propose a step"
)
async def propose_step(municipality_id: str, membership_id: str, form: NewStep, context: ContextDep) -> Step:
    values = (membership_id, form.to_level, form.evidence, context.clock())
    return await asyncio.to_thread(context.store.propose_step, municipality_id, *values)


@router.post(
    HERE + "/steps/{step_id}/confirm", dependencies=[permit(Action.CONFIRM_STEP)], summary="One side agrees to a step"
)
async def confirm_step(
    municipality_id: str, step_id: str, form: Confirmation, context: ContextDep, known: IdentitiesDep
) -> Step:
    """`city`: the office; `party`: the person, or staff of the organisation. The second one moves the level."""
    by = await asyncio.to_thread(_speaker, context, municipality_id, step_id, form.side, known)
    return await asyncio.to_thread(context.store.confirm_step, municipality_id, step_id, form.side, by, context.clock())


@router.delete(HERE + "/steps/{step_id}", dependencies=_CHANGE, summary="Withdraw a step that is not taken")
async def withdraw_step(municipality_id: str, step_id: str, context: ContextDep) -> Step:
    return await asyncio.to_thread(context.store.withdraw_step, municipality_id, step_id, context.clock())


@router.get(HERE + "/people/{person_id}/roles", dependencies=_READ, summary="Roles of a person")
async def roles(municipality_id: str, person_id: str, context: ContextDep) -> list[Grant]:
    return await asyncio.to_thread(context.store.grants, municipality_id, person_id)


@router.post(HERE + "/people/{person_id}/roles", dependencies=_GRANT, status_code=201, summary="Give a role")
async def grant(municipality_id: str, person_id: str, form: NewGrant, context: ContextDep) -> Grant:
    until = form.expires_at.timestamp() if form.expires_at is not None else None
    return await asyncio.to_thread(context.store.grant, municipality_id, person_id, form.role, context.clock(), until)


@router.delete(HERE + "/roles/{grant_id}", dependencies=_GRANT, status_code=204, summary="Take a role back, at once")
async def revoke(municipality_id: str, grant_id: str, context: ContextDep) -> None:
    await asyncio.to_thread(context.store.revoke, municipality_id, grant_id)


@router.get(HERE + "/audit", dependencies=[permit(Action.READ_AUDIT)], summary="Who did what to what, when")
async def audit(municipality_id: str, context: ContextDep, before: int | None = None) -> list[AuditEntry]:
    return await asyncio.to_thread(context.store.audit, municipality_id, before)


@router.get(HERE + "/outbox", dependencies=[permit(Action.SEE_OUTBOX)], summary="Letters: waiting, sent, given up")
async def outbox(municipality_id: str, context: ContextDep) -> list[OutboxRow]:
    return await asyncio.to_thread(context.store.outbox, municipality_id)


@router.post(
    HERE + "/outbox/{notice_id}/retry", dependencies=[permit(Action.SEE_OUTBOX)], status_code=204, summary="Try again"
)
async def retry(municipality_id: str, notice_id: str, context: ContextDep) -> None:
    if not await asyncio.to_thread(context.store.retry_notice, municipality_id, notice_id, context.clock()):
        raise NotPossible("Only a letter that was given up can be tried again.")


def sheet(text: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)


def checked(kind: type[_F], number: int, values: dict[str, object]) -> _F:
    """One row of a file through the same form as one sent alone. Raises NotPossible, naming the row."""
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        wrong = error.errors()[0]
        raise NotPossible(f"Row {number}: {'.'.join(map(str, wrong['loc']))}: {wrong['msg']}.") from error


async def sheet_rows(request: Request, columns: tuple[str, ...]) -> list[dict[str, str]]:
    try:
        text = (await request.body()).decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotPossible("The file is not UTF-8. Save it as CSV UTF-8 and send it again.") from error
    return read_sheet(text, columns, ("name",))


def _speaker(context: Any, municipality_id: str, step_id: str, side: str, known: tuple[Identity, ...]) -> str:
    if side == "city":
        office = [one for one in known if one.kind in {Kind.ADMINISTRATOR, Kind.STAFF}]
        if not office:
            raise NotPermitted("Only the office confirms for the city.")
        return str(office[0].person_id or office[0].subject)
    mine = [one.person_id for one in known if one.person_id is not None]
    if not mine or not context.store.speaks_for(municipality_id, step_id, mine[0]):
        raise NotPermitted("Only the member, or staff of the organisation, confirms for their side.")
    return mine[0]
