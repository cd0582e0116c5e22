"""The evening that was booked is the session that runs: a booking's session follows it, in the same transaction."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from session_manager.booking import WITH_SESSION
from session_manager.booking_records import Booking
from session_manager.store.booking_rows import read_booking, write
from session_manager.store.booking_tables import places
from session_manager.store.evening_tables import series_circles
from session_manager.store.people_tables import session_scopes
from session_manager.store.sessions import add_board_site, insert_session
from session_manager.store.tables import events, facilities, invitations, seats, sessions, sites, views
from session_manager.store.values import NewSite


def follow(connection: Connection, booking: Booking) -> Booking:
    """Makes, moves or takes away the session, as the booking is now."""
    if booking.kind not in WITH_SESSION:
        return booking
    wanted = booking.state in {"confirmed", "in_use"}
    if booking.session_id is None:
        return _made(connection, booking) if wanted else booking
    state = connection.execute(
        select(sessions.c.state).where(sessions.c.session_id == booking.session_id)
    ).scalar_one_or_none()
    if state == "planned" and not wanted:
        _take_away(connection, booking)
    elif state == "planned":
        _moved(connection, booking)
    elif state == "live" and wanted:
        _set(connection, booking, ends_at=float(booking.ends_at))
    return read_booking(connection, booking.booking_id)


def _made(connection: Connection, booking: Booking) -> Booking:
    session = insert_session(
        connection,
        booking.title,
        float(booking.starts_at),
        float(booking.ends_at),
        booking.zone,
        sites_of(connection, booking),
        confidential=booking.confidential,
    )
    write(connection, booking.booking_id, session_id=session.session_id)
    its = {"session_id": session.session_id, "municipality_id": booking.municipality_id}
    connection.execute(insert(session_scopes).values(**its, group_id=group_of(connection, booking.series_id)))
    return read_booking(connection, booking.booking_id)


def group_of(connection: Connection, series_id: str | None) -> str | None:
    """The group whose members a series is for."""
    query = select(series_circles.c.group_id).where(series_circles.c.series_id == series_id)
    return connection.execute(query).scalar_one_or_none()


def group_behind(connection: Connection, booking: Booking) -> str | None:
    """Whose evening it is: of its series' group, or of the group that its session was bound to."""
    found = group_of(connection, booking.series_id)
    if found is None and booking.session_id is not None:
        bound = select(session_scopes.c.group_id).where(
            session_scopes.c.session_id == booking.session_id, session_scopes.c.group_id.is_not(None)
        )
        found = connection.execute(bound.limit(1)).scalar_one_or_none()
    return found


def sites_of(connection: Connection, booking: Booking) -> list[NewSite]:
    """A site for each room, named by its facility; by the room too where a facility has several."""
    query = (
        select(places.c.place_id, places.c.name, facilities.c.name.label("facility"))
        .join(facilities, facilities.c.facility_id == places.c.facility_id)
        .where(places.c.kind == "room", places.c.place_id.in_([one.place_id for one in booking.places]))
    )
    rooms = {row.place_id: row for row in connection.execute(query)}
    in_order = [rooms[one.place_id] for one in booking.places if one.place_id in rooms]
    houses = [row.facility for row in in_order]
    return [
        NewSite(
            row.facility if houses.count(row.facility) == 1 else f"{row.facility} {row.name}",
            row.place_id,
            booking.languages,
        )
        for row in in_order
    ]


def _moved(connection: Connection, booking: Booking) -> None:
    _set(
        connection,
        booking,
        title=booking.title,
        starts_at=float(booking.starts_at),
        ends_at=float(booking.ends_at),
        confidential=booking.confidential,
    )
    mine = select(sites).where(sites.c.session_id == booking.session_id)
    before = connection.execute(mine.order_by(sites.c.position)).all()
    wanted = sites_of(connection, booking)
    kept = {site.room_id for site in wanted}
    for site in before:
        if site.room_id is not None and site.room_id not in kept:
            connection.execute(delete(seats).where(seats.c.site_id == site.site_id, seats.c.board_id.is_not(None)))
            connection.execute(delete(sites).where(sites.c.site_id == site.site_id))
    known = {site.room_id for site in before}
    position = max((site.position for site in before), default=-1)
    for one in wanted:
        if one.room_id not in known and booking.session_id is not None:
            position += 1
            add_board_site(connection, booking.session_id, one, position)


def _take_away(connection: Connection, booking: Booking) -> None:
    """A planned session goes with its doors; one that something was recorded of stays in the record."""
    write(connection, booking.booking_id, session_id=None)
    try:
        with connection.begin_nested():
            for table in (session_scopes, invitations, views, events, seats, sites, sessions):
                connection.execute(delete(table).where(table.c.session_id == booking.session_id))
    except IntegrityError:
        write(connection, booking.booking_id, session_id=booking.session_id)


def _set(connection: Connection, booking: Booking, **values: Any) -> None:
    connection.execute(update(sessions).where(sessions.c.session_id == booking.session_id).values(**values))
