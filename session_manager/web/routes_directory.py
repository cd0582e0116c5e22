"""The office's directory over HTTP: look up, a partner in one form, one house, one person, letting go, files."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field

from session_manager.access import Action
from session_manager.directories import Directory, House, NewPartner, Previewed, Someone, tree
from session_manager.errors import NotPossible
from session_manager.membership import Agreement
from session_manager.people import Organisation, Person
from session_manager.web.context import ContextDep, IdentityDep, permit
from session_manager.web.forms import Form, Identifier, Name
from session_manager.web.people_forms import Mail, NewPerson
from session_manager.web.routes_people import COLUMNS, checked, sheet_rows

router = APIRouter(prefix="/api/municipalities/{municipality_id}", tags=["people"])
_OFFICE = [permit(Action.CHANGE_PEOPLE)]


class PartnerForm(Form):
    """Six answers. `seats` left out: as many as like; `ends_on` left out: until it is ended."""

    name: Name
    level: Annotated[int, Field(ge=0, le=12)] = 0
    starts_on: date
    ends_on: date | None = None
    seats: Annotated[int, Field(ge=1, le=1000)] | None = None
    mail: Mail
    sector: Annotated[str, Field(max_length=80)] = ""
    across_sea: bool = False


class AcrossForm(Form):
    """Null for a person: as their organisation."""

    across_sea: bool | None


class EndForm(Form):
    ends_on: date


@dataclass(frozen=True, slots=True)
class Branch:
    """`depth` 0: put in by the office, or the one who brought them has left."""

    depth: int
    person_id: str
    name: str
    role: str
    joined_at: float


@router.get("/directory", dependencies=_OFFICE, summary="Look up organisations and people")
async def directory(
    municipality_id: Identifier, context: ContextDep, q: Annotated[str, Query(max_length=80)] = ""
) -> Directory:
    return await asyncio.to_thread(context.store.directory, municipality_id, q, context.clock())


@router.post("/partners", dependencies=_OFFICE, status_code=201, summary="A partner, with everything at once")
async def add_partner(
    municipality_id: Identifier, form: PartnerForm, context: ContextDep, identity: IdentityDep
) -> House:
    """House, agreement, level, contact; its people's use is free from the first day of the agreement."""
    new = NewPartner(**{name: getattr(form, name) for name in PartnerForm.model_fields})
    by = str(identity.person_id or identity.subject)
    return await asyncio.to_thread(context.store.add_partner, municipality_id, new, by, context.clock())


@router.get("/organisations/{organisation_id}", dependencies=_OFFICE, summary="One organisation with its history")
async def house(municipality_id: Identifier, organisation_id: Identifier, context: ContextDep) -> House:
    return await asyncio.to_thread(context.store.house, municipality_id, organisation_id)


@router.put("/organisations/{organisation_id}/across", dependencies=_OFFICE, summary="Whether its people come by boat")
async def set_house_across(
    municipality_id: Identifier, organisation_id: Identifier, form: AcrossForm, context: ContextDep
) -> Organisation:
    across = bool(form.across_sea)
    return await asyncio.to_thread(context.store.set_organisation_across, municipality_id, organisation_id, across)


@router.delete(
    "/organisations/{organisation_id}/staff/{person_id}",
    dependencies=_OFFICE,
    status_code=204,
    summary="Somebody leaves it; access ends at once",
)
async def leave(
    municipality_id: Identifier, organisation_id: Identifier, person_id: Identifier, context: ContextDep
) -> None:
    await asyncio.to_thread(context.store.leave_organisation, municipality_id, person_id, organisation_id)


@router.put("/agreements/{agreement_id}/end", dependencies=_OFFICE, summary="Set an agreement's last day")
async def end_agreement(
    municipality_id: Identifier, agreement_id: Identifier, form: EndForm, context: ContextDep
) -> Agreement:
    return await asyncio.to_thread(context.store.end_agreement, municipality_id, agreement_id, form.ends_on)


@router.get("/people/{person_id}/all", dependencies=_OFFICE, summary="One person with houses, roles and groups")
async def someone(municipality_id: Identifier, person_id: Identifier, context: ContextDep) -> Someone:
    return await asyncio.to_thread(context.store.someone, municipality_id, person_id)


@router.put("/people/{person_id}/across", dependencies=_OFFICE, summary="Whether somebody comes by boat")
async def set_person_across(
    municipality_id: Identifier, person_id: Identifier, form: AcrossForm, context: ContextDep
) -> Person:
    values = (municipality_id, person_id, form.across_sea)
    return await asyncio.to_thread(context.store.set_person_across, *values)


@router.get("/groups/{group_id}/tree", dependencies=_OFFICE, summary="Who brought whom into a group")
async def group_tree(municipality_id: Identifier, group_id: Identifier, context: ContextDep) -> list[Branch]:
    found = await asyncio.to_thread(context.store.group_members, municipality_id, group_id)
    return [Branch(depth, one.person_id, one.name, one.role, one.joined_at) for depth, one in tree(tuple(found))]


@router.post("/people.csv/preview", dependencies=_OFFICE, summary="What taking in a CSV file would do")
async def preview(municipality_id: Identifier, request: Request, context: ContextDep) -> list[Previewed]:
    """Nothing is saved. Columns: name, mail, language, organisation."""
    rows = []
    for number, row in enumerate(await sheet_rows(request, COLUMNS), start=2):
        wrong = ""
        try:
            checked(NewPerson, number, _values(row))
        except NotPossible as error:
            wrong = str(error)
        rows.append((number, row["name"], row["mail"], row["organisation"], wrong))
    return await asyncio.to_thread(context.store.preview_people, municipality_id, rows)


def _values(row: dict[str, str]) -> dict[str, object]:
    return {"name": row["name"], "mail": row["mail"] or None, "language": row["language"] or "ja"}
