"""The month in figures, as JSON and as a sheet."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Response

from session_manager.access import Action
from session_manager.month import Month
from session_manager.sheets import write_sheet
from session_manager.web.context import ContextDep, permit
from session_manager.web.forms import Identifier
from session_manager.web.routes_people import sheet

router = APIRouter(prefix="/api/municipalities/{municipality_id}", tags=["month"])
_OFFICE = [permit(Action.READ_BOOKINGS)]
MonthName = Annotated[str, Path(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$")]
SUMS = (
    "bookings", "no_shows", "fees_yen", "worth_yen", "evenings", "evenings_across", "guests", "across", "online",
    "boat_days", "boat_bookings",
)  # fmt: skip


@router.get("/months/{month}", dependencies=_OFFICE, summary="A month in figures: sums only")
async def month(municipality_id: Identifier, month: MonthName, context: ContextDep) -> Month:
    return await asyncio.to_thread(context.store.month, municipality_id, month)


@router.get("/months/{month}/sheet.csv", dependencies=_OFFICE, response_class=Response, summary="The same as CSV")
async def month_sheet(municipality_id: Identifier, month: MonthName, context: ContextDep) -> Response:
    found = await asyncio.to_thread(context.store.month, municipality_id, month)
    return sheet(write_sheet(("what", "name", "bookings", "hours", "no_shows", "yen"), rows(found)), f"{month}.csv")


def rows(found: Month) -> list[tuple[str, ...]]:
    """Places, organisations, then the sums of the whole."""
    places = [("place", one.name, str(one.bookings), str(one.hours), str(one.no_shows), "") for one in found.places]
    houses = [
        ("organisation", one.name, str(one.bookings), str(one.hours), "", str(one.worth_yen)) for one in found.houses
    ]
    return [*places, *houses, *(("sum", name, str(getattr(found, name)), "", "", "") for name in SUMS)]
