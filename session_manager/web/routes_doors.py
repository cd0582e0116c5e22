"""The office's side of the doors: panels and reports. And a phone's: the code on the panel checks in."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from fastapi import APIRouter, Request

from session_manager.access import Action
from session_manager.booking_records import Booking
from session_manager.errors import NotFound, NotPossible
from session_manager.panel import DoorBooking, Panel, Report, door_panel
from session_manager.web.context import Context, ContextDep, IdentitiesDep, IdentityDep, permit
from session_manager.web.forms import Identifier
from session_manager.web.limits import slow_address
from session_manager.web.panel_forms import DoorForm, DoorTouchForm, NewPanelForm
from session_manager.web.ratelimit import Rule
from session_manager.web.routes_panel import checked_in
from session_manager.web.routes_sessions import base_url

HERE = "/api/municipalities/{municipality_id}"
router = APIRouter(tags=["panel"])
_RUN = [permit(Action.CHANGE_PLACES)]
_REPORTS = [permit(Action.SEE_REPORTS)]
TOO_OLD = "This code is too old. Point your phone at the panel again."


@dataclass(frozen=True, slots=True)
class PanelLink:
    """`link` is opened once, on the tablet at the door, within a day. It is shown this once."""

    panel: Panel
    link: str


@dataclass(frozen=True, slots=True)
class DoorLook:
    """What a phone sees of the room it stands at. `mine`: what the person who is signed in is expected in."""

    room: str
    facility: str
    timezone: str
    bookings: tuple[DoorBooking, ...]
    mine: tuple[str, ...]
    signed_in: bool


@dataclass(frozen=True, slots=True)
class CheckedIn:
    room: str
    starts_at: int
    ends_at: int


@router.get(HERE + "/panels", dependencies=_RUN, summary="Panels at the doors, and when each was last seen")
async def panels(municipality_id: str, context: ContextDep) -> list[Panel]:
    return await asyncio.to_thread(context.store.panels, municipality_id)


@router.post(HERE + "/panels", dependencies=_RUN, status_code=201, summary="Make a panel for a room's door")
async def add_panel(municipality_id: str, form: NewPanelForm, request: Request, context: ContextDep) -> PanelLink:
    add = context.store.add_panel
    made = await asyncio.to_thread(add, municipality_id, form.room_id, form.name, context.clock())
    return PanelLink(made.panel, f"{base_url(context, request)}/panel#{made.key}")


@router.post(HERE + "/panels/{panel_id}/link", dependencies=_RUN, summary="A new link, for another tablet")
async def renew_panel(municipality_id: str, panel_id: Identifier, request: Request, context: ContextDep) -> PanelLink:
    made = await asyncio.to_thread(context.store.renew_panel, municipality_id, panel_id, context.clock())
    return PanelLink(made.panel, f"{base_url(context, request)}/panel#{made.key}")


@router.delete(HERE + "/panels/{panel_id}", dependencies=_RUN, status_code=204, summary="Take a panel back, at once")
async def revoke_panel(municipality_id: str, panel_id: Identifier, context: ContextDep) -> None:
    await asyncio.to_thread(context.store.revoke_panel, municipality_id, panel_id, context.clock())


@router.get(HERE + "/reports", dependencies=_REPORTS, summary="What people reported at the doors")
async def reports(municipality_id: str, context: ContextDep, all: bool = False) -> list[Report]:
    """Those that nobody has seen to yet; with `all` the others too."""

    def work() -> list[Report]:
        return context.store.faults(municipality_id, open_only=not all)

    return await asyncio.to_thread(work)


@router.post(HERE + "/reports/{report_id}/resolve", dependencies=_REPORTS, summary="It works again")
async def resolve(municipality_id: str, report_id: Identifier, context: ContextDep, identity: IdentityDep) -> Report:
    by = identity.person_id or identity.subject or ""
    return await asyncio.to_thread(context.store.resolve_fault, municipality_id, report_id, by, context.clock())


@router.post("/api/check-in/look", dependencies=[permit(Action.JOIN)], summary="The room behind the code on its door")
async def look(form: DoorForm, request: Request, context: ContextDep, known: IdentitiesDep) -> DoorLook:
    panel = await _panel(context, request, form.code)
    person_id = next((one.person_id for one in known if one.person_id is not None), None)

    def work() -> DoorLook:
        now = context.clock()
        day = context.store.door_day(panel, now)
        soon = [one for one in day.bookings if one.check_in_from <= now < one.ends_at]
        mine = context.store.bookings_expecting(panel, person_id, now) if person_id is not None else []
        return DoorLook(
            panel.room,
            panel.facility,
            panel.timezone,
            tuple(replace(one, lesson=None) for one in soon),
            tuple(one.booking_id for one in mine),
            person_id is not None,
        )

    return await asyncio.to_thread(work)


@router.post("/api/check-in", dependencies=[permit(Action.JOIN)], summary="Check in by the code on the door")
async def check_in(form: DoorTouchForm, request: Request, context: ContextDep, known: IdentitiesDep) -> CheckedIn:
    """By the touched name like at the panel, or whoever is signed in to their own. Again is nothing new."""
    panel = await _panel(context, request, form.code)
    if form.booking_id is not None:
        done = await asyncio.to_thread(checked_in, context, panel, form.booking_id, form.person_id)
        return _said(panel, done)
    mine = next((one.person_id for one in known if one.person_id is not None), None)
    if mine is None:
        raise NotPossible("Sign in first, or touch your name.")

    def work() -> Booking:
        now = context.clock()
        found = context.store.bookings_expecting(panel, mine, now)
        if not found:
            raise NotFound("Nobody expects you in this room now.")
        return context.store.check_in(found[0].booking_id, mine, now)

    return _said(panel, await asyncio.to_thread(work))


def _said(panel: Panel, booking: Booking) -> CheckedIn:
    return CheckedIn(panel.room, booking.starts_at, booking.ends_at)


async def _panel(context: Context, request: Request, code: str) -> Panel:
    slow_address(context, request, Rule.CHECK_IN_ADDRESS)
    panel_id = door_panel(context.settings.secret, code, context.clock())
    if panel_id is None:
        raise NotFound(TOO_OLD)
    return await asyncio.to_thread(context.store.panel, panel_id)
