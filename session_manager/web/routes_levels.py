"""Where I stand on the ladder of memberships, and what is proposed to me; agreeing is the step's own address."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter

from session_manager.store.own_levels import OwnLevel
from session_manager.web.context import ContextDep, IdentitiesDep
from session_manager.web.forms import Identifier
from session_manager.web.holders import READ
from session_manager.web.routes_groups import oneself

router = APIRouter(prefix="/api/municipalities/{municipality_id}/me", tags=["self-service"])


@router.get("/levels", dependencies=READ, summary="My memberships and those of the houses I speak for")
async def own_levels(municipality_id: Identifier, context: ContextDep, known: IdentitiesDep) -> list[OwnLevel]:
    return await asyncio.to_thread(context.store.own_levels, municipality_id, oneself(known))
