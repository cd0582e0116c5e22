"""Self-service: the front page, what can be had and when. Nothing tells who has what is taken."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from session_manager.booking_records import PlaceKind
from session_manager.errors import NotPossible
from session_manager.schedule import Interval, Wall, instant, wall
from session_manager.self_service import Front, free_stretches
from session_manager.store import Store
from session_manager.web.booking_forms import LONGEST_LOOK, check_places
from session_manager.web.context import ContextDep, IdentitiesDep
from session_manager.web.forms import Identifier
from session_manager.web.holders import READ, holding_of, subject_of, today_in
from session_manager.web.own_booking import MyBooking, my_booking

router = APIRouter(prefix="/api/municipalities/{municipality_id}/me", tags=["self-service"])
_COMING = frozenset({"confirmed", "in_use", "offered", "requested"})


@dataclass(frozen=True, slots=True)
class Bookable:
    place_id: str
    facility_id: str
    facility: str
    zone: str
    kind: PlaceKind
    name: str
    capacity: int
    quantity: int
    needs_approval: bool


@dataclass(frozen=True, slots=True)
class FreeStretches:
    """Local times of the facility. `taken`: others have it, nothing about who."""

    place_id: str
    free: tuple[Wall, ...]
    taken: tuple[Wall, ...]


@dataclass(frozen=True, slots=True)
class FacilityNotes:
    """What the facility tells everybody who comes, in the asked language."""

    boats: str = ""
    door: str = ""
    network: str = ""


@dataclass(frozen=True, slots=True)
class Home:
    """The front page. `front` None: nothing can be booked here yet. `next`: the booking that comes, or runs."""

    now_at: float
    front: Front | None
    notes: FacilityNotes
    facilities: tuple[tuple[str, str], ...]
    next: MyBooking | None


@router.get("/home", dependencies=READ, summary="The front page: today's offers and one's next booking")
async def home(
    municipality_id: Identifier,
    context: ContextDep,
    known: IdentitiesDep,
    facility_id: Identifier | None = None,
    day: date | None = None,
    language: Annotated[str, Query(max_length=8)] = "ja",
) -> Home:
    """`facility_id` left out: that of the last booking. `day` left out: the first with something free."""
    now = context.clock()
    if day is not None and not 2000 <= day.year <= 2100:
        raise NotPossible("Choose a day of this century.")

    def work(store: Store) -> Home:
        subject = subject_of(known)
        held = holding_of(store, municipality_id, known, day or today_in(store, municipality_id, now), now)
        front = store.front(municipality_id, held, facility_id, day, now)
        mine = store.own_bookings(municipality_id, subject, now, 20)
        coming = next((one for one in mine if one.booking.state in _COMING and one.booking.ends_at > now), None)
        bookable = {one.facility_id for one in store.places(municipality_id) if one.kind in {"room", "seat"}}
        houses = [one for one in store.facilities() if one.facility_id in bookable]
        return Home(
            now,
            front,
            notes_of(store, front.facility_id if front is not None else None, language),
            tuple((one.facility_id, one.name) for one in houses),
            None if coming is None else my_booking(store, coming, now),
        )

    return await asyncio.to_thread(work, context.store)


@router.get("/places", dependencies=READ, summary="What can be booked here")
async def places(municipality_id: Identifier, context: ContextDep) -> list[Bookable]:
    def work(store: Store) -> list[Bookable]:
        houses = {one.facility_id: one for one in store.facilities()}
        return [
            Bookable(
                one.place_id,
                one.facility_id,
                houses[one.facility_id].name,
                houses[one.facility_id].timezone,
                one.kind,
                one.name,
                one.capacity,
                one.quantity,
                one.needs_approval,
            )
            for one in store.places(municipality_id)
        ]

    return await asyncio.to_thread(work, context.store)


@router.get("/free", dependencies=READ, summary="When places are free, nothing about who has them")
async def free(
    municipality_id: Identifier,
    first: date,
    last: date,
    place_id: Annotated[list[Identifier], Query(min_length=1, max_length=40)],
    context: ContextDep,
) -> list[FreeStretches]:
    """Both days included, by each facility's clock; a place's own buffers are out of what is free."""
    if not timedelta(0) <= last - first <= LONGEST_LOOK / 3 or not 2000 <= first.year <= 2100:
        raise NotPossible("Ask for a month at most, the first day before the last.")

    def work(store: Store) -> list[FreeStretches]:
        check_places(store, municipality_id, place_id)
        homes = {one.place_id: one.facility_id for one in store.places(municipality_id)}
        zones = {one.facility_id: one.timezone for one in store.facilities()}
        return [_free(store, one, zones[homes[one]], first, last) for one in dict.fromkeys(place_id)]

    return await asyncio.to_thread(work, context.store)


def notes_of(store: Store, facility_id: str | None, language: str) -> FacilityNotes:
    """In the language that is asked for, else in Japanese."""
    found = store.facility_notes(facility_id) if facility_id is not None else {}
    mine = found.get(language) or found.get("ja") or {}
    return FacilityNotes(mine.get("boats", ""), mine.get("door", ""), mine.get("network", ""))


def _free(store: Store, place_id: str, zone: str, first: date, last: date) -> FreeStretches:
    start = instant(datetime.combine(first, time()), zone)
    stop = instant(datetime.combine(last + timedelta(days=1), time()), zone)
    there = store.availability(place_id, Interval(start, stop))
    return FreeStretches(
        place_id,
        tuple(wall(one, zone) for one in free_stretches(there)),
        tuple(wall(one, zone) for one in there.taken),
    )
