"""Days without boats: what they touch, one switch for all of it, taking it back, and each person's own choice."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import date, datetime

from fastapi import APIRouter, Response

from session_manager.access import Action, Identity, Kind
from session_manager.booking_records import Booking, Refused
from session_manager.errors import NotFound
from session_manager.sailing import Answer, Choice, Sailing
from session_manager.series import Mode
from session_manager.store import Store
from session_manager.web.context import NOTHING, ContextDep, IdentitiesDep, IdentityDep, permit
from session_manager.web.forms import Form, Identifier
from session_manager.web.routes_bookings import HIDDEN, RefusedAnswer, answer

HERE = "/api/municipalities/{municipality_id}"
router = APIRouter(prefix=HERE, tags=["boats"])
_OFFICE = [permit(Action.APPROVE_BOOKINGS)]


class StopForm(Form):
    choice: Choice


class AnswerForm(Form):
    choice: Answer


@dataclass(frozen=True, slots=True)
class AffectedView:
    """`stays`: somebody is there all the same, so that the place is kept when others join from elsewhere."""

    booking_id: str
    title: str
    starts: datetime
    ends: datetime
    mode: Mode
    place_ids: tuple[str, ...]
    stays: bool


@dataclass(frozen=True, slots=True)
class SailingView:
    """`affected`: what the next tap would touch. `sailing`: what was done for today, null: nothing."""

    day: date
    affected: tuple[AffectedView, ...]
    sailing: Sailing | None


@router.get("/sailing", dependencies=_OFFICE, summary="Which of today's bookings depend on boats")
async def sailing(municipality_id: Identifier, context: ContextDep, identity: IdentityDep) -> SailingView:
    return await asyncio.to_thread(_view, context.store, municipality_id, identity, context.clock())


@router.post("/sailing/stop", dependencies=_OFFICE, summary="No boat sails today")
async def stop(municipality_id: Identifier, form: StopForm, context: ContextDep, identity: IdentityDep) -> SailingView:
    """`remote`: hold them online; `ask`: let each choose; `release`: give the places back. Again is nothing new."""

    def work(store: Store) -> SailingView:
        now = context.clock()
        store.stop_boats(municipality_id, form.choice, identity.subject or "", now)
        return _view(store, municipality_id, identity, now)

    return await asyncio.to_thread(work, context.store)


@router.post("/sailing/resume", dependencies=_OFFICE, summary="Boats sail after all")
async def resume(municipality_id: Identifier, context: ContextDep, identity: IdentityDep) -> SailingView:
    """Puts back what can be put back; `outcome` of each booking says what became of it."""

    def work(store: Store) -> SailingView:
        now = context.clock()
        store.resume_boats(municipality_id, identity.subject or "", now)
        return _view(store, municipality_id, identity, now)

    return await asyncio.to_thread(work, context.store)


@router.post(
    "/me/bookings/{booking_id}/sailing",
    dependencies=[permit(Action.SELF_SERVICE)],
    responses={409: {"model": RefusedAnswer, "description": "Refused, with what would do"}},
    summary="My own choice when no boat sails",
)
async def choose(
    municipality_id: Identifier,
    booking_id: Identifier,
    form: AnswerForm,
    context: ContextDep,
    known: IdentitiesDep,
    response: Response,
) -> Booking | RefusedAnswer:
    """The same again is nothing new."""
    person_id = next((one.person_id for one in known if one.person_id is not None), None)

    def work(store: Store) -> Booking | Refused:
        booking = store.booking(booking_id)
        if person_id is None or (booking.municipality_id, booking.holder) != (municipality_id, person_id):
            raise NotFound(NOTHING)
        return store.answer_sailing(booking_id, form.choice, person_id, context.clock())

    return answer(await asyncio.to_thread(work, context.store), response)


def _view(store: Store, municipality_id: str, identity: Identity, now: float) -> SailingView:
    found = store.sailing_day(municipality_id, now)
    administrator = identity.kind is Kind.ADMINISTRATOR
    affected = tuple(
        AffectedView(
            one.booking.booking_id,
            one.booking.title if administrator or not one.booking.confidential else HIDDEN,
            one.booking.starts,
            one.booking.ends,
            one.booking.mode,
            tuple(place.place_id for place in one.booking.places),
            one.stays,
        )
        for one in found.affected
    )
    return SailingView(found.day, affected, _discreet(store, found.sailing, administrator))


def _discreet(store: Store, sailing: Sailing | None, administrator: bool) -> Sailing | None:
    if sailing is None or administrator:
        return sailing
    hidden = {one.booking_id for one in sailing.bookings if store.booking(one.booking_id).confidential}
    return replace(
        sailing,
        bookings=tuple(replace(one, title=HIDDEN) if one.booking_id in hidden else one for one in sailing.bookings),
    )
