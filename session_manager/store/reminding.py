"""Reminders: whoever is expected in a week or tomorrow gets a letter, once for each time that it is set for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection, exists, select

from session_manager.booking_records import Booking
from session_manager.facts import CONFIDENTIAL, DateFacts, Facts, lines
from session_manager.notices import DAY_S, EVENINGS, LATE_S, REMINDERS, Expected, Letter, due_reminders
from session_manager.records import Session
from session_manager.schedule import Interval, wall
from session_manager.store.booking_rows import with_places
from session_manager.store.booking_tables import bookings
from session_manager.store.letter_facts import local, rooms_of, where
from session_manager.store.outbox import enqueue
from session_manager.store.part import Part
from session_manager.store.people_tables import group_members, outbox, people, session_scopes
from session_manager.store.readers import readers
from session_manager.store.sessions import with_sites
from session_manager.store.tables import sessions

_CLOCKS_S = 2 * 3600.0
"""The clocks may put an hour this far from a whole number of days."""
_CHUNK = 400


class Reminding(Part):
    def remind(self, now: float) -> int:
        """Writes the reminders whose hour has come; how many. Looking again writes none twice."""
        with self._database.read() as connection:
            due = _unwritten(connection, due_reminders(_expected(connection, now), now))
        if not due:
            return 0
        with self._database.write() as connection:
            return sum(enqueue(connection, letter, now) for letter in due)


def _expected(connection: Connection, now: float) -> list[Expected]:
    found = []
    for _, days in REMINDERS:
        span = Interval(int(now + days * DAY_S - LATE_S - _CLOCKS_S), int(now + days * DAY_S + _CLOCKS_S))
        for booking in _booked(connection, span):
            found += [replace(one, days=one.days & {days}) for one in _of_booking(connection, booking)]
        for session in _unbooked(connection, span):
            found += [replace(one, days=frozenset({days})) for one in _of_session(connection, session)]
    return found


def _booked(connection: Connection, span: Interval) -> list[Booking]:
    soon = bookings.c.starts_at.between(span.starts_at, span.ends_at)
    query = select(bookings).where(bookings.c.state == "confirmed", soon).order_by(bookings.c.starts_at)
    return with_places(connection, connection.execute(query).all())


def _of_booking(connection: Connection, booking: Booking) -> list[Expected]:
    rooms = rooms_of(connection, [booking])
    time = local(booking, rooms)
    there = Facts("", (DateFacts(time, where(booking, rooms), booking.mode),))
    invited = [*readers(connection, "holder", booking), *readers(connection, "guests", booking)]
    return [
        Expected(
            booking.booking_id,
            CONFIDENTIAL["ja" if one.language == "ja" else "en"] if booking.confidential else booking.title,
            float(booking.starts_at),
            lines(there, one.language),
            one.mail,
            one.language,
            booking.municipality_id,
            time.zone,
            frozenset({7, 1} if booking.kind in EVENINGS else {1}),
            float(booking.created_at),
        )
        for one in invited
    ]


def _unbooked(connection: Connection, span: Interval) -> list[Session]:
    booked = exists().where(bookings.c.session_id == sessions.c.session_id)
    soon = sessions.c.starts_at.between(span.starts_at, span.ends_at)
    query = select(sessions).where(sessions.c.state == "planned", soon, ~booked).order_by(sessions.c.starts_at)
    return with_sites(connection, connection.execute(query).all())


def _of_session(connection: Connection, session: Session) -> list[Expected]:
    """The members of its group; a session of no group expects nobody by name."""
    query = (
        select(people, session_scopes.c.municipality_id.label("home"))
        .join(group_members, group_members.c.person_id == people.c.person_id)
        .join(session_scopes, session_scopes.c.group_id == group_members.c.group_id)
        .where(
            session_scopes.c.session_id == session.session_id,
            group_members.c.left_at.is_(None),
            people.c.mail.is_not(None),
        )
    )
    time = wall(Interval(int(session.starts_at), int(session.ends_at)), session.timezone)
    there = Facts("", (DateFacts(time, "、".join(site.name for site in session.sites), "in_person"),))
    return [
        Expected(
            session.session_id,
            CONFIDENTIAL["ja" if row.language == "ja" else "en"] if session.confidential else session.title,
            session.starts_at,
            lines(there, row.language),
            row.mail,
            row.language,
            row.home,
            session.timezone,
        )
        for row in connection.execute(query)
    ]


def _unwritten(connection: Connection, letters: Sequence[Letter]) -> list[Letter]:
    known: set[str] = set()
    causes = [one.cause for one in letters]
    for start in range(0, len(causes), _CHUNK):
        here = outbox.c.cause.in_(causes[start : start + _CHUNK])
        known |= set(connection.execute(select(outbox.c.cause).where(here)).scalars())
    return [one for one in letters if one.cause not in known]
