"""Who hears of a booking: the office, a facility's notes, groups that are invited, what is open to anybody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, insert, select

from session_manager.errors import NotFound
from session_manager.store.booking_rows import read_booking, record
from session_manager.store.booking_tables import bookings, series
from session_manager.store.notice_tables import audiences, facility_notes, office_mail, open_marks
from session_manager.store.part import Part, need
from session_manager.store.people import need_here
from session_manager.store.people_tables import groups
from session_manager.store.secrets import new_id
from session_manager.store.tables import facilities, municipalities, sessions

OpenKind = Literal["booking", "series", "session"]
_OPENABLE: Mapping[OpenKind, Table] = {"booking": bookings, "series": series, "session": sessions}
NoteTexts = Mapping[str, Mapping[str, str]]


class Announcing(Part):
    def set_office_mail(self, municipality_id: str, mail: str, language: str) -> None:
        """Empty `mail`: everybody with an office role is written to instead. Raises NotFound."""
        with self._database.write() as connection:
            need(connection, municipalities, municipality_id, "municipality")
            connection.execute(delete(office_mail).where(office_mail.c.municipality_id == municipality_id))
            if mail:
                values = {"municipality_id": municipality_id, "mail": mail, "language": language}
                connection.execute(insert(office_mail).values(values))

    def office_mail(self, municipality_id: str) -> tuple[str, str]:
        """Address and language; the address empty: there is none."""
        with self._database.read() as connection:
            query = select(office_mail).where(office_mail.c.municipality_id == municipality_id)
            row = connection.execute(query).one_or_none()
        return ("", "ja") if row is None else (row.mail, row.language)

    def set_facility_notes(self, facility_id: str, notes: NoteTexts) -> None:
        """By language: `boats`, `door`, `network`. They stand in every letter about a date there. Raises NotFound."""
        with self._database.write() as connection:
            need(connection, facilities, facility_id, "facility")
            connection.execute(delete(facility_notes).where(facility_notes.c.facility_id == facility_id))
            plain = {language: dict(texts) for language, texts in notes.items()}
            connection.execute(insert(facility_notes).values(facility_id=facility_id, notes=plain))

    def facility_notes(self, facility_id: str) -> dict[str, dict[str, str]]:
        with self._database.read() as connection:
            query = select(facility_notes.c.notes).where(facility_notes.c.facility_id == facility_id)
            return dict(connection.execute(query).scalar_one_or_none() or {})

    def invite_group(self, booking_id: str, group_id: str, by: str, now: float) -> None:
        """Its members are invited, told of changes, and find it in their calendars. Again is nothing new."""
        with self._database.write() as connection:
            booking = read_booking(connection, booking_id)
            if _invited(connection, booking.municipality_id, group_id, booking_id=booking_id):
                record(connection, booking_id, "audience_set", by, now, {"group_id": group_id})

    def invite_group_to_series(self, series_id: str, group_id: str, by: str, now: float) -> None:
        """One letter with all the dates that are still to come. Again is nothing new. Raises NotFound."""
        with self._database.write() as connection:
            row = need(connection, series, series_id, "series")
            if not _invited(connection, row.municipality_id, group_id, series_id=series_id):
                return
            coming = select(bookings.c.booking_id).where(bookings.c.series_id == series_id, bookings.c.ends_at > now)
            for booking_id in connection.execute(coming.order_by(bookings.c.starts_at)).scalars().all():
                record(connection, booking_id, "audience_set", by, now, {"group_id": group_id})

    def groups_invited(self, *, booking_id: str | None = None, series_id: str | None = None) -> list[str]:
        """Of the booking itself, or of the series itself."""
        query = select(audiences.c.group_id).where(_subject(booking_id, series_id)).order_by(audiences.c.group_id)
        with self._database.read() as connection:
            return list(connection.execute(query).scalars())

    def set_open(self, kind: OpenKind, subject_id: str, is_open: bool, by: str, now: float) -> None:
        """Whether anybody may follow it: it then stands in the public calendar. Raises NotFound."""
        here = and_(open_marks.c.kind == kind, open_marks.c.subject_id == subject_id)
        with self._database.write() as connection:
            need(connection, _OPENABLE[kind], subject_id, kind)
            connection.execute(delete(open_marks).where(here))
            if is_open:
                values = {"kind": kind, "subject_id": subject_id, "marked_by": by, "marked_at": now}
                connection.execute(insert(open_marks).values(values))

    def is_open(self, kind: OpenKind, subject_id: str) -> bool:
        here = and_(open_marks.c.kind == kind, open_marks.c.subject_id == subject_id)
        with self._database.read() as connection:
            return connection.execute(select(open_marks.c.kind).where(here)).first() is not None


def _invited(
    connection: Connection,
    municipality_id: str,
    group_id: str,
    *,
    booking_id: str | None = None,
    series_id: str | None = None,
) -> bool:
    """False: it was invited before. Raises NotFound for a group of another municipality."""
    need_here(connection, groups, group_id, municipality_id, "group")
    here = and_(_subject(booking_id, series_id), audiences.c.group_id == group_id)
    if connection.execute(select(audiences.c.audience_id).where(here)).first() is not None:
        return False
    values = {"audience_id": new_id(), "booking_id": booking_id, "series_id": series_id, "group_id": group_id}
    connection.execute(insert(audiences).values(values))
    return True


def _subject(booking_id: str | None, series_id: str | None) -> ColumnElement[bool]:
    if (booking_id is None) == (series_id is None):
        raise NotFound("Name either a booking or a series.")
    return audiences.c.booking_id == booking_id if series_id is None else audiences.c.series_id == series_id
