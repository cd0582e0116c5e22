"""Boards that enrol themselves (RFC 8628): a code on the screen, an administrator types it, the board gets its key."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Request
from pydantic import Field

from session_manager.access import Action
from session_manager.doors import CODE_LENGTH, CODE_LETTERS, class_code_hash
from session_manager.errors import NotFound
from session_manager.records import Board
from session_manager.store.enrolments import LIFETIME_S, StillWaiting
from session_manager.web.context import ContextDep, permit
from session_manager.web.forms import Form, Identifier, Name
from session_manager.web.limits import slow_address, slow_secret
from session_manager.web.ratelimit import Rule

router = APIRouter(tags=["boards"])
POLL_S = 3


class DeviceCode(Form):
    device_code: Annotated[str, Field(min_length=1, max_length=256, repr=False)]


class TakeIn(Form):
    """`code` as the board shows it; spaces, hyphens and case do not matter."""

    code: Annotated[str, Field(min_length=1, max_length=40, repr=False)]
    room_id: Identifier
    name: Name


@dataclass(frozen=True, slots=True)
class Enrolment:
    """`user_code` is shown on the screen, `device_code` to nobody. Ask again every `interval_s`."""

    user_code: str
    device_code: str
    interval_s: int
    expires_s: int


@dataclass(frozen=True, slots=True)
class Collected:
    """`waiting`: nobody has typed the code yet. `device_token` goes into the board's settings."""

    state: Literal["waiting", "enrolled"]
    name: str = ""
    device_token: str = ""


@router.post(
    "/api/boards/enrol",
    dependencies=[permit(Action.SIGN_IN)],
    status_code=201,
    summary="A new board asks to be taken in",
)
async def ask(request: Request, context: ContextDep) -> Enrolment:
    slow_address(context, request, Rule.ENROL_ADDRESS)
    code = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
    store, now = context.store, context.clock()
    device_code = await asyncio.to_thread(store.ask_to_enrol, _digest(context.settings.secret, code), now)
    return Enrolment(f"{code[:4]}-{code[4:]}", device_code, POLL_S, int(LIFETIME_S))


@router.post(
    "/api/boards/enrol/token", dependencies=[permit(Action.SIGN_IN)], summary="Whether somebody has typed the code"
)
async def collect(form: DeviceCode, request: Request, context: ContextDep) -> Collected:
    """The key is a new one each time, until the code is over."""
    slow_address(context, request, Rule.BOARD_ADDRESS)
    found = await asyncio.to_thread(context.store.collect_board_token, form.device_code, context.clock())
    if found is None:
        raise NotFound("This code is over. Ask for a new one.")
    if isinstance(found, StillWaiting):
        return Collected("waiting")
    return Collected("enrolled", found.board.name, found.device_token)


@router.post(
    "/api/municipalities/{municipality_id}/boards",
    dependencies=[permit(Action.CHANGE_PLACES)],
    status_code=201,
    summary="Take in the board that shows this code",
)
async def take_in(municipality_id: Identifier, form: TakeIn, context: ContextDep) -> Board:
    slow_secret(context, Rule.ENROL_CODE, municipality_id)
    digest = _digest(context.settings.secret, form.code)
    values = (municipality_id, digest, form.room_id, form.name, context.clock())
    return await asyncio.to_thread(context.store.take_in_board, *values)


def _digest(secret: bytes, code: str) -> str:
    """Nine letters with the first: never the hash of a class code."""
    return class_code_hash(secret, f"B{code}")
