"""An evening by HTTP: its question, tables and door, what it left, and its report. An evening is a booking."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from secrets import token_hex

from fastapi import APIRouter, Request

from session_manager.access import Action, Identity
from session_manager.consent import forbids_record
from session_manager.errors import NotFound, NotPossible
from session_manager.evening_records import Evening, HarvestItem, OwnWord, Question, Report, RoomConsent, SeatedTable
from session_manager.web.context import NOTHING, Context, ContextDep, IdentitiesDep, permit
from session_manager.web.evening_forms import (
    AnswerForm,
    CheckForm,
    ComeInForm,
    FinishForm,
    ItemForm,
    ItemName,
    LevelForm,
    OwnWordForm,
    PersonForm,
    ProposeForm,
    QuestionForm,
    ReportForm,
    RewordForm,
    TablesForm,
    item,
    tables,
)
from session_manager.web.routes_groups import oneself
from session_manager.web.routes_sessions import base_url

HERE = "/api/municipalities/{municipality_id}/evenings/{evening_id}"
router = APIRouter(tags=["evenings"])
_READ = [permit(Action.READ_GROUP)]
_RUN = [permit(Action.RUN_GROUP)]
_DOOR = [permit(Action.DOOR)]
_PART = [permit(Action.TAKE_PART)]


@dataclass(frozen=True, slots=True)
class AtDoor:
    """One name at the door. `here`: they have come in."""

    person_id: str
    name: str
    here: bool


@dataclass(frozen=True, slots=True)
class Door:
    """What the door shows: names and the room's level, never a person's."""

    title: str
    starts_at: int
    people: tuple[AtDoor, ...]
    consent: RoomConsent
    session_state: str


@router.get(HERE, dependencies=_READ, summary="One evening: before, at the door, after")
async def evening(municipality_id: str, evening_id: str, context: ContextDep) -> Evening:
    return await _mine(context, municipality_id, evening_id)


@router.put(HERE + "/question", dependencies=_RUN, summary="The question, whose it is, why it matters, what is known")
async def question(municipality_id: str, evening_id: str, form: QuestionForm, context: ContextDep) -> Question:
    """Another wording is checked anew."""
    values = (form.words, form.why, form.known, form.owner_id)
    return await asyncio.to_thread(context.store.set_question, evening_id, *values)


@router.post(HERE + "/question/check", dependencies=_PART, summary="I have looked at the question: ask it")
async def check(
    municipality_id: str, evening_id: str, form: CheckForm, context: ContextDep, known: IdentitiesDep
) -> Question:
    """By two of the group who are not its owner."""
    values = (evening_id, oneself(known), form.version, context.clock())
    return await asyncio.to_thread(context.store.check_question, *values)


@router.put(HERE + "/level", dependencies=_RUN, summary="How much the evening proposes to keep")
async def level(municipality_id: str, evening_id: str, form: LevelForm, context: ContextDep) -> RoomConsent:
    await asyncio.to_thread(context.store.set_level, evening_id, form.level, form.publish_from)
    return await _kept(context, evening_id, await asyncio.to_thread(context.store.room_consent, evening_id))


@router.post(HERE + "/tables", dependencies=_RUN, summary="Propose tables that mix")
async def propose(
    municipality_id: str, evening_id: str, form: ProposeForm, context: ContextDep
) -> tuple[SeatedTable, ...]:
    """Of those who are here, or before anybody came of the whole group."""
    values = (form.per_table, form.seed or token_hex(4), form.remote_ids)
    return await asyncio.to_thread(context.store.propose_tables, evening_id, *values)


@router.put(HERE + "/tables", dependencies=_RUN, summary="Move people between tables")
async def seat(municipality_id: str, evening_id: str, form: TablesForm, context: ContextDep) -> tuple[SeatedTable, ...]:
    return await asyncio.to_thread(context.store.set_tables, evening_id, tables(form))


@router.get(HERE + "/door", dependencies=_DOOR, summary="Names at the door, and what the room keeps")
async def door(municipality_id: str, evening_id: str, context: ContextDep) -> Door:
    found = await _mine(context, municipality_id, evening_id)
    people = (AtDoor(one.person_id, one.name, one.came_at is not None and one.left_at is None) for one in found.guests)
    return Door(found.title, found.starts_at, tuple(people), found.consent, found.session_state)


@router.post(HERE + "/door", dependencies=_DOOR, summary="Somebody is here, and says how much may be kept")
async def come_in(
    municipality_id: str, evening_id: str, form: ComeInForm, context: ContextDep, known: IdentitiesDep
) -> RoomConsent:
    """Again is another word of the same person; lowering takes effect at once, also on the record."""
    values = (evening_id, form.person_id, form.how, form.level, form.listens, _who(known), context.clock())
    return await _kept(context, evening_id, await asyncio.to_thread(context.store.come_in, *values))


@router.post(HERE + "/door/out", dependencies=_DOOR, summary="Somebody goes")
async def go_out(municipality_id: str, evening_id: str, form: PersonForm, context: ContextDep) -> RoomConsent:
    return await asyncio.to_thread(context.store.go_out, evening_id, form.person_id, context.clock())


@router.post(HERE + "/door/undo", dependencies=_DOOR, summary="A name that was touched by mistake")
async def undo(municipality_id: str, evening_id: str, form: PersonForm, context: ContextDep) -> RoomConsent:
    return await asyncio.to_thread(context.store.not_here, evening_id, form.person_id)


@router.get(HERE + "/consent", dependencies=_READ, summary="What may be kept in the room now")
async def consent(municipality_id: str, evening_id: str, context: ContextDep) -> RoomConsent:
    return await asyncio.to_thread(context.store.room_consent, evening_id)


@router.post(HERE + "/consent", dependencies=_PART, summary="My own word, from where I am")
async def own_word(
    municipality_id: str, evening_id: str, form: OwnWordForm, context: ContextDep, known: IdentitiesDep
) -> RoomConsent:
    me = oneself(known)
    values = (evening_id, me, form.how, form.level, form.listens, me, context.clock())
    return await _kept(context, evening_id, await asyncio.to_thread(context.store.come_in, *values))


@router.get(HERE + "/consent/mine", dependencies=_PART, summary="What I have said, in order")
async def own_words(municipality_id: str, evening_id: str, context: ContextDep, known: IdentitiesDep) -> list[OwnWord]:
    found = await _mine(context, municipality_id, evening_id)
    return await asyncio.to_thread(context.store.own_words, found.session_id or "", oneself(known))


@router.post(HERE + "/items", dependencies=_RUN, status_code=201, summary="Write down a question, an action, a quote")
async def add_item(
    municipality_id: str, evening_id: str, form: ItemForm, context: ContextDep, known: IdentitiesDep
) -> HarvestItem:
    return await asyncio.to_thread(context.store.add_item, evening_id, item(form), _who(known), context.clock())


@router.patch(HERE + "/items", dependencies=_RUN, summary="Other words; their speaker is asked again")
async def reword(municipality_id: str, evening_id: str, form: RewordForm, context: ContextDep) -> HarvestItem:
    return await asyncio.to_thread(context.store.reword_item, evening_id, form.item_id, form.words)


@router.post(HERE + "/items/answer", dependencies=_RUN, summary="Note what its speaker said: public or not")
async def answer(
    municipality_id: str, evening_id: str, form: AnswerForm, context: ContextDep, known: IdentitiesDep
) -> HarvestItem:
    values = (evening_id, form.item_id, form.yes, _who(known), context.clock())
    return await asyncio.to_thread(context.store.answer_item, *values)


@router.post(HERE + "/items/mine", dependencies=_PART, summary="My own words: public or not, at any time")
async def own_answer(
    municipality_id: str, evening_id: str, form: AnswerForm, context: ContextDep, known: IdentitiesDep
) -> HarvestItem:
    me = oneself(known)
    values = (evening_id, form.item_id, form.yes, me, context.clock(), me)
    return await asyncio.to_thread(context.store.answer_item, *values)


@router.post(HERE + "/items/finish", dependencies=_RUN, summary="An action is done, or is not")
async def finish(municipality_id: str, evening_id: str, form: FinishForm, context: ContextDep) -> HarvestItem:
    values = (evening_id, form.item_id, form.done, context.clock())
    return await asyncio.to_thread(context.store.finish_item, *values)


@router.post(HERE + "/items/drop", dependencies=_RUN, status_code=204, summary="Strike an item out")
async def drop(municipality_id: str, evening_id: str, form: ItemName, context: ContextDep) -> None:
    await asyncio.to_thread(context.store.drop_item, evening_id, form.item_id)


@router.get(HERE + "/report", dependencies=_RUN, summary="The report, or its draft: what may be public now")
async def report(municipality_id: str, evening_id: str, context: ContextDep) -> Report:
    return await asyncio.to_thread(context.store.evening_report, evening_id, context.clock())


@router.put(HERE + "/report", dependencies=_RUN, summary="The facilitator's own words, and what is left out")
async def edit_report(municipality_id: str, evening_id: str, form: ReportForm, context: ContextDep) -> Report:
    values = (form.title, form.opening, form.left_out, context.clock())
    return await asyncio.to_thread(context.store.edit_report, evening_id, *values)


@router.post(HERE + "/report/publish", dependencies=_RUN, summary="Publish, and write to everybody of the group")
async def publish(
    municipality_id: str, evening_id: str, request: Request, context: ContextDep, known: IdentitiesDep
) -> Report:
    values = (evening_id, base_url(context, request), _who(known), context.clock())
    return await asyncio.to_thread(context.store.publish_report, *values)


@router.post(HERE + "/report/withdraw", dependencies=_RUN, summary="Take it off the public pages at once")
async def withdraw(municipality_id: str, evening_id: str, context: ContextDep) -> Report:
    return await asyncio.to_thread(context.store.withdraw_report, evening_id, context.clock())


@router.get(
    "/api/sessions/{session_id}/consent",
    dependencies=[permit(Action.READ_SESSION)],
    summary="What may be kept of this session now",
)
async def session_consent(session_id: str, context: ContextDep) -> RoomConsent:
    """The least that anybody present agreed to. A session that no evening was booked for says 404."""
    booking_id = await asyncio.to_thread(context.store.booking_of, session_id)
    return await asyncio.to_thread(context.store.room_consent, booking_id)


async def _kept(context: Context, evening_id: str, consent: RoomConsent) -> RoomConsent:
    """The promise is kept at once: too low a word takes a running session off the record. On is somebody's own deed."""
    if forbids_record(consent.level, consent.present):
        found = await asyncio.to_thread(context.store.evening, evening_id)
        if found.session_id is not None and found.session_state == "live":
            with suppress(NotPossible):  # it ended meanwhile: nothing is kept any more
                await context.runtime.set_record(found.session_id, on=False)
    return consent


async def _mine(context: Context, municipality_id: str, evening_id: str) -> Evening:
    found = await asyncio.to_thread(context.store.evening, evening_id)
    if found.municipality_id != municipality_id:
        raise NotFound(NOTHING)
    return found


def _who(known: tuple[Identity, ...]) -> str:
    first = known[0]
    return f"{first.kind.value}:{first.person_id or first.subject or ''}"
