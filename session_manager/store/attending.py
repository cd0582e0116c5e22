"""Who came: check-in, ending early, staying longer, offers taken, and what the clock alone makes due."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, and_, or_, select, update

from session_manager.booking import Attendance, Event, Facts, due, may_check_in, refusal
from session_manager.booking_records import Booking
from session_manager.errors import NotPossible
from session_manager.schedule import Interval, interval, local_time, wall
from session_manager.store.booking_rows import move, read_booking, record, wall_values, with_places, write
from session_manager.store.booking_sessions import follow
from session_manager.store.booking_tables import bookings, places, series
from session_manager.store.bookings import freed
from session_manager.store.holding import cut_off, queue_up, stretch
from session_manager.store.part import Part
from session_manager.store.place_rows import ATTENDANCE, places_by_id, rules_of
from session_manager.store.quoting import closed_then
from session_manager.store.tables import sessions
from session_manager.store.waiting import CLOCK, offer_next

_OPEN = ("wanted", "requested", "waiting", "offered", "confirmed", "in_use")


class Attending(Part):
    def accept(self, booking_id: str, by: str, now: float) -> Booking:
        """Takes what the waiting list offered. Raises NotFound, NotPossible when the offer is over."""
        with self._database.write() as connection:
            booking = _locked(connection, booking_id)
            if booking.expires_at is not None and now >= booking.expires_at:
                raise NotPossible("This offer is over. Ask again to wait for the next one.")
            taken = move(connection, booking, Event.ACCEPT, by, now, expires_at=None)
            if now >= taken.starts_at:
                taken = _checked_in(connection, taken, by, now)
            return follow(connection, taken)

    def check_in(self, booking_id: str, by: str, now: float) -> Booking:
        """From a quarter of an hour before. Again is nothing new. Raises NotFound, NotPossible."""
        with self._database.write() as connection:
            booking = _locked(connection, booking_id)
            if booking.state == "in_use":
                return booking
            facts = facts_of(booking)
            if booking.state == "confirmed" and not may_check_in(facts, attendance_of(connection, booking), now):
                raise NotPossible("It is too early to check in. Come back shortly before it begins.")
            return _checked_in(connection, booking, by, now)

    def end_booking(self, booking_id: str, by: str, now: float) -> Booking:
        """Ends it now; who waits is offered the rest. Again is nothing new. Raises NotFound, NotPossible."""
        with self._database.write() as connection:
            booking = _locked(connection, booking_id)
            if booking.state == "done":
                return booking
            if now < booking.starts_at:
                raise NotPossible("This has not begun. Cancel it instead.")
            done = move(connection, booking, Event.END, by, now, ended_at=min(int(now), booking.ends_at))
            cut_off(connection, booking_id, min(int(now), booking.ends_at))
            offer_next(connection, done, now)
            return done

    def extend(self, booking_id: str, by_s: int, by: str, now: float) -> Booking:
        """Moves the end. Raises NotFound, NotPossible when somebody has the place after it or the house closes."""
        with self._database.write() as connection:
            booking = _locked(connection, booking_id)
            if booking.state not in {"confirmed", "in_use"} or now >= booking.ends_at:
                raise NotPossible(refusal(booking.state))
            longer = wall(Interval(booking.starts_at, booking.ends_at + by_s), booking.zone)
            found = places_by_id(connection, [one.place_id for one in booking.places])
            closed = closed_then(connection, found, interval(longer), rules_of(connection, booking.municipality_id))
            if closed:
                raise NotPossible(closed[0])
            if not stretch(connection, booking_id, by_s):
                raise NotPossible("Somebody else has it after you. Move to another place or end in time.")
            write(connection, booking_id, **wall_values(longer, interval(longer)))
            record(connection, booking_id, "extended", by, now, {"by_s": by_s})
            return follow(connection, read_booking(connection, booking_id))

    def tick(self, now: float, limit: int = 200) -> int:
        """Everything that time alone made due, `limit` at most; how many bookings moved. Call it again and again."""
        query = (
            select(bookings, sessions.c.state.label("session_state"))
            .join(sessions, sessions.c.session_id == bookings.c.session_id, isouter=True)
            .where(
                bookings.c.state.in_(_OPEN),
                or_(
                    bookings.c.starts_at <= now,
                    bookings.c.expires_at <= now,
                    and_(sessions.c.state == "live", bookings.c.state == "confirmed"),
                ),
            )
            .order_by(bookings.c.starts_at, bookings.c.booking_id)
        )
        with self._database.write() as connection:
            found = [one for one in connection.execute(query).all() if _event(connection, one, now)][:limit]
            for row in found:
                queue_up(connection, row.municipality_id)
                booking = read_booking(connection, row.booking_id)
                event = due(facts_of(booking, row.session_state), attendance_of(connection, booking), now)
                if event is not None:
                    _fall_due(connection, booking, event, now)
            return len(found)


def facts_of(booking: Booking, session_state: str | None = None) -> Facts:
    return Facts(
        booking.state,
        booking.kind,
        booking.starts_at,
        booking.ends_at,
        booking.created_at,
        booking.expires_at,
        session_state not in {None, "planned"},
    )


def attendance_of(connection: Connection, booking: Booking) -> Attendance:
    """The strictest place decides; one that says nothing itself has the municipality's rules."""
    rules = rules_of(connection, booking.municipality_id)
    query = select(places.c.attendance).where(places.c.place_id.in_([one.place_id for one in booking.places]))
    words = [ATTENDANCE.validate_python(row[0]) or rules.attendance for row in connection.execute(query)]
    asking = [one for one in words if one.late_s is not None]
    return min(asking, key=lambda one: one.late_s or 0, default=Attendance(late_s=None))


def _locked(connection: Connection, booking_id: str) -> Booking:
    queue_up(connection, read_booking(connection, booking_id).municipality_id)
    return read_booking(connection, booking_id)


def _event(connection: Connection, row: Row[Any], now: float) -> Event | None:
    booking = with_places(connection, [row])[0]
    return due(facts_of(booking, row.session_state), attendance_of(connection, booking), now)


def _fall_due(connection: Connection, booking: Booking, event: Event, now: float) -> None:
    if event is Event.CHECK_IN:
        _checked_in(connection, booking, CLOCK, now)
    elif event is Event.END:
        move(connection, booking, event, CLOCK, now, ended_at=booking.ends_at)
        cut_off(connection, booking.booking_id, booking.ends_at)
    elif event is Event.RELEASE:
        gone = move(connection, booking, event, CLOCK, now, ended_at=int(now), reason="Nobody came.")
        freed(connection, gone, now)
        _strike(connection, gone, now)
    else:
        freed(connection, move(connection, booking, event, CLOCK, now), now)


def _checked_in(connection: Connection, booking: Booking, by: str, now: float) -> Booking:
    if booking.series_id is not None:
        mine = update(series).where(series.c.series_id == booking.series_id)
        connection.execute(mine.values(strikes=0, struck_at=None))
    return move(connection, booking, Event.CHECK_IN, by, now, checked_in_at=int(now))


def _strike(connection: Connection, booking: Booking, now: float) -> None:
    """So many in a row that nobody came to: then the series' owner is asked, once."""
    if booking.series_id is None:
        return
    mine = update(series).where(series.c.series_id == booking.series_id)
    struck = connection.execute(mine.values(strikes=series.c.strikes + 1).returning(series)).one()
    if struck.strikes >= attendance_of(connection, booking).strikes and struck.struck_at is None:
        connection.execute(mine.values(struck_at=int(now)))
        day = local_time(booking.starts_at, booking.zone).date().isoformat()
        record(connection, booking.booking_id, "series_struck", CLOCK, now, {"strikes": struck.strikes, "day": day})
