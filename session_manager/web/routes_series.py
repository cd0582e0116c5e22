"""Series: all dates shown before any is saved, then changed or cancelled by one, the later, or all."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response

from session_manager.access import Action, Identity, Kind
from session_manager.booking_records import DateQuote, NewSeries, Refused, Series, SeriesRefused
from session_manager.enrolment import NewCircle
from session_manager.errors import NotFound, NotPermitted
from session_manager.evening_records import SeriesLine
from session_manager.pricing import Holder
from session_manager.store import Store
from session_manager.web.booking_forms import (
    SeriesCancelForm,
    SeriesChangeForm,
    SeriesForm,
    check_places,
    series_change,
    series_wish,
)
from session_manager.web.context import NOTHING, Context, ContextDep, IdentitiesDep, IdentityDep, permit
from session_manager.web.forms import Identifier
from session_manager.web.routes_bookings import shown

router = APIRouter(prefix="/api/municipalities/{municipality_id}/series", tags=["series"])
for_groups = APIRouter(prefix="/api/municipalities/{municipality_id}/groups/{group_id}/series", tags=["series"])
_READ = [permit(Action.READ_SERIES)]
_BOOK = [permit(Action.RUN_SERIES)]
_OFFICE = frozenset({Kind.ADMINISTRATOR, Kind.STAFF})
Position = Annotated[int, Path(ge=0, le=399)]


@dataclass(frozen=True, slots=True)
class SeriesRefusedAnswer:
    """409: no date was saved or changed. Skip, move or drop those that are not possible."""

    code: str
    message: str
    dates: tuple[DateQuote, ...]


_409: dict[int | str, dict[str, Any]] = {
    409: {"model": SeriesRefusedAnswer, "description": "Some date is not possible"}
}


@router.get("", dependencies=[permit(Action.READ_SERIES, within=True)], summary="All series, the next one first")
async def lines(municipality_id: Identifier, context: ContextDep, known: IdentitiesDep) -> list[SeriesLine]:
    """Facilitators see those of their groups."""
    home = {one.municipality_id for one in known if one.kind in _OFFICE}
    if not home & {None, municipality_id} and municipality_id not in {one.municipality_id for one in known}:
        raise NotFound(NOTHING)
    mine = None
    if not home & {None, municipality_id}:
        mine = frozenset(group for one in known if one.kind is Kind.FACILITATOR for group in one.group_ids)
    return await asyncio.to_thread(context.store.series_lines, municipality_id, context.clock(), mine)


@router.post("/quote", dependencies=_BOOK, summary="Every date of a series as it would be; nothing is saved")
async def quote(
    municipality_id: Identifier, form: SeriesForm, context: ContextDep, identity: IdentityDep
) -> list[DateQuote]:
    def work(store: Store) -> list[DateQuote]:
        return store.quote_series(series_wish(store, form, municipality_id, identity), context.clock())

    return await asyncio.to_thread(work, context.store)


@router.post("", dependencies=_BOOK, status_code=201, responses=_409, summary="Book all dates that are not skipped")
async def book(
    municipality_id: Identifier, form: SeriesForm, context: ContextDep, identity: IdentityDep, response: Response
) -> Series | SeriesRefusedAnswer:
    _not_confidential(form, identity)

    def work(store: Store) -> Series | SeriesRefused:
        new: NewSeries = series_wish(store, form, municipality_id, identity)
        return store.book_series(new, context.clock())

    return _answer(await asyncio.to_thread(work, context.store), response)


@for_groups.post("/quote", dependencies=_BOOK, summary="A series of one's own group, as it would be")
async def quote_own(
    municipality_id: Identifier, group_id: Identifier, form: SeriesForm, context: ContextDep, identity: IdentityDep
) -> list[DateQuote]:
    def work(store: Store) -> list[DateQuote]:
        return store.quote_series(_own(store, form, municipality_id, group_id, identity), context.clock())

    return await asyncio.to_thread(work, context.store)


@for_groups.post("", dependencies=_BOOK, status_code=201, responses=_409, summary="A series of one's own group")
async def book_own(
    municipality_id: Identifier,
    group_id: Identifier,
    form: SeriesForm,
    context: ContextDep,
    identity: IdentityDep,
    response: Response,
) -> Series | SeriesRefusedAnswer:
    """By its facilitators too; the group holds it, and its members are invited."""
    _not_confidential(form, identity)

    def work(store: Store) -> Series | SeriesRefused:
        return store.book_series(_own(store, form, municipality_id, group_id, identity), context.clock())

    return _answer(await asyncio.to_thread(work, context.store), response)


def _own(store: Store, form: SeriesForm, municipality_id: str, group_id: str, identity: Identity) -> NewSeries:
    """In the group's own name. Raises NotFound when the form names another group."""
    store.group(municipality_id, group_id)
    if form.circle is not None and form.circle.group_id not in {None, group_id}:
        raise NotFound("There is no group with that identifier.")
    new = series_wish(store, form, municipality_id, identity)
    its = NewCircle(group_id) if new.circle is None else replace(new.circle, group_id=group_id)
    pattern = replace(new.pattern, holder=Holder(f"group:{group_id}", "group", 0))
    return replace(new, pattern=pattern, circle=its)


@router.get("/{series_id}", dependencies=_READ, summary="A series with all its dates")
async def series(
    municipality_id: Identifier, series_id: Identifier, context: ContextDep, identity: IdentityDep
) -> Series:
    return await _mine(context, identity, municipality_id, series_id)


@router.patch(
    "/{series_id}/dates/{position}", dependencies=_BOOK, responses=_409, summary="Move one date, the later, or all"
)
async def change(
    municipality_id: Identifier,
    series_id: Identifier,
    position: Position,
    form: SeriesChangeForm,
    context: ContextDep,
    identity: IdentityDep,
    response: Response,
) -> Series | SeriesRefusedAnswer:
    """All of them or none: time, places, and whether it is in the room, online or both."""
    await _mine(context, identity, municipality_id, series_id)
    await asyncio.to_thread(check_places, context.store, municipality_id, form.place_ids or ())
    who = identity.subject or ""
    made = await asyncio.to_thread(
        context.store.change_series, series_id, position, form.scope, series_change(form), who, context.clock()
    )
    return _answer(made, response)


@router.post("/{series_id}/dates/{position}/preview", dependencies=_BOOK, summary="What that change would do")
async def preview(
    municipality_id: Identifier,
    series_id: Identifier,
    position: Position,
    form: SeriesChangeForm,
    context: ContextDep,
    identity: IdentityDep,
) -> list[DateQuote]:
    """Each date as it would be; nothing is saved."""
    await _mine(context, identity, municipality_id, series_id)
    await asyncio.to_thread(check_places, context.store, municipality_id, form.place_ids or ())
    values = (series_id, position, form.scope, series_change(form), identity.subject or "", context.clock())
    return await asyncio.to_thread(context.store.preview_change, *values)


@router.post(
    "/{series_id}/dates/{position}/readd", dependencies=_BOOK, responses=_409, summary="Try a skipped date again"
)
async def readd(
    municipality_id: Identifier,
    series_id: Identifier,
    position: Position,
    context: ContextDep,
    identity: IdentityDep,
    response: Response,
) -> Series | SeriesRefusedAnswer:
    found = await _mine(context, identity, municipality_id, series_id)
    booking_id = next((one.booking_id for one in found.dates if one.position == position), None)
    if booking_id is None:
        raise NotFound("The series has no such date.")
    made = await asyncio.to_thread(context.store.readd, booking_id, identity.subject or "", context.clock())
    if isinstance(made, Refused):
        date = DateQuote(position, made.quote, "in_person", False)
        return _answer(SeriesRefused((date,)), response)
    return await _mine(context, identity, municipality_id, series_id)


@router.post("/{series_id}/dates/{position}/cancel", dependencies=_BOOK, summary="Cancel one date, the later, or all")
async def cancel(
    municipality_id: Identifier,
    series_id: Identifier,
    position: Position,
    form: SeriesCancelForm,
    context: ContextDep,
    identity: IdentityDep,
) -> Series:
    await _mine(context, identity, municipality_id, series_id)
    who = identity.subject or ""
    return await asyncio.to_thread(
        context.store.cancel_series, series_id, position, form.scope, form.reason, who, context.clock()
    )


def _not_confidential(form: SeriesForm, identity: Identity) -> None:
    if form.confidential and identity.kind is not Kind.ADMINISTRATOR:
        raise NotPermitted("Only an administrator can book something confidential.")


async def _mine(context: Context, identity: Identity, municipality_id: str, series_id: str) -> Series:
    found = await asyncio.to_thread(context.store.series, series_id)
    hidden = identity.kind is Kind.STAFF and any(one.confidential for one in found.dates)
    if found.municipality_id != municipality_id or hidden:
        raise NotFound("There is no series with that identifier.")
    return replace(found, dates=tuple(shown(one, identity) for one in found.dates))


def _answer(made: Series | SeriesRefused, response: Response) -> Series | SeriesRefusedAnswer:
    if isinstance(made, Series):
        return made
    response.status_code = 409
    bad = [str(one.position + 1) for one in made.dates if not one.quote.possible and not one.skipped]
    message = f"Not possible on date {', '.join(bad[:12])} of {len(made.dates)}. Skip or move them."
    return SeriesRefusedAnswer("refused", message, made.dates)
