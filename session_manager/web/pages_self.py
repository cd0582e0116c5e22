"""Pages of people who book for themselves: the front page, their bookings, and what they apply for."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from session_manager.access import Action
from session_manager.web.context import ContextDep, IdentityDep, permit
from session_manager.web.pages import facts_for, render

router = APIRouter(include_in_schema=False)
_OWN = [permit(Action.SELF_SERVICE, within=True)]


@router.get("/home", dependencies=_OWN)
async def home(request: Request, context: ContextDep, identity: IdentityDep) -> HTMLResponse:
    return render(request, "home.html", script="home.js", page=await facts_for(context, identity))


@router.get("/mine", dependencies=_OWN)
async def mine(request: Request, context: ContextDep, identity: IdentityDep) -> HTMLResponse:
    return render(request, "mine.html", script="mine.js", page=await facts_for(context, identity))


@router.get("/courses", dependencies=_OWN)
async def courses(request: Request, context: ContextDep, identity: IdentityDep) -> HTMLResponse:
    return render(request, "courses.html", script="courses.js", page=await facts_for(context, identity))
