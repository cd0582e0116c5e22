"""What was said: live events, lines, coverage and the transcript as a file."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from session_manager import exports
from session_manager.access import Action, Resource, may
from session_manager.coverage import figure
from session_manager.errors import NotFound
from session_manager.records import Coming, Line, TrackCoverage
from session_manager.web import sse
from session_manager.web.context import Context, ContextDep, identities, permit
from session_manager.web.forms import ExportLanguage

router = APIRouter(prefix="/api/sessions/{session_id}", tags=["record"])

EventNumber = Annotated[int, Query(ge=0, le=2**62, description="Number of the last event seen; 0: from the beginning")]


@dataclass(frozen=True, slots=True)
class Coverage:
    """`figure`: share that is neither gap nor pending; None until the session has ended.

    `coming`: sound that boards keep and have not brought yet. `complete`: nothing more will come.
    """

    figure: float | None
    tracks: list[TrackCoverage]
    coming: list[Coming]
    complete: bool


@router.get(
    "/events",
    dependencies=[permit(Action.READ_SESSION)],
    summary="Live events (text/event-stream)",
    response_class=StreamingResponse,
    responses={204: {"description": "The session has ended and nothing is left to tell"}},
)
async def events(
    session_id: str,
    request: Request,
    context: ContextDep,
    after: EventNumber | None = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    """Resumes after `Last-Event-ID`, which a browser sends by itself, or `after`; without either, from now on."""
    seen = int(last_event_id) if last_event_id is not None and _is_number(last_event_id) else after
    session = await asyncio.to_thread(context.store.session, session_id)
    last = await asyncio.to_thread(context.store.last_event, session_id)
    if session.state == "ended" and (seen is None or seen >= last):
        return Response(status_code=204)  # the one answer that keeps an EventSource from coming back

    async def still_allowed() -> bool:
        known = await identities(request, context)
        here = Resource(session_id, session.confidential)
        return any(may(one, Action.READ_SESSION, here) for one in known)

    following = context.runtime.listen(session_id, seen)
    frames = sse.stream(following, context.settings.ping_s, still_allowed)
    return StreamingResponse(frames, media_type="text/event-stream", headers=sse.HEADERS)


@router.get("/lines", dependencies=[permit(Action.READ_SESSION)], summary="Lines in the order of speaking")
async def lines(session_id: str, context: ContextDep) -> list[Line]:
    return await asyncio.to_thread(context.store.lines, session_id)


@router.get("/coverage", dependencies=[permit(Action.READ_SESSION)], summary="Account of every second of every track")
async def coverage(session_id: str, context: ContextDep) -> Coverage:
    tracks = await asyncio.to_thread(context.store.coverage, session_id)
    session = await asyncio.to_thread(context.store.session, session_id)
    coming = await asyncio.to_thread(context.store.coming, session_id)
    return Coverage(figure(tracks) if tracks else None, tracks, coming, session.completed_at is not None)


@router.get(
    "/transcript.{extension}",
    dependencies=[permit(Action.EXPORT)],
    summary="The transcript as txt, md, vtt, srt or json",
    response_class=Response,
)
async def transcript(
    session_id: str, extension: str, context: ContextDep, language: ExportLanguage = "ja", download: bool = False
) -> Response:
    """`language`: of the words around the lines. `download`: as a file to save."""
    found = exports.FORMATS.get(extension)
    if found is None:
        raise NotFound(f"A transcript can be had as {', '.join(exports.FORMATS)}.")
    text = await asyncio.to_thread(lambda: found.render(_whole(context, session_id), language))
    headers = {"Content-Disposition": f'attachment; filename="transcript-{session_id}.{extension}"'} if download else {}
    return Response(text.encode(), media_type=found.media_type, headers=headers)


def _whole(context: Context, session_id: str) -> exports.Whole:
    store = context.store
    return exports.Whole(store.session(session_id), store.lines(session_id), store.coverage(session_id))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 18
