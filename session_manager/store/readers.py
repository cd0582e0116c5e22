"""Who is written to about a booking: whoever holds it, who is invited, the office. One way each, as rows.

A part that knows other guests (who applied and was taken, say) adds its question to `GUESTS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, or_, select

from session_manager.booking_records import Booking
from session_manager.occasions import Reader
from session_manager.store.booking_rows import with_places
from session_manager.store.booking_tables import bookings
from session_manager.store.evening_tables import series_circles
from session_manager.store.notice_tables import audiences, office_mail
from session_manager.store.people_tables import grants, group_members, people, session_scopes

_PERSON = "person:"


@dataclass(frozen=True, slots=True)
class Recipient:
    """`person_id` None: an office's own address."""

    mail: str
    language: str
    name: str = ""
    person_id: str | None = None


def readers(connection: Connection, reader: Reader, booking: Booking) -> list[Recipient]:
    """Those with an address, each once; nobody is owed a letter who has none."""
    found = {one.mail.casefold(): one for one in _READERS[reader](connection, booking)}
    return list(found.values())


def holder_id(subject: str) -> str:
    """The person that a booking's holder names, if it is one."""
    return subject.removeprefix(_PERSON)


def _holder(connection: Connection, booking: Booking) -> list[Recipient]:
    here = and_(
        people.c.person_id == holder_id(booking.holder),
        people.c.municipality_id == booking.municipality_id,
        people.c.mail.is_not(None),
    )
    return [_recipient(row) for row in connection.execute(select(people).where(here))]


def _office(connection: Connection, booking: Booking) -> list[Recipient]:
    mine = select(office_mail).where(office_mail.c.municipality_id == booking.municipality_id)
    row = connection.execute(mine).one_or_none()
    if row is not None:
        return [Recipient(row.mail, row.language)]
    query = (
        select(people)
        .join(grants, grants.c.person_id == people.c.person_id)
        .where(
            grants.c.municipality_id == booking.municipality_id,
            grants.c.role.in_(("administrator", "staff")),
            or_(grants.c.expires_at.is_(None), grants.c.expires_at > booking.created_at),
            people.c.mail.is_not(None),
        )
        .order_by(people.c.person_id)
    )
    return [_recipient(row) for row in connection.execute(query)]


def _guests(connection: Connection, booking: Booking) -> list[Recipient]:
    """Without the holder, who gets a letter of their own."""
    mine = holder_id(booking.holder)
    return [one for ask in GUESTS for one in ask(connection, booking) if one.person_id != mine]


def _of_groups(connection: Connection, booking: Booking) -> list[Recipient]:
    query = (
        select(people)
        .join(group_members, group_members.c.person_id == people.c.person_id)
        .where(
            group_members.c.group_id.in_(groups_for(connection, booking)),
            group_members.c.left_at.is_(None),
            people.c.mail.is_not(None),
        )
        .distinct()
        .order_by(people.c.person_id)
    )
    return [_recipient(row) for row in connection.execute(query)]


def groups_for(connection: Connection, booking: Booking) -> list[str]:
    """The groups that it is for: named for it, for its series, or for its session."""
    named = audiences.c.booking_id == booking.booking_id
    if booking.series_id is not None:
        named = or_(named, audiences.c.series_id == booking.series_id)
    found = set(connection.execute(select(audiences.c.group_id).where(named)).scalars())
    if booking.series_id is not None:
        circle = select(series_circles.c.group_id).where(series_circles.c.series_id == booking.series_id)
        found |= set(connection.execute(circle).scalars())
    if booking.session_id is not None:
        bound = session_scopes.c.session_id == booking.session_id
        found |= set(connection.execute(select(session_scopes.c.group_id).where(bound)).scalars())
    return sorted(one for one in found if one)


def dates_of(connection: Connection, group_id: str, now: float) -> list[Booking]:
    """The other way round: what stands and is to come of everything that is for a group, in time."""
    by_circle = select(series_circles.c.series_id).where(series_circles.c.group_id == group_id)
    named = audiences.c.group_id == group_id
    by_name = select(audiences.c.series_id).where(named, audiences.c.series_id.is_not(None))
    alone = select(audiences.c.booking_id).where(named, audiences.c.booking_id.is_not(None))
    bound = select(session_scopes.c.session_id).where(session_scopes.c.group_id == group_id)
    its = or_(
        bookings.c.series_id.in_(by_circle),
        bookings.c.series_id.in_(by_name),
        bookings.c.booking_id.in_(alone),
        bookings.c.session_id.in_(bound),
    )
    stands = and_(bookings.c.state.in_(("confirmed", "in_use")), bookings.c.ends_at > now, its)
    query = select(bookings).where(stands).order_by(bookings.c.starts_at, bookings.c.booking_id)
    return with_places(connection, connection.execute(query).all())


def by_another(connection: Connection, booking: Booking, group_id: str, person_id: str) -> bool:
    """Whether a person is a guest of it by another group than this one, too."""
    others = [one for one in groups_for(connection, booking) if one != group_id]
    inside = and_(
        group_members.c.group_id.in_(others), group_members.c.person_id == person_id, group_members.c.left_at.is_(None)
    )
    return connection.execute(select(group_members).where(inside)).first() is not None


def _recipient(row: Row[Any]) -> Recipient:
    return Recipient(row.mail, row.language, row.name, row.person_id)


Ask = Callable[[Connection, Booking], list[Recipient]]
GUESTS: list[Ask] = [_of_groups]
_READERS: Mapping[Reader, Ask] = {"holder": _holder, "guests": _guests, "office": _office}
