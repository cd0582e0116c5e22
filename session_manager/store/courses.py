"""What one can apply for in a municipality, and where one stands in it: read for one person."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, and_, or_, select

from session_manager.booking import OVER
from session_manager.booking_records import Booking
from session_manager.courses import Course, CourseDate, Mine, turn_of
from session_manager.enrolment import OVER as GIVEN_UP
from session_manager.enrolment import Applicant
from session_manager.store.booking_rows import with_places
from session_manager.store.booking_tables import bookings, series
from session_manager.store.circles import applications_of, read_circle, seated_without
from session_manager.store.evening_tables import applications, series_circles
from session_manager.store.letter_facts import Room, rooms_of
from session_manager.store.part import Part
from session_manager.store.people_tables import group_members, groups

MOST = 100
"""Courses in one answer; those made last come first."""


class Courses(Part):
    def courses(self, municipality_id: str, person_id: str | None, now: float) -> list[Course]:
        """Open ones and one's own, with dates to come, the soonest first. Nobody else is told of a confidential one."""
        mine = and_(applications.c.person_id == person_id, applications.c.state.not_in(GIVEN_UP))
        asked = select(applications.c.series_id).where(mine)
        member = and_(group_members.c.person_id == person_id, group_members.c.left_at.is_(None))
        inside = select(group_members.c.group_id).where(member)
        free = and_(
            series_circles.c.open_until > int(now),
            series_circles.c.drawn_at.is_(None),
            groups.c.referral_only.is_(False),
        )
        query = (
            select(
                series.c.series_id,
                series.c.title,
                free.label("open"),
                series_circles.c.group_id.in_(inside).label("member"),
            )
            .join(series_circles, series_circles.c.series_id == series.c.series_id)
            .join(groups, groups.c.group_id == series_circles.c.group_id)
            .where(series.c.municipality_id == municipality_id)
            .where(or_(free, series.c.series_id.in_(asked), series_circles.c.group_id.in_(inside)))
            .order_by(series.c.created_at.desc(), series.c.series_id)
            .limit(MOST)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
            found = [_course(connection, row, person_id, now) for row in rows]
        return sorted((one for one in found if one is not None), key=lambda one: (one.dates[0].starts, one.series_id))


def _course(connection: Connection, row: Row[Any], person_id: str | None, now: float) -> Course | None:
    ahead = and_(
        bookings.c.series_id == row.series_id, bookings.c.ends_at > now, bookings.c.state.not_in([*OVER, "wanted"])
    )
    dates = with_places(
        connection, connection.execute(select(bookings).where(ahead).order_by(bookings.c.starts_at)).all()
    )
    circle = read_circle(connection, row.series_id)
    every = applications_of(connection, row.series_id)
    own = next((one.state for one in every if one.person_id == person_id), None)
    mine: Mine | None = "member" if row.member and own != "placed" else own
    if circle is None or not dates or (any(one.confidential for one in dates) and mine in {None, *GIVEN_UP}):
        return None
    taken = sum(one.state == "placed" for one in every) + seated_without(connection, circle)
    line = [Applicant(one.person_id, one.state, one.number) for one in every]
    rooms = rooms_of(connection, dates)
    return Course(
        row.series_id,
        row.title,
        dates[0].kind,
        tuple(_date(one, rooms) for one in dates),
        circle.capacity,
        max(circle.capacity - taken, 0),
        circle.selection,
        circle.open_until,
        bool(row.open),
        mine,
        None if person_id is None else turn_of(person_id, circle.selection, circle.seed, line),
    )


def _date(booking: Booking, rooms: dict[str, Room]) -> CourseDate:
    halls = [rooms[one.place_id] for one in booking.places if one.place_id in rooms]
    where = "、".join(f"{one.facility} {one.name}" for one in halls if one.kind != "equipment")
    return CourseDate(booking.starts, booking.ends, booking.zone, booking.mode, where)
