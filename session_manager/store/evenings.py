"""One evening: its question and who checked it, its people, its tables. What is at the door and after stands beside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, insert, select, update

from session_manager.booking_records import Booking
from session_manager.consent import PUBLISH_FROM, Level, usual
from session_manager.errors import NotFound, NotPossible
from session_manager.evening_records import Evening, Guest, HarvestItem, Question, SeatedTable
from session_manager.store.attendance_rows import consent_of, here_now, nameless
from session_manager.store.booking_rows import read_booking
from session_manager.store.booking_sessions import group_behind
from session_manager.store.booking_tables import bookings, places
from session_manager.store.evening_tables import attendances, evening_reports, evenings, question_checks
from session_manager.store.harvest_rows import items_of, open_actions
from session_manager.store.part import Part, need
from session_manager.store.people_tables import affiliations, group_members, organisations, people
from session_manager.store.tables import facilities, sessions
from session_manager.tables import Guest as TableGuest
from session_manager.tables import neighbours, propose

NOT_IN_GROUP = "There is no such person in this group."
NO_GROUP = "This date is of no group of people yet. Say in its series whose evening it is."


class Evenings(Part):
    def booking_of(self, session_id: str) -> str:
        """The booking whose session that is. Raises NotFound."""
        query = select(bookings.c.booking_id).where(bookings.c.session_id == session_id)
        with self._database.read() as connection:
            found = connection.execute(query).scalar_one_or_none()
        if found is None:
            raise NotFound("There is no evening of that session.")
        return str(found)

    def evening(self, booking_id: str) -> Evening:
        """Everything before, at the door and after. Raises NotFound."""
        with self._database.read() as connection:
            return read_evening(connection, booking_id)

    def set_question(self, booking_id: str, words: str, why: str, known: str, owner_id: str | None) -> Question:
        """Another wording is checked anew. Raises NotFound, NotPossible."""
        with self._database.write() as connection:
            booking = read_booking(connection, booking_id)
            if owner_id is not None:
                need_guest(connection, booking, owner_id)
            row = evening_row(connection, booking)
            values = {"question": words, "why": why, "known": known, "owner_id": owner_id}
            if any(getattr(row, name) != value for name, value in values.items()):
                write_evening(connection, booking_id, **values, version=row.version + 1)
            return _question(connection, evening_row(connection, booking))

    def check_question(self, booking_id: str, person_id: str, version: int, now: float) -> Question:
        """A peer says: this is a question to be asked. Raises NotFound, NotPossible for the owner and for old words."""
        with self._database.write() as connection:
            booking = read_booking(connection, booking_id)
            need_guest(connection, booking, person_id)
            row = evening_row(connection, booking)
            if not row.question:
                raise NotPossible("There is no question yet to be checked.")
            if row.owner_id == person_id:
                raise NotPossible("Nobody checks their own question. Ask two others of the group.")
            if row.version != version:
                raise NotPossible("The question has changed meanwhile. Read it again before you check it.")
            mine = and_(question_checks.c.booking_id == booking_id, question_checks.c.person_id == person_id)
            connection.execute(delete(question_checks).where(mine))
            values = {"booking_id": booking_id, "person_id": person_id, "version": version, "checked_at": int(now)}
            connection.execute(insert(question_checks).values(**values))
            return _question(connection, row)

    def set_level(self, booking_id: str, level: Level, publish_from: Level) -> None:
        """What the evening proposes to keep; a confidential one keeps nothing. Raises NotFound, NotPossible."""
        with self._database.write() as connection:
            booking = read_booking(connection, booking_id)
            if booking.confidential and level > Level.NOTHING:
                raise NotPossible("Of a confidential evening nothing is kept.")
            evening_row(connection, booking)
            write_evening(connection, booking_id, level=int(level), publish_from=int(publish_from))

    def propose_tables(
        self, booking_id: str, per_table: int, seed: str, remote: Sequence[str] = ()
    ) -> tuple[SeatedTable, ...]:
        """Of those who are here, or before anybody came of the whole group. `remote`: who takes part from afar.

        Raises NotFound, also for somebody in `remote` who is none of the group.
        """
        with self._database.write() as connection:
            booking = read_booking(connection, booking_id)
            guests = guests_of(connection, booking)
            if set(remote) - {one.person_id for one in guests}:
                raise NotFound(NOT_IN_GROUP)
            here = [one for one in guests if one.came_at is not None and one.left_at is None]
            afar = {*remote, *(one.person_id for one in here if one.how == "online")}
            asked = [
                TableGuest(one.person_id, one.sector, one.organisation, one.side, one.new, one.person_id in afar)
                for one in here or guests
            ]
            found = propose(asked, per_table, seed, neighbours(_earlier_tables(connection, booking)))
            seated = tuple(SeatedTable(table.people, table.board) for table in found)
            _keep_tables(connection, booking, seated, seed)
            return seated

    def set_tables(self, booking_id: str, tables: Sequence[SeatedTable]) -> tuple[SeatedTable, ...]:
        """Moved by hand. Raises NotFound, NotPossible when somebody sits twice or is none of the group."""
        with self._database.write() as connection:
            booking = read_booking(connection, booking_id)
            seated = [name for table in tables for name in table.people]
            if len(set(seated)) != len(seated):
                raise NotPossible("Somebody sits at two tables. Look at the plan again.")
            if set(seated) - {one.person_id for one in guests_of(connection, booking)}:
                raise NotPossible("Somebody in the plan is not of this group. Look at the plan again.")
            kept = tuple(table for table in tables if table.people)
            _keep_tables(connection, booking, kept, str(evening_row(connection, booking).tables.get("seed", "")))
            return kept


def read_evening(connection: Connection, booking_id: str) -> Evening:
    booking = read_booking(connection, booking_id)
    row = peek(connection, booking)
    tables: dict[str, Any] = row["tables"]
    report = connection.execute(select(evening_reports).where(evening_reports.c.booking_id == booking_id)).one_or_none()
    published = report is not None and report.published_at is not None and report.withdrawn_at is None
    return Evening(
        booking.booking_id,
        booking.municipality_id,
        booking.series_id,
        group_behind(connection, booking),
        booking.title,
        booking.kind,
        booking.state,
        booking.mode,
        booking.starts,
        booking.ends,
        booking.zone,
        booking.starts_at,
        booking.ends_at,
        _where(connection, booking),
        booking.session_id,
        _session_state(connection, booking),
        _question_of(connection, booking_id, row),
        tuple(guests_of(connection, booking)),
        _seated(tables),
        str(tables.get("seed", "")),
        consent_of(connection, booking, Level(row["level"])),
        Level(row["publish_from"]),
        nameless(connection, booking_id),
        tuple(items_of(connection, booking_id)),
        tuple(_asked_about(connection, booking)),
        report.slug if report is not None and published else None,
        report.published_at if report is not None and published else None,
    )


def need_guest(connection: Connection, booking: Booking, person_id: str) -> None:
    """Raises NotFound for whoever is not of the group; for a group that is none, NotPossible."""
    group_id = group_behind(connection, booking)
    if group_id is None:
        raise NotPossible(NO_GROUP)
    here = and_(
        group_members.c.group_id == group_id, group_members.c.person_id == person_id, group_members.c.left_at.is_(None)
    )
    if connection.execute(select(group_members).where(here)).first() is None:
        raise NotFound(NOT_IN_GROUP)


def guests_of(connection: Connection, booking: Booking) -> list[Guest]:
    """Everybody of the group now, by name, with whether they came."""
    query = (
        select(group_members, people.c.name, people.c.across_sea)
        .join(people, people.c.person_id == group_members.c.person_id)
        .where(group_members.c.group_id == group_behind(connection, booking), group_members.c.left_at.is_(None))
        .order_by(people.c.name, people.c.person_id)
    )
    rows = connection.execute(query).all()
    houses = _houses(connection, [row.person_id for row in rows])
    came = here_now(connection, booking.booking_id)
    before = _came_before(connection, booking)
    return [
        _guest(row, houses.get(row.person_id), came.get(row.person_id), row.person_id not in before) for row in rows
    ]


def _guest(row: Row[Any], house: Row[Any] | None, came: Row[Any] | None, new: bool) -> Guest:
    across = row.across_sea if row.across_sea is not None or house is None else house.across_sea
    return Guest(
        row.person_id,
        row.name,
        row.role,
        "" if house is None else house.name,
        "" if house is None else house.sector,
        "" if across is None else "mainland" if across else "island",
        new,
        None if came is None else came.how,
        None if came is None else came.came_at,
        None if came is None else came.left_at,
    )


def _houses(connection: Connection, person_ids: Sequence[str]) -> dict[str, Row[Any]]:
    """Of each the first organisation that they work for."""
    query = (
        select(affiliations.c.person_id, organisations.c.name, organisations.c.sector, organisations.c.across_sea)
        .join(organisations, organisations.c.organisation_id == affiliations.c.organisation_id)
        .where(affiliations.c.person_id.in_(list(person_ids)))
        .order_by(affiliations.c.since_at.desc())
    )
    rows: list[Any] = list(connection.execute(query))
    return {str(row.person_id): row for row in rows}


def _came_before(connection: Connection, booking: Booking) -> set[str]:
    query = (
        select(attendances.c.person_id)
        .join(bookings, bookings.c.booking_id == attendances.c.booking_id)
        .where(bookings.c.series_id == booking.series_id, bookings.c.starts_at < booking.starts_at)
    )
    return {str(one) for one in connection.execute(query).scalars() if one is not None}


def _earlier_tables(connection: Connection, booking: Booking) -> list[list[tuple[str, ...]]]:
    query = (
        select(evenings.c.tables)
        .join(bookings, bookings.c.booking_id == evenings.c.booking_id)
        .where(bookings.c.series_id == booking.series_id, bookings.c.starts_at < booking.starts_at)
        .order_by(bookings.c.starts_at)
    )
    return [[table.people for table in _seated(tables)] for tables in connection.execute(query).scalars()]


def _seated(tables: dict[str, Any]) -> tuple[SeatedTable, ...]:
    return tuple(SeatedTable(tuple(one["people"]), bool(one["board"])) for one in tables.get("tables", ()))


def _keep_tables(connection: Connection, booking: Booking, tables: Sequence[SeatedTable], seed: str) -> None:
    evening_row(connection, booking)
    plain = [{"people": list(table.people), "board": table.board} for table in tables]
    write_evening(connection, booking.booking_id, tables={"seed": seed, "tables": plain})


def _fresh(booking: Booking) -> dict[str, Any]:
    level = usual(booking.kind, confidential=booking.confidential)
    plain = {"booking_id": booking.booking_id, "question": "", "why": "", "known": "", "owner_id": None, "version": 0}
    return {**plain, "level": int(level), "publish_from": int(PUBLISH_FROM), "tables": {}}


def peek(connection: Connection, booking: Booking) -> dict[str, Any]:
    """What was written about the evening, or what holds while nothing was."""
    row = connection.execute(select(evenings).where(evenings.c.booking_id == booking.booking_id)).one_or_none()
    return _fresh(booking) if row is None else dict(row._mapping)


def evening_row(connection: Connection, booking: Booking) -> Row[Any]:
    """Made when something is written for the first time."""
    here = select(evenings).where(evenings.c.booking_id == booking.booking_id)
    row = connection.execute(here).one_or_none()
    if row is None:
        connection.execute(insert(evenings).values(**_fresh(booking)))
        row = connection.execute(here).one()
    return row


def write_evening(connection: Connection, booking_id: str, **values: object) -> None:
    connection.execute(update(evenings).where(evenings.c.booking_id == booking_id).values(**values))


def _question(connection: Connection, row: Row[Any]) -> Question:
    return _question_of(connection, row.booking_id, dict(row._mapping))


def _question_of(connection: Connection, booking_id: str, row: dict[str, Any]) -> Question:
    query = select(question_checks.c.person_id).where(
        question_checks.c.booking_id == booking_id, question_checks.c.version == row["version"]
    )
    checks = connection.execute(query.order_by(question_checks.c.checked_at)).scalars()
    return Question(row["question"], row["why"], row["known"], row["owner_id"], row["version"], tuple(checks))


def _where(connection: Connection, booking: Booking) -> tuple[str, ...]:
    query = (
        select(places.c.place_id, places.c.name, facilities.c.name.label("facility"))
        .join(facilities, facilities.c.facility_id == places.c.facility_id)
        .where(places.c.place_id.in_([one.place_id for one in booking.places]))
    )
    names = {row.place_id: f"{row.facility} {row.name}" for row in connection.execute(query)}
    return tuple(names[one.place_id] for one in booking.places if one.place_id in names)


def _session_state(connection: Connection, booking: Booking) -> Any:
    if booking.session_id is None:
        return "none"
    return need(connection, sessions, booking.session_id, "session").state


def _asked_about(connection: Connection, booking: Booking) -> list[HarvestItem]:
    return open_actions(connection, booking.series_id, booking.starts_at)
