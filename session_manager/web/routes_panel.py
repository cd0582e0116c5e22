"""What a door panel may ask for: its own room and nothing else. Everything is judged by the panel's cookie."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import TypeAdapter

from session_manager.access import Action, Identity, Kind
from session_manager.booking_records import Booking, Refused
from session_manager.errors import NotFound, NotPossible, NotSignedIn
from session_manager.panel import DoorDay, Panel, Report, door_code
from session_manager.qr import modules
from session_manager.web.context import Context, ContextDep, IdentitiesDep, permit
from session_manager.web.limits import slow_address, slow_secret, slowed
from session_manager.web.panel_forms import KeyForm, ReportForm, StayForm, TouchForm, UseForm
from session_manager.web.ratelimit import Rule
from session_manager.web.routes_bookings import RefusedAnswer, answer
from session_manager.web.routes_sessions import base_url
from session_manager.web.security import PANEL_COOKIE, PANEL_PROOF, csrf_token
from session_manager.web.version import version

router = APIRouter(prefix="/api/panel", tags=["panel"])
_SEE = [permit(Action.SEE_PANEL, within=True)]
_USE = [slowed(Rule.PANEL_TOUCH), permit(Action.USE_PANEL, within=True)]
COOKIE_S = 400 * 86_400
"""As long as browsers keep one; every day seen makes it new."""
WHERE = "/api/panel"
_DAY: TypeAdapter[DoorDay] = TypeAdapter(DoorDay)
_BOOKING: TypeAdapter[Booking] = TypeAdapter(Booking)


@dataclass(frozen=True, slots=True)
class Opened:
    room: str
    facility: str


@dataclass(frozen=True, slots=True)
class DoorCode:
    """`rows`: of the square code, `1` is dark. It is good for about two minutes."""

    address: str
    rows: tuple[str, ...]


@router.post("/open", dependencies=[permit(Action.SIGN_IN)], summary="Open a panel's link, once")
async def open_panel(form: KeyForm, request: Request, response: Response, context: ContextDep) -> Opened:
    """Sets a cookie that is sent to these addresses only."""
    slow_address(context, request, Rule.PANEL_ADDRESS)
    slow_secret(context, Rule.DOOR_CODE, form.key)
    cookie = await asyncio.to_thread(context.store.open_panel, form.key, context.clock())
    if cookie is None:
        raise NotSignedIn("This link does not open a panel, or not any more. Ask the office for a new one.")
    panel = await asyncio.to_thread(context.store.panel_by_cookie, cookie, context.clock())
    assert panel is not None
    remember(response, context, cookie)
    return Opened(panel.room, panel.facility)


@router.get("/day", dependencies=_SEE, summary="The room's day", response_model=DoorDay)
async def day(request: Request, context: ContextDep, known: IdentitiesDep) -> Response:
    """With ETag; `X-Now` is the hub's clock and `X-Version` that of its pages, on every answer."""
    now = context.clock()
    found = await asyncio.to_thread(context.store.door_day, await here(context, known), now)
    body = _DAY.dump_json(found)
    tag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
    headers = {"ETag": tag, "X-Now": f"{now:.3f}", "X-Version": version()}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    fresh = Response(body, media_type="application/json", headers=headers)
    remember(fresh, context, request.cookies.get(PANEL_COOKIE, ""))
    return fresh


@router.get("/code", dependencies=_SEE, summary="The square code for phones")
async def code(request: Request, context: ContextDep, known: IdentitiesDep) -> DoorCode:
    panel = await here(context, known)
    address = (
        f"{base_url(context, request)}/check-in#{door_code(context.settings.secret, panel.panel_id, context.clock())}"
    )
    return DoorCode(address, modules(address))


@router.post(
    "/use", dependencies=_USE, status_code=201, responses={409: {"model": RefusedAnswer}}, summary="Use the room now"
)
async def use(form: UseForm, response: Response, context: ContextDep, known: IdentitiesDep) -> Booking | RefusedAnswer:
    """Whoever stands there has come: it is checked in at once."""
    panel = await here(context, known)
    before = await _before(context, panel, form.request_key)
    if before is not None:
        return before

    def work() -> Booking | Refused:
        now = context.clock()
        ends_at = -(-int(now) // 60) * 60 + form.minutes * 60
        made = context.store.walk_in(panel, ends_at, form.accepted_yen, now)
        if isinstance(made, Refused):
            return made
        return context.store.check_in(made.booking_id, who(panel), now)

    return await _kept(context, panel, form.request_key, answer(await asyncio.to_thread(work), response))


@router.post("/bookings/{booking_id}/check-in", dependencies=_USE, summary="Somebody came; again is nothing new")
async def check_in(booking_id: str, form: TouchForm, context: ContextDep, known: IdentitiesDep) -> Booking:
    panel = await here(context, known)
    return await asyncio.to_thread(checked_in, context, panel, booking_id, form.person_id)


@router.post("/bookings/{booking_id}/extend", dependencies=_USE, summary="Stay a quarter or half an hour longer")
async def extend(
    booking_id: str, form: StayForm, response: Response, context: ContextDep, known: IdentitiesDep
) -> Booking | RefusedAnswer:
    panel = await here(context, known)
    before = await _before(context, panel, form.request_key)
    if before is not None:
        return before

    def work() -> Booking:
        context.store.at_the_door(panel, booking_id, context.clock())
        return context.store.extend(booking_id, form.minutes * 60, who(panel), context.clock())

    return await _kept(context, panel, form.request_key, await asyncio.to_thread(work))


@router.post("/bookings/{booking_id}/end", dependencies=_USE, summary="End it now; again is nothing new")
async def end(booking_id: str, context: ContextDep, known: IdentitiesDep) -> Booking:
    panel = await here(context, known)

    def work() -> Booking:
        booking = context.store.at_the_door(panel, booking_id, context.clock())
        if booking.kind == "remote_class":
            raise NotPossible("A class is ended with its own button.")
        if booking.state == "in_use" and context.clock() < booking.starts_at:
            return context.store.cancel(booking_id, "", who(panel), context.clock())
        return context.store.end_booking(booking_id, who(panel), context.clock())

    return await asyncio.to_thread(work)


@router.post("/reports", dependencies=_USE, status_code=201, summary="Say that something does not work")
async def report(form: ReportForm, context: ContextDep, known: IdentitiesDep) -> Report:
    """The office gets a letter; the same fault again is the same report."""
    panel = await here(context, known)
    return await asyncio.to_thread(context.store.report_fault, panel, form.kind, who(panel), context.clock())


def checked_in(context: Context, panel: Panel, booking_id: str, person_id: str | None) -> Booking:
    """By a touched name only when that person is expected there. Raises NotFound, NotPossible."""
    now = context.clock()
    if person_id is None:
        context.store.at_the_door(panel, booking_id, now)
    else:
        context.store.expected_at(panel, booking_id, person_id, now)
    return context.store.check_in(booking_id, person_id or who(panel), now)


async def here(context: Context, known: tuple[Identity, ...]) -> Panel:
    """The panel that asks."""
    mine = next((one for one in known if one.kind is Kind.PANEL), None)
    if mine is None or mine.subject is None:
        raise NotFound("There is no panel with that identifier.")
    return await asyncio.to_thread(context.store.panel, mine.subject)


def who(panel: Panel) -> str:
    return f"panel:{panel.panel_id}"


def remember(response: Response, context: Context, cookie: str) -> None:
    """The panel's cookie for its own addresses, and the readable proof for its page."""
    secure = context.settings.secure_cookies
    response.set_cookie(
        PANEL_COOKIE, cookie, max_age=COOKIE_S, path=WHERE, secure=secure, httponly=True, samesite="strict"
    )
    proof = csrf_token(context.settings.secret, cookie)
    response.set_cookie(PANEL_PROOF, proof, max_age=COOKIE_S, path="/panel", secure=secure, samesite="strict")


async def _before(context: Context, panel: Panel, request_key: str) -> Booking | None:
    found: Any = await asyncio.to_thread(context.store.panel_answer, panel.panel_id, request_key)
    return None if found is None else _BOOKING.validate_python(found)


async def _kept(
    context: Context, panel: Panel, request_key: str, made: Booking | RefusedAnswer
) -> Booking | RefusedAnswer:
    """A refusal is not kept: the same request may be tried again."""
    if isinstance(made, Booking):
        plain = _BOOKING.dump_python(made, mode="json")
        await asyncio.to_thread(context.store.keep_panel_answer, panel.panel_id, request_key, plain, context.clock())
    return made
