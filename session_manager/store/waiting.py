"""The waiting list: what becomes free is offered to whoever waits longest and can use it, and held for a while.

Of a stretch that has begun the rest is offered. Where a place needs approval the request is put again instead.
"""

from __future__ import annotations

from sqlalchemy import Connection, select

from session_manager.booking import Event, offer_until
from session_manager.booking_records import Booking
from session_manager.schedule import Interval
from session_manager.store.booking_rows import move, with_places
from session_manager.store.booking_sessions import follow
from session_manager.store.booking_tables import LONGEST_S, booking_places, bookings
from session_manager.store.holding import hold, let_go
from session_manager.store.place_rows import places_by_id

CLOCK = "clock"
"""Who did it when time did."""

_MARGIN_S = 2 * 86_400
"""Buffers reach no further: a waiting booking this near may fit now."""


def offer_next(connection: Connection, gone: Booking, now: float) -> list[Booking]:
    """By the order of asking; one that still does not fit is passed over and keeps its turn."""
    offered = []
    for waiting in _waiting_for(connection, gone, now):
        time = Interval(max(waiting.starts_at, int(now)), waiting.ends_at)
        if hold(connection, waiting.booking_id, waiting.places, time):
            continue
        if _needs_approval(connection, waiting):
            let_go(connection, waiting.booking_id)
            offered.append(move(connection, waiting, Event.ASK, CLOCK, now))
            continue
        until = min(waiting.ends_at, offer_until(waiting.starts_at, now))
        offered.append(move(connection, waiting, Event.OFFER, CLOCK, now, expires_at=until))
    return [follow(connection, one) for one in offered]


def _needs_approval(connection: Connection, booking: Booking) -> bool:
    found = places_by_id(connection, [one.place_id for one in booking.places])
    return any(place.needs_approval for place in found.values())


def _waiting_for(connection: Connection, gone: Booking, now: float) -> list[Booking]:
    query = (
        select(bookings)
        .where(
            bookings.c.state == "waiting",
            bookings.c.municipality_id == gone.municipality_id,
            bookings.c.starts_at > gone.starts_at - LONGEST_S - _MARGIN_S,
            bookings.c.starts_at < gone.ends_at + _MARGIN_S,
            bookings.c.ends_at > max(int(now), gone.starts_at - _MARGIN_S),
            bookings.c.booking_id.in_(select(booking_places.c.booking_id)),
        )
        .order_by(bookings.c.created_at, bookings.c.booking_id)
    )
    return with_places(connection, connection.execute(query).all())
