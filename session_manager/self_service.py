"""What people may book for themselves, as whom, and what of a day is offered to them first. Pure.

A person is never asked who they are for the price: class and level follow from the store (`user_class`), the kinds of
booking from their roles (`may_hold`). Offers are free stretches of a place cut to the size that people take.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from session_manager import access
from session_manager.booking import Kind
from session_manager.booking_records import Booking, PlaceKind
from session_manager.pricing import Holder
from session_manager.schedule import Availability, Interval, merged, without

PARTNER, MEMBER, CITIZEN, OFFICE = "partner", "member", "citizen", "office"

_ALL: frozenset[Kind] = frozenset({"plain", "telework"})
_HOSTED: frozenset[Kind] = _ALL | {"remote_class", "dialogue", "seminar", "external"}
KINDS: Mapping[access.Kind, frozenset[Kind]] = {
    access.Kind.ADMINISTRATOR: _HOSTED | {"ceremony"},
    access.Kind.STAFF: _HOSTED | {"ceremony"},
    access.Kind.FACILITATOR: _HOSTED,
    access.Kind.TEACHER: _ALL | {"remote_class", "external"},
    access.Kind.MEMBER: _ALL,
    access.Kind.PARTNER_STAFF: _ALL,
}
"""Kinds that are never released when nobody comes, or that the town announces, are for those who hold them."""

SHORTEST_S = 1800
ROOM_S = 7200
SEAT_S = 12 * 3600


@dataclass(frozen=True, slots=True)
class Holding:
    """As whom a person books for one day. `organisation`: whose agreement gives them that class; else empty."""

    holder: Holder
    organisation: str = ""


@dataclass(frozen=True, slots=True)
class Slot:
    """A stretch of one place. `taken`: somebody has it; one can wait for it."""

    place_id: str
    time: Interval
    taken: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """One button: a place, a time, its price. Local times are of the facility; `now`: it begins at once."""

    place_id: str
    name: str
    kind: PlaceKind
    capacity: int
    starts: datetime
    ends: datetime
    starts_at: int
    ends_at: int
    yen: int
    price_reason: str
    needs_approval: bool
    now: bool
    taken: bool


@dataclass(frozen=True, slots=True)
class Front:
    """One day of one facility as the person sees it. `seats_free`: now, or when it opens; `again`: as last time."""

    facility_id: str
    facility: str
    zone: str
    day: date
    today: date
    open: tuple[Interval, ...]
    closed_because: str
    seats: int
    seats_free: int
    user_class: str
    organisation: str
    offers: tuple[Offer, ...]
    again: Offer | None


@dataclass(frozen=True, slots=True)
class OwnPlace:
    """`where`: facility and name; what may be known of a place that one has booked."""

    place_id: str
    name: str
    kind: PlaceKind
    amount: int
    facility_id: str
    facility: str


@dataclass(frozen=True, slots=True)
class Own:
    """A booking with what its holder may know and do. `release_at`: then it is given away if nobody came."""

    booking: Booking
    places: tuple[OwnPlace, ...]
    check_in_from_at: int
    release_at: int | None


def may_hold(roles: Collection[access.Kind], kind: Kind) -> bool:
    return any(kind in KINDS.get(role, frozenset()) for role in roles)


def user_class(roles: Collection[str], *, agreement: bool, membership: bool) -> str:
    """`roles`: granted ones; `agreement`: an organisation of theirs has one in force that day."""
    if {"administrator", "staff"} & set(roles):
        return OFFICE
    if agreement:
        return PARTNER
    return MEMBER if membership else CITIZEN


def free_stretches(there: Availability) -> list[Interval]:
    """When a wish may begin and end: what others have, with this place's own buffers around it, is out."""
    taken = [time.widened(there.after_s, there.before_s) for time in there.taken]
    return without(there.open, taken)


def cut(free: Iterable[Interval], now: float, length_s: int) -> list[Interval]:
    """Pieces of about `length_s` that end at the half hour; the first begins now when it is free now.

    A rest shorter than half an hour goes with the piece before it.
    """
    found = []
    this_minute = int(now) // 60 * 60
    for stretch in merged(free):
        start = max(stretch.starts_at, this_minute)
        while stretch.ends_at - start >= SHORTEST_S:
            end = min(stretch.ends_at, max((start + length_s) // 1800 * 1800, start + SHORTEST_S))
            if stretch.ends_at - end < SHORTEST_S:
                end = stretch.ends_at
            found.append(Interval(start, end))
            start = end
    return found


def taken_pieces(held: Iterable[Interval], opened: Iterable[Interval], now: float) -> list[Interval]:
    """Each stretch that somebody holds, as far as it is open and ahead: one waits for one booking, not for two."""
    this_minute = int(now) // 60 * 60
    rest = [
        Interval(max(one.starts_at, hours.starts_at, this_minute), min(one.ends_at, hours.ends_at))
        for one in sorted(set(held))
        for hours in opened
        if max(one.starts_at, hours.starts_at, this_minute) < min(one.ends_at, hours.ends_at)
    ]
    return [one for one in rest if one.length_s >= SHORTEST_S]


def room_slots(place_id: str, there: Availability, held: Iterable[Interval], now: float, most: int = 2) -> list[Slot]:
    """The next free ones and the first that others hold, by start."""
    free = [Slot(place_id, time) for time in cut(free_stretches(there), now, ROOM_S)][:most]
    taken = [Slot(place_id, time, True) for time in taken_pieces(held, there.open, now)][:1]
    return sorted(free + taken, key=lambda one: one.time)


def seat_slots(
    seats: Mapping[str, Availability], held: Mapping[str, Sequence[Interval]], noon: int, now: float
) -> list[Slot]:
    """Seats are alike: the longest stretch of any, the longest that begins at `noon`; a taken one when none is free."""
    whole = [
        Slot(place_id, time) for place_id, there in seats.items() for time in cut(free_stretches(there), now, SEAT_S)
    ]
    first = _longest_first(whole)
    later = _longest_first(
        [_from(one, noon) for one in whole if one.time.starts_at < noon - 3600 < one.time.ends_at - 7200]
    )
    found = [one for one in (first, later) if one is not None]
    if found:
        return found
    gone = [
        Slot(place_id, time, True)
        for place_id, there in seats.items()
        for time in taken_pieces(held.get(place_id, ()), there.open, now)
    ]
    return sorted(gone, key=lambda one: (one.time.ends_at, one.place_id))[:1]


def _longest_first(slots: Sequence[Slot]) -> Slot | None:
    """The one that begins first; of those the longest."""
    return min(slots, key=lambda one: (one.time.starts_at, -one.time.ends_at, one.place_id), default=None)


def _from(slot: Slot, start: int) -> Slot:
    return Slot(slot.place_id, Interval(start, slot.time.ends_at))
