"""Pages of the office: today, people and organisations, set-up, the month."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from session_manager.access import Action
from session_manager.web.context import ContextDep, IdentityDep, permit
from session_manager.web.pages import facts_for, render

router = APIRouter(include_in_schema=False)


@router.get("/today", dependencies=[permit(Action.READ_BOOKINGS, within=True)])
async def today(request: Request, context: ContextDep, identity: IdentityDep) -> HTMLResponse:
    facts = await facts_for(context, identity)
    places = await asyncio.to_thread(context.store.places, str(facts["municipality_id"]))
    return render(request, "today.html", script="today.js", page=facts, fresh=not places)


@router.get("/people", dependencies=[permit(Action.CHANGE_PEOPLE, within=True)])
async def people(request: Request, context: ContextDep, identity: IdentityDep) -> HTMLResponse:
    return render(request, "people.html", script="people.js", page=await facts_for(context, identity))


@router.get("/setup", dependencies=[permit(Action.READ_BOOKINGS, within=True)])
async def setup(request: Request, context: ContextDep, identity: IdentityDep) -> HTMLResponse:
    return render(request, "setup.html", script="setup.js", page=await facts_for(context, identity))


@router.get("/month", dependencies=[permit(Action.READ_BOOKINGS, within=True)])
async def month(request: Request, context: ContextDep, identity: IdentityDep) -> HTMLResponse:
    return render(request, "month.html", script="month.js", page=await facts_for(context, identity))
