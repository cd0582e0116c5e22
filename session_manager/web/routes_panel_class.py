"""A class at its door: begin, who has come, who is missing, end, three questions. Judged by the panel's cookie."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from fastapi import APIRouter

from session_manager.access import Action
from session_manager.booking_records import Booking
from session_manager.errors import NotPossible
from session_manager.panel import Panel
from session_manager.web.context import Context, ContextDep, IdentitiesDep, permit
from session_manager.web.limits import slowed
from session_manager.web.panel_forms import PupilForm, SheetForm
from session_manager.web.ratelimit import Rule
from session_manager.web.routes_panel import here, who

router = APIRouter(prefix="/api/panel/bookings/{booking_id}", tags=["panel"])
_USE = [slowed(Rule.CLASS_TOUCH), permit(Action.USE_PANEL, within=True)]
PATIENCE_S = 2.0
"""How long a door waits for the last word of a lesson; the hub goes on without it."""


@dataclass(frozen=True, slots=True)
class Missing:
    count: int


@dataclass(frozen=True, slots=True)
class Handed:
    count: int


@router.post("/start", dependencies=_USE, status_code=204, summary="Begin the class; again is nothing new")
async def start(booking_id: str, context: ContextDep, known: IdentitiesDep) -> None:
    """Camera and sound follow the session; whoever touches this has come."""
    panel = await here(context, known)
    session_id = await asyncio.to_thread(_class_here, context, panel, booking_id)
    await context.runtime.start_session(session_id)
    await asyncio.to_thread(context.store.check_in, booking_id, who(panel), context.clock())


@router.post("/came", dependencies=_USE, status_code=204, summary="A pupil touched the own name, or takes it back")
async def came(booking_id: str, form: PupilForm, context: ContextDep, known: IdentitiesDep) -> None:
    panel = await here(context, known)
    session_id = await asyncio.to_thread(_class_here, context, panel, booking_id)
    await asyncio.to_thread(context.store.came, session_id, form.person_id, form.came, context.clock())


@router.post("/absent", dependencies=_USE, summary="Tell the school who is missing, once")
async def absent(booking_id: str, context: ContextDep, known: IdentitiesDep) -> Missing:
    panel = await here(context, known)
    session_id = await asyncio.to_thread(_class_here, context, panel, booking_id)
    return Missing(await asyncio.to_thread(context.store.tell_absent, session_id, context.clock()))


@router.post("/finish", dependencies=_USE, summary="End the class; its record is settled after it")
async def finish(booking_id: str, context: ContextDep, known: IdentitiesDep) -> Missing:
    """The room is free at once. If nobody told the school yet who is missing, it hears now."""
    panel = await here(context, known)
    session_id = await asyncio.to_thread(_class_here, context, panel, booking_id)
    missing = await end_class(context, session_id, booking_id, who(panel))
    return Missing(missing)


@router.post("/sheet", dependencies=_USE, status_code=201, summary="Hand in one pupil's sheet, without a name")
async def sheet(booking_id: str, form: SheetForm, context: ContextDep, known: IdentitiesDep) -> Handed:
    panel = await here(context, known)

    def work() -> int:
        booking = context.store.lesson_over(panel, booking_id, context.clock())
        return context.store.hand_in(str(booking.session_id), form.answers, context.clock())

    return Handed(await asyncio.to_thread(work))


async def end_class(context: Context, session_id: str, booking_id: str, by: str) -> int:
    """How many were missing. Ended before its hour the room stays theirs: cancelling would write letters to all."""

    def settle() -> int:
        missing = 0
        if context.store.class_has_pupils(session_id):
            missing = context.store.tell_absent(session_id, context.clock())
        booking: Booking = context.store.booking(booking_id)
        if booking.state in {"confirmed", "in_use"} and context.clock() >= booking.starts_at:
            context.store.end_booking(booking_id, by, context.clock())
        return missing

    missing = await asyncio.to_thread(settle)
    try:
        async with asyncio.timeout(PATIENCE_S):
            await context.runtime.end_session(session_id)
    except TimeoutError:
        pass  # it goes on ending: the last words are written down, then it is over
    return missing


def _class_here(context: Context, panel: Panel, booking_id: str) -> str:
    """Raises NotFound for what is not in this room now, NotPossible for what is no class."""
    booking = context.store.at_the_door(panel, booking_id, context.clock())
    if booking.kind != "remote_class" or booking.session_id is None:
        raise NotPossible("This is not a class.")
    return booking.session_id
