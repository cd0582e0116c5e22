"""What the office's morning is made of: boards, wishes that wait, reports, letters, records. Reads only."""

from __future__ import annotations

from sqlalchemy import Connection, exists, func, or_, select

from session_manager.morning import BoardFact, Facts, PrecheckFact, RecordFact, ReportFact
from session_manager.records import Session
from session_manager.store.booking_tables import bookings
from session_manager.store.municipalities import homes_of
from session_manager.store.panel_tables import board_devices, door_reports, prechecks
from session_manager.store.part import Part
from session_manager.store.people_tables import outbox
from session_manager.store.sessions import with_sites
from session_manager.store.tables import boards, facilities, gaps, rooms, sessions

RECORDS_S = 3 * 86_400.0
MOST_RECORDS = 20
_DEVICES = ("microphone", "speaker", "camera")


class Mornings(Part):
    def morning_facts(self, municipality_id: str, now: float) -> Facts:
        """What the store knows; the live half adds the rest."""
        with self._database.read() as connection:
            return Facts(
                boards=tuple(_boards(connection, municipality_id)),
                reports=tuple(_reports(connection, municipality_id)),
                prechecks=tuple(_prechecks(connection, municipality_id, now)),
                requests_start_at=tuple(_requests(connection, municipality_id, now)),
                letters_given_up=_given_up(connection, municipality_id),
                records=tuple(_records(connection, municipality_id, now)),
            )

    def sessions_unbooked(self, municipality_id: str, from_at: float, until_at: float) -> list[Session]:
        """That touch the time and were made without a booking, by planned start."""
        booked = exists().where(bookings.c.session_id == sessions.c.session_id)
        query = (
            select(sessions)
            .where(sessions.c.starts_at < until_at, sessions.c.ends_at > from_at, ~booked)
            .order_by(sessions.c.starts_at, sessions.c.session_id)
        )
        with self._database.read() as connection:
            found = with_sites(connection, connection.execute(query).all())
            return [one for one in found if municipality_id in homes_of(connection, one.session_id)]


def _boards(connection: Connection, municipality_id: str) -> list[BoardFact]:
    query = (
        select(boards, rooms.c.name.label("room"), *(board_devices.c[name] for name in (*_DEVICES, "told_at")))
        .join(rooms, rooms.c.room_id == boards.c.room_id)
        .join(board_devices, board_devices.c.board_id == boards.c.board_id, isouter=True)
        .join(facilities, facilities.c.facility_id == rooms.c.facility_id)
        .where(facilities.c.municipality_id == municipality_id)
        .order_by(boards.c.name)
    )
    return [
        BoardFact(
            row.board_id,
            row.name,
            row.room,
            row.enrolled_at,
            row.last_seen_at,
            {name: row.told_at for name in _DEVICES if getattr(row, name) is False},
        )
        for row in connection.execute(query)
    ]


def _reports(connection: Connection, municipality_id: str) -> list[ReportFact]:
    query = (
        select(door_reports.c.kind, door_reports.c.reported_at, rooms.c.name)
        .join(rooms, rooms.c.room_id == door_reports.c.room_id)
        .where(door_reports.c.municipality_id == municipality_id, door_reports.c.resolved_at.is_(None))
    )
    return [ReportFact(row.name, row.kind, row.reported_at) for row in connection.execute(query)]


def _prechecks(connection: Connection, municipality_id: str, now: float) -> list[PrecheckFact]:
    """Of sessions that have not begun: each site whose board was not ready at the last look."""
    query = (
        select(prechecks.c.session_id, prechecks.c.findings, sessions.c.title, sessions.c.starts_at)
        .join(sessions, sessions.c.session_id == prechecks.c.session_id)
        .where(sessions.c.state == "planned", sessions.c.ends_at > now, sessions.c.confidential.is_(False))
        .order_by(sessions.c.starts_at)
    )
    return [
        PrecheckFact(row.title, str(one["site"]), row.starts_at)
        for row in connection.execute(query).all()
        if municipality_id in homes_of(connection, row.session_id)
        for one in row.findings
        if one["state"] not in {"ready", "none"}
    ]


def _requests(connection: Connection, municipality_id: str, now: float) -> list[float]:
    """Requests, and other times asked for what is approved already."""
    asks = or_(bookings.c.state == "requested", bookings.c.proposal.is_not(None))
    query = select(bookings.c.starts_at).where(
        bookings.c.municipality_id == municipality_id,
        bookings.c.state.in_(("requested", "confirmed", "offered", "in_use")),
        bookings.c.ends_at > now,
        asks,
    )
    return [float(one) for one in connection.execute(query.order_by(bookings.c.starts_at)).scalars()]


def _given_up(connection: Connection, municipality_id: str) -> int:
    query = select(func.count()).select_from(outbox)
    mine = query.where(outbox.c.municipality_id == municipality_id, outbox.c.state == "dead")
    return int(connection.execute(mine).scalar_one())


def _records(connection: Connection, municipality_id: str, now: float) -> list[RecordFact]:
    holed = exists().where(gaps.c.session_id == sessions.c.session_id)
    query = (
        select(sessions.c.session_id, sessions.c.title, sessions.c.completed_at)
        .where(
            sessions.c.state == "ended",
            sessions.c.ends_at > now - RECORDS_S,
            sessions.c.confidential.is_(False),
            or_(sessions.c.completed_at.is_(None), holed),
        )
        .order_by(sessions.c.ends_at.desc())
        .limit(MOST_RECORDS)
    )
    return [
        RecordFact(row.session_id, row.title, row.completed_at is None)
        for row in connection.execute(query).all()
        if municipality_id in homes_of(connection, row.session_id)
    ]
