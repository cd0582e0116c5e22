"""Lessons out of a timetable: whose class it is, who has come, what was answered. Inside somebody's transaction."""

from __future__ import annotations

from sqlalchemy import Connection, and_, func, select

from session_manager.booking_records import Booking
from session_manager.panel import Check, DoorLesson, Pupil
from session_manager.precheck import Finding
from session_manager.store.panel_tables import attendance, class_letters, class_sheets, lessons, prechecks
from session_manager.store.people_tables import group_members, people, session_scopes
from session_manager.store.tables import sessions, sites

EARLY_S = 600.0
"""Pupils' names are on the door from ten minutes before the lesson to its end, no longer."""
PUPILS = ("member", "guest")
MOST_PUPILS = 60


def door_lesson(connection: Connection, booking: Booking, room_id: str, now: float) -> DoorLesson | None:
    """None: no class, or it has no session yet."""
    if booking.kind != "remote_class" or booking.session_id is None:
        return None
    session = connection.execute(select(sessions).where(sessions.c.session_id == booking.session_id)).one()
    row = connection.execute(select(lessons).where(lessons.c.series_id == booking.series_id)).one_or_none()
    open_now = booking.starts_at - EARLY_S <= now and session.state in {"planned", "live"}
    group_id = class_of(connection, booking)
    there = select(sites.c.name).where(
        sites.c.session_id == booking.session_id, sites.c.room_id.is_distinct_from(room_id)
    )
    return DoorLesson(
        booking.session_id,
        session.state,
        row.subject if row is not None else booking.title,
        row.period if row is not None else "",
        "・".join(connection.execute(there.order_by(sites.c.position)).scalars()),
        tuple(pupils_of(connection, group_id, booking.session_id)) if group_id and open_now else (),
        letter_out(connection, booking.session_id),
        sheets_in(connection, booking.session_id),
        check_of(connection, booking.session_id),
    )


def class_of(connection: Connection, booking: Booking) -> str | None:
    """The group whose lesson it is: by the timetable, else by its session."""
    by_series = select(lessons.c.group_id).where(lessons.c.series_id == booking.series_id)
    by_session = select(session_scopes.c.group_id).where(
        session_scopes.c.session_id == booking.session_id, session_scopes.c.group_id.is_not(None)
    )
    for query in (by_series, by_session):
        found = connection.execute(query).scalars().first()
        if found is not None:
            return str(found)
    return None


def pupils_of(connection: Connection, group_id: str, session_id: str) -> list[Pupil]:
    """By name, `MOST_PUPILS` at most: more than a class has."""
    came = and_(attendance.c.person_id == people.c.person_id, attendance.c.session_id == session_id)
    query = (
        select(people.c.person_id, people.c.name, attendance.c.came_at)
        .join(group_members, group_members.c.person_id == people.c.person_id)
        .join(attendance, came, isouter=True)
        .where(
            group_members.c.group_id == group_id,
            group_members.c.left_at.is_(None),
            group_members.c.role.in_(PUPILS),
        )
        .order_by(group_members.c.joined_at, people.c.name, people.c.person_id)
        .limit(MOST_PUPILS)
    )
    return [Pupil(row.person_id, row.name, row.came_at is not None) for row in connection.execute(query)]


def letter_out(connection: Connection, session_id: str) -> bool:
    here = class_letters.c.session_id == session_id
    return connection.execute(select(class_letters.c.session_id).where(here)).first() is not None


def sheets_in(connection: Connection, session_id: str) -> int:
    """How many sheets were handed in: each answers the first question."""
    here = and_(class_sheets.c.session_id == session_id, class_sheets.c.question == 1)
    query = select(func.coalesce(func.sum(class_sheets.c.count), 0)).where(here)
    return int(connection.execute(query).scalar_one())


def check_of(connection: Connection, session_id: str) -> Check | None:
    row = connection.execute(select(prechecks).where(prechecks.c.session_id == session_id)).one_or_none()
    return None if row is None else Check(tuple(Finding(**one) for one in row.findings), row.checked_at)


def sheet_of(connection: Connection, session_id: str) -> tuple[tuple[int, int, int], ...]:
    found: dict[tuple[int, int], int] = {
        (question, choice): count
        for _, question, choice, count in connection.execute(
            select(class_sheets).where(class_sheets.c.session_id == session_id)
        )
    }
    return tuple((found.get((q, 1), 0), found.get((q, 2), 0), found.get((q, 3), 0)) for q in (1, 2, 3))
