"""What the week page and the approvals page show, each in one answer; and the story of a booking."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from session_manager.access import Action, Identity, Kind, Resource, may
from session_manager.approvals import Approvals, Asked
from session_manager.booking_records import Booking, BookingEvent
from session_manager.errors import NotPossible
from session_manager.web.context import ContextDep, IdentityDep, permit
from session_manager.web.forms import Identifier
from session_manager.web.routes_bookings import HIDDEN, mine, shown
from session_manager.web.tags import tag_of, tagged, unchanged
from session_manager.week import LONGEST_DAYS, Eyes, week_answer

router = APIRouter(prefix="/api/municipalities/{municipality_id}", tags=["bookings"])
_APPROVE = [permit(Action.APPROVE_BOOKINGS)]
_WEEK: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "booked: [booking_id or empty, from, to, state, title, place, ...]. From and to: minutes of the"
        " wall clock since the first day's midnight. State: c confirmed, u in use, o offered, r requested, w waiting,"
        " d over. Title and places by number.",
        "content": {"application/json": {"schema": {"type": "object"}}},
    },
    304: {"description": "As it was: the tag in If-None-Match still holds"},
}


@dataclass(frozen=True, slots=True)
class Story:
    """`names` by subject; who is not in it is the clock, the office, or a program."""

    events: tuple[BookingEvent, ...]
    names: dict[str, str]


@router.get(
    "/week",
    dependencies=[permit(Action.READ_PLACES)],
    summary="Places, hours and bookings of one facility's days",
    response_class=Response,
    responses=_WEEK,
)
async def week(
    municipality_id: Identifier,
    request: Request,
    context: ContextDep,
    identity: IdentityDep,
    first: date | None = None,
    days: Annotated[int, Query(ge=1, le=LONGEST_DAYS)] = 7,
    facility_id: Identifier | None = None,
) -> Response:
    """Who may not read bookings sees that something is booked, not what, except their own."""
    if first is not None and not 2000 <= first.year <= 2100:
        raise NotPossible("Ask for days of this century.")
    seen = eyes(identity, municipality_id)

    now = context.clock()
    day = first or now // 60

    def work() -> Response:
        tag = tag_of(context.store.calendar_mark(), municipality_id, facility_id, day, days, seen)
        known = unchanged(tag, request)
        if known is not None:
            return known
        facts = context.store.week(municipality_id, facility_id, first, days, now)
        body = json.dumps(week_answer(facts, seen), ensure_ascii=False, separators=(",", ":"))
        return tagged(body.encode(), tag)

    return await asyncio.to_thread(work)


@router.get("/approvals", dependencies=_APPROVE, summary="What waits for the office's word")
async def approvals(municipality_id: Identifier, context: ContextDep, identity: IdentityDep) -> Approvals:
    """Of something confidential, staff see that it asks for a place, not what it is."""
    found = await asyncio.to_thread(context.store.approvals, municipality_id, context.clock())
    if identity.kind is Kind.ADMINISTRATOR:
        return found
    return Approvals(
        tuple(_hidden(one, identity) for one in found.asked),
        tuple(shown(one, identity) for one in found.over),
        found.names,
    )


@router.get(
    "/bookings/{booking_id}/story", dependencies=[permit(Action.READ_BOOKINGS)], summary="What happened to a booking"
)
async def story(
    municipality_id: Identifier, booking_id: Identifier, context: ContextDep, identity: IdentityDep
) -> Story:
    booking = await mine(context, identity, municipality_id, booking_id)

    def work() -> Story:
        events = context.store.story(booking_id)
        return Story(tuple(events), context.store.names_of(municipality_id, subjects(booking, events)))

    return await asyncio.to_thread(work)


def subjects(booking: Booking, events: list[BookingEvent]) -> set[str]:
    return {booking.holder, booking.made_by, *(one.by for one in events)}


def eyes(identity: Identity, municipality_id: str) -> Eyes:
    here = Resource(municipality_ids=frozenset({municipality_id}))
    office = may(identity, Action.READ_BOOKINGS, here)
    return Eyes(office, office and identity.kind is Kind.ADMINISTRATOR, identity.person_id)


def _hidden(asked: Asked, identity: Identity) -> Asked:
    booking = shown(asked.booking, identity)
    return asked if booking is asked.booking else replace(asked, booking=booking, holder_name=HIDDEN)
