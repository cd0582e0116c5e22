"""What stands in whose calendar, read by range: bookings, and sessions that nobody booked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, or_, select

from session_manager.agenda import Agenda, BusySpans, CalendarDate, FeedRange
from session_manager.opening import open_intervals
from session_manager.people import Feed
from session_manager.schedule import Interval, without
from session_manager.store.booking_tables import (
    LONGEST_S,
    booking_places,
    bookings,
    calendar_marks,
    occupancies,
    places,
)
from session_manager.store.evening_tables import series_circles
from session_manager.store.letter_facts import in_pieces, rooms_named, sequences
from session_manager.store.notice_tables import audiences, open_marks
from session_manager.store.part import Part, need
from session_manager.store.people import groups_now
from session_manager.store.people_tables import groups, session_scopes
from session_manager.store.place_rows import rules_of
from session_manager.store.quoting import days_of
from session_manager.store.sessions import with_sites
from session_manager.store.tables import facilities, rooms, sessions, sites

_FIRM = ("confirmed", "in_use", "done")
_SEEN = (*_FIRM, "requested")
_CHUNK = 5_000
_COLUMNS = [bookings.c[one.name] for one in fields(CalendarDate) if one.name != "place_ids"]
_STATES = ("planned", "live", "ending", "ended")
"""All of them: named so that the index by state and start is used."""
_BACK_S = LONGEST_S + 2 * 86_400


class Agendas(Part):
    def calendar_mark(self) -> str:
        """Another one whenever something changed that calendars or weeks show. Ask for it before what it is to mark:
        then what is shown is never older than its mark.
        """
        with self._database.read() as connection:
            return str(connection.execute(select(calendar_marks.c.mark)).scalar_one())

    def agenda(self, feed: Feed, span: FeedRange) -> Agenda:
        """What the feed shows between two instants; who may see titles is said by `hidden`."""
        with self._database.read() as connection:
            found = list(_BOOKED[feed.kind](connection, feed, span))
            booked = {one.session_id for one in found if one.session_id is not None}
            rows = connection.execute(_SESSIONS[feed.kind](connection, feed, span)).all()
            alone = [one for one in with_sites(connection, rows) if one.session_id not in booked]
            secret = _referral_only(connection, found) if feed.kind == "room" else frozenset()
            return Agenda(
                tuple(found),
                tuple(alone),
                {
                    key: (room.facility, room.name, room.zone)
                    for key, room in rooms_named(connection, {its for one in found for its in one.place_ids}).items()
                },
                _sequences(connection, feed, span, found),
                secret,
            )

    def busy_spans(self, place_id: str, span: FeedRange) -> BusySpans:
        """When a place is held, asked for, or closed. Raises NotFound."""
        with self._database.read() as connection:
            place = need(connection, places, place_id, "place")
            firm = _held(connection, place_id, span, _FIRM)
            asked = _asked(connection, place_id, span)
            alone = connection.execute(_room_sessions(connection, _feed_of(place_id), span)).all()
            firm += [(one.starts_at, one.ended_at or one.ends_at) for one in alone]
            closed = _closed(connection, place.facility_id, span)
        return BusySpans(tuple(firm), tuple(asked), tuple(closed))


def _sequences(connection: Connection, feed: Feed, span: FeedRange, found: Sequence[CalendarDate]) -> Mapping[str, int]:
    if feed.kind != "room":
        return sequences(connection, [one.booking_id for one in found])
    asked = [one.booking_id for one in found if one.state == "requested"]
    return {**sequences(connection, _holding(feed.subject_id, span)), **sequences(connection, asked)}


def _overlapping(span: FeedRange) -> ColumnElement[bool]:
    return and_(
        bookings.c.starts_at > span.starts_at - LONGEST_S,
        bookings.c.starts_at < span.ends_at,
        bookings.c.ends_at > span.starts_at,
    )


def _read(
    connection: Connection,
    where: ColumnElement[bool],
    states: Sequence[str],
    span: FeedRange,
    ids: Select[Any] | None = None,
) -> list[CalendarDate]:
    """The state is looked at here: looked at by the database, it would take the index of states for firm bookings,
    which are nearly all. Of the few that are asked for, `_requests` says the state itself. `ids`: a query that names
    them all, which is faster than naming each.
    """
    query = select(*_COLUMNS).where(where, _overlapping(span))
    rows: list[Any] = [row for row in connection.execute(query).all() if row.state in states]
    rows.sort(key=lambda row: (row.starts_at, row.booking_id))
    there = _places_of(connection, ids if ids is not None else [row.booking_id for row in rows])
    return [CalendarDate(*(*row, tuple(there.get(row.booking_id, ())))) for row in rows]


def _places_of(connection: Connection, booking_ids: Sequence[str] | Select[Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    columns = booking_places.c
    for some in in_pieces(booking_ids):
        query = select(columns.booking_id, columns.place_id).where(columns.booking_id.in_(some))
        for booking_id, place_id in connection.execute(query.order_by(columns.position)):
            found.setdefault(booking_id, []).append(place_id)
    return found


def _of_person(connection: Connection, feed: Feed, span: FeedRange) -> list[CalendarDate]:
    """What they hold, and what their groups are invited to. Bound to the municipality of the feed."""
    mine = bookings.c.holder.in_((feed.subject_id, f"person:{feed.subject_id}"))
    here = bookings.c.municipality_id == feed.municipality_id
    inside = [row.group_id for row in groups_now(connection, feed.subject_id)]
    invited: set[str] = set()
    if inside:
        named = select(audiences.c.booking_id, audiences.c.series_id).where(audiences.c.group_id.in_(inside))
        rows = connection.execute(named).all()
        bound = select(bookings.c.booking_id).join(session_scopes, session_scopes.c.session_id == bookings.c.session_id)
        invited = {row.booking_id for row in rows if row.booking_id}
        invited |= set(connection.execute(bound.where(session_scopes.c.group_id.in_(inside))).scalars())
        of_series = [row.series_id for row in rows if row.series_id]
        circle = select(series_circles.c.series_id).where(series_circles.c.group_id.in_(inside))
        of_series += connection.execute(circle).scalars()
        dates = select(bookings.c.booking_id).where(bookings.c.series_id.in_(of_series))
        invited |= set(connection.execute(dates).scalars())
    found = _read(connection, and_(mine, here), _SEEN, span)
    known = {one.booking_id for one in found}
    wanted = sorted(invited - known)
    for start in range(0, len(wanted), _CHUNK):
        some = bookings.c.booking_id.in_(wanted[start : start + _CHUNK])
        found += _read(connection, and_(some, here), _FIRM, span)
    return sorted(found, key=lambda one: (one.starts_at, one.booking_id))


def _of_room(connection: Connection, feed: Feed, span: FeedRange) -> list[CalendarDate]:
    """By what it holds: a whole area holds its rooms too."""
    held = _holding(feed.subject_id, span)
    firm = _read(connection, bookings.c.booking_id.in_(held), _FIRM, span, held)
    return sorted([*firm, *_requests(connection, feed.subject_id, span)], key=lambda one: one.starts_at)


def _holding(place_id: str, span: FeedRange) -> Select[Any]:
    return select(occupancies.c.booking_id).where(
        occupancies.c.place_id == place_id,
        occupancies.c.starts_at > span.starts_at - _BACK_S,
        occupancies.c.starts_at < span.ends_at,
        occupancies.c.ends_at > span.starts_at,
    )


def _requests(connection: Connection, place_id: str, span: FeedRange) -> list[CalendarDate]:
    named = booking_places.c.booking_id == bookings.c.booking_id
    there = exists().where(named, booking_places.c.place_id == place_id)
    return _read(connection, and_(bookings.c.state == "requested", there), ("requested",), span)


def _of_public(connection: Connection, feed: Feed, span: FeedRange) -> list[CalendarDate]:
    """Only what was marked open, itself or as a series; never what is confidential."""
    here = and_(bookings.c.municipality_id == feed.municipality_id, bookings.c.confidential.is_(False))
    found: dict[str, CalendarDate] = {}
    for kind, column in (
        ("booking", bookings.c.booking_id),
        ("series", bookings.c.series_id),
        ("session", bookings.c.session_id),
    ):
        marked = list(connection.execute(_marked(kind)).scalars())
        for start in range(0, len(marked), _CHUNK):
            some = column.in_(marked[start : start + _CHUNK])
            found |= {one.booking_id: one for one in _read(connection, and_(some, here), _FIRM, span)}
    return sorted(found.values(), key=lambda one: (one.starts_at, one.booking_id))


def _marked(kind: str) -> Select[Any]:
    return select(open_marks.c.subject_id).where(open_marks.c.kind == kind)


def _person_sessions(connection: Connection, feed: Feed, span: FeedRange) -> Select[Any]:
    inside = [row.group_id for row in groups_now(connection, feed.subject_id)]
    mine = and_(session_scopes.c.municipality_id == feed.municipality_id, session_scopes.c.group_id.in_(inside))
    return _sessions(span).where(sessions.c.session_id.in_(select(session_scopes.c.session_id).where(mine)))


def _room_sessions(connection: Connection, feed: Feed, span: FeedRange) -> Select[Any]:
    there = exists().where(sites.c.session_id == sessions.c.session_id, sites.c.room_id == feed.subject_id)
    booked = exists().where(bookings.c.session_id == sessions.c.session_id)
    return _sessions(span).where(there, ~booked)


def _public_sessions(connection: Connection, feed: Feed, span: FeedRange) -> Select[Any]:
    bound = session_scopes.c.session_id == sessions.c.session_id
    named = exists().where(bound, session_scopes.c.municipality_id == feed.municipality_id)
    held = (
        exists()
        .where(sites.c.session_id == sessions.c.session_id)
        .where(rooms.c.room_id == sites.c.room_id, facilities.c.facility_id == rooms.c.facility_id)
        .where(facilities.c.municipality_id == feed.municipality_id)
    )
    opened = sessions.c.session_id.in_(_marked("session"))
    return _sessions(span).where(opened, sessions.c.confidential.is_(False), or_(named, held))


def _sessions(span: FeedRange) -> Select[Any]:
    """Of the range; a session longer than the longest booking is none of a facility's day."""
    return (
        select(sessions)
        .where(
            sessions.c.state.in_(_STATES),
            sessions.c.starts_at > span.starts_at - LONGEST_S,
            sessions.c.starts_at < span.ends_at,
            sessions.c.ends_at > span.starts_at,
        )
        .order_by(sessions.c.starts_at, sessions.c.session_id)
    )


def _referral_only(connection: Connection, found: Iterable[CalendarDate]) -> frozenset[str]:
    """Bookings for a group that one enters by a member's word only: its name is not for a wall."""
    closed = select(groups.c.group_id).where(groups.c.referral_only.is_(True))
    rows = connection.execute(
        select(audiences.c.booking_id, audiences.c.series_id).where(audiences.c.group_id.in_(closed))
    ).all()
    bound = set(
        connection.execute(select(session_scopes.c.session_id).where(session_scopes.c.group_id.in_(closed))).scalars()
    )
    named = {row.booking_id for row in rows} | {row.series_id for row in rows} | bound
    return frozenset(
        one.booking_id for one in found if named & ({one.booking_id, one.series_id, one.session_id} - {None})
    )


def _held(connection: Connection, place_id: str, span: FeedRange, states: Sequence[str]) -> list[tuple[float, float]]:
    """With buffers: then it is taken."""
    query = (
        select(occupancies.c.starts_at, occupancies.c.ends_at)
        .join(bookings, bookings.c.booking_id == occupancies.c.booking_id)
        .where(
            occupancies.c.place_id == place_id,
            occupancies.c.starts_at > span.starts_at - _BACK_S,
            occupancies.c.starts_at < span.ends_at,
            occupancies.c.ends_at > span.starts_at,
            bookings.c.state.in_((*states, "offered")),
        )
    )
    return [(float(row.starts_at), float(row.ends_at)) for row in connection.execute(query)]


def _asked(connection: Connection, place_id: str, span: FeedRange) -> list[tuple[float, float]]:
    return [(float(one.starts_at), float(one.ends_at)) for one in _requests(connection, place_id, span)]


def _closed(connection: Connection, facility_id: str, span: FeedRange) -> list[tuple[float, float]]:
    house = need(connection, facilities, facility_id, "facility")
    rules = rules_of(connection, house.municipality_id or "")
    whole = Interval(int(span.starts_at), int(span.ends_at))
    days = days_of(connection, facility_id, house.timezone, whole, rules)
    found = without([whole], open_intervals(days, house.timezone))
    return [(float(one.starts_at), float(one.ends_at)) for one in found]


def _feed_of(place_id: str) -> Feed:
    return Feed("", "", "room", place_id, 0.0)


_BOOKED: Mapping[str, Any] = {"person": _of_person, "room": _of_room, "public": _of_public}
_SESSIONS: Mapping[str, Any] = {"person": _person_sessions, "room": _room_sessions, "public": _public_sessions}
