"""What waits for the office's word, read in one snapshot."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection, and_, or_, select

from session_manager.approvals import Approvals, Asked, Joining, rivals_among, wish_of
from session_manager.booking import HOLDING
from session_manager.booking_records import Booking, Wanted
from session_manager.store.booking_rows import with_places
from session_manager.store.booking_tables import bookings
from session_manager.store.holding import overlapping, with_parts
from session_manager.store.part import Part
from session_manager.store.people_tables import groups, join_requests, people
from session_manager.store.quoting import clashes
from session_manager.store.weeks import names

LATELY_S = 14 * 86_400
_MOST = 300


class Asking(Part):
    def approvals(self, municipality_id: str, now: float) -> Approvals:
        """At most 300, the next to begin first; and what expired in the last two weeks."""
        here = bookings.c.municipality_id == municipality_id
        proposed = and_(bookings.c.proposal.is_not(None), bookings.c.state.in_(sorted(HOLDING)))
        waiting = select(bookings).where(here, or_(bookings.c.state == "requested", proposed))
        over = select(bookings).where(
            here,
            bookings.c.state == "expired",
            bookings.c.starts_at > now - LATELY_S,
            bookings.c.expires_at.is_not(None),
        )
        with self._database.read() as connection:
            open_ones = _read(connection, waiting.order_by(bookings.c.starts_at).limit(_MOST))
            gone = _read(connection, over.order_by(bookings.c.starts_at.desc()).limit(20))
            known = names(connection, municipality_id, {one.holder for one in (*open_ones, *gone)})
            asked = [wish_of(one, known.get(one.holder, "")) for one in open_ones]
            rivals = rivals_among(asked)
            shown = tuple(_judged(connection, one, rivals[one.booking.booking_id]) for one in asked)
            return Approvals(shown, tuple(gone), known, tuple(_joining(connection, municipality_id)))


def _joining(connection: Connection, municipality_id: str) -> list[Joining]:
    """Those who wait for nothing but the office: a member has vouched for them."""
    asks, vouched = people.alias(), people.alias()
    query = (
        select(join_requests, groups.c.name, asks.c.name.label("who"), vouched.c.name.label("referrer"))
        .join(groups, groups.c.group_id == join_requests.c.group_id)
        .join(asks, asks.c.person_id == join_requests.c.person_id)
        .join(vouched, vouched.c.person_id == join_requests.c.referrer_id, isouter=True)
        .where(groups.c.municipality_id == municipality_id, join_requests.c.state == "vouched")
        .order_by(join_requests.c.asked_at)
        .limit(_MOST)
    )
    return [
        Joining(row.request_id, row.group_id, row.name, row.who, row.referrer or "", row.message)
        for row in connection.execute(query)
    ]


def _read(connection: Connection, query: object) -> list[Booking]:
    return with_places(connection, connection.execute(query).all())  # type: ignore[call-overload]


def _judged(connection: Connection, asked: Asked, rivals: list[Asked]) -> Asked:
    wanted = _wanted(asked)
    taken = clashes(connection, wanted, asked.time_at, asked.booking.booking_id)
    return replace(
        asked,
        taken=tuple(dict.fromkeys(one.place_id for one in taken)),
        rivals=tuple(one.booking.booking_id for one in rivals),
        displaces=tuple(one.booking.booking_id for one in rivals if not one.change and _fills(connection, asked, one)),
    )


def _wanted(asked: Asked) -> tuple[Wanted, ...]:
    return asked.booking.places if asked.booking.proposal is None else asked.booking.proposal.places


def _fills(connection: Connection, asked: Asked, rival: Asked) -> bool:
    """Whether nothing is left for the rival of some place that both want, once this one has it."""
    mine = {place.place_id: amount for place, amount in with_parts(connection, _wanted(asked))}
    for place, amount in with_parts(connection, _wanted(rival)):
        span = rival.time_at.widened(place.buffer_before_s, place.buffer_after_s)
        if place.place_id not in mine:
            continue
        held = len(overlapping(connection, [place.place_id], span, asked.booking.booking_id))
        if place.quantity - held - mine[place.place_id] < amount:
            return True
    return False
