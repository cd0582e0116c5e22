"""The people of a series: who applies, who has a place, who waits. A place is a seat in the series' group."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, func, insert, select, update

from session_manager.booking import OVER
from session_manager.enrolment import OVER as GIVEN_UP
from session_manager.enrolment import Applicant, Move, NewCircle, settled
from session_manager.errors import NotFound, NotPossible
from session_manager.evening_records import Application, Behind, Circle, SeriesLine
from session_manager.notices import Letter
from session_manager.store.booking_rows import read_booking, seat_changed
from session_manager.store.booking_sessions import group_behind
from session_manager.store.booking_tables import bookings, series
from session_manager.store.evening_tables import applications, series_circles
from session_manager.store.outbox import enqueue
from session_manager.store.part import Part, need
from session_manager.store.people import need_here
from session_manager.store.people_tables import group_members, groups, people, session_scopes
from session_manager.store.secrets import new_id

NO_SERIES = "There is no series with that identifier."
NOT_OPEN = "Nobody can apply for this series now."


class Circles(Part):
    def behind(self, series_id: str | None = None, booking_id: str | None = None) -> Behind:
        """Whose a series or booking is, for judging who may. Raises NotFound."""
        with self._database.read() as connection:
            return behind(connection, series_id, booking_id)

    def evening_behind(self, evening_id: str) -> tuple[str, Behind]:
        """The booking that an evening's or a session's identifier names, and whose it is. Raises NotFound."""
        by_session = select(bookings.c.booking_id).where(bookings.c.session_id == evening_id)
        with self._database.read() as connection:
            booking_id = connection.execute(by_session).scalar_one_or_none() or evening_id
            found = behind(connection, None, booking_id)
            group_id = group_behind(connection, read_booking(connection, booking_id))
            return booking_id, replace(found, group_id=group_id)

    def series_lines(
        self, municipality_id: str, now: float, group_ids: frozenset[str] | None = None
    ) -> list[SeriesLine]:
        """Those that are not over first. `group_ids`: only of these groups."""
        mine = series_circles.c.series_id == series.c.series_id
        query = (
            select(series, series_circles.c.group_id)
            .join(series_circles, mine, isouter=True)
            .where(series.c.municipality_id == municipality_id)
            .order_by(series.c.created_at.desc(), series.c.series_id)
        )
        if group_ids is not None:
            query = query.where(series_circles.c.group_id.in_(group_ids))
        with self._database.read() as connection:
            found = [_line(connection, row, now) for row in connection.execute(query).all()]
        return sorted(found, key=lambda one: (one.to_come == 0, one.next_starts is None, one.next_starts))

    def set_circle(self, series_id: str, new: NewCircle, now: float) -> Circle:
        """Whose series it is, how many fit and how places are given. Raises NotFound, NotPossible."""
        with self._database.write() as connection:
            row = need(connection, series, series_id, "series")
            made = put_circle(connection, row.municipality_id, series_id, row.title, new, now)
            _settle(connection, made, row.title, now)
            return made

    def circle(self, series_id: str) -> Circle | None:
        with self._database.read() as connection:
            return read_circle(connection, series_id)

    def applications(self, series_id: str) -> list[Application]:
        """In the order of asking."""
        with self._database.read() as connection:
            return applications_of(connection, series_id)

    def apply(self, series_id: str, person_id: str, now: float, *, by_host: bool = True) -> Application:
        """Again is nothing new; after giving up, at the end of the line. Raises NotFound, NotPossible.

        Not `by_host`: a confidential series is as what does not exist, but for who is in it already.
        """
        with self._database.write() as connection:
            row = need(connection, series, series_id, "series")
            need_here(connection, people, person_id, row.municipality_id, "person")
            found = _open(connection, series_id, now)
            its = and_(applications.c.series_id == series_id, applications.c.person_id == person_id)
            known = connection.execute(select(applications).where(its)).one_or_none()
            if known is None or known.state in GIVEN_UP:
                if not by_host and _is_secret(connection, series_id) and not _inside(connection, found, person_id):
                    raise NotFound(NO_SERIES)
                last = select(func.max(applications.c.number)).where(applications.c.series_id == series_id)
                number = (connection.execute(last).scalar_one_or_none() or 0) + 1
                values = {"state": "applied", "number": number, "asked_at": int(now), "moved_at": int(now)}
                keys = {"series_id": series_id, "person_id": person_id}
                change = insert(applications).values(**keys, **values)
                connection.execute(change if known is None else update(applications).where(its).values(**values))
                _settle(connection, found, row.title, now)
            return _one(connection, series_id, person_id)

    def give_up(self, series_id: str, person_id: str, now: float) -> Application:
        """A place is declined, an application withdrawn; whoever is next moves up. Raises NotFound."""
        with self._database.write() as connection:
            row = need(connection, series, series_id, "series")
            its = _one(connection, series_id, person_id)
            if its.state not in GIVEN_UP:
                _moved(connection, series_id, person_id, "declined" if its.state == "placed" else "withdrawn", now)
                found = read_circle(connection, series_id)
                if found is not None:
                    _leave(connection, found.group_id, person_id, now)
                    _settle(connection, found, row.title, now)
            return _one(connection, series_id, person_id)

    def choose(self, series_id: str, person_id: str, state: str, now: float) -> Application:
        """By hand: placed or waiting. Raises NotFound, NotPossible when all places are taken."""
        with self._database.write() as connection:
            row = need(connection, series, series_id, "series")
            found = _need_circle(connection, series_id)
            its = _one(connection, series_id, person_id)
            taken = sum(one.state == "placed" for one in applications_of(connection, series_id))
            taken += seated_without(connection, found)
            if state == "placed" and its.state != "placed" and taken >= found.capacity:
                raise NotPossible("All places are taken. Make the series larger, or wait until somebody gives one up.")
            if its.state == "placed" and state != "placed":
                _leave(connection, found.group_id, person_id, now)
            if its.state != state:
                _make(connection, found, row.title, Move(person_id, "placed" if state == "placed" else "waiting"), now)
            return _one(connection, series_id, person_id)

    def draw(self, series_id: str, seed: str, now: float) -> list[Application]:
        """By lot, once; `seed` is kept and shown. Raises NotFound, NotPossible."""
        with self._database.write() as connection:
            row = need(connection, series, series_id, "series")
            found = _need_circle(connection, series_id)
            if found.selection != "lot":
                raise NotPossible("The places of this series are not given by lot.")
            if found.drawn_at is not None:
                raise NotPossible("The lot has been drawn already.")
            here = series_circles.c.series_id == series_id
            connection.execute(update(series_circles).where(here).values(seed=seed, drawn_at=int(now)))
            _settle(connection, _need_circle(connection, series_id), row.title, now)
            return applications_of(connection, series_id)


def behind(connection: Connection, series_id: str | None, booking_id: str | None) -> Behind:
    confidential = False
    if booking_id is not None:
        booking = need(connection, bookings, booking_id, "booking")
        if series_id is not None and booking.series_id != series_id:
            raise NotFound("There is no such date in this series.")
        series_id, confidential = booking.series_id, booking.confidential
        municipality_id: str = booking.municipality_id
    else:
        municipality_id = need(connection, series, str(series_id), "series").municipality_id
        confidential = _is_secret(connection, str(series_id))
    found = None if series_id is None else read_circle(connection, series_id)
    return Behind(municipality_id, None if found is None else found.group_id, confidential)


def read_circle(connection: Connection, series_id: str) -> Circle | None:
    row = connection.execute(select(series_circles).where(series_circles.c.series_id == series_id)).one_or_none()
    return None if row is None else Circle(**row._mapping)


def put_circle(
    connection: Connection, municipality_id: str, series_id: str, title: str, new: NewCircle, now: float
) -> Circle:
    """Sessions that are there already become the group's. Raises NotFound, NotPossible."""
    before = read_circle(connection, series_id)
    group_id = new.group_id or (
        before.group_id if before is not None else _new_group(connection, municipality_id, title, now)
    )
    need_here(connection, groups, group_id, municipality_id, "group")
    values = {
        "group_id": group_id,
        "capacity": new.capacity,
        "selection": new.selection,
        "open_until": new.open_until,
    }
    here = series_circles.c.series_id == series_id
    if before is None:
        connection.execute(insert(series_circles).values(series_id=series_id, seed="", drawn_at=None, **values))
    else:
        connection.execute(update(series_circles).where(here).values(**values))
    its = select(bookings.c.session_id).where(bookings.c.series_id == series_id, bookings.c.session_id.is_not(None))
    connection.execute(update(session_scopes).where(session_scopes.c.session_id.in_(its)).values(group_id=group_id))
    return _need_circle(connection, series_id)


def _new_group(connection: Connection, municipality_id: str, title: str, now: float) -> str:
    values = {"group_id": new_id(), "municipality_id": municipality_id, "name": title, "created_at": now}
    connection.execute(insert(groups).values(**values, referral_only=False, second_approval=False))
    return str(values["group_id"])


def _need_circle(connection: Connection, series_id: str) -> Circle:
    found = read_circle(connection, series_id)
    if found is None:
        raise NotPossible("This series has no circle of people yet. Say how many fit first.")
    return found


def _is_secret(connection: Connection, series_id: str) -> bool:
    secret = select(bookings.c.booking_id).where(bookings.c.series_id == series_id, bookings.c.confidential)
    return connection.execute(secret.limit(1)).first() is not None


def _inside(connection: Connection, found: Circle, person_id: str) -> bool:
    here = and_(group_members.c.group_id == found.group_id, group_members.c.person_id == person_id)
    return connection.execute(select(group_members).where(here, group_members.c.left_at.is_(None))).first() is not None


def _open(connection: Connection, series_id: str, now: float) -> Circle:
    found = read_circle(connection, series_id)
    if found is None or found.open_until is None or now >= found.open_until or found.drawn_at is not None:
        raise NotPossible(NOT_OPEN)
    group = need(connection, groups, found.group_id, "group")
    if group.referral_only:
        raise NotPossible("Nobody enters this circle without a referrer. Ask the member who knows you.")
    return found


def applications_of(connection: Connection, series_id: str) -> list[Application]:
    query = (
        select(applications, people.c.name)
        .join(people, people.c.person_id == applications.c.person_id)
        .where(applications.c.series_id == series_id)
        .order_by(applications.c.number)
    )
    return [
        Application(row.person_id, row.name, row.state, row.number, row.asked_at, row.moved_at)
        for row in connection.execute(query)
    ]


def _one(connection: Connection, series_id: str, person_id: str) -> Application:
    for one in applications_of(connection, series_id):
        if one.person_id == person_id:
            return one
    raise NotFound("This person has not applied.")


def _settle(connection: Connection, found: Circle, title: str, now: float) -> None:
    many = [Applicant(one.person_id, one.state, one.number) for one in applications_of(connection, found.series_id)]
    left = found.capacity - seated_without(connection, found)
    for move in settled(found.selection, found.seed, left, many, drawn=found.drawn_at is not None):
        _make(connection, found, title, move, now)


def seated_without(connection: Connection, found: Circle) -> int:
    """Members of the group who never applied: they have their seats. Whoever leads it takes none."""
    placed = select(applications.c.person_id).where(
        applications.c.series_id == found.series_id, applications.c.state == "placed"
    )
    here = and_(
        group_members.c.group_id == found.group_id,
        group_members.c.role == "member",
        group_members.c.left_at.is_(None),
        group_members.c.person_id.not_in(placed),
    )
    return connection.execute(select(func.count()).select_from(group_members).where(here)).scalar_one()


def _make(connection: Connection, found: Circle, title: str, move: Move, now: float) -> None:
    """The place, the seat in the group and the letter, together."""
    number = _one(connection, found.series_id, move.person_id).number
    _moved(connection, found.series_id, move.person_id, move.to, now)
    if move.to == "placed":
        _enter(connection, found.group_id, move.person_id, now)
    person = need(connection, people, move.person_id, "person")
    if person.mail:
        cause = f"series:{move.to}:{found.series_id}:{move.person_id}:{number}"
        template = "place_given" if move.to == "placed" else "place_waiting"
        letter = Letter(cause, template, (("title", title),))
        enqueue(connection, letter.to(person.mail, person.language, person.municipality_id), now)


def _moved(connection: Connection, series_id: str, person_id: str, state: str, now: float) -> None:
    its = and_(applications.c.series_id == series_id, applications.c.person_id == person_id)
    connection.execute(update(applications).where(its).values(state=state, moved_at=int(now)))


def _enter(connection: Connection, group_id: str, person_id: str, now: float) -> None:
    here = and_(
        group_members.c.group_id == group_id, group_members.c.person_id == person_id, group_members.c.left_at.is_(None)
    )
    if connection.execute(select(group_members).where(here)).first() is None:
        values = {"group_member_id": new_id(), "group_id": group_id, "person_id": person_id, "joined_at": now}
        connection.execute(insert(group_members).values(**values, role="member"))
        seat_changed(connection, group_id, person_id, True, now)


def _leave(connection: Connection, group_id: str, person_id: str, now: float) -> None:
    """Only what the place gave: whoever leads the group stays in it."""
    here = and_(
        group_members.c.group_id == group_id,
        group_members.c.person_id == person_id,
        group_members.c.role == "member",
        group_members.c.left_at.is_(None),
    )
    if connection.execute(update(group_members).where(here).values(left_at=now)).rowcount:
        seat_changed(connection, group_id, person_id, False, now)


def _line(connection: Connection, row: Row[Any], now: float) -> SeriesLine:
    its = bookings.c.series_id == row.series_id
    alive = and_(its, bookings.c.ends_at > now, bookings.c.state.not_in([*OVER, "wanted"]))
    first = select(bookings).where(alive).order_by(bookings.c.starts_at).limit(1)
    ahead = connection.execute(first).one_or_none()
    any_date = connection.execute(select(bookings.c.kind).where(its).limit(1)).scalar_one_or_none()
    count = select(func.count()).select_from(bookings)
    skipped = connection.execute(count.where(its, bookings.c.state == "wanted")).scalar_one()
    members = and_(group_members.c.group_id == row.group_id, group_members.c.left_at.is_(None))
    inside = select(func.count()).select_from(group_members).where(members)
    return SeriesLine(
        row.series_id,
        row.title,
        any_date or "plain",
        row.group_id,
        connection.execute(inside).scalar_one() if row.group_id else 0,
        connection.execute(count.where(alive)).scalar_one(),
        skipped,
        None if ahead is None else ahead.booking_id,
        None if ahead is None else datetime.fromisoformat(ahead.starts),
        "" if ahead is None else ahead.zone,
    )
