"""One's own booking as the person sees it: its facts, and what can be done with it at this moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from session_manager.booking import OVER, WITH_SESSION, State
from session_manager.booking_records import Booking, Proposal
from session_manager.sailing import Question
from session_manager.self_service import Own, OwnPlace
from session_manager.series import Mode
from session_manager.store import Store

Deed = Literal["check_in", "end", "extend", "late", "change", "online", "link", "cancel", "accept"]
LATE_FROM_S = 2 * 3600
"""Who will be late knows it about now, not days before."""


@dataclass(frozen=True, slots=True)
class MyBooking:
    """`can`: what may be done now. `release_at`: then it is given away if nobody has come; null: it is not.

    `sailing`: what I am asked because no boat sails, or null.
    """

    booking_id: str
    series_id: str | None
    title: str
    kind: str
    state: State
    starts: datetime
    ends: datetime
    zone: str
    starts_at: int
    ends_at: int
    places: tuple[OwnPlace, ...]
    people: int
    mode: Mode
    link: str
    yen: int
    price_reason: str
    user_class: str
    created_at: int
    expires_at: int | None
    checked_in_at: int | None
    ended_at: int | None
    reason: str
    proposal: Proposal | None
    session_id: str | None
    check_in_from_at: int
    release_at: int | None
    can: tuple[Deed, ...]
    sailing: Question | None


def my_bookings(store: Store, mine: Sequence[Own], now: float) -> list[MyBooking]:
    asked = store.sailing_questions([one.booking.booking_id for one in mine])
    return [_seen(one, asked.get(one.booking.booking_id), now) for one in mine]


def my_booking(store: Store, mine: Own, now: float) -> MyBooking:
    return my_bookings(store, [mine], now)[0]


def deeds(own: Own, now: float) -> tuple[Deed, ...]:
    """In the order in which they are wanted; the store has the last word."""
    booking = own.booking
    ahead = booking.state == "confirmed" and now < booking.ends_at
    running = now >= booking.starts_at and now < booking.ends_at
    there = booking.state == "in_use" and now < booking.ends_at
    rows: tuple[tuple[Deed, bool], ...] = (
        ("accept", booking.state == "offered" and (booking.expires_at is None or now < booking.expires_at)),
        ("check_in", ahead and bool(booking.places) and now >= own.check_in_from_at),
        ("end", there and running),
        ("extend", there),
        ("late", ahead and bool(booking.places) and now - booking.starts_at > -LATE_FROM_S),
        ("link", (ahead or there) and booking.session_id is not None and not booking.confidential),
        ("change", booking.state in {"confirmed", "requested", "waiting"} and now < booking.starts_at),
        ("online", ahead and now < booking.starts_at and booking.mode != "online" and booking.kind in WITH_SESSION),
        ("cancel", booking.state not in OVER and not there),
    )
    return tuple(deed for deed, can in rows if can)


def _seen(own: Own, question: Question | None, now: float) -> MyBooking:
    booking: Booking = own.booking
    asking = question if booking.state == "confirmed" or (question is not None and question.answer) else None
    return MyBooking(
        booking.booking_id,
        booking.series_id,
        booking.title,
        booking.kind,
        booking.state,
        booking.starts,
        booking.ends,
        booking.zone,
        booking.starts_at,
        booking.ends_at,
        own.places,
        booking.people,
        booking.mode,
        booking.link,
        booking.yen,
        booking.price_reason,
        booking.user_class,
        booking.created_at,
        booking.expires_at,
        booking.checked_in_at,
        booking.ended_at,
        booking.reason,
        booking.proposal,
        booking.session_id,
        own.check_in_from_at,
        own.release_at if booking.state == "confirmed" else None,
        deeds(own, now),
        asking,
    )
