"""The door panel and what its code opens on a phone, without any facts; and a teacher's day."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from session_manager.access import Action, Kind
from session_manager.web.context import ContextDep, IdentityDep, permit
from session_manager.web.pages import facts_for, render
from session_manager.web.security import PANEL_PROOF
from session_manager.web.version import version

router = APIRouter(include_in_schema=False)


@router.get("/panel", dependencies=[permit(Action.SEE_PUBLIC)])
async def panel(request: Request) -> HTMLResponse:
    facts = {"csrf_cookie": PANEL_PROOF, "version": version()}
    return render(request, "panel.html", script="panel.js", page=facts)


@router.get("/check-in", dependencies=[permit(Action.SEE_PUBLIC)])
async def check_in(request: Request) -> HTMLResponse:
    return render(request, "check_in.html", script="check_in.js")


@router.get("/class", dependencies=[permit(Action.SEE_CLASSES, within=True)])
async def classes(request: Request, context: ContextDep, identity: IdentityDep) -> HTMLResponse:
    facts = await facts_for(context, identity)
    office = identity.kind in {Kind.ADMINISTRATOR, Kind.STAFF}
    return render(request, "class.html", script="class.js", page=facts, office=office)
