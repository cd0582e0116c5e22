"""Bookings as rows and back, and the log of what happened to each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, insert, select, update

from session_manager.booking import Event, after, refusal
from session_manager.booking_records import Booking, NewBooking, Proposal, Quote, Wanted
from session_manager.errors import NotPossible
from session_manager.schedule import Interval, Wall
from session_manager.store.booking_tables import booking_events, booking_places, bookings
from session_manager.store.part import need
from session_manager.store.secrets import new_id

PROPOSAL: TypeAdapter[Proposal | None] = TypeAdapter(Proposal | None)
_PLAIN = sorted(
    {one.name for one in fields(Booking)} & set(bookings.columns.keys()) - {"starts", "ends", "proposal", "languages"}
)
_plain = attrgetter(*_PLAIN)
_CHUNK = 500
HAPPENED = "shimawa_happened"
"""In `connection.info`: the numbers of the events of this transaction."""


SEATS = "shimawa_seats"
"""In `connection.info`: group, person, whether they are in it now, and since when."""


def wall_values(time: Wall, interval: Interval) -> dict[str, Any]:
    return {
        "starts": time.starts.isoformat(timespec="minutes"),
        "ends": time.ends.isoformat(timespec="minutes"),
        "zone": time.zone,
        "starts_at": interval.starts_at,
        "ends_at": interval.ends_at,
    }


def insert_booking(connection: Connection, new: NewBooking, quote: Quote, state: str, now: int, **more: Any) -> str:
    """Its identifier. It holds nothing yet."""
    values = {
        "booking_id": new_id(),
        "municipality_id": new.municipality_id,
        "series_id": None,
        "position": 0,
        "title": new.title,
        "kind": new.kind,
        "state": state,
        **wall_values(quote.time, quote.interval),
        "holder": new.holder.subject,
        "user_class": new.holder.user_class,
        "level": new.holder.level,
        "made_by": new.made_by,
        "people": new.people,
        "mode": new.mode,
        "languages": list(new.languages),
        "confidential": new.confidential,
        "link": new.link,
        "yen": quote.yen,
        "free_s": quote.free_s,
        "price_reason": quote.price_reason,
        "by_pass": new.holder.free_by_pass,
        "created_at": now,
        "reason": "",
        **more,
    }
    connection.execute(insert(bookings).values(values))
    set_places(connection, values["booking_id"], new.places, fresh=True)
    return str(values["booking_id"])


def set_places(connection: Connection, booking_id: str, wanted: Sequence[Wanted], *, fresh: bool = False) -> None:
    if not fresh:
        connection.execute(booking_places.delete().where(booking_places.c.booking_id == booking_id))
    rows = [
        {"booking_id": booking_id, "place_id": one.place_id, "amount": one.amount, "position": position}
        for position, one in enumerate(wanted)
    ]
    if rows:
        connection.execute(insert(booking_places), rows)


def read_booking(connection: Connection, booking_id: str) -> Booking:
    """Raises NotFound."""
    return with_places(connection, [need(connection, bookings, booking_id, "booking")])[0]


def with_places(connection: Connection, rows: Sequence[Row[Any]]) -> list[Booking]:
    places: dict[str, list[Wanted]] = {row.booking_id: [] for row in rows}
    wanted = list(places)
    for start in range(0, len(wanted), _CHUNK):
        query = (
            select(booking_places)
            .where(booking_places.c.booking_id.in_(wanted[start : start + _CHUNK]))
            .order_by(booking_places.c.position)
        )
        for one in connection.execute(query):
            places[one.booking_id].append(Wanted(one.place_id, one.amount))
    return [_booking(row, tuple(places[row.booking_id])) for row in rows]


def _booking(row: Row[Any], places: tuple[Wanted, ...]) -> Booking:
    return Booking(
        **dict(zip(_PLAIN, _plain(row), strict=True)),
        starts=datetime.fromisoformat(row.starts),
        ends=datetime.fromisoformat(row.ends),
        languages=tuple(row.languages),
        proposal=None if row.proposal is None else PROPOSAL.validate_python(row.proposal),
        places=places,
    )


def move(connection: Connection, booking: Booking, event: Event, by: str, now: float, **values: Any) -> Booking:
    """One step of the table of states, written down. Raises NotPossible where the table has none."""
    state = after(booking.state, event)
    if state is None:
        raise NotPossible(refusal(booking.state))
    write(connection, booking.booking_id, state=state, **values)
    record(connection, booking.booking_id, event, by, now, {"from": booking.state, "to": state})
    return read_booking(connection, booking.booking_id)


def write(connection: Connection, booking_id: str, **values: Any) -> None:
    connection.execute(update(bookings).where(bookings.c.booking_id == booking_id).values(**values))


def seat_changed(connection: Connection, group_id: str, person_id: str, inside: bool, now: float) -> None:
    """Somebody came into a group or left it: they are told of its dates before the commit."""
    connection.info.setdefault(SEATS, []).append((group_id, person_id, inside, now))


def record(
    connection: Connection, booking_id: str, what: str, by: str, now: float, data: Mapping[str, object] | None = None
) -> None:
    """In the transaction of what happened: nothing happens without its event, and no event without it.

    Before the commit `telling.Teller` writes the notices that `occasions.OCCASIONS` says it owes.
    """
    values = {"booking_id": booking_id, "what": what, "by": by, "happened_at": int(now), "data": dict(data or {})}
    number = connection.execute(insert(booking_events).values(values).returning(booking_events.c.number)).scalar_one()
    connection.info.setdefault(HAPPENED, []).append(number)
