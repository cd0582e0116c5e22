"""Series: all dates shown before any is saved, then changed or cancelled by one, the later, or all."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response

from session_manager.access import Action, Identity, Kind
from session_manager.booking_records import DateQuote, NewSeries, Series, SeriesRefused
from session_manager.errors import NotFound, NotPermitted
from session_manager.store import Store
from session_manager.web.booking_forms import (
    SeriesCancelForm,
    SeriesChangeForm,
    SeriesForm,
    series_change,
    series_wish,
)
from session_manager.web.context import Context, ContextDep, IdentityDep, permit
from session_manager.web.forms import Identifier
from session_manager.web.routes_bookings import shown

router = APIRouter(prefix="/api/municipalities/{municipality_id}/series", tags=["series"])
_READ = [permit(Action.READ_BOOKINGS)]
_BOOK = [permit(Action.BOOK)]
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
    if form.confidential and identity.kind is not Kind.ADMINISTRATOR:
        raise NotPermitted("Only an administrator can book something confidential.")

    def work(store: Store) -> Series | SeriesRefused:
        new: NewSeries = series_wish(store, form, municipality_id, identity)
        return store.book_series(new, context.clock())

    return _answer(await asyncio.to_thread(work, context.store), response)


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
    """All of them or none. Another venue or mode of one date: change that booking."""
    await _mine(context, identity, municipality_id, series_id)
    who = identity.subject or ""
    made = await asyncio.to_thread(
        context.store.change_series, series_id, position, form.scope, series_change(form), who, context.clock()
    )
    return _answer(made, response)


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


async def _mine(context: Context, identity: Identity, municipality_id: str, series_id: str) -> Series:
    found = await asyncio.to_thread(context.store.series, series_id)
    hidden = identity.kind is not Kind.ADMINISTRATOR and any(one.confidential for one in found.dates)
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
