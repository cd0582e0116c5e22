"""The pages of the facility's day: the week of rooms, booking, approvals."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from session_manager.access import Action
from session_manager.web.context import ContextDep, IdentityDep, permit
from session_manager.web.pages import facts_for, render

router = APIRouter(include_in_schema=False)


@router.get("/week", dependencies=[permit(Action.READ_PLACES, within=True)])
async def week(request: Request, context: ContextDep, identity: IdentityDep) -> HTMLResponse:
    return render(request, "week.html", script="week.js", page=await facts_for(context, identity))


@router.get("/book", dependencies=[permit(Action.READ_PLACES, within=True)])
async def book(request: Request, context: ContextDep, identity: IdentityDep) -> HTMLResponse:
    return render(request, "book.html", script="book.js", page=await facts_for(context, identity))


@router.get("/approvals", dependencies=[permit(Action.APPROVE_BOOKINGS, within=True)])
async def approvals(request: Request, context: ContextDep, identity: IdentityDep) -> HTMLResponse:
    return render(request, "approvals.html", script="approvals.js", page=await facts_for(context, identity))
