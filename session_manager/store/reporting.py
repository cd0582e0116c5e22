"""Reports of evenings: a draft the next morning, published by a person, and made anew from what is agreed each time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection, Row, and_, insert, select, update

from session_manager.booking_records import Booking
from session_manager.consent import Level, may_publish
from session_manager.errors import NotFound, NotPossible
from session_manager.evening_records import PublicReport, Report
from session_manager.notices import Letter
from session_manager.report import Circle, Item, Paragraph, named_in, paragraphs, publishable, unnamed
from session_manager.schedule import instant
from session_manager.store.attendance_rows import words_of
from session_manager.store.booking_rows import read_booking
from session_manager.store.booking_sessions import group_behind
from session_manager.store.booking_tables import bookings
from session_manager.store.evening_tables import attendances, evening_reports, harvest_items
from session_manager.store.evenings import guests_of, peek
from session_manager.store.harvest_rows import items_of
from session_manager.store.outbox import enqueue
from session_manager.store.part import Part, need
from session_manager.store.people_tables import group_members, groups, people
from session_manager.store.secrets import new_id
from session_manager.store.tables import municipalities, sessions

MORNING = 7
"""The hour at which yesterday's drafts are made, by the evening's own clock."""
LATEST = timedelta(days=14)
MOST = 50
NO_REPORT = "There is no report at this address."


class Reporting(Part):
    def evening_report(self, booking_id: str, now: float) -> Report:
        """As it is, or as the draft would be. Raises NotFound, NotPossible before the evening is over."""
        with self._database.read() as connection:
            booking = read_booking(connection, booking_id)
            return _report(connection, booking, _row(connection, booking_id) or _fresh(connection, booking, now))

    def edit_report(self, booking_id: str, title: str, opening: str, left_out: Sequence[str], now: float) -> Report:
        """The facilitator's own words, and what is left out. Raises NotFound, NotPossible for a hidden name in them."""
        with self._database.write() as connection:
            booking = read_booking(connection, booking_id)
            _kept(connection, booking, now)
            _no_hidden_names(connection, booking, title, opening)
            known = {one.item_id for one in items_of(connection, booking_id)}
            values = {"title": title, "opening": opening, "left_out": sorted(known & set(left_out))}
            connection.execute(
                update(evening_reports).where(evening_reports.c.booking_id == booking_id).values(**values)
            )
            return _report(connection, booking, _kept(connection, booking, now))

    def publish_report(self, booking_id: str, base_url: str, by: str, now: float) -> Report:
        """With a letter to everybody of the group; again is nothing new. Raises NotFound, NotPossible."""
        with self._database.write() as connection:
            booking = read_booking(connection, booking_id)
            row = _kept(connection, booking, now)
            _no_hidden_names(connection, booking, row.title, row.opening)
            if row.published_at is None or row.withdrawn_at is not None:
                values = {"published_at": int(now), "published_by": by, "withdrawn_at": None}
                connection.execute(
                    update(evening_reports).where(evening_reports.c.booking_id == booking_id).values(**values)
                )
                _tell_group(connection, booking, row, f"{base_url}/reports/{row.slug}", now)
            return _report(connection, booking, _kept(connection, booking, now))

    def withdraw_report(self, booking_id: str, now: float) -> Report:
        """Gone from the public pages at once. Raises NotFound."""
        with self._database.write() as connection:
            booking = read_booking(connection, booking_id)
            here = evening_reports.c.booking_id == booking_id
            connection.execute(update(evening_reports).where(here).values(withdrawn_at=int(now)))
            return _report(connection, booking, _kept(connection, booking, now))

    def draft_reports(self, base_url: str, now: float) -> int:
        """Of evenings of which something was written down, the morning after; their facilitators are told. How many."""
        query = (
            select(bookings)
            .where(
                bookings.c.booking_id.in_(select(harvest_items.c.booking_id)),
                bookings.c.booking_id.not_in(select(evening_reports.c.booking_id)),
                bookings.c.ends_at <= now,
                bookings.c.ends_at > now - LATEST.total_seconds(),
            )
            .order_by(bookings.c.ends_at)
        )
        with self._database.write() as connection:
            due = [row.booking_id for row in connection.execute(query).all() if now >= _morning_after(row)]
            for booking_id in due:
                booking = read_booking(connection, booking_id)
                _kept(connection, booking, now)
                _tell_hosts(connection, booking, f"{base_url}/evening/{booking_id}", now)
            return len(due)

    def public_report(self, slug: str) -> PublicReport:
        """Raises NotFound, also for one that was withdrawn."""
        good = and_(
            evening_reports.c.slug == slug,
            evening_reports.c.published_at.is_not(None),
            evening_reports.c.withdrawn_at.is_(None),
        )
        with self._database.read() as connection:
            row = connection.execute(select(evening_reports).where(good)).one_or_none()
            if row is None:
                raise NotFound(NO_REPORT)
            return _public(connection, row)

    def public_reports(self, limit: int = MOST) -> list[PublicReport]:
        """The newest first."""
        good = and_(evening_reports.c.published_at.is_not(None), evening_reports.c.withdrawn_at.is_(None))
        query = (
            select(evening_reports)
            .where(good)
            .order_by(evening_reports.c.published_at.desc(), evening_reports.c.slug)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [_public(connection, row) for row in connection.execute(query).all()]


def circle_of(connection: Connection, booking: Booking) -> Circle:
    """Everybody who could be named with this evening, and who of them may be."""
    group_id = group_behind(connection, booking)
    ever = select(group_members.c.person_id).where(group_members.c.group_id == group_id)
    came = select(attendances.c.person_id).where(attendances.c.booking_id == booking.booking_id)
    query = select(people.c.person_id, people.c.name).where(people.c.person_id.in_(ever.union(came)))
    names = {row.person_id: row.name for row in connection.execute(query) if row.name.strip("—").strip()}
    publish_from = Level(peek(connection, booking)["publish_from"])
    words = words_of(connection, booking.session_id)
    cleared = frozenset(name for name in names if may_publish(words.get(name), publish_from))
    referral = select(groups.c.referral_only).where(groups.c.group_id == group_id)
    closed = booking.confidential or bool(connection.execute(referral).scalar_one_or_none())
    return Circle(names, cleared, closed)


def _shown(connection: Connection, booking: Booking, left_out: Sequence[str]) -> tuple[list[Paragraph], int]:
    circle = circle_of(connection, booking)
    items = [
        Item(one.item_id, one.kind, one.words, one.person_id, one.yes_at is not None, one.due_on)
        for one in items_of(connection, booking.booking_id)
    ]
    held_back = sum(not publishable(one, circle) for one in items)
    return paragraphs(items, circle, left_out, booking.languages[0] if booking.languages else "ja"), held_back


def _row(connection: Connection, booking_id: str) -> Row[Any] | None:
    return connection.execute(select(evening_reports).where(evening_reports.c.booking_id == booking_id)).one_or_none()


def _values(connection: Connection, booking: Booking, now: float) -> dict[str, Any]:
    query = select(sessions.c.state).where(sessions.c.session_id == booking.session_id)
    met = connection.execute(query).scalar_one_or_none() not in {None, "planned"}
    if now < booking.starts_at and not met:
        raise NotPossible("There is nothing to report before the evening has begun.")
    day = booking.starts.date()
    return {
        "booking_id": booking.booking_id,
        "slug": f"{day.isoformat()}-{new_id()[:8]}",
        "title": f"{day.year}年{day.month}月{day.day}日の会" if booking.confidential else booking.title,
        "opening": "",
        "left_out": [],
        "drafted_at": int(now),
        "published_at": None,
        "published_by": "",
        "withdrawn_at": None,
    }


def _fresh(connection: Connection, booking: Booking, now: float) -> Any:
    return SimpleNamespace(**_values(connection, booking, now))


def _kept(connection: Connection, booking: Booking, now: float) -> Row[Any]:
    """The row, made when there is none."""
    row = _row(connection, booking.booking_id)
    if row is None:
        connection.execute(insert(evening_reports).values(**_values(connection, booking, now)))
        row = _row(connection, booking.booking_id)
    assert row is not None
    return row


def _report(connection: Connection, booking: Booking, row: Any) -> Report:
    shown, held_back = _shown(connection, booking, row.left_out)
    return Report(
        booking.booking_id,
        row.slug,
        row.title,
        row.opening,
        tuple(row.left_out),
        tuple(shown),
        held_back,
        row.drafted_at,
        row.published_at,
        row.withdrawn_at,
    )


def _public(connection: Connection, row: Row[Any]) -> PublicReport:
    booking = read_booking(connection, row.booking_id)
    home = need(connection, municipalities, booking.municipality_id, "municipality")
    shown, _ = _shown(connection, booking, row.left_out)
    circle = circle_of(connection, booking)
    title, opening = unnamed(row.title, circle), unnamed(row.opening, circle)
    return PublicReport(row.slug, home.name, title, opening, tuple(shown), booking.starts, row.published_at)


def _no_hidden_names(connection: Connection, booking: Booking, title: str, opening: str) -> None:
    if named_in(f"{title}\n{opening}", circle_of(connection, booking)):
        raise NotPossible("The title or the opening words name somebody who may not be named. Leave the name out.")


def _morning_after(row: Row[Any]) -> float:
    ended = datetime.fromisoformat(row.ends)
    morning = datetime(ended.year, ended.month, ended.day, MORNING)
    return instant(morning if ended.hour < MORNING else morning + timedelta(days=1), row.zone)


def _tell_group(connection: Connection, booking: Booking, row: Row[Any], link: str, now: float) -> None:
    for one in guests_of(connection, booking):
        _tell(connection, one.person_id, Letter(f"report:out:{row.slug}", "report_out", _words(row.title, link)), now)


def _tell_hosts(connection: Connection, booking: Booking, link: str, now: float) -> None:
    letter = Letter(f"report:draft:{booking.booking_id}", "report_draft", _words(booking.title, link))
    for one in guests_of(connection, booking):
        if one.role == "facilitator":
            _tell(connection, one.person_id, letter, now)


def _words(title: str, link: str) -> tuple[tuple[str, str], ...]:
    return (("title", title), ("link", link))


def _tell(connection: Connection, person_id: str, letter: Letter, now: float) -> None:
    person = need(connection, people, person_id, "person")
    if person.mail:
        enqueue(connection, letter.to(person.mail, person.language, person.municipality_id), now)
