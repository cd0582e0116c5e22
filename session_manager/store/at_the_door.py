"""Coming in: one touch says that somebody is here and how much may be kept; it can be said again at any time."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, and_, delete, insert, select, update

from session_manager.booking import OVER
from session_manager.booking_records import Booking
from session_manager.consent import Level, forbids_record
from session_manager.errors import NotFound, NotPossible
from session_manager.evening_records import DateAttendance, How, OwnWord, RoomConsent
from session_manager.store.attendance_rows import consent_of, here_now, words_of
from session_manager.store.booking_rows import read_booking
from session_manager.store.booking_tables import bookings
from session_manager.store.evening_tables import attendances, consents
from session_manager.store.evenings import need_guest, peek
from session_manager.store.part import Part
from session_manager.store.secrets import new_id
from session_manager.store.tables import sessions

OPENS_S = 2 * 3600
"""The door is open this long before."""


class AtTheDoor(Part):
    def come_in(
        self, booking_id: str, person_id: str, how: How, level: Level, listens: bool, by: str, now: float
    ) -> RoomConsent:
        """Again is another word of the same person. Raises NotFound, NotPossible."""
        with self._database.write() as connection:
            booking = read_booking(connection, booking_id)
            need_guest(connection, booking, person_id)
            agreed = Level(peek(connection, booking)["level"])
            _open(booking, now)
            if level > agreed:
                raise NotPossible("Nobody can agree to more than the evening proposes.")
            _count(connection, booking_id, person_id, how, now)
            values = {"session_id": booking.session_id, "person_id": person_id, "level": int(level)}
            said = {"listens": int(listens), "said_by": by, "said_at": int(now)}
            connection.execute(insert(consents).values(**values, **said))
            return consent_of(connection, booking, agreed)

    def go_out(self, booking_id: str, person_id: str, now: float) -> RoomConsent:
        """Their word stays for what was said while they were there. Raises NotFound."""
        mine = and_(attendances.c.booking_id == booking_id, attendances.c.person_id == person_id)
        with self._database.write() as connection:
            booking = read_booking(connection, booking_id)
            if connection.execute(update(attendances).where(mine).values(left_at=int(now))).rowcount != 1:
                raise NotFound("This person is not here.")
            return consent_of(connection, booking, Level(peek(connection, booking)["level"]))

    def not_here(self, booking_id: str, person_id: str) -> RoomConsent:
        """A name touched by mistake: as if it had not been. Raises NotFound, NotPossible once it has begun."""
        mine = and_(attendances.c.booking_id == booking_id, attendances.c.person_id == person_id)
        with self._database.write() as connection:
            booking = read_booking(connection, booking_id)
            begun = select(sessions.c.state).where(sessions.c.session_id == booking.session_id)
            if connection.execute(begun).scalar_one_or_none() not in {None, "planned"}:
                raise NotPossible("It has begun. Who leaves now goes out.")
            if connection.execute(delete(attendances).where(mine)).rowcount != 1:
                raise NotFound("This person is not here.")
            its = and_(consents.c.session_id == booking.session_id, consents.c.person_id == person_id)
            connection.execute(delete(consents).where(its))
            return consent_of(connection, booking, Level(peek(connection, booking)["level"]))

    def room_consent(self, booking_id: str) -> RoomConsent:
        """Raises NotFound."""
        with self._database.read() as connection:
            booking = read_booking(connection, booking_id)
            return consent_of(connection, booking, Level(peek(connection, booking)["level"]))

    def forbids_record(self, session_id: str) -> bool:
        """Whether what people said at its door forbids to keep a word of it. A session of no evening: no."""
        query = select(bookings.c.booking_id).where(bookings.c.session_id == session_id)
        with self._database.read() as connection:
            booking_id = connection.execute(query).scalar_one_or_none()
            if booking_id is None:
                return False
            booking = read_booking(connection, booking_id)
            found = consent_of(connection, booking, Level(peek(connection, booking)["level"]))
            return forbids_record(found.level, found.present)

    def series_attendance(self, series_id: str) -> list[DateAttendance]:
        """Of each date to which anybody came."""
        query = (
            select(attendances)
            .join(bookings, bookings.c.booking_id == attendances.c.booking_id)
            .where(bookings.c.series_id == series_id)
            .order_by(bookings.c.starts_at)
        )
        found: dict[str, list[Row[Any]]] = {}
        with self._database.read() as connection:
            for row in connection.execute(query):
                found.setdefault(row.booking_id, []).append(row)
        return [
            DateAttendance(
                booking_id,
                sum(row.how == "in_person" for row in rows),
                sum(row.how == "online" for row in rows),
                sum(row.person_id is None for row in rows),
            )
            for booking_id, rows in found.items()
        ]

    def own_words(self, session_id: str, person_id: str) -> list[OwnWord]:
        """The history of one person's words, for that person."""
        mine = and_(consents.c.session_id == session_id, consents.c.person_id == person_id)
        with self._database.read() as connection:
            rows = connection.execute(select(consents).where(mine).order_by(consents.c.number))
            return [OwnWord(Level(row.level), bool(row.listens), row.said_at) for row in rows]

    def forget_nameless(self, now: float) -> int:
        """Who wished to be counted only is no longer named once the evening is over. How many."""
        query = (
            select(bookings.c.booking_id, bookings.c.session_id)
            .join(sessions, sessions.c.session_id == bookings.c.session_id)
            .join(consents, consents.c.session_id == bookings.c.session_id)
            .where(consents.c.level == int(Level.NOTHING), sessions.c.state == "ended", bookings.c.ends_at <= now)
            .distinct()
        )
        with self._database.write() as connection:
            return sum(_forget(connection, row.booking_id, row.session_id) for row in connection.execute(query).all())


def _forget(connection: Connection, booking_id: str, session_id: str) -> int:
    wish = [name for name, word in words_of(connection, session_id).items() if word.level == Level.NOTHING]
    theirs = and_(attendances.c.booking_id == booking_id, attendances.c.person_id.in_(wish))
    connection.execute(update(attendances).where(theirs).values(person_id=None, came_at=0, left_at=None))
    said = and_(consents.c.session_id == session_id, consents.c.person_id.in_(wish))
    connection.execute(delete(consents).where(said))
    return len(wish)


def _open(booking: Booking, now: float) -> None:
    if booking.session_id is None or booking.state in OVER:
        raise NotPossible("This evening does not take place. Look at the calendar.")
    if not booking.starts_at - OPENS_S <= now:
        raise NotPossible("The door is not open yet. Come back two hours before it begins at the earliest.")
    if now > booking.ends_at + OPENS_S:
        raise NotPossible("This evening is over.")


def _count(connection: Connection, booking_id: str, person_id: str, how: How, now: float) -> None:
    if person_id in here_now(connection, booking_id):
        mine = and_(attendances.c.booking_id == booking_id, attendances.c.person_id == person_id)
        connection.execute(update(attendances).where(mine).values(how=how, left_at=None))
        return
    values = {"attendance_id": new_id(), "booking_id": booking_id, "person_id": person_id, "how": how}
    connection.execute(insert(attendances).values(**values, came_at=int(now), left_at=None))
