"""The doors: people by invitation, boards by device token. What comes out is a short-lived join token."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from session_manager import tokens
from session_manager.access import Action
from session_manager.errors import NotFound, NotPermitted, NotPossible
from session_manager.records import Invitation, Seat, Session, SessionState
from session_manager.web.context import Context, ContextDep, IdentityDep, permit
from session_manager.web.forms import Again, Code, Join
from session_manager.web.limits import slow_address, slow_secret, slowed
from session_manager.web.ratelimit import Rule
from session_manager.web.security import VIEW_COOKIE, set_cookie

router = APIRouter(prefix="/api", tags=["join"])

SIGNALING = "/signal"
NO_DOOR = "This link does not open anything, or not any more. Ask whoever sent it for a new one."
TO_LIVE_PAGE = "This link opens the live page; it is not for taking part. Ask for an invitation to join."


@dataclass(frozen=True, slots=True)
class SessionView:
    session_id: str
    title: str
    starts_at: float
    ends_at: float
    timezone: str
    state: SessionState


@dataclass(frozen=True, slots=True)
class Looked:
    """What somebody should know before joining: `records` is kept, and how record and captions are now."""

    title: str
    role: str
    session: SessionView
    records: tuple[str, ...]
    record: str
    record_message: str
    captions: str
    captions_message: str


@dataclass(frozen=True, slots=True)
class Joined:
    token: str
    seat_key: str
    seat_id: str
    role: str
    title: str
    session: SessionView
    signaling: str


@dataclass(frozen=True, slots=True)
class Fresh:
    token: str
    role: str
    title: str
    session: SessionView
    signaling: str


@dataclass(frozen=True, slots=True)
class Entered:
    session_id: str
    title: str


@dataclass(frozen=True, slots=True)
class SiteView:
    site_id: str
    name: str
    languages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BoardJoined:
    session: SessionView
    site: SiteView
    token: str
    signaling: str


@router.post("/join/look", dependencies=[permit(Action.JOIN)], summary="What an invitation opens, without using it")
async def look(form: Code, request: Request, context: ContextDep) -> Looked:
    invitation, session = await _open_door(context, request, form.code)
    status = context.runtime.status()
    return Looked(
        title=session.title,
        role=invitation.role,
        session=view(session),
        records=("audio", "text"),
        record=status.record,
        record_message=status.record_message,
        captions=status.captions,
        captions_message=status.captions_message,
    )


@router.post("/join", dependencies=[permit(Action.JOIN)], status_code=201, summary="Take a seat by invitation")
async def join(form: Join, request: Request, context: ContextDep) -> Joined:
    """`seat_key` is the way back to this seat; keep it in the browser, never in an address."""
    invitation, session = await _open_door(context, request, form.code)
    if invitation.role == "observer":
        raise NotPermitted(TO_LIVE_PAGE)
    if session.state in {"ending", "ended"}:
        raise NotPossible("This session is over. Nobody can join it any more.")
    now = context.clock()
    if await asyncio.to_thread(context.store.redeem_invitation, form.code, now) is None:
        raise NotFound(NO_DOOR)
    who = (session.session_id, form.display_name, invitation.role, [form.language], now)
    seat = await asyncio.to_thread(context.store.add_person, *who)
    key = await asyncio.to_thread(context.store.new_seat_key, seat.seat_id, now)
    token = _token(context, seat, now)
    return Joined(token, key, seat.seat_id, seat.role, session.title, view(session), SIGNALING)


@router.post("/join/again", dependencies=[permit(Action.JOIN)], summary="A fresh token for a seat taken before")
async def again(form: Again, request: Request, context: ContextDep) -> Fresh:
    slow_address(context, request, Rule.DOOR_ADDRESS)
    slow_secret(context, Rule.DOOR_CODE, form.seat_key)
    now = context.clock()
    seat = await asyncio.to_thread(context.store.seat_by_key, form.seat_key, now)
    if seat is None:
        raise NotFound("This seat is not there any more: the session is over, or another invitation is needed.")
    session = await asyncio.to_thread(context.store.session, seat.session_id)
    return Fresh(_token(context, seat, now), seat.role, session.title, view(session), SIGNALING)


@router.post("/live/enter", dependencies=[permit(Action.JOIN)], summary="Open the live page by invitation")
async def enter(form: Code, request: Request, response: Response, context: ContextDep) -> Entered:
    """Sets a cookie for that one session. A browser that has it already does not use the invitation up again."""
    slow_address(context, request, Rule.DOOR_ADDRESS)
    slow_secret(context, Rule.DOOR_CODE, form.code)
    now = context.clock()
    invitation = await _enter(context, request, form.code, now)
    if invitation.role not in {"observer", "facilitator"}:
        raise NotPermitted("This link is for taking part. Open it on the join page.")
    session = await asyncio.to_thread(context.store.session, invitation.session_id)
    settings = context.settings
    cookie = await asyncio.to_thread(context.store.open_view, session.session_id, now, settings.view_ttl_s)
    name = f"{VIEW_COOKIE}_{session.session_id}"
    set_cookie(response, name, cookie, settings.view_ttl_s, secure=settings.secure_cookies)
    return Entered(session.session_id, session.title)


@router.post(
    "/board/join",
    dependencies=[slowed(Rule.BOARD_ADDRESS), permit(Action.BOARD_JOIN)],
    summary="The session a board is due in now",
    responses={204: {"description": "Nothing is due; ask again after Retry-After seconds"}},
    response_model=BoardJoined,
)
async def board_join(context: ContextDep, identity: IdentityDep) -> BoardJoined | Response:
    now = context.clock()
    due = await asyncio.to_thread(context.store.due_session, identity.subject or "", now)
    if due is None:
        return Response(status_code=204, headers={"Retry-After": str(context.settings.board_retry_s)})
    site = next(site for site in due.session.sites if site.site_id == due.seat.site_id)
    here = SiteView(site.site_id, site.name, site.languages)
    return BoardJoined(view(due.session), here, _token(context, due.seat, now), SIGNALING)


def view(session: Session) -> SessionView:
    return SessionView(
        session.session_id, session.title, session.starts_at, session.ends_at, session.timezone, session.state
    )


async def _open_door(context: Context, request: Request, code: str) -> tuple[Invitation, Session]:
    slow_address(context, request, Rule.DOOR_ADDRESS)
    slow_secret(context, Rule.DOOR_CODE, code)
    invitation = await asyncio.to_thread(context.store.look_invitation, code, context.clock())
    if invitation is None:
        raise NotFound(NO_DOOR)
    return invitation, await asyncio.to_thread(context.store.session, invitation.session_id)


async def _enter(context: Context, request: Request, code: str, now: float) -> Invitation:
    """The invitation, used once more unless this browser reads that session already."""
    invitation = await asyncio.to_thread(context.store.look_invitation, code, now)
    if invitation is None:
        raise NotFound(NO_DOOR)
    before = request.cookies.get(f"{VIEW_COOKIE}_{invitation.session_id}")
    if before and await asyncio.to_thread(context.store.view, before, now) == invitation.session_id:
        return invitation
    if invitation.role not in {"observer", "facilitator"}:
        return invitation
    used = await asyncio.to_thread(context.store.redeem_invitation, code, now)
    if used is None:
        raise NotFound(NO_DOOR)
    return used


def _token(context: Context, seat: Seat, now: float) -> str:
    claims = tokens.Claims(seat.session_id, seat.seat_id, seat.role, now + context.settings.join_token_ttl_s)
    return tokens.issue(context.settings.secret, claims)
