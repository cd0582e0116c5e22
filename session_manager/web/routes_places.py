"""Facilities, rooms and boards."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from fastapi import APIRouter

from session_manager.access import Action, Identity
from session_manager.records import Board, Facility, Room
from session_manager.store import Store
from session_manager.web.context import ContextDep, IdentityDep, permit
from session_manager.web.forms import NewBoardForm, NewFacility, NewRoom

router = APIRouter(prefix="/api", tags=["places"])
_READ = [permit(Action.READ_PLACES, within=True)]
_CHANGE = [permit(Action.CHANGE_PLACES)]


@dataclass(frozen=True, slots=True)
class EnrolledBoard:
    """`device_token` is shown this once; it goes into the board's settings."""

    board: Board
    device_token: str


@router.get("/facilities", dependencies=_READ, summary="List facilities")
async def facilities(context: ContextDep, identity: IdentityDep) -> list[Facility]:
    """Of one's own municipality."""
    found = await asyncio.to_thread(context.store.facilities)
    return [one for one in found if identity.municipality_id in {None, one.municipality_id}]


@router.post("/facilities", dependencies=_CHANGE, status_code=201, summary="Add a facility")
async def add_facility(form: NewFacility, context: ContextDep) -> Facility:
    return await asyncio.to_thread(context.store.add_facility, form.name, form.timezone)


@router.get("/rooms", dependencies=_READ, summary="List rooms")
async def rooms(context: ContextDep, identity: IdentityDep) -> list[Room]:
    return await asyncio.to_thread(own_rooms, context.store, identity)


@router.post("/rooms", dependencies=_CHANGE, status_code=201, summary="Add a room to a facility")
async def add_room(form: NewRoom, context: ContextDep) -> Room:
    return await asyncio.to_thread(context.store.add_room, form.facility_id, form.name)


@router.get("/boards", dependencies=_READ, summary="List boards")
async def boards(context: ContextDep, identity: IdentityDep) -> list[Board]:
    here = {room.room_id for room in await asyncio.to_thread(own_rooms, context.store, identity)}
    return [board for board in await asyncio.to_thread(context.store.boards) if board.room_id in here]


@router.post("/boards", dependencies=_CHANGE, status_code=201, summary="Enrol a board in a room")
async def add_board(form: NewBoardForm, context: ContextDep) -> EnrolledBoard:
    made = await asyncio.to_thread(context.store.add_board, form.room_id, form.name, context.clock())
    return EnrolledBoard(made.board, made.device_token)


def own_rooms(store: Store, identity: Identity) -> list[Room]:
    homes = {one.facility_id: one.municipality_id for one in store.facilities()}
    return [room for room in store.rooms() if identity.municipality_id in {None, homes[room.facility_id]}]
