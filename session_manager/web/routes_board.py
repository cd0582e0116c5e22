"""A board's day, and the sound that it kept while the line was bad: what it has, what the hub wants, the packets."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.exceptions import HTTPException

from session_manager.access import Action
from session_manager.errors import NotPossible
from session_manager.ports import SpoolTold
from session_manager.records import DiskTold, SessionState
from session_manager.web.context import ContextDep, IdentityDep, permit
from session_manager.web.forms import Identifier, Number, SpoolsForm, TrackName
from session_manager.web.limits import slowed_token
from session_manager.web.panel_forms import DevicesForm
from session_manager.web.ratelimit import Rule
from session_manager.web.routes_join import SiteView
from transcription.audio_log import Packet, unpack_packets


async def came_at(context: ContextDep) -> float:
    """By our clock, before who asks is looked up: what that takes is none of the way here."""
    return context.clock()


router = APIRouter(
    prefix="/api/board",
    tags=["board"],
    dependencies=[Depends(came_at), slowed_token(Rule.SPOOL_BOARD, Rule.SPOOL_ADDRESS)],
)

PAST_S = 12 * 3600.0
AHEAD_S = 48 * 3600.0
MAX_BODY = 256 * 1024


@dataclass(frozen=True, slots=True)
class BoardSession:
    session_id: str
    title: str
    starts_at: float
    ends_at: float
    state: SessionState
    site: SiteView


@dataclass(frozen=True, slots=True)
class Day:
    server_time: float
    sessions: list[BoardSession]


@dataclass(frozen=True, slots=True)
class StreamAnswer:
    """Pairs of numbers, half open. `wanted`: newest first. `stored`: safely on the hub's disk."""

    session_id: str
    name: str
    epoch: int
    wanted: list[tuple[int, int]]
    stored: list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Unknown:
    session_id: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Answer:
    """`came_at`, `server_time`: when the question came and when its answer leaves, by our clock."""

    streams: list[StreamAnswer]
    unknown: list[Unknown]
    came_at: float
    server_time: float


@dataclass(frozen=True, slots=True)
class Taken:
    stored: int
    duplicates: int


@router.get(
    "/day", dependencies=[permit(Action.BOARD_JOIN)], summary="The board's sessions from 12 h ago to 48 h ahead"
)
async def day(context: ContextDep, identity: IdentityDep) -> Day:
    """A board keeps this, so that it can hold a session by itself when the hub is away."""
    now = context.clock()
    store = context.store
    found = await asyncio.to_thread(store.board_sessions, identity.subject or "", now - PAST_S, now + AHEAD_S)
    views = []
    for session_id, site_id in found:
        session = await asyncio.to_thread(store.session, session_id)
        site = next(site for site in session.sites if site.site_id == site_id)
        here = SiteView(site.site_id, site.name, site.languages)
        times = (session.starts_at, session.ends_at, session.state)
        views.append(BoardSession(session.session_id, session.title, *times, here))
    return Day(now, views)


@router.post(
    "/devices", dependencies=[permit(Action.BOARD_JOIN)], status_code=204, summary="What a board found plugged in"
)
async def devices(form: DevicesForm, context: ContextDep, identity: IdentityDep) -> None:
    """Left out: nothing is said of it. Looked at ten minutes before a session."""
    found = form.model_dump()
    await asyncio.to_thread(context.store.board_has, identity.subject or "", found, context.clock())


@router.post(
    "/spool/have", dependencies=[permit(Action.BOARD_JOIN)], summary="What a board keeps, and what the hub wants of it"
)
async def have(
    form: SpoolsForm, context: ContextDep, identity: IdentityDep, came: Annotated[float, Depends(came_at)]
) -> Answer:
    if form.disk is not None:
        await context.runtime.disk_told(identity.subject or "", DiskTold(**dict(form.disk)))
    told = [SpoolTold(**dict(one)) for one in form.streams]
    answers, unknown = await context.runtime.spool_have(identity.subject or "", told)
    return Answer(
        [StreamAnswer(one.session_id, one.name, one.epoch, _pairs(one.wanted), _pairs(one.stored)) for one in answers],
        [Unknown(one.session_id, one.epoch) for one in unknown],
        came,
        context.clock(),
    )


@router.post(
    "/spool/packets",
    dependencies=[permit(Action.BOARD_JOIN)],
    summary="Packets that the hub wanted (application/octet-stream)",
    responses={507: {"description": "The hub's disk is full; keep them and try again"}},
)
async def packets(
    session_id: Annotated[Identifier, Query()],
    name: Annotated[TrackName, Query()],
    epoch: Annotated[Number, Query()],
    request: Request,
    context: ContextDep,
    identity: IdentityDep,
) -> Taken:
    """The body: records of sequence u64, sample u64, length u16 (network order) and payload. Again is harmless."""
    brought = _unpacked(await _body(request))
    where = (identity.subject or "", session_id, name, epoch)
    stored = await context.runtime.spool_packets(*where, brought)
    return Taken(stored, len(brought) - stored)


async def _body(request: Request) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BODY:
            raise HTTPException(413, "That is more than the hub takes at once.")
        parts.append(part)
    return b"".join(parts)


def _unpacked(body: bytes) -> list[Packet]:
    try:
        return unpack_packets(body)
    except ValueError as error:
        raise NotPossible(f"This is no upload of packets: {error}.") from error


def _pairs(numbers: list[range]) -> list[tuple[int, int]]:
    return [(one.start, one.stop) for one in numbers]
