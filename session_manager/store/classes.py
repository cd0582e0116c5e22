"""Classes: a timetable becomes series, pupils touch names, the school hears who is missing, a sheet is counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, delete, insert, select, update

from session_manager.booking_records import Booking, NewSeries, SeriesRefused
from session_manager.errors import NotFound, NotPossible
from session_manager.notices import Letter
from session_manager.panel import DayLesson, Panel
from session_manager.schedule import Interval, instant, local_time
from session_manager.store.booking_rows import read_booking, with_places
from session_manager.store.booking_tables import booking_places, bookings
from session_manager.store.lesson_rows import class_of, door_lesson, letter_out, pupils_of, sheet_of, sheets_in
from session_manager.store.office import tell_office
from session_manager.store.outbox import enqueue
from session_manager.store.panel_tables import attendance, class_letters, class_sheets, lessons
from session_manager.store.part import need
from session_manager.store.people import need_here
from session_manager.store.people_tables import group_members, groups
from session_manager.store.recurring import Recurring
from session_manager.store.tables import sessions

ABSENT_AFTER_S = 600.0
ATTENDANCE_S = 7 * 86_400.0
SHEET_S = 1800.0
MOST_SHEETS = 200
"""Of one lesson; what comes after is not counted."""
OVER = "This lesson is over."


class Classes(Recurring):
    def add_lesson(
        self, new: NewSeries, group_id: str, school: str, subject: str, period: str, now: float
    ) -> tuple[str, int]:
        """A series of lessons for a class; dates that cannot be had are kept as wanted. Its identifier, how many can.

        Raises NotFound, NotPossible when not one date can be had.
        """
        quotes = self.quote_series(new, now)
        blocked = frozenset(one.position for one in quotes if not one.quote.possible)
        if len(blocked) == len(quotes):
            raise NotPossible(" ".join(quotes[0].quote.problems) or "Not one date of this lesson can be had.")
        made = self.book_series(replace(new, skip=new.skip | blocked), now)
        if isinstance(made, SeriesRefused):
            raise NotPossible("Somebody else was faster. Look at the timetable again.")
        values = {"series_id": made.series_id, "group_id": group_id, "school": school}
        with self._database.write() as connection:
            need_here(connection, groups, group_id, made.municipality_id, "class")
            connection.execute(insert(lessons).values(**values, subject=subject, period=period))
        return made.series_id, len(quotes) - len(blocked)

    def lessons_of_day(
        self, municipality_id: str, zone: str, now: float, group_ids: frozenset[str] | None = None
    ) -> list[DayLesson]:
        """Classes of the local day, by time; `group_ids`: only of these. Confidential ones only for their own group."""
        today = local_time(int(now), zone).replace(hour=0, minute=0, second=0, microsecond=0)
        span = Interval(instant(today, zone), instant(today + timedelta(days=1), zone))
        query = (
            select(bookings)
            .where(
                bookings.c.municipality_id == municipality_id,
                bookings.c.kind == "remote_class",
                bookings.c.session_id.is_not(None),
                bookings.c.starts_at >= span.starts_at,
                bookings.c.starts_at < span.ends_at,
                bookings.c.state.in_(("confirmed", "in_use", "done")),
            )
            .order_by(bookings.c.starts_at, bookings.c.booking_id)
        )
        with self._database.read() as connection:
            found = with_places(connection, connection.execute(query).all())
            return [
                one
                for booking in found
                if (one := _day_lesson(connection, booking, now)) is not None
                and (not booking.confidential if group_ids is None else one.group_id in group_ids)
            ]

    def lesson(self, session_id: str) -> Booking:
        """The booking of a class's session. Raises NotFound."""
        with self._database.read() as connection:
            return _lesson(connection, session_id)

    def class_has_pupils(self, session_id: str) -> bool:
        with self._database.read() as connection:
            return class_of(connection, _lesson(connection, session_id)) is not None

    def came(self, session_id: str, person_id: str, here: bool, now: float) -> None:
        """A pupil touched the own name; again takes it back. Raises NotFound for somebody of another class."""
        with self._database.write() as connection:
            booking = _lesson(connection, session_id)
            if not booking.starts_at - ABSENT_AFTER_S <= now < booking.ends_at:
                raise NotPossible("Names can be touched from ten minutes before the lesson to its end.")
            inside = and_(
                group_members.c.group_id == class_of(connection, booking),
                group_members.c.person_id == person_id,
                group_members.c.left_at.is_(None),
            )
            if connection.execute(select(group_members.c.person_id).where(inside)).first() is None:
                raise NotFound("There is no such name in this class.")
            mine = and_(attendance.c.session_id == session_id, attendance.c.person_id == person_id)
            before = connection.execute(select(attendance.c.came_at).where(mine)).first()
            if here and before is None:
                values = {"session_id": session_id, "person_id": person_id, "came_at": now}
                connection.execute(insert(attendance).values(values))
            elif not here:
                connection.execute(delete(attendance).where(mine))

    def tell_absent(self, session_id: str, now: float) -> int:
        """The school hears who has not come yet, once a lesson; how many are missing. Again is nothing new."""
        with self._database.write() as connection:
            return _tell_absent(connection, _lesson(connection, session_id), now)

    def class_minute(self, now: float) -> int:
        """What time alone makes due: lists ten minutes into a lesson; old touches go. How many lists went out."""
        due = (
            select(bookings)
            .join(sessions, sessions.c.session_id == bookings.c.session_id)
            .join(class_letters, class_letters.c.session_id == bookings.c.session_id, isouter=True)
            .where(
                bookings.c.kind == "remote_class",
                sessions.c.state == "live",
                class_letters.c.session_id.is_(None),
                bookings.c.starts_at <= now - ABSENT_AFTER_S,
                sessions.c.started_at <= now - ABSENT_AFTER_S,
            )
            .limit(50)
        )
        with self._database.read() as connection:
            found = with_places(connection, connection.execute(due).all())
            with_class = [one for one in found if class_of(connection, one) is not None]
            old = select(attendance.c.person_id).where(attendance.c.came_at < now - ATTENDANCE_S).limit(1)
            stale = connection.execute(old).first() is not None
        for one in with_class:
            self.tell_absent(str(one.session_id), now)
        if stale:
            with self._database.write() as connection:
                connection.execute(delete(attendance).where(attendance.c.came_at < now - ATTENDANCE_S))
        return len(with_class)

    def lesson_over(self, panel: Panel, booking_id: str, now: float) -> Booking:
        """A class of this room that ended just now: its sheet may be handed in. Raises NotFound."""
        with self._database.read() as connection:
            booking = read_booking(connection, booking_id)
            there = select(booking_places.c.booking_id).where(
                booking_places.c.booking_id == booking_id, booking_places.c.place_id == panel.room_id
            )
            here = sessions.c.session_id == booking.session_id
            session = connection.execute(select(sessions.c.state, sessions.c.ended_at).where(here)).one_or_none()
            over = session is not None and session.state in {"ending", "ended"} and booking.kind == "remote_class"
            ago = 0.0 if session is None or session.ended_at is None else now - session.ended_at
            if not over or ago > SHEET_S or connection.execute(there).first() is None:
                raise NotFound(OVER)
            return booking

    def hand_in(self, session_id: str, answers: Sequence[int], now: float) -> int:
        """One pupil's three answers, counted and forgotten. How many have handed in. Raises NotPossible when full."""
        with self._database.write() as connection:
            _lesson(connection, session_id)
            handed = sheets_in(connection, session_id)
            if handed >= MOST_SHEETS:
                raise NotPossible("No more sheets are counted for this lesson.")
            for question, choice in enumerate(answers, start=1):
                here = and_(
                    class_sheets.c.session_id == session_id,
                    class_sheets.c.question == question,
                    class_sheets.c.choice == choice,
                )
                more = update(class_sheets).where(here).values(count=class_sheets.c.count + 1)
                if connection.execute(more).rowcount == 0:
                    values = {"session_id": session_id, "question": question, "choice": choice, "count": 1}
                    connection.execute(insert(class_sheets).values(values))
            return handed + 1


def _lesson(connection: Connection, session_id: str) -> Booking:
    query = select(bookings).where(bookings.c.session_id == session_id, bookings.c.kind == "remote_class")
    rows = connection.execute(query).all()
    if not rows:
        raise NotFound("There is no lesson with that identifier.")
    return with_places(connection, rows)[0]


def _day_lesson(connection: Connection, booking: Booking, now: float) -> DayLesson | None:
    lesson = door_lesson(connection, booking, "", now)
    if lesson is None:
        return None
    group_id = class_of(connection, booking)
    name = need(connection, groups, group_id, "class").name if group_id is not None else ""
    return DayLesson(
        booking.booking_id,
        booking.title,
        booking.starts_at,
        booking.ends_at,
        booking.zone,
        group_id,
        name,
        lesson,
        sheet_of(connection, lesson.session_id),
    )


def _tell_absent(connection: Connection, booking: Booking, now: float) -> int:
    group_id, session_id = class_of(connection, booking), str(booking.session_id)
    if group_id is None:
        raise NotPossible("This lesson has no class: nobody is expected by name.")
    missing = [one.name for one in pupils_of(connection, group_id, session_id) if not one.came]
    if letter_out(connection, session_id):
        return len(missing)
    starts: datetime = booking.starts
    words = (
        ("lesson", booking.title),
        ("when", f"{starts:%Y-%m-%d %H:%M}"),
        ("count", str(len(missing))),
        ("names", "\n".join(missing)),
    )
    letter = Letter(f"absent:{session_id}", "absent" if missing else "all_here", words)
    row = connection.execute(select(lessons.c.school).where(lessons.c.series_id == booking.series_id)).one_or_none()
    if row is not None and row.school:
        enqueue(connection, letter.to(row.school, "ja", booking.municipality_id), now)
    else:
        tell_office(connection, booking.municipality_id, letter, now)
    connection.execute(insert(class_letters).values(session_id=session_id, absent=len(missing), sent_at=now))
    return len(missing)
