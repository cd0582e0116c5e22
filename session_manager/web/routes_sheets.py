"""Places and bookings as CSV: out, in, and what taking in would do."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from session_manager.access import Action
from session_manager.errors import NotPossible
from session_manager.place_sheet import PlaceRow, TakenRow, read_places, write_bookings, write_places
from session_manager.schedule import instant
from session_manager.store.bookings import STATES
from session_manager.store.places import known_zone
from session_manager.web.booking_forms import LONGEST_LOOK
from session_manager.web.context import Context, ContextDep, IdentityDep, permit
from session_manager.web.forms import Identifier
from session_manager.web.routes_bookings import shown
from session_manager.web.routes_people import sheet

router = APIRouter(prefix="/api/municipalities/{municipality_id}", tags=["sheets"])
_PLACES = [permit(Action.CHANGE_RULES)]
_READ = [permit(Action.READ_BOOKINGS)]
_400: dict[int | str, dict[str, Any]] = {409: {"description": "Some row is wrong; nothing was saved"}}


@router.get("/places.csv", dependencies=_READ, response_class=Response, summary="Places as CSV")
async def export_places(municipality_id: Identifier, context: ContextDep) -> Response:
    def text() -> str:
        houses = {one.facility_id: one.name for one in context.store.facilities()}
        return write_places(context.store.places(municipality_id), houses)

    return sheet(await asyncio.to_thread(text), "places.csv")


@router.post("/places.csv/preview", dependencies=_PLACES, summary="What taking in a CSV file of places would do")
async def preview_places(municipality_id: Identifier, request: Request, context: ContextDep) -> list[TakenRow]:
    """Nothing is saved. Columns: facility, kind, name, capacity, quantity, area, buffer_before_minutes,
    buffer_after_minutes, needs_approval."""
    return await _taken(context, municipality_id, await _rows(request), save=False)


@router.post("/places.csv", dependencies=_PLACES, responses=_400, summary="Add and change places from a CSV file")
async def import_places(
    municipality_id: Identifier, request: Request, context: ContextDep, response: Response
) -> list[TakenRow]:
    """All rows or none. A place of that facility, kind and name is changed; what is booked stays."""
    taken = await _taken(context, municipality_id, await _rows(request), save=True)
    if any(one.outcome == "wrong" for one in taken):
        response.status_code = 409
    return taken


@router.get("/bookings.csv", dependencies=_READ, response_class=Response, summary="Bookings of some days as CSV")
async def export_bookings(
    municipality_id: Identifier,
    first: date,
    last: date,
    context: ContextDep,
    identity: IdentityDep,
    zone: Annotated[str, Query(max_length=64)] = "Asia/Tokyo",
) -> Response:
    """Both days included, in every state. Of what is confidential, only that it is there."""
    if not timedelta(0) <= last - first <= LONGEST_LOOK * 4 or not 2000 <= first.year <= 2100:
        raise NotPossible("Ask for 400 days at most, the first before the last.")
    known = known_zone(zone)
    span = (instant(datetime.combine(first, time()), known), instant(datetime.combine(last, time()), known) + 86_400)

    def text() -> str:
        store = context.store
        found = store.bookings(*span, states=STATES, municipality_id=municipality_id)
        names = {one.place_id: one.name for one in store.places(municipality_id)}
        return write_bookings([shown(one, identity) for one in found], lambda place_id: names.get(place_id, ""))

    return sheet(await asyncio.to_thread(text), "bookings.csv")


async def _rows(request: Request) -> list[PlaceRow]:
    try:
        return read_places((await request.body()).decode("utf-8"))
    except UnicodeDecodeError as error:
        raise NotPossible("The file is not UTF-8. Save it as CSV UTF-8 and send it again.") from error


async def _taken(context: Context, municipality_id: str, rows: list[PlaceRow], *, save: bool) -> list[TakenRow]:
    now = context.clock()
    return await asyncio.to_thread(lambda: context.store.take_places(municipality_id, rows, now, save=save))
