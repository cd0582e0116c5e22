"""Setting a municipality's houses up: a new house, and on which shore it stands."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter

from session_manager.access import Action
from session_manager.records import Facility
from session_manager.store import Store
from session_manager.web.context import ContextDep, permit
from session_manager.web.forms import Form, Identifier, NewFacility
from session_manager.web.routes_venues import zone_of_facility

router = APIRouter(prefix="/api/municipalities/{municipality_id}/facilities", tags=["places"])
_PLACES = [permit(Action.CHANGE_PLACES)]


class IslandForm(Form):
    """False: it stands on the mainland, and no booking there depends on a boat."""

    on_island: bool


@router.get("", dependencies=[permit(Action.READ_PLACES)], summary="The houses of a municipality")
async def facilities(municipality_id: Identifier, context: ContextDep) -> list[Facility]:
    found = await asyncio.to_thread(context.store.facilities)
    return [one for one in found if one.municipality_id == municipality_id]


@router.post("", dependencies=_PLACES, status_code=201, summary="Add a house to a municipality")
async def add_facility(municipality_id: Identifier, form: NewFacility, context: ContextDep) -> Facility:
    return await asyncio.to_thread(context.store.add_facility, form.name, form.timezone, municipality_id)


@router.put("/{facility_id}/island", dependencies=_PLACES, status_code=204, summary="On which shore a house stands")
async def set_island(
    municipality_id: Identifier, facility_id: Identifier, form: IslandForm, context: ContextDep
) -> None:
    def work(store: Store) -> None:
        zone_of_facility(store, municipality_id, facility_id)
        store.set_on_island(facility_id, form.on_island)

    await asyncio.to_thread(work, context.store)
