"""Pages of series and evenings, and the reports that anybody may read."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from session_manager.access import Action, Identity, Kind, Resource, may
from session_manager.evening_records import PublicReport
from session_manager.web.context import Context, ContextDep, IdentitiesDep, IdentityDep, permit
from session_manager.web.pages import environment, facts_for, render
from session_manager.web.routes_sessions import base_url

router = APIRouter(include_in_schema=False)
_PUBLIC = [permit(Action.SEE_PUBLIC)]
_READ = permit(Action.READ_SERIES)


@router.get("/series", dependencies=[permit(Action.READ_SERIES, within=True)])
async def series(request: Request, context: ContextDep, identity: IdentityDep, known: IdentitiesDep) -> HTMLResponse:
    facts = {**await facts_for(context, identity), "groups": await _groups(context, known)}
    return render(request, "series.html", script="series.js", page=facts)


@router.get("/series/{series_id}", dependencies=[_READ])
async def one_series(request: Request, series_id: str, context: ContextDep, identity: IdentityDep) -> HTMLResponse:
    behind = await asyncio.to_thread(context.store.behind, series_id)
    facts = {**await facts_for(context, identity), "series_id": series_id, "municipality_id": behind.municipality_id}
    return render(request, "series_one.html", script="series_one.js", page=facts)


@router.get("/evening/{evening_id}", dependencies=[permit(Action.READ_GROUP)])
async def evening(
    request: Request, evening_id: str, context: ContextDep, identity: IdentityDep, known: IdentitiesDep
) -> Response:
    """By the booking's identifier; by its session's it leads there."""
    booking_id, behind = await asyncio.to_thread(context.store.evening_behind, evening_id)
    if booking_id != evening_id:
        return RedirectResponse(f"/evening/{booking_id}", 303)
    its = Resource(None, behind.confidential, frozenset({behind.municipality_id}), behind.group_id)
    facts = {
        **await facts_for(context, identity),
        "municipality_id": behind.municipality_id,
        "evening_id": evening_id,
        "runs": any(may(one, Action.RUN_GROUP, its) for one in known),
        "person_id": next((one.person_id for one in known if one.person_id), None),
    }
    return render(request, "evening.html", script="evening.js", page=facts)


@router.get("/door/{evening_id}", dependencies=[permit(Action.DOOR)])
async def door(request: Request, evening_id: str, context: ContextDep, identity: IdentityDep) -> HTMLResponse:
    booking_id, behind = await asyncio.to_thread(context.store.evening_behind, evening_id)
    facts = {
        **await facts_for(context, identity),
        "municipality_id": behind.municipality_id,
        "evening_id": booking_id,
    }
    return render(request, "door.html", script="door.js", page=facts)


@router.get("/reports", dependencies=_PUBLIC)
async def reports(request: Request, context: ContextDep) -> HTMLResponse:
    found = await asyncio.to_thread(context.store.public_reports)
    return render(request, "reports.html", home="/reports", reports=found)


@router.get("/reports/feed.atom", dependencies=_PUBLIC)
async def feed(request: Request, context: ContextDep) -> Response:
    """RFC 4287."""
    found = await asyncio.to_thread(context.store.public_reports)
    base = base_url(context, request)
    text = environment().get_template("reports.atom").render(reports=found, base=base, stamp=_stamp, kinds=_KINDS)
    headers = {"Cache-Control": "public, max-age=300"}
    return Response(text, media_type="application/atom+xml; charset=utf-8", headers=headers)


@router.get("/reports/{slug}", dependencies=_PUBLIC)
async def report(request: Request, slug: str, context: ContextDep) -> HTMLResponse:
    found: PublicReport = await asyncio.to_thread(context.store.public_report, slug)
    return render(request, "report.html", home="/reports", report=found)


_KINDS = {"question": "問い", "action": "約束", "quote": "声"}


def _stamp(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


async def _groups(context: Context, known: tuple[Identity, ...]) -> list[dict[str, str]]:
    """Those that somebody leads as a facilitator."""
    mine = {
        (one.municipality_id or "", group) for one in known if one.kind is Kind.FACILITATOR for group in one.group_ids
    }
    found = [await asyncio.to_thread(context.store.group, *both) for both in sorted(mine)]
    return [{"group_id": one.group_id, "name": one.name} for one in found]
