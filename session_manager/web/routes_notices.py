"""Who hears of bookings: office, facility notes, invited groups, what is open to everybody, answers."""

from __future__ import annotations

import asyncio
import unicodedata
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import AfterValidator, Field, StringConstraints

from session_manager.access import Action
from session_manager.attendance import Answer
from session_manager.errors import NotFound
from session_manager.web.context import Context, ContextDep, IdentityDep, permit
from session_manager.web.forms import Form, Identifier
from session_manager.web.people_forms import Mail
from session_manager.web.routes_bookings import mine

HERE = "/api/municipalities/{municipality_id}"
router = APIRouter(tags=["notices"])
_READ = [permit(Action.READ_BOOKINGS)]
_BOOK = [permit(Action.BOOK)]
_RULES = [permit(Action.CHANGE_RULES)]
_PLACES = [permit(Action.READ_PLACES)]


def _one_line(text: str) -> str:
    """It stands in letters and in the database: one line, nothing that cannot be written there."""
    if any(unicodedata.category(letter) in {"Cc", "Cs", "Zl", "Zp"} for letter in text):
        raise ValueError("must be one line without control characters")
    return text


NoteText = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300), AfterValidator(_one_line)]


class OfficeMail(Form):
    """Empty `mail`: everybody with an office role is written to."""

    mail: Mail | Literal[""] = ""
    language: Literal["ja", "en"] = "ja"


class NoteTexts(Form):
    """They stand in every letter about a date there, one line each; left empty, nothing is said."""

    boats: NoteText = ""
    door: NoteText = ""
    network: NoteText = ""


class FacilityNotes(Form):
    ja: NoteTexts = NoteTexts()
    en: NoteTexts = NoteTexts()


class Audience(Form):
    group_id: Identifier


class OpenMark(Form):
    """`open`: anybody may follow it, and it stands in the municipality's public calendar."""

    open: Annotated[bool, Field(strict=True)]


@dataclass(frozen=True, slots=True)
class Invited:
    group_ids: list[str]


@router.get(HERE + "/office-mail", dependencies=_RULES, summary="Where the office reads its letters")
async def office_mail(municipality_id: Identifier, context: ContextDep) -> OfficeMail:
    mail, language = await asyncio.to_thread(context.store.office_mail, municipality_id)
    return OfficeMail(mail=mail, language="en" if language == "en" else "ja")


@router.put(HERE + "/office-mail", dependencies=_RULES, status_code=204, summary="Choose where the office reads")
async def set_office_mail(municipality_id: Identifier, form: OfficeMail, context: ContextDep) -> None:
    await asyncio.to_thread(context.store.set_office_mail, municipality_id, form.mail, form.language)


@router.get(HERE + "/facilities/{facility_id}/notes", dependencies=_PLACES, summary="Boats, way in, network")
async def notes(municipality_id: Identifier, facility_id: Identifier, context: ContextDep) -> FacilityNotes:
    await asyncio.to_thread(_need_facility, context, municipality_id, facility_id)
    return FacilityNotes.model_validate(await asyncio.to_thread(context.store.facility_notes, facility_id))


@router.put(
    HERE + "/facilities/{facility_id}/notes", dependencies=_RULES, status_code=204, summary="Say them in every letter"
)
async def set_notes(
    municipality_id: Identifier, facility_id: Identifier, form: FacilityNotes, context: ContextDep
) -> None:
    await asyncio.to_thread(_need_facility, context, municipality_id, facility_id)
    await asyncio.to_thread(context.store.set_facility_notes, facility_id, form.model_dump())


@router.get(HERE + "/bookings/{booking_id}/audience", dependencies=_READ, summary="Which groups are invited")
async def audience(
    municipality_id: Identifier, booking_id: Identifier, context: ContextDep, identity: IdentityDep
) -> Invited:
    await mine(context, identity, municipality_id, booking_id)
    return Invited(await asyncio.to_thread(lambda: context.store.groups_invited(booking_id=booking_id)))


@router.post(
    HERE + "/bookings/{booking_id}/audience", dependencies=_BOOK, status_code=204, summary="Invite a group's members"
)
async def invite(
    municipality_id: Identifier, booking_id: Identifier, form: Audience, context: ContextDep, identity: IdentityDep
) -> None:
    """Again is nothing new."""
    await mine(context, identity, municipality_id, booking_id)
    who = identity.subject or ""
    await asyncio.to_thread(context.store.invite_group, booking_id, form.group_id, who, context.clock())


@router.post(
    HERE + "/series/{series_id}/audience", dependencies=_BOOK, status_code=204, summary="Invite a group to all dates"
)
async def invite_to_series(
    municipality_id: Identifier, series_id: Identifier, form: Audience, context: ContextDep, identity: IdentityDep
) -> None:
    """One letter with all the dates that are still to come."""
    await asyncio.to_thread(_need_series, context, municipality_id, series_id)
    who = identity.subject or ""
    await asyncio.to_thread(context.store.invite_group_to_series, series_id, form.group_id, who, context.clock())


@router.put(HERE + "/bookings/{booking_id}/open", dependencies=_BOOK, status_code=204, summary="Open to everybody")
async def open_booking(
    municipality_id: Identifier, booking_id: Identifier, form: OpenMark, context: ContextDep, identity: IdentityDep
) -> None:
    """In the public calendar, unless it is confidential."""
    await mine(context, identity, municipality_id, booking_id)
    who = identity.subject or ""
    await asyncio.to_thread(context.store.set_open, "booking", booking_id, form.open, who, context.clock())


@router.put(HERE + "/series/{series_id}/open", dependencies=_BOOK, status_code=204, summary="Open every date of it")
async def open_series(
    municipality_id: Identifier, series_id: Identifier, form: OpenMark, context: ContextDep, identity: IdentityDep
) -> None:
    await asyncio.to_thread(_need_series, context, municipality_id, series_id)
    who = identity.subject or ""
    await asyncio.to_thread(context.store.set_open, "series", series_id, form.open, who, context.clock())


@router.put(
    "/api/sessions/{session_id}/open",
    dependencies=[permit(Action.RUN_SESSION)],
    status_code=204,
    summary="Open a session to everybody",
)
async def open_session(session_id: Identifier, form: OpenMark, context: ContextDep, identity: IdentityDep) -> None:
    who = identity.subject or ""
    await asyncio.to_thread(context.store.set_open, "session", session_id, form.open, who, context.clock())


@router.get(HERE + "/bookings/{booking_id}/answers", dependencies=_READ, summary="Who said that they will come")
async def answers(
    municipality_id: Identifier, booking_id: Identifier, context: ContextDep, identity: IdentityDep
) -> list[Answer]:
    """Everybody who was invited by mail, with what they answered."""
    await mine(context, identity, municipality_id, booking_id)
    return await asyncio.to_thread(context.store.booking_answers, booking_id)


def _need_facility(context: Context, municipality_id: str, facility_id: str) -> None:
    homes = {one.facility_id: one.municipality_id for one in context.store.facilities()}
    if homes.get(facility_id) != municipality_id:
        raise NotFound("There is no facility with that identifier.")


def _need_series(context: Context, municipality_id: str, series_id: str) -> None:
    if context.store.series(series_id).municipality_id != municipality_id:
        raise NotFound("There is no series with that identifier.")
