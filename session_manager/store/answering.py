"""Answers that came by mail, beside the dates that they are about."""

from __future__ import annotations

from sqlalchemy import Connection, and_, or_, select

from session_manager.attendance import Answer, AnswerStatus, Reply, newest
from session_manager.booking_records import Booking
from session_manager.schedule import local_time
from session_manager.store.booking_rows import read_booking
from session_manager.store.booking_tables import bookings
from session_manager.store.calendars import put_answer
from session_manager.store.letter_facts import slot_of
from session_manager.store.notice_tables import calendar_slots
from session_manager.store.part import Part
from session_manager.store.people import key
from session_manager.store.people_tables import answers
from session_manager.store.readers import Recipient, readers


class Answering(Part):
    def take_reply(self, reply: Reply, municipality_id: str | None = None) -> bool:
        """Kept when it is about a date of ours, of somebody who was invited, and newer than what we have.

        `municipality_id`: only about dates of that one.
        """
        with self._database.write() as connection:
            booking = _about(connection, reply.uid)
            if booking is None or municipality_id not in {None, booking.municipality_id}:
                return False
            if reply.attendee not in {key(one.mail) for one in _invited(connection, booking)}:
                return False
            at = "" if reply.recurs_at is None else local_time(reply.recurs_at, booking.zone).isoformat()
            return put_answer(connection, reply, at)

    def booking_answers(self, booking_id: str) -> list[Answer]:
        """Of everybody who is invited now, by name. Raises NotFound."""
        with self._database.read() as connection:
            booking = read_booking(connection, booking_id)
            uid, recurrence = slot_of(connection, booking_id)
            here = and_(answers.c.uid == uid, or_(answers.c.recurrence == "", answers.c.recurrence == recurrence))
            words: dict[str, list[tuple[AnswerStatus, float]]] = {}
            for row in connection.execute(select(answers).where(here)):
                words.setdefault(row.attendee, []).append((row.status, row.stamped_at))
            found = [(one, newest(words.get(key(one.mail), ()))) for one in _invited(connection, booking)]
        return [
            Answer(one.person_id or "", one.name, status, at)
            for one, (status, at) in sorted(found, key=lambda row: row[0].name)
        ]


def _invited(connection: Connection, booking: Booking) -> list[Recipient]:
    return [*readers(connection, "holder", booking), *readers(connection, "guests", booking)]


def _about(connection: Connection, uid: str) -> Booking | None:
    """The booking of this entry; of a series any of its dates, as they share who is invited."""
    slot = select(calendar_slots.c.booking_id).where(calendar_slots.c.uid == uid).limit(1)
    booking_id = connection.execute(slot).scalar_one_or_none() or uid.partition("@")[0]
    if connection.execute(select(bookings.c.booking_id).where(bookings.c.booking_id == booking_id)).first() is None:
        return None
    return read_booking(connection, booking_id)
