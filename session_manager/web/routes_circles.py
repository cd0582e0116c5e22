"""The people of a series: how many fit, who applies, who has a place, who waits, who came."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from secrets import token_hex

from fastapi import APIRouter

from session_manager.access import Action, Identity, Kind
from session_manager.errors import NotFound
from session_manager.evening_records import Application, Circle, DateAttendance
from session_manager.web.booking_forms import CircleForm, circle
from session_manager.web.context import NOTHING, Context, ContextDep, IdentitiesDep, IdentityDep, permit
from session_manager.web.evening_forms import ChoiceForm, DrawForm, PersonForm
from session_manager.web.forms import Identifier
from session_manager.web.routes_groups import oneself

HERE = "/api/municipalities/{municipality_id}/series/{series_id}"
router = APIRouter(tags=["series"])
_READ = [permit(Action.READ_SERIES)]
_RUN = [permit(Action.RUN_SERIES)]
_SELF = [permit(Action.ASK_TO_JOIN)]


@dataclass(frozen=True, slots=True)
class People:
    """`circle` None: nobody said yet whose series it is."""

    circle: Circle | None
    applications: list[Application]


@router.get(HERE + "/people", dependencies=_READ, summary="Whose series it is, who applied, who waits")
async def people(municipality_id: Identifier, series_id: Identifier, context: ContextDep) -> People:
    await _mine(context, municipality_id, series_id)
    found = await asyncio.to_thread(context.store.circle, series_id)
    return People(found, await asyncio.to_thread(context.store.applications, series_id))


@router.put(HERE + "/circle", dependencies=_RUN, summary="How many fit, how places are given, until when one applies")
async def set_circle(
    municipality_id: Identifier, series_id: Identifier, form: CircleForm, context: ContextDep, identity: IdentityDep
) -> Circle:
    """The people of a series are a group: letters, calendars and rights follow it. Hosts keep their own group."""
    await _mine(context, municipality_id, series_id)
    zone = (await asyncio.to_thread(context.store.home, municipality_id)).timezone
    wish = circle(form, zone)
    if not _office(identity) and form.group_id not in {None, *identity.group_ids}:
        raise NotFound(NOTHING)
    return await asyncio.to_thread(context.store.set_circle, series_id, wish, context.clock())


@router.post(HERE + "/apply", dependencies=_SELF, summary="I would like to come")
async def apply(
    municipality_id: Identifier, series_id: Identifier, context: ContextDep, known: IdentitiesDep
) -> Application:
    """Again is nothing new. In the order of asking a place is had at once while there are any."""
    await _mine(context, municipality_id, series_id)
    return await asyncio.to_thread(context.store.apply, series_id, oneself(known), context.clock(), by_host=False)


@router.post(HERE + "/give-up", dependencies=_SELF, summary="I cannot come; the next one moves up")
async def give_up(
    municipality_id: Identifier, series_id: Identifier, context: ContextDep, known: IdentitiesDep
) -> Application:
    await _mine(context, municipality_id, series_id)
    return await asyncio.to_thread(context.store.give_up, series_id, oneself(known), context.clock())


@router.post(HERE + "/applications", dependencies=_RUN, summary="Somebody asked us to put them down")
async def put_down(
    municipality_id: Identifier, series_id: Identifier, form: PersonForm, context: ContextDep
) -> Application:
    await _mine(context, municipality_id, series_id)
    return await asyncio.to_thread(context.store.apply, series_id, form.person_id, context.clock())


@router.post(HERE + "/applications/give-up", dependencies=_RUN, summary="Somebody told us that they cannot come")
async def put_out(
    municipality_id: Identifier, series_id: Identifier, form: PersonForm, context: ContextDep
) -> Application:
    await _mine(context, municipality_id, series_id)
    return await asyncio.to_thread(context.store.give_up, series_id, form.person_id, context.clock())


@router.post(HERE + "/applications/choose", dependencies=_RUN, summary="Give or take a place by hand")
async def choose(
    municipality_id: Identifier, series_id: Identifier, form: ChoiceForm, context: ContextDep
) -> Application:
    await _mine(context, municipality_id, series_id)
    values = (series_id, form.person_id, form.state, context.clock())
    return await asyncio.to_thread(context.store.choose, *values)


@router.post(HERE + "/draw", dependencies=_RUN, summary="Draw the lot, once; its seed is shown")
async def draw(
    municipality_id: Identifier, series_id: Identifier, form: DrawForm, context: ContextDep
) -> list[Application]:
    """Whoever knows the seed can check the order: people sorted by SHA-256 of seed, colon, identifier."""
    await _mine(context, municipality_id, series_id)
    seed = form.seed or token_hex(4)
    return await asyncio.to_thread(context.store.draw, series_id, seed, context.clock())


@router.get(HERE + "/attendance", dependencies=_READ, summary="How many came to each date")
async def attendance(municipality_id: Identifier, series_id: Identifier, context: ContextDep) -> list[DateAttendance]:
    await _mine(context, municipality_id, series_id)
    return await asyncio.to_thread(context.store.series_attendance, series_id)


def _office(identity: Identity) -> bool:
    return identity.kind in {Kind.ADMINISTRATOR, Kind.STAFF}


async def _mine(context: Context, municipality_id: str, series_id: str) -> None:
    behind = await asyncio.to_thread(context.store.behind, series_id)
    if behind.municipality_id != municipality_id:
        raise NotFound("There is no series with that identifier.")
