"""What waits for the office's word: requests and asked changes, each beside those that want the same. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from session_manager.booking_records import Booking
from session_manager.schedule import Interval, Wall, clash, interval


@dataclass(frozen=True, slots=True)
class Asked:
    """One wish: a request, or another time or place for what is approved already.

    `taken`: what holds its places now, so that it cannot be approved. `displaces`: whom approving it sends to the
    waiting list. `rivals`: whoever asks for the same, by when they asked.
    """

    booking: Booking
    change: bool
    holder_name: str
    time: Wall
    time_at: Interval
    place_ids: tuple[str, ...]
    taken: tuple[str, ...] = ()
    rivals: tuple[str, ...] = ()
    displaces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Joining:
    """Somebody whom a member vouched for, and whom the office lets into the group or not."""

    request_id: str
    group_id: str
    group_name: str
    name: str
    referrer_name: str
    message: str


@dataclass(frozen=True, slots=True)
class Approvals:
    """`asked` by start; `over`: what ended lately without anybody's yes; `joining` by when they asked."""

    asked: tuple[Asked, ...]
    over: tuple[Booking, ...]
    names: Mapping[str, str]
    joining: tuple[Joining, ...] = ()


def wish_of(booking: Booking, holder_name: str) -> Asked:
    if booking.proposal is None:
        held = tuple(one.place_id for one in booking.places)
        return Asked(booking, False, holder_name, booking.time, booking.interval, held)
    asked = booking.proposal
    held = tuple(one.place_id for one in asked.places)
    return Asked(booking, True, holder_name, asked.time, interval(asked.time), held)


def want_the_same(one: Asked, other: Asked) -> bool:
    """Buffers aside: what the database says decides, this only shows."""
    return (
        one.booking.booking_id != other.booking.booking_id
        and bool(set(one.place_ids) & set(other.place_ids))
        and clash(one.time_at, other.time_at)
    )


def rivals_among(asked: Sequence[Asked]) -> dict[str, list[Asked]]:
    """By booking: those that want the same, whoever asked first before."""
    in_order = sorted(asked, key=lambda one: (one.booking.created_at, one.booking.booking_id))
    return {one.booking.booking_id: [other for other in in_order if want_the_same(one, other)] for one in asked}
