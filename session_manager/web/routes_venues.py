"""What can be booked and under which rules: places, opening hours, limits, prices, guest passes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date, timedelta

from fastapi import APIRouter

from session_manager.access import Action
from session_manager.booking_records import Place, Rules
from session_manager.errors import NotFound, NotPossible
from session_manager.opening import OpenDay, Opening
from session_manager.schedule import Wall, interval, wall
from session_manager.store import Store
from session_manager.web.booking_forms import (
    LONGEST_LOOK,
    GuestPassForm,
    LocalTime,
    OpeningForm,
    PlaceForm,
    RulesForm,
    check_places,
    new_place,
    opening,
    rules,
)
from session_manager.web.context import ContextDep, permit
from session_manager.web.forms import Identifier

router = APIRouter(prefix="/api/municipalities/{municipality_id}", tags=["places"])
_READ = [permit(Action.READ_PLACES)]
_PLACES = [permit(Action.CHANGE_PLACES)]
_RULES = [permit(Action.CHANGE_RULES)]


@dataclass(frozen=True, slots=True)
class FreeTimes:
    """Local times of the facility's zone: with `taken` these tile the opening hours."""

    place_id: str
    free: tuple[Wall, ...]
    taken: tuple[Wall, ...]


@dataclass(frozen=True, slots=True)
class GuestPass:
    """`code` is shown this once."""

    code: str


@router.get("/places", dependencies=_READ, summary="List what can be booked")
async def places(municipality_id: Identifier, context: ContextDep) -> list[Place]:
    return await asyncio.to_thread(context.store.places, municipality_id)


@router.post("/places", dependencies=_PLACES, status_code=201, summary="Add a room, seat, area or equipment")
async def add_place(municipality_id: Identifier, form: PlaceForm, context: ContextDep) -> Place:
    """A room can also be a site of sessions and have boards."""

    def work(store: Store) -> Place:
        zone_of_facility(store, municipality_id, form.facility_id)
        return store.add_place(new_place(form), context.clock())

    return await asyncio.to_thread(work, context.store)


@router.put("/places/{place_id}", dependencies=_PLACES, summary="Change a place; what is booked stays")
async def change_place(
    municipality_id: Identifier, place_id: Identifier, form: PlaceForm, context: ContextDep
) -> Place:
    def work(store: Store) -> Place:
        check_places(store, municipality_id, [place_id])
        values = {name: getattr(form, name) for name in PlaceForm.model_fields}
        return store.change_place(Place(**values, place_id=place_id))

    return await asyncio.to_thread(work, context.store)


@router.get("/places/{place_id}/free", dependencies=_READ, summary="When a place is free")
async def free(
    municipality_id: Identifier, place_id: Identifier, starts: LocalTime, ends: LocalTime, context: ContextDep
) -> FreeTimes:
    """On every day that the local times touch; 100 days at most."""

    def work(store: Store) -> FreeTimes:
        check_places(store, municipality_id, [place_id])
        if not timedelta(0) < ends - starts <= LONGEST_LOOK:
            raise NotPossible("Ask for 100 days at most, the first before the last.")
        home = next(one.facility_id for one in store.places(municipality_id) if one.place_id == place_id)
        zone = zone_of_facility(store, municipality_id, home)
        found = store.availability(place_id, interval(Wall(starts, ends, zone)))
        taken = (one for one in found.taken)
        return FreeTimes(
            place_id, tuple(wall(one, zone) for one in found.free()), tuple(wall(one, zone) for one in taken)
        )

    return await asyncio.to_thread(work, context.store)


@router.get("/facilities/{facility_id}/opening", dependencies=_READ, summary="A facility's opening hours")
async def read_opening(municipality_id: Identifier, facility_id: Identifier, context: ContextDep) -> Opening:
    def work(store: Store) -> Opening:
        zone_of_facility(store, municipality_id, facility_id)
        return store.opening(facility_id)

    return await asyncio.to_thread(work, context.store)


@router.put("/facilities/{facility_id}/opening", dependencies=_RULES, summary="Set a facility's opening hours")
async def set_opening(
    municipality_id: Identifier, facility_id: Identifier, form: OpeningForm, context: ContextDep
) -> Opening:
    """Minutes from midnight. `on_holidays` null: as on any other day; empty: closed."""

    def work(store: Store) -> Opening:
        zone_of_facility(store, municipality_id, facility_id)
        return store.set_opening(facility_id, opening(form))

    return await asyncio.to_thread(work, context.store)


@router.get("/facilities/{facility_id}/days", dependencies=_READ, summary="Open days, with holidays and reasons")
async def days(
    municipality_id: Identifier, facility_id: Identifier, first: date, last: date, context: ContextDep
) -> list[OpenDay]:
    def work(store: Store) -> list[OpenDay]:
        zone_of_facility(store, municipality_id, facility_id)
        if not timedelta(0) <= last - first <= 4 * LONGEST_LOOK or not 2000 <= first.year <= 2100:
            raise NotPossible("Ask for 400 days at most, the first before the last.")
        return store.open_days(facility_id, first, last)

    return await asyncio.to_thread(work, context.store)


@router.get("/rules", dependencies=_READ, summary="Limits, prices and how people check in")
async def read_rules(municipality_id: Identifier, context: ContextDep) -> Rules:
    return await asyncio.to_thread(context.store.rules, municipality_id)


@router.put("/rules", dependencies=_RULES, summary="Set limits, prices and how people check in")
async def set_rules(municipality_id: Identifier, form: RulesForm, context: ContextDep) -> Rules:
    return await asyncio.to_thread(context.store.set_rules, municipality_id, rules(form))


@router.post("/guest-passes", dependencies=_RULES, status_code=201, summary="Make a guest pass")
async def add_guest_pass(municipality_id: Identifier, form: GuestPassForm, context: ContextDep) -> GuestPass:
    until = int(context.clock()) + form.days * 86_400
    return GuestPass(await asyncio.to_thread(context.store.add_guest_pass, municipality_id, form.uses, until))


def zone_of_facility(store: Store, municipality_id: str, facility_id: str) -> str:
    """Raises NotFound for one of another municipality."""
    for one in store.facilities():
        if one.facility_id == facility_id and one.municipality_id == municipality_id:
            return one.timezone
    raise NotFound("There is no facility with that identifier.")
