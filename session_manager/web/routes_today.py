"""The office's morning: at most five lines, and what is on today."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

from fastapi import APIRouter, Request, Response
from pydantic import TypeAdapter

from session_manager.access import Action, Identity, Kind
from session_manager.backup_stamp import last_backup
from session_manager.booking import State
from session_manager.booking_records import Booking
from session_manager.morning import Facts, Morning, morning
from session_manager.records import Session, SessionState
from session_manager.schedule import instant, local_time
from session_manager.series import Mode
from session_manager.store import Store
from session_manager.web.context import Context, ContextDep, IdentityDep, permit
from session_manager.web.forms import Identifier
from session_manager.web.routes_bookings import shown

router = APIRouter(prefix="/api/municipalities/{municipality_id}", tags=["today"])
STATES: tuple[State, ...] = ("requested", "offered", "confirmed", "in_use", "done")


@dataclass(frozen=True, slots=True)
class TodayBooking:
    """`places`: their names, in the order booked."""

    booking_id: str
    title: str
    kind: str
    state: State
    starts_at: int
    ends_at: int
    mode: Mode
    people: int
    places: tuple[str, ...]
    session_id: str | None


@dataclass(frozen=True, slots=True)
class TodaySession:
    """One that was made without a booking. `places`: its sites, in their order."""

    session_id: str
    title: str
    state: SessionState
    starts_at: float
    ends_at: float
    places: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Today:
    day: str
    morning: Morning
    bookings: tuple[TodayBooking, ...]
    sessions: tuple[TodaySession, ...]


_BODY = TypeAdapter(Today)


@router.get(
    "/today",
    dependencies=[permit(Action.READ_BOOKINGS)],
    response_model=Today,
    responses={304: {"description": "As it was: the tag in If-None-Match still holds"}},
    summary="What needs a hand this morning, and what is on today",
)
async def today(municipality_id: Identifier, request: Request, context: ContextDep, identity: IdentityDep) -> Response:
    """Lines are worst first; `green`: subjects with nothing to say."""
    live = live_facts(context)
    found = await asyncio.to_thread(_today, context.store, municipality_id, identity, live, context.clock())
    body = _BODY.dump_json(found)
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


def live_facts(context: Context) -> Facts:
    """What only the running hub knows."""
    status, folder = context.runtime.status(), context.settings.data
    facts = Facts(recording=status.record == "on", captions=status.captions != "unavailable")
    if folder is None:
        return facts
    disk = shutil.disk_usage(folder)
    return replace(facts, disk_free=disk.free / disk.total, backups=True, backup_at=last_backup(folder))


def _today(store: Store, municipality_id: str, identity: Identity, live: Facts, now: float) -> Today:
    stored = store.morning_facts(municipality_id, now)
    facts = replace(
        stored,
        recording=live.recording,
        captions=live.captions,
        disk_free=live.disk_free,
        backups=live.backups,
        backup_at=live.backup_at,
    )
    zone = store.home(municipality_id).timezone
    day = local_time(int(now), zone).date()
    begin, end = (instant(datetime.combine(one, time()), zone) for one in (day, day + timedelta(days=1)))
    names = {one.place_id: one.name for one in store.places(municipality_id)}
    found = store.bookings(begin, end, states=STATES, municipality_id=municipality_id)
    alone = store.sessions_unbooked(municipality_id, begin, end)
    return Today(
        day.isoformat(),
        morning(facts, now),
        tuple(_row(shown(one, identity), names) for one in found),
        tuple(_session(one) for one in alone if not one.confidential or identity.kind is Kind.ADMINISTRATOR),
    )


def _session(session: Session) -> TodaySession:
    sites = tuple(one.name for one in session.sites)
    return TodaySession(session.session_id, session.title, session.state, session.starts_at, session.ends_at, sites)


def _row(booking: Booking, names: dict[str, str]) -> TodayBooking:
    return TodayBooking(
        booking.booking_id,
        booking.title,
        booking.kind,
        booking.state,
        booking.starts_at,
        booking.ends_at,
        booking.mode,
        booking.people,
        tuple(names.get(one.place_id, "") for one in booking.places),
        booking.session_id,
    )
