"""How many of a partner's people may use places free at the same time: what the agreement says, counted. Reads only."""

from __future__ import annotations

from sqlalchemy import Connection, or_, select

from session_manager.booking import HOLDING
from session_manager.booking_records import NewBooking
from session_manager.schedule import Interval, clash, crowded
from session_manager.store.booking_tables import LONGEST_S, bookings
from session_manager.store.people_tables import affiliations, agreements

PARTNER = "partner"
_COUNTED = (*sorted(HOLDING), "requested")


def seats_problem(connection: Connection, new: NewBooking, time: Interval, but: str = "") -> str | None:
    """A sentence when all are taken at some moment of that time. One agreement without a number is enough for none."""
    if new.holder.user_class != PARTNER:
        return None
    day = new.time.starts.date().isoformat()
    mine = select(affiliations.c.organisation_id).where(affiliations.c.person_id == new.holder.subject)
    in_force = select(agreements.c.organisation_id, agreements.c.seats).where(
        agreements.c.organisation_id.in_(mine),
        agreements.c.starts_on <= day,
        or_(agreements.c.ends_on.is_(None), agreements.c.ends_on >= day),
    )
    found = connection.execute(in_force).all()
    if not found or any(row.seats is None for row in found):
        return None
    most = max(row.seats for row in found)
    staff = select(affiliations.c.person_id).where(
        affiliations.c.organisation_id.in_([row.organisation_id for row in found])
    )
    query = select(bookings.c.starts_at, bookings.c.ends_at).where(
        bookings.c.holder.in_(staff),
        bookings.c.user_class == PARTNER,
        bookings.c.state.in_(_COUNTED),
        bookings.c.mode != "online",
        bookings.c.starts_at > time.starts_at - LONGEST_S,
        bookings.c.starts_at < time.ends_at,
        bookings.c.ends_at > time.starts_at,
        bookings.c.booking_id != but,
    )
    full = crowded([Interval(row.starts_at, row.ends_at) for row in connection.execute(query)], most - 1)
    if any(clash(one, time) for one in full):
        return f"Your organisation may use {most} places at the same time, and all are taken then."
    return None
