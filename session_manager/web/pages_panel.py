"""The door panel and what its code opens on a phone. Both pages hold no facts; the API gives them."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from session_manager.access import Action
from session_manager.web.context import permit
from session_manager.web.pages import render
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
