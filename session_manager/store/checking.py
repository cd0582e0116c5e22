"""Shortly before a session the hub looks at its boards and keeps what it found."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import Connection, delete, insert, select

from session_manager.panel import Check, SoonCheck
from session_manager.precheck import AGAIN_S, EARLY_S, BoardFacts, Finding, find
from session_manager.store.lesson_rows import check_of
from session_manager.store.panel_tables import board_devices, prechecks
from session_manager.store.part import Part
from session_manager.store.tables import boards, facilities, rooms, sessions, sites

KEPT_S = 7 * 86_400.0


class Checking(Part):
    def check_boards(self, now: float) -> int:
        """Every planned session that begins within ten minutes, or should have begun; how many were looked at."""
        due = select(sessions.c.session_id).where(
            sessions.c.state == "planned", sessions.c.starts_at - EARLY_S <= now, sessions.c.ends_at > now
        )
        with self._database.read() as connection:
            wanted = [str(one) for one in connection.execute(due).scalars() if _is_due(connection, str(one), now)]
            found = {one: _look(connection, one, now) for one in wanted}
        if found:
            with self._database.write() as connection:
                connection.execute(delete(prechecks).where(prechecks.c.checked_at < now - KEPT_S))
                for session_id, findings in found.items():
                    connection.execute(delete(prechecks).where(prechecks.c.session_id == session_id))
                    values = {"session_id": session_id, "checked_at": now}
                    connection.execute(insert(prechecks).values(**values, findings=[asdict(one) for one in findings]))
        return len(found)

    def precheck(self, session_id: str) -> Check | None:
        """The last look; None: there was none yet."""
        with self._database.read() as connection:
            return check_of(connection, session_id)

    def prechecks(self, municipality_id: str, now: float) -> list[SoonCheck]:
        """Of sessions with a room of this municipality that are planned and not over, looked at already; by start."""
        query = (
            select(sessions.c.session_id, sessions.c.title, sessions.c.starts_at, sessions.c.confidential)
            .join(prechecks, prechecks.c.session_id == sessions.c.session_id)
            .join(sites, sites.c.session_id == sessions.c.session_id)
            .join(rooms, rooms.c.room_id == sites.c.room_id)
            .join(facilities, facilities.c.facility_id == rooms.c.facility_id)
            .where(
                facilities.c.municipality_id == municipality_id, sessions.c.state == "planned", sessions.c.ends_at > now
            )
            .distinct()
            .order_by(sessions.c.starts_at, sessions.c.session_id)
        )
        with self._database.read() as connection:
            found = [(row, check_of(connection, row.session_id)) for row in connection.execute(query).all()]
        return [
            SoonCheck(row.session_id, "" if row.confidential else row.title, row.starts_at, check)
            for row, check in found
            if check is not None
        ]

    def board_has(self, board_id: str, found: dict[str, bool | None], now: float) -> None:
        """What a board found plugged in: `microphone`, `speaker`, `camera`. The same again keeps its first instant."""
        mine = board_devices.c.board_id == board_id
        same = select(board_devices.c.board_id).where(
            mine, *(board_devices.c[name].is_(one) for name, one in found.items())
        )
        with self._database.read() as connection:
            if connection.execute(same).first() is not None:
                return
        with self._database.write() as connection:
            connection.execute(delete(board_devices).where(mine))
            connection.execute(insert(board_devices).values(board_id=board_id, told_at=now, **found))


def _is_due(connection: Connection, session_id: str, now: float) -> bool:
    before = check_of(connection, session_id)
    return before is None or now - before.checked_at >= AGAIN_S


def _look(connection: Connection, session_id: str, now: float) -> list[Finding]:
    """Of every room of the session; who comes without a room brings the own device."""
    rooms_of = select(sites).where(sites.c.session_id == session_id, sites.c.room_id.is_not(None))
    found = []
    for site in connection.execute(rooms_of.order_by(sites.c.position)).all():
        there = select(boards, board_devices).join(
            board_devices, board_devices.c.board_id == boards.c.board_id, isouter=True
        )
        facts = [
            BoardFacts(row[0], row.last_seen_at, row.microphone, row.speaker, row.camera)
            for row in connection.execute(there.where(boards.c.room_id == site.room_id))
        ]
        found.append(find(site.site_id, site.name, facts, now))
    return found
