"""A month of a town's places in figures: use, who did not come, what free use was worth, evenings. Sums only. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from session_manager.booking import State
from session_manager.pricing import Holder, Price, PriceRule, Usage, price

USED: frozenset[State] = frozenset({"done", "in_use"})
EVENING = "dialogue"
PARTNER = "partner"


@dataclass(frozen=True, slots=True)
class Used:
    """One booking of the month. `places`: (name, kind). `organisation` empty: nobody's. `used_s`: of what was used."""

    kind: str
    state: State
    mode: str
    people: int
    places: tuple[tuple[str, str], ...]
    length_s: int
    used_s: int
    yen: int
    user_class: str
    organisation: str
    crosses: bool
    stays: bool


@dataclass(frozen=True, slots=True)
class PlaceUse:
    name: str
    bookings: int
    hours: float
    no_shows: int


@dataclass(frozen=True, slots=True)
class HouseUse:
    """`worth_yen`: what others would have paid for what its people used free."""

    name: str
    bookings: int
    hours: float
    worth_yen: int


@dataclass(frozen=True, slots=True)
class Month:
    """`evenings_across`: evenings that people of both shores were invited to. `boat_days`: no boat sailed."""

    month: str
    places: tuple[PlaceUse, ...]
    houses: tuple[HouseUse, ...]
    bookings: int
    no_shows: int
    fees_yen: int
    worth_yen: int
    evenings: int
    evenings_across: int
    guests: int
    across: int
    online: int
    boat_days: int
    boat_bookings: int


def month_of(
    name: str, found: Sequence[Used], prices: tuple[PriceRule, ...], boat_days: int, boat_bookings: int
) -> Month:
    used = [one for one in found if one.state in USED]
    evenings = [one for one in used if one.kind == EVENING]
    return Month(
        name,
        _places(found),
        _houses(used, prices),
        len(used),
        sum(one.state == "released" for one in found),
        sum(one.yen for one in used),
        sum(worth(one, prices) for one in used),
        len(evenings),
        sum(one.crosses and one.stays for one in evenings),
        sum(one.people for one in evenings),
        sum(one.crosses for one in used),
        sum(one.mode == "online" for one in used),
        boat_days,
        boat_bookings,
    )


def worth(one: Used, prices: tuple[PriceRule, ...]) -> int:
    """What somebody without an agreement would have paid; 0 for what was not a partner's."""
    if one.user_class != PARTNER:
        return 0
    asked = (price(prices, Holder("", "citizen"), one.kind, kind, one.length_s, Usage()) for _, kind in one.places)
    return max(0, sum(cost.yen for cost in asked if isinstance(cost, Price)) - one.yen)


def _places(found: Iterable[Used]) -> tuple[PlaceUse, ...]:
    count, seconds, missed = Counter[str](), Counter[str](), Counter[str]()
    for one in found:
        for name, _ in one.places:
            count[name] += one.state in USED
            seconds[name] += one.used_s if one.state in USED else 0
            missed[name] += one.state == "released"
    return tuple(PlaceUse(name, count[name], _hours(seconds[name]), missed[name]) for name in sorted(count))


def _houses(used: Iterable[Used], prices: tuple[PriceRule, ...]) -> tuple[HouseUse, ...]:
    by_house: dict[str, list[Used]] = {}
    for one in used:
        if one.organisation:
            by_house.setdefault(one.organisation, []).append(one)
    return tuple(
        HouseUse(
            name,
            len(mine),
            _hours(sum(one.used_s for one in mine)),
            sum(worth(one, prices) for one in mine),
        )
        for name, mine in sorted(by_house.items())
    )


def _hours(seconds: int) -> float:
    return round(seconds / 3600, 2)
