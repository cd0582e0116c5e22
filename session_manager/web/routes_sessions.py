"""Sessions: make, start, end, invite."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, fields

from fastapi import APIRouter, Request

from session_manager.access import Action, Identity, Kind
from session_manager.errors import NotFound, NotPermitted, NotPossible
from session_manager.records import Facility, Invitation, Session, SiteRisk
from session_manager.store import NewSite, Store
from session_manager.store.places import known_zone
from session_manager.web.context import Context, ContextDep, IdentityDep, permit
from session_manager.web.forms import InvitationForm, RecordForm, SessionForm, SiteForm, instant
from signaling.switchboard import Record

router = APIRouter(prefix="/api/sessions", tags=["sessions"])

AFTER_END_S = 3600.0
"""How long an invitation outlives the planned end when nobody says otherwise."""

DEFAULT_ZONE = "Asia/Tokyo"
PAGES = {"observer": "live"}
"""Roles whose link opens another page than `join`."""


@dataclass(frozen=True, slots=True)
class Invited:
    """`link` holds the code behind `#`, so it never reaches a server log; it is shown this once."""

    invitation: Invitation
    link: str


@dataclass(frozen=True, slots=True)
class SessionNow(Session):
    """`record`: `off` the record, `gap` or `on`. `at_risk`: sites whose board is short of disk; sound may be lost."""

    record: Record = "on"
    at_risk: tuple[SiteRisk, ...] = ()


async def _now(context: Context, session: Session) -> SessionNow:
    values = {one.name: getattr(session, one.name) for one in fields(Session)}
    record = context.runtime.record_of(session)
    return SessionNow(**values, record=record, at_risk=tuple(await context.runtime.at_risk(session)))


@router.get("", dependencies=[permit(Action.LIST_SESSIONS, within=True)], summary="List sessions by planned start")
async def sessions(context: ContextDep, identity: IdentityDep) -> list[SessionNow]:
    """Of one's own municipality; confidential ones only for administrators."""
    found = await asyncio.to_thread(context.store.sessions)
    if identity.municipality_id is not None:
        homes = await asyncio.to_thread(context.store.session_homes)
        found = [one for one in found if identity.municipality_id in homes.get(one.session_id, (frozenset(),))[0]]
    shown = [one for one in found if not one.confidential or identity.kind is Kind.ADMINISTRATOR]
    return [await _now(context, one) for one in shown]


@router.post("", dependencies=[permit(Action.CREATE_SESSION, within=True)], status_code=201, summary="Plan a session")
async def add_session(form: SessionForm, context: ContextDep, identity: IdentityDep) -> SessionNow:
    """A room is a site and its boards have their seats at once."""
    if form.confidential:
        _only_administrator(identity)
    return await _now(context, await asyncio.to_thread(_add, context.store, form, identity.municipality_id))


@router.get("/{session_id}", dependencies=[permit(Action.READ_SESSION)], summary="One session")
async def session(session_id: str, context: ContextDep) -> SessionNow:
    return await _now(context, await asyncio.to_thread(context.store.session, session_id))


@router.post("/{session_id}/start", dependencies=[permit(Action.RUN_SESSION)], summary="Start; again is nothing new")
async def start(session_id: str, context: ContextDep) -> SessionNow:
    return await _now(context, await context.runtime.start_session(session_id))


@router.post("/{session_id}/record", dependencies=[permit(Action.RUN_SESSION)], summary="Off the record, or on again")
async def record(session_id: str, form: RecordForm, context: ContextDep) -> SessionNow:
    """Off: what is said from now on is neither kept nor written down. In the session anybody may do this."""
    await context.runtime.set_record(session_id, form.on)
    return await _now(context, await asyncio.to_thread(context.store.session, session_id))


@router.post("/{session_id}/end", dependencies=[permit(Action.RUN_SESSION)], summary="End, with the last word of all")
async def end(session_id: str, context: ContextDep) -> SessionNow:
    """Answers when everything said is written down and the coverage is stored; this can take a while."""
    return await _now(context, await context.runtime.end_session(session_id))


@router.post(
    "/{session_id}/invitations", dependencies=[permit(Action.INVITE)], status_code=201, summary="Make a link to join"
)
async def invite(session_id: str, form: InvitationForm, request: Request, context: ContextDep) -> Invited:
    planned = await asyncio.to_thread(context.store.session, session_id)
    if planned.state in {"ending", "ended"} and form.role != "observer":
        raise NotPossible("This session is over. Nobody can join it any more.")
    now = context.clock()
    latest = max(planned.ends_at, now) + AFTER_END_S
    expires_at = form.expires_at.timestamp() if form.expires_at is not None else latest
    if expires_at <= now:
        raise NotPossible("An invitation must expire in the future.")
    made = await asyncio.to_thread(context.store.add_invitation, session_id, form.role, expires_at, form.uses)
    page = PAGES.get(form.role, "join")
    return Invited(made.invitation, f"{base_url(context, request)}/{page}#{made.code}")


def base_url(context: Context, request: Request) -> str:
    """For whoever asked: begins as the address they came to."""
    return (context.settings.public_url or str(request.base_url)).rstrip("/")


def letter_url(context: Context, request: Request) -> str:
    """For a letter to somebody else. `Host` is the word of whoever asked and would let them send a link to their own
    site in our name; so without a public address it is the one that the connection really came to."""
    if context.settings.public_url:
        return context.settings.public_url.rstrip("/")
    host, port = request.scope["server"]
    numeric = f"[{host}]" if ":" in host else host
    return f"{request.url.scheme}://{numeric}{f':{port}' if port else ''}"


def _only_administrator(identity: Identity) -> None:
    if identity.kind is not Kind.ADMINISTRATOR:
        raise NotPermitted("Only an administrator can plan a confidential session.")


def _add(store: Store, form: SessionForm, municipality_id: str | None) -> Session:
    homes = _homes(store, municipality_id)
    first = next((homes[site.room_id] for site in form.sites if site.room_id in homes), None)
    zone = known_zone(form.timezone or (first.timezone if first is not None else DEFAULT_ZONE))
    made = store.add_session(
        form.title,
        instant(form.starts_at, zone),
        instant(form.ends_at, zone),
        zone,
        [_site(site, homes) for site in form.sites],
        confidential=form.confidential,
    )
    if municipality_id is not None:
        store.bind_session(made.session_id, municipality_id)
    return made


def _homes(store: Store, municipality_id: str | None) -> dict[str | None, Facility]:
    """The facility of each room that may be asked for."""
    found = store.facilities()
    by_id = {one.facility_id: one for one in found if municipality_id in {None, one.municipality_id}}
    return {room.room_id: by_id[room.facility_id] for room in store.rooms() if room.facility_id in by_id}


def _site(form: SiteForm, homes: dict[str | None, Facility]) -> NewSite:
    if form.room_id is not None and form.room_id not in homes:
        raise NotFound("There is no room with that identifier.")
    if form.name is None and form.room_id is None:
        raise NotPossible("A site needs a room or a name.")
    return NewSite(form.name or homes[form.room_id].name, form.room_id, tuple(form.languages))
