"""Bookings: look, quote, book, change, approve, cancel, check in, end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from session_manager.access import Action, Identity, Kind
from session_manager.booking import State
from session_manager.booking_records import Booking, Quote, Refused
from session_manager.errors import NotFound, NotPermitted, NotPossible
from session_manager.schedule import instant
from session_manager.store import Store
from session_manager.store.places import known_zone
from session_manager.web.booking_forms import (
    LONGEST_LOOK,
    BookingForm,
    ChangeForm,
    ExtendForm,
    QuoteForm,
    ReasonForm,
    as_change,
    change,
    check_places,
    wish,
)
from session_manager.web.context import Context, ContextDep, IdentityDep, permit
from session_manager.web.forms import Identifier

router = APIRouter(prefix="/api/municipalities/{municipality_id}/bookings", tags=["bookings"])
_READ = [permit(Action.READ_BOOKINGS)]
_BOOK = [permit(Action.BOOK)]
_APPROVE = [permit(Action.APPROVE_BOOKINGS)]
HIDDEN = "―"
NO_BOOKING = "There is no booking with that identifier."


@dataclass(frozen=True, slots=True)
class RefusedAnswer:
    """409: nothing was changed; the quote says why and what would do instead."""

    code: str
    message: str
    quote: Quote


_409: dict[int | str, dict[str, Any]] = {409: {"model": RefusedAnswer, "description": "Refused, with what would do"}}


@router.get("", dependencies=_READ, summary="List bookings of some days")
async def bookings(
    municipality_id: Identifier,
    first: date,
    last: date,
    context: ContextDep,
    identity: IdentityDep,
    zone: Annotated[str, Query(max_length=64)] = "Asia/Tokyo",
    place_id: Annotated[list[Identifier] | None, Query(max_length=64)] = None,
    state: Annotated[list[State] | None, Query(max_length=12)] = None,
    holder: Annotated[str | None, Query(max_length=80)] = None,
) -> list[Booking]:
    """Both days included, by the clock of `zone`. No `state`: all that are not over or skipped."""
    if not timedelta(0) <= last - first <= LONGEST_LOOK or not 2000 <= first.year <= 2100:
        raise NotPossible("Ask for 100 days at most, the first before the last.")
    known = known_zone(zone)
    found = await asyncio.to_thread(
        context.store.bookings,
        instant(datetime.combine(first, time()), known),
        instant(datetime.combine(last + timedelta(days=1), time()), known),
        place_ids=place_id or (),
        states=state or (),
        municipality_id=municipality_id,
        holder=holder,
    )
    return [shown(one, identity) for one in found]


@router.post("/quote", dependencies=_BOOK, summary="What a booking would cost and whether it can be had")
async def quote(municipality_id: Identifier, form: QuoteForm, context: ContextDep, identity: IdentityDep) -> Quote:
    """Nothing is saved. With clashes, and what would do instead; with `but`, what a change of that booking would."""
    before = None if form.but is None else await mine(context, identity, municipality_id, form.but)

    def work(store: Store) -> Quote:
        if before is not None:
            check_places(store, municipality_id, [one.place_id for one in form.places])
            return store.quote_change(before.booking_id, change(as_change(form), before), context.clock())
        return store.quote_booking(wish(store, form, municipality_id, identity), context.clock())

    return await asyncio.to_thread(work, context.store)


@router.post("", dependencies=_BOOK, status_code=201, responses=_409, summary="Book one or several places at once")
async def book(
    municipality_id: Identifier, form: BookingForm, context: ContextDep, identity: IdentityDep, response: Response
) -> Booking | RefusedAnswer:
    """All of them or none. Where a place needs approval it is requested."""
    if form.confidential:
        _only_administrator(identity)

    def work(store: Store) -> Booking | Refused:
        return store.book(wish(store, form, municipality_id, identity), context.clock(), wait=form.wait)

    return answer(await asyncio.to_thread(work, context.store), response)


@router.get("/{booking_id}", dependencies=_READ, summary="One booking")
async def booking(
    municipality_id: Identifier, booking_id: Identifier, context: ContextDep, identity: IdentityDep
) -> Booking:
    return await mine(context, identity, municipality_id, booking_id)


@router.get("/{booking_id}/rivals", dependencies=_READ, summary="Who else asks for the same")
async def rivals(
    municipality_id: Identifier, booking_id: Identifier, context: ContextDep, identity: IdentityDep
) -> list[Booking]:
    await mine(context, identity, municipality_id, booking_id)
    found = await asyncio.to_thread(context.store.rivals, booking_id)
    return [shown(one, identity) for one in found]


@router.patch("/{booking_id}", dependencies=_BOOK, responses=_409, summary="Change title, time, places or mode")
async def change_booking(
    municipality_id: Identifier,
    booking_id: Identifier,
    form: ChangeForm,
    context: ContextDep,
    identity: IdentityDep,
    response: Response,
) -> Booking | RefusedAnswer:
    """A new time or place is approved again where a place needs it; until then the old one is kept."""
    before = await mine(context, identity, municipality_id, booking_id)

    def work(store: Store) -> Booking | Refused:
        check_places(store, municipality_id, [one.place_id for one in form.places or ()])
        return store.change(booking_id, change(form, before), identity.subject or "", context.clock())

    return answer(await asyncio.to_thread(work, context.store), response)


@router.post("/{booking_id}/approve", dependencies=_APPROVE, responses=_409, summary="Approve a request or a change")
async def approve(
    municipality_id: Identifier, booking_id: Identifier, context: ContextDep, identity: IdentityDep, response: Response
) -> Booking | RefusedAnswer:
    await mine(context, identity, municipality_id, booking_id)
    made = await asyncio.to_thread(context.store.approve, booking_id, identity.subject or "", context.clock())
    return answer(made, response)


@router.post("/{booking_id}/decline", dependencies=_APPROVE, summary="Decline a request or a change")
async def decline(
    municipality_id: Identifier, booking_id: Identifier, form: ReasonForm, context: ContextDep, identity: IdentityDep
) -> Booking:
    await mine(context, identity, municipality_id, booking_id)
    who = identity.subject or ""
    return await asyncio.to_thread(context.store.decline, booking_id, form.reason, who, context.clock())


@router.post("/{booking_id}/cancel", dependencies=_BOOK, summary="Cancel; again is nothing new")
async def cancel(
    municipality_id: Identifier, booking_id: Identifier, form: ReasonForm, context: ContextDep, identity: IdentityDep
) -> Booking:
    await mine(context, identity, municipality_id, booking_id)
    who = identity.subject or ""
    return await asyncio.to_thread(context.store.cancel, booking_id, form.reason, who, context.clock())


@router.post("/{booking_id}/accept", dependencies=_BOOK, summary="Take what the waiting list offers")
async def accept(
    municipality_id: Identifier, booking_id: Identifier, context: ContextDep, identity: IdentityDep
) -> Booking:
    await mine(context, identity, municipality_id, booking_id)
    return await asyncio.to_thread(context.store.accept, booking_id, identity.subject or "", context.clock())


@router.post("/{booking_id}/check-in", dependencies=_BOOK, summary="Check in; again is nothing new")
async def check_in(
    municipality_id: Identifier, booking_id: Identifier, context: ContextDep, identity: IdentityDep
) -> Booking:
    await mine(context, identity, municipality_id, booking_id)
    return await asyncio.to_thread(context.store.check_in, booking_id, identity.subject or "", context.clock())


@router.post("/{booking_id}/end", dependencies=_BOOK, summary="End now; again is nothing new")
async def end(
    municipality_id: Identifier, booking_id: Identifier, context: ContextDep, identity: IdentityDep
) -> Booking:
    await mine(context, identity, municipality_id, booking_id)
    return await asyncio.to_thread(context.store.end_booking, booking_id, identity.subject or "", context.clock())


@router.post("/{booking_id}/extend", dependencies=_BOOK, summary="Stay longer")
async def extend(
    municipality_id: Identifier, booking_id: Identifier, form: ExtendForm, context: ContextDep, identity: IdentityDep
) -> Booking:
    await mine(context, identity, municipality_id, booking_id)
    who = identity.subject or ""
    return await asyncio.to_thread(context.store.extend, booking_id, form.minutes * 60, who, context.clock())


@router.post("/{booking_id}/readd", dependencies=_BOOK, responses=_409, summary="Try a skipped date again")
async def readd(
    municipality_id: Identifier, booking_id: Identifier, context: ContextDep, identity: IdentityDep, response: Response
) -> Booking | RefusedAnswer:
    await mine(context, identity, municipality_id, booking_id)
    made = await asyncio.to_thread(context.store.readd, booking_id, identity.subject or "", context.clock())
    return answer(made, response)


async def mine(context: Context, identity: Identity, municipality_id: str, booking_id: str) -> Booking:
    """What is another municipality's, or confidential and not for this identity, is as what does not exist."""
    found = await asyncio.to_thread(context.store.booking, booking_id)
    if found.municipality_id != municipality_id or (found.confidential and identity.kind is not Kind.ADMINISTRATOR):
        raise NotFound(NO_BOOKING)
    return found


def answer(made: Booking | Refused, response: Response) -> Booking | RefusedAnswer:
    if isinstance(made, Booking):
        return made
    response.status_code = 409
    return RefusedAnswer("refused", " ".join(made.quote.problems), made.quote)


def shown(booking: Booking, identity: Identity) -> Booking:
    """That somebody is there is for everybody who books; of a confidential one nothing else is."""
    if not booking.confidential or identity.kind is Kind.ADMINISTRATOR:
        return booking
    return replace(booking, title=HIDDEN, holder=HIDDEN, made_by=HIDDEN, link="", reason="", session_id=None)


def _only_administrator(identity: Identity) -> None:
    if identity.kind is not Kind.ADMINISTRATOR:
        raise NotPermitted("Only an administrator can book something confidential.")
