"""What I can apply for. Asking and giving up are the series' own addresses (`routes_circles`)."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter

from session_manager.courses import Course
from session_manager.web.context import ContextDep, IdentitiesDep
from session_manager.web.forms import Identifier
from session_manager.web.holders import READ

router = APIRouter(prefix="/api/municipalities/{municipality_id}/me", tags=["self-service"])


@router.get("/courses", dependencies=READ, summary="Series that I can apply for, and where I stand in each")
async def courses(municipality_id: Identifier, context: ContextDep, known: IdentitiesDep) -> list[Course]:
    """Names nobody else: how many places are left, and one's own turn."""
    me = next((one.person_id for one in known if one.person_id is not None), None)
    return await asyncio.to_thread(context.store.courses, municipality_id, me, context.clock())
