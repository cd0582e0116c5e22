"""Places held: rows of `occupancies`, inside somebody's transaction.

We look first so that a refusal can be explained; whether two may hold the same place is for the database to say, which
refuses the row (migration 0003). In PostgreSQL writers of one municipality queue on its row, as all do in SQLite, so
that quotas and free units are counted on what is there; the constraint does not depend on that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, and_, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from session_manager.booking_records import Place, Taken, Wanted
from session_manager.schedule import Interval
from session_manager.store.booking_tables import LONGEST_S, bookings, occupancies, places
from session_manager.store.place_rows import place_of, places_by_id
from session_manager.store.tables import municipalities

_BACK_S = LONGEST_S + 2 * 86_400


def queue_up(connection: Connection, municipality_id: str) -> None:
    mine = select(municipalities.c.municipality_id).where(municipalities.c.municipality_id == municipality_id)
    connection.execute(mine.with_for_update())


def hold(connection: Connection, booking_id: str, wanted: Sequence[Wanted], time: Interval) -> list[Taken]:
    """All of them or none. Empty: held; else the places that somebody else holds."""
    rows, full = [], []
    for place, amount in with_parts(connection, wanted):
        span = time.widened(place.buffer_before_s, place.buffer_after_s)
        busy = {unit for unit, _ in taken_units(connection, place.place_id, span, booking_id)}
        free = [unit for unit in range(place.quantity) if unit not in busy][:amount]
        if len(free) < amount:
            full.append(Taken(place.place_id, time))
        row = {"booking_id": booking_id, "place_id": place.place_id}
        rows += [{**row, "unit": unit, "starts_at": span.starts_at, "ends_at": span.ends_at} for unit in free]
    if full or not rows:
        return full
    try:
        with connection.begin_nested():
            connection.execute(insert(occupancies), rows)
    except IntegrityError as error:
        if "no_overlap" not in str(error.orig):
            raise
        return [Taken(one.place_id, time) for one in wanted]
    return []


def stretch(connection: Connection, booking_id: str, by_s: int) -> bool:
    """Moves the end of all it holds; False when somebody else is there."""
    mine = update(occupancies).where(occupancies.c.booking_id == booking_id)
    try:
        with connection.begin_nested():
            connection.execute(mine.values(ends_at=occupancies.c.ends_at + by_s))
    except IntegrityError:
        return False
    return True


def let_go(connection: Connection, booking_id: str) -> None:
    connection.execute(delete(occupancies).where(occupancies.c.booking_id == booking_id))


def cut_off(connection: Connection, booking_id: str, at: int) -> None:
    """Ended early: only the buffer after it is still held."""
    rows = select(occupancies.c.place_id, occupancies.c.unit, occupancies.c.starts_at, places.c.buffer_after_s).join(
        places, places.c.place_id == occupancies.c.place_id
    )
    for row in connection.execute(rows.where(occupancies.c.booking_id == booking_id)).all():
        here = and_(
            occupancies.c.booking_id == booking_id,
            occupancies.c.place_id == row.place_id,
            occupancies.c.unit == row.unit,
        )
        until = at + row.buffer_after_s
        if until > row.starts_at:
            connection.execute(update(occupancies).where(here, occupancies.c.ends_at > until).values(ends_at=until))
        else:
            connection.execute(delete(occupancies).where(here))


def with_parts(connection: Connection, wanted: Sequence[Wanted]) -> list[tuple[Place, int]]:
    """Who takes a whole area takes all that lies in it. Ordered by place, so that two takers never cross."""
    amounts: dict[str, int] = {}
    known: dict[str, Place] = {}
    found = places_by_id(connection, [one.place_id for one in wanted])
    for one in wanted:
        amounts[one.place_id] = max(one.amount, amounts.get(one.place_id, 0))
    areas = [place for place in found.values() if place.kind == "area"]
    while areas:
        rows = connection.execute(select(places).where(places.c.part_of.in_([area.place_id for area in areas]))).all()
        inside = [place_of(row) for row in rows if row.place_id not in known and row.kind != "free_use"]
        known |= {place.place_id: place for place in inside}
        amounts |= {place.place_id: place.quantity for place in inside}
        areas = [place for place in inside if place.kind == "area"]
    known = {**known, **found}
    return [(known[place_id], amounts[place_id]) for place_id in sorted(amounts)]


def taken_units(
    connection: Connection, place_id: str, span: Interval, but: str | None = None
) -> list[tuple[int, Interval]]:
    """What is held there and overlaps. Looks back no further than the longest occupancy."""
    query = select(occupancies.c.unit, occupancies.c.starts_at, occupancies.c.ends_at).where(
        occupancies.c.place_id == place_id,
        occupancies.c.starts_at > span.starts_at - _BACK_S,
        occupancies.c.starts_at < span.ends_at,
        occupancies.c.ends_at > span.starts_at,
        occupancies.c.booking_id != (but or ""),
    )
    return [(row.unit, Interval(row.starts_at, row.ends_at)) for row in connection.execute(query)]


def overlapping(connection: Connection, place_ids: Iterable[str], span: Interval, but: str) -> list[Taken]:
    """Who waits or asks for the same is not in it: only what is held."""
    query = (
        select(occupancies.c.place_id, func.min(bookings.c.starts_at), func.max(bookings.c.ends_at))
        .join(bookings, bookings.c.booking_id == occupancies.c.booking_id)
        .where(
            occupancies.c.place_id.in_(list(place_ids)),
            occupancies.c.starts_at > span.starts_at - _BACK_S,
            occupancies.c.starts_at < span.ends_at,
            occupancies.c.ends_at > span.starts_at,
            occupancies.c.booking_id != but,
        )
        .group_by(occupancies.c.place_id, occupancies.c.booking_id)
    )
    return [Taken(row[0], Interval(row[1], row[2])) for row in connection.execute(query)]
