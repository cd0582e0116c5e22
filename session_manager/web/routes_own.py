"""My bookings: ask what it costs, book, change, cancel, come, leave, stay, take what is offered.

Who asks is the holder, always; another person's booking is as one that does not exist.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response

from session_manager import ical
from session_manager.access import Identity
from session_manager.booking_records import Booking, Quote, Refused
from session_manager.errors import NotPossible
from session_manager.self_service import Own
from session_manager.store import Store
from session_manager.web.booking_forms import ChangeForm, ExtendForm, ReasonForm, as_change, check_places
from session_manager.web.context import Context, ContextDep, IdentitiesDep
from session_manager.web.forms import Identifier
from session_manager.web.holders import CHANGE, READ, check_longer, own_change, subject_of, wish_of
from session_manager.web.own_booking import MyBooking, my_booking, my_bookings
from session_manager.web.routes_bookings import RefusedAnswer, answer
from session_manager.web.routes_calendar import calendar
from session_manager.web.routes_sessions import AFTER_END_S, base_url
from session_manager.web.self_forms import LateForm, OwnBookingForm, OwnQuoteForm

router = APIRouter(prefix="/api/municipalities/{municipality_id}/me", tags=["self-service"])
_409: dict[int | str, dict[str, Any]] = {409: {"model": RefusedAnswer, "description": "Refused, with what would do"}}


@dataclass(frozen=True, slots=True)
class JoinLink:
    """`link` holds the code behind `#`; it is shown this once."""

    link: str


@router.post("/bookings/quote", dependencies=READ, summary="What it would cost me and whether it can be had")
async def quote(municipality_id: Identifier, form: OwnQuoteForm, context: ContextDep, known: IdentitiesDep) -> Quote:
    """Nothing is saved. With clashes, and what would do instead; with `but`, what a change of that booking would."""

    def work(store: Store) -> Quote:
        now = context.clock()
        if form.but is None:
            return store.quote_booking(wish_of(store, form, municipality_id, known, now), now)
        before = store.own_booking(municipality_id, subject_of(known), form.but).booking
        check_places(store, municipality_id, [one.place_id for one in form.places])
        return store.quote_change(form.but, own_change(store, as_change(form), before, known, now), now)

    return await asyncio.to_thread(work, context.store)


@router.post("/bookings", dependencies=CHANGE, status_code=201, responses=_409, summary="Book for myself")
async def book(
    municipality_id: Identifier, form: OwnBookingForm, context: ContextDep, known: IdentitiesDep, response: Response
) -> MyBooking | RefusedAnswer:
    """`accepted_yen` must be the fee that the quote showed. Where a place needs approval it is requested."""

    def work(store: Store) -> Booking | Refused:
        now = context.clock()
        return store.book(wish_of(store, form, municipality_id, known, now), now, wait=form.wait)

    return await _told(context, known, municipality_id, await asyncio.to_thread(work, context.store), response)


@router.get("/bookings", dependencies=READ, summary="My bookings: what comes first, then what was")
async def bookings(municipality_id: Identifier, context: ContextDep, known: IdentitiesDep) -> list[MyBooking]:
    def work(store: Store) -> list[MyBooking]:
        now = context.clock()
        return my_bookings(store, store.own_bookings(municipality_id, subject_of(known), now), now)

    return await asyncio.to_thread(work, context.store)


@router.get("/bookings/{booking_id}", dependencies=READ, summary="One of my bookings")
async def booking(
    municipality_id: Identifier, booking_id: Identifier, context: ContextDep, known: IdentitiesDep
) -> MyBooking:
    return await _shown(context, known, municipality_id, booking_id)


@router.get(
    "/bookings/{booking_id}/calendar.ics",
    dependencies=READ,
    response_class=Response,
    summary="One of my bookings for my own calendar",
)
async def calendar_entry(
    municipality_id: Identifier, booking_id: Identifier, context: ContextDep, known: IdentitiesDep
) -> Response:
    """The same identifier as in the letters, so that a calendar has it once."""
    mine = await _mine(context, known, municipality_id, booking_id)
    found = mine.booking
    where = "、".join(f"{one.facility} {one.name}" for one in mine.places)
    status: ical.Status = "CONFIRMED" if found.state in {"confirmed", "in_use", "done"} else "TENTATIVE"
    entry = ical.CalendarEntry(
        f"{booking_id}@shimawa.invalid",
        found.title,
        found.starts,
        found.ends,
        found.zone,
        context.clock(),
        status=status,
        place=where,
        url=found.link,
    )
    return calendar(ical.write([entry]))


@router.patch("/bookings/{booking_id}", dependencies=CHANGE, responses=_409, summary="Change time, place or mode")
async def change_booking(
    municipality_id: Identifier,
    booking_id: Identifier,
    form: ChangeForm,
    context: ContextDep,
    known: IdentitiesDep,
    response: Response,
) -> MyBooking | RefusedAnswer:
    """A changed fee must be agreed to by `accepted_yen`, like the first one."""

    def work(store: Store) -> Booking | Refused:
        now = context.clock()
        before = store.own_booking(municipality_id, subject_of(known), booking_id).booking
        check_places(store, municipality_id, [one.place_id for one in form.places or ()])
        return store.change(booking_id, own_change(store, form, before, known, now), subject_of(known), now)

    return await _told(context, known, municipality_id, await asyncio.to_thread(work, context.store), response)


@router.post("/bookings/{booking_id}/cancel", dependencies=CHANGE, summary="Cancel; again is nothing new")
async def cancel(
    municipality_id: Identifier, booking_id: Identifier, form: ReasonForm, context: ContextDep, known: IdentitiesDep
) -> MyBooking:
    await _mine(context, known, municipality_id, booking_id)
    await asyncio.to_thread(context.store.cancel, booking_id, form.reason, subject_of(known), context.clock())
    return await _shown(context, known, municipality_id, booking_id)


@router.post("/bookings/{booking_id}/accept", dependencies=CHANGE, summary="Take what the waiting list offers me")
async def accept(
    municipality_id: Identifier, booking_id: Identifier, context: ContextDep, known: IdentitiesDep
) -> MyBooking:
    await _mine(context, known, municipality_id, booking_id)
    await asyncio.to_thread(context.store.accept, booking_id, subject_of(known), context.clock())
    return await _shown(context, known, municipality_id, booking_id)


@router.post("/bookings/{booking_id}/check-in", dependencies=CHANGE, summary="I am here; again is nothing new")
async def check_in(
    municipality_id: Identifier, booking_id: Identifier, context: ContextDep, known: IdentitiesDep
) -> MyBooking:
    await _mine(context, known, municipality_id, booking_id)
    await asyncio.to_thread(context.store.check_in, booking_id, subject_of(known), context.clock())
    return await _shown(context, known, municipality_id, booking_id)


@router.post("/bookings/{booking_id}/end", dependencies=CHANGE, summary="I leave; who waits is offered the rest")
async def end(
    municipality_id: Identifier, booking_id: Identifier, context: ContextDep, known: IdentitiesDep
) -> MyBooking:
    await _mine(context, known, municipality_id, booking_id)
    await asyncio.to_thread(context.store.end_booking, booking_id, subject_of(known), context.clock())
    return await _shown(context, known, municipality_id, booking_id)


@router.post("/bookings/{booking_id}/extend", dependencies=CHANGE, summary="Stay longer")
async def extend(
    municipality_id: Identifier, booking_id: Identifier, form: ExtendForm, context: ContextDep, known: IdentitiesDep
) -> MyBooking:
    """Free of charge only: a longer stay that costs is a change with its fee."""

    def work(store: Store) -> None:
        now = context.clock()
        before = store.own_booking(municipality_id, subject_of(known), booking_id).booking
        check_longer(store, before, form.minutes * 60, now)
        store.extend(booking_id, form.minutes * 60, subject_of(known), now)

    await asyncio.to_thread(work, context.store)
    return await _shown(context, known, municipality_id, booking_id)


@router.post("/bookings/{booking_id}/late", dependencies=CHANGE, summary="I come later; keep it for me")
async def late(
    municipality_id: Identifier, booking_id: Identifier, form: LateForm, context: ContextDep, known: IdentitiesDep
) -> MyBooking:
    await _mine(context, known, municipality_id, booking_id)
    move = context.store.come_late
    await asyncio.to_thread(move, booking_id, form.minutes * 60, subject_of(known), context.clock())
    return await _shown(context, known, municipality_id, booking_id)


@router.post("/bookings/{booking_id}/link", dependencies=CHANGE, status_code=201, summary="A link to join my session")
async def link(
    municipality_id: Identifier, booking_id: Identifier, request: Request, context: ContextDep, known: IdentitiesDep
) -> JoinLink:
    """For oneself and those one meets; ends an hour after the booking."""
    mine = (await _mine(context, known, municipality_id, booking_id)).booking
    if mine.session_id is None or mine.confidential:
        raise NotPossible("There is nothing to join online for this booking.")
    until = max(float(mine.ends_at), context.clock()) + AFTER_END_S
    made = await asyncio.to_thread(context.store.add_invitation, mine.session_id, "participant", until, 200)
    return JoinLink(f"{base_url(context, request)}/join#{made.code}")


async def _mine(context: Context, known: tuple[Identity, ...], municipality_id: str, booking_id: str) -> Own:
    return await asyncio.to_thread(context.store.own_booking, municipality_id, subject_of(known), booking_id)


async def _shown(context: Context, known: tuple[Identity, ...], municipality_id: str, booking_id: str) -> MyBooking:
    mine = await _mine(context, known, municipality_id, booking_id)
    return await asyncio.to_thread(my_booking, context.store, mine, context.clock())


async def _told(
    context: Context, known: tuple[Identity, ...], municipality_id: str, made: Booking | Refused, response: Response
) -> MyBooking | RefusedAnswer:
    if isinstance(made, Booking):
        return await _shown(context, known, municipality_id, made.booking_id)
    refused = answer(made, response)
    assert isinstance(refused, RefusedAnswer)
    return refused
