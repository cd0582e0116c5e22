"""A facility's days as one lean answer: places, hours, what is booked, and what each pair of eyes may see. Pure.

Times are minutes of the facility's wall clock, counted from the first day's midnight, as a page draws them: a day is
always 1440 of them, also when the clocks change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from session_manager.booking import State
from session_manager.booking_records import Place
from session_manager.opening import OpenDay
from session_manager.records import Facility
from session_manager.schedule import local_time

LETTERS: Mapping[State, str] = {
    "confirmed": "c",
    "in_use": "u",
    "offered": "o",
    "requested": "r",
    "waiting": "w",
    "done": "d",
}
"""The states that a page shows, as they are sent."""
FOR_EVERYBODY = frozenset({"confirmed", "in_use", "offered", "requested", "done"})
"""Who waits for what is the office's to know, and their own."""
LONGEST_DAYS = 31


@dataclass(frozen=True, slots=True)
class Eyes:
    """Who looks. `office`: sees titles; `confidential`: those too; `person_id`: sees their own."""

    office: bool
    confidential: bool = False
    person_id: str | None = None


@dataclass(frozen=True, slots=True)
class Spot:
    """One booking at one place."""

    booking_id: str
    place_id: str
    title: str
    state: State
    starts_at: int
    ends_at: int
    holder: str
    confidential: bool
    amount: int = 1


@dataclass(frozen=True, slots=True)
class WeekFacts:
    """`facility` None: the municipality has none yet. `boards`: how many stand in each place."""

    facility: Facility | None
    facilities: Sequence[Facility]
    first: date
    places: Sequence[Place] = ()
    boards: Mapping[str, int] | None = None
    days: Sequence[OpenDay] = ()
    spots: Sequence[Spot] = ()


def week_answer(facts: WeekFacts, eyes: Eyes) -> dict[str, Any]:
    """Plain values for JSON. A booking is [identifier, from, to, state, title, place, ...]: title and places by number,
    a place as often as units of it are taken. The identifier is empty where there is nothing more to see; title 0 is
    no title.
    """
    if facts.facility is None:
        return {
            "facility_id": None,
            "facilities": [],
            "first": str(facts.first),
            "places": [],
            "days": [],
            "booked": [],
        }
    titles: dict[str, int] = {"": 0}
    return {
        "facility_id": facts.facility.facility_id,
        "zone": facts.facility.timezone,
        "facilities": [{"facility_id": one.facility_id, "name": one.name} for one in facts.facilities],
        "first": str(facts.first),
        "places": _places(facts),
        "days": [_day(one) for one in facts.days],
        "booked": _booked(facts, facts.facility.timezone, eyes, titles),
        "titles": list(titles),
    }


def _places(facts: WeekFacts) -> list[dict[str, Any]]:
    numbers = {place.place_id: number for number, place in enumerate(facts.places)}
    boards = facts.boards or {}
    return [
        {
            "id": place.place_id,
            "kind": place.kind,
            "name": place.name,
            "capacity": place.capacity,
            "quantity": place.quantity,
            "in": numbers.get(place.part_of or "", -1),
            "before": -(-place.buffer_before_s // 60),
            "after": -(-place.buffer_after_s // 60),
            "approval": place.needs_approval,
            "boards": boards.get(place.place_id, 0),
        }
        for place in facts.places
    ]


def _day(day: OpenDay) -> dict[str, Any]:
    return {"day": str(day.day), "hours": [[one.opens, one.closes] for one in day.hours], "note": day.note}


def _booked(facts: WeekFacts, zone: str, eyes: Eyes, titles: dict[str, int]) -> list[list[Any]]:
    numbers = {place.place_id: number for number, place in enumerate(facts.places)}
    midnight = datetime.combine(facts.first, time())
    found: dict[str, list[Any]] = {}
    walls: dict[int, int] = {}
    for spot in facts.spots:
        known = found.get(spot.booking_id)
        if known is not None:
            known += [numbers[spot.place_id]] * spot.amount
            continue
        mine = spot.holder == eyes.person_id
        if not mine and not eyes.office and spot.state not in FOR_EVERYBODY:
            continue
        for at in (spot.starts_at, spot.ends_at):
            if at not in walls:
                walls[at] = int((local_time(at, zone) - midnight).total_seconds()) // 60
        seen = mine or (eyes.office and (eyes.confidential or not spot.confidential))
        title = titles.setdefault(spot.title if seen else "", len(titles))
        found[spot.booking_id] = [
            spot.booking_id if seen else "",
            walls[spot.starts_at],
            walls[spot.ends_at],
            LETTERS[spot.state],
            title,
            *[numbers[spot.place_id]] * spot.amount,
        ]
    return list(found.values())
