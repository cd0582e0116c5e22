"""Places and bookings as sheets for spreadsheets: columns, rows out, rows in with what is wrong about each. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from session_manager.booking_records import Booking, NewPlace, Place, PlaceKind
from session_manager.sheets import read_sheet, write_sheet

COLUMNS = (
    "facility",
    "kind",
    "name",
    "capacity",
    "quantity",
    "area",
    "buffer_before_minutes",
    "buffer_after_minutes",
    "needs_approval",
)
BOOKING_COLUMNS = (
    "date",
    "starts",
    "ends",
    "zone",
    "title",
    "kind",
    "state",
    "places",
    "mode",
    "people",
    "holder",
    "user_class",
    "yen",
    "checked_in",
    "reason",
    "booking_id",
    "series_id",
)
_YES = {"yes": True, "true": True, "1": True, "はい": True, "要": True}
_NO = {"no": False, "false": False, "0": False, "": False, "いいえ": False, "不要": False}

Outcome = Literal["new", "changed", "same", "wrong"]


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """`number`: of the line in the file. `area`: the name of the area it lies in. `wrong`: a sentence, or empty."""

    number: int
    facility: str
    kind: str
    name: str
    area: str
    values: Mapping[str, int]
    wrong: str = ""


@dataclass(frozen=True, slots=True)
class TakenRow:
    """What saving does, or would do, with one row."""

    number: int
    name: str
    outcome: Outcome
    problem: str = ""


def read_places(text: str) -> list[PlaceRow]:
    """Every row with its own problem. Raises NotPossible when the file as a whole cannot be read."""
    return [_row(number, cells) for number, cells in enumerate(read_sheet(text, COLUMNS, ()), start=2)]


def new_place(row: PlaceRow, facility_id: str, part_of: str | None) -> NewPlace:
    kind: PlaceKind = row.kind  # type: ignore[assignment]
    more = {**row.values, "needs_approval": bool(row.values["needs_approval"])}
    return NewPlace(facility_id, kind, row.name, part_of=part_of, **more)  # type: ignore[arg-type]


def write_places(places: Sequence[Place], facilities: Mapping[str, str]) -> str:
    """`facilities`: names by identifier. What is written is read back by `read_places`."""
    names = {one.place_id: one.name for one in places}
    return write_sheet(
        COLUMNS,
        (
            (
                facilities.get(one.facility_id, ""),
                one.kind,
                one.name,
                str(one.capacity),
                str(one.quantity),
                names.get(one.part_of or "", ""),
                str(one.buffer_before_s // 60),
                str(one.buffer_after_s // 60),
                "yes" if one.needs_approval else "no",
            )
            for one in places
        ),
    )


def write_bookings(bookings: Sequence[Booking], name: Callable[[str], str]) -> str:
    """`name`: of a place. Local times of the booking's own zone."""
    return write_sheet(
        BOOKING_COLUMNS,
        (
            (
                one.starts.date().isoformat(),
                f"{one.starts:%H:%M}",
                f"{one.ends:%H:%M}" if one.ends.date() == one.starts.date() else one.ends.isoformat(" ", "minutes"),
                one.zone,
                one.title,
                one.kind,
                one.state,
                " / ".join(name(its.place_id) for its in one.places),
                one.mode,
                str(one.people),
                one.holder,
                one.user_class,
                str(one.yen),
                "yes" if one.checked_in_at is not None else "no",
                one.reason,
                one.booking_id,
                one.series_id or "",
            )
            for one in bookings
        ),
    )


def _row(number: int, cells: Mapping[str, str]) -> PlaceRow:
    values: dict[str, int] = {}
    wrong = ""
    if not cells["facility"] or not cells["name"]:
        wrong = "A row needs a facility and a name."
    elif len(cells["name"]) > 80 or any(unicodedata.category(one) in {"Cc", "Zl", "Zp"} for one in cells["name"]):
        wrong = "A name is one line of 80 letters at most."
    elif cells["kind"] not in get_args(PlaceKind):
        wrong = f"The kind is one of: {', '.join(get_args(PlaceKind))}."
    for name, target, least, most, scale in (
        ("capacity", "capacity", 1, 100_000, 1),
        ("quantity", "quantity", 1, 1_000, 1),
        ("buffer_before_minutes", "buffer_before_s", 0, 1_440, 60),
        ("buffer_after_minutes", "buffer_after_s", 0, 1_440, 60),
    ):
        text = cells[name] or str(least)
        good = text.isascii() and text.isdigit() and len(text) <= 6 and least <= int(text) <= most
        if not good and not wrong:
            wrong = f"{name} is a number from {least} to {most}."
        values[target] = int(text) * scale if good else least
    answer = cells["needs_approval"].casefold()
    if answer not in _YES and answer not in _NO and not wrong:
        wrong = "needs_approval is yes or no."
    values["needs_approval"] = int(answer in _YES)
    return PlaceRow(number, cells["facility"], cells["kind"], cells["name"], cells["area"], values, wrong)
