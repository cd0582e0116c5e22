"""Door panels: made for a room, opened once by a link, known from then on by a cookie, taken back at any time."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, Select, and_, delete, insert, select, update

from session_manager.errors import NotFound
from session_manager.panel import NewPanel, Panel
from session_manager.store.panel_tables import panel_answers, panels
from session_manager.store.part import Part
from session_manager.store.secrets import hashed, new_id, new_secret
from session_manager.store.tables import facilities, rooms

KEY_TTL_S = 24 * 3600.0
AGAIN_S = 600.0
"""After the first opening, for a tablet that did not get the answer."""
SEEN_S = 30.0
ANSWER_S = 86_400.0
NO_PANEL = "There is no panel with that identifier."


class Panels(Part):
    def add_panel(self, municipality_id: str, room_id: str, name: str, now: float) -> NewPanel:
        """Raises NotFound for a room of another municipality."""
        key, panel_id = new_secret(), new_id()
        with self._database.write() as connection:
            _need_room(connection, municipality_id, room_id)
            values = {"panel_id": panel_id, "room_id": room_id, "name": name, "made_at": now}
            values |= {"key_hash": hashed(key), "key_expires_at": now + KEY_TTL_S}
            connection.execute(insert(panels).values(values))
            return NewPanel(_read(connection, panels.c.panel_id == panel_id), key)

    def panels(self, municipality_id: str) -> list[Panel]:
        """Those that were not taken back."""
        query = _query().where(facilities.c.municipality_id == municipality_id, panels.c.revoked_at.is_(None))
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(facilities.c.name, rooms.c.name, panels.c.made_at))
            return [_panel(row) for row in rows]

    def panel(self, panel_id: str) -> Panel:
        """Raises NotFound, also for one that was taken back."""
        with self._database.read() as connection:
            return _read(connection, and_(panels.c.panel_id == panel_id, panels.c.revoked_at.is_(None)))

    def renew_panel(self, municipality_id: str, panel_id: str, now: float) -> NewPanel:
        """A new link for the same door. The tablet that is there goes on until the link is opened."""
        key = new_secret()
        with self._database.write() as connection:
            here = _mine(connection, municipality_id, panel_id)
            connection.execute(update(panels).where(here).values(key_hash=hashed(key), key_expires_at=now + KEY_TTL_S))
            return NewPanel(_read(connection, here), key)

    def revoke_panel(self, municipality_id: str, panel_id: str, now: float) -> None:
        """At once. Raises NotFound."""
        with self._database.write() as connection:
            here = _mine(connection, municipality_id, panel_id)
            gone = {"revoked_at": now, "key_hash": None, "cookie_hash": None}
            connection.execute(update(panels).where(here).values(gone))

    def open_panel(self, key: str, now: float) -> str | None:
        """The cookie of the tablet that opened the link; the one before it knows nothing any more."""
        cookie = new_secret()
        good = and_(panels.c.key_hash == hashed(key), panels.c.key_expires_at > now, panels.c.revoked_at.is_(None))
        values = {"cookie_hash": hashed(cookie), "opened_at": now, "last_seen_at": now}
        with self._database.write() as connection:
            row = connection.execute(select(panels.c.panel_id, panels.c.key_expires_at).where(good)).one_or_none()
            if row is None:
                return None
            here = panels.c.panel_id == row.panel_id
            until = min(row.key_expires_at, now + AGAIN_S)
            connection.execute(update(panels).where(here).values(**values, key_expires_at=until))
            return cookie

    def panel_by_cookie(self, cookie: str, now: float) -> Panel | None:
        """Notes that it was seen, at most twice a minute."""
        good = and_(panels.c.cookie_hash == hashed(cookie), panels.c.revoked_at.is_(None))
        with self._database.read() as connection:
            row = connection.execute(_query().where(good)).one_or_none()
        if row is None:
            return None
        if row.last_seen_at is None or now - row.last_seen_at >= SEEN_S:
            with self._database.write() as connection:
                connection.execute(update(panels).where(good).values(last_seen_at=now))
        return _panel(row)

    def panel_answer(self, panel_id: str, request_key: str) -> Any:
        """What this request was answered before; None: it is new."""
        here = and_(panel_answers.c.panel_id == panel_id, panel_answers.c.request_key == request_key)
        with self._database.read() as connection:
            return connection.execute(select(panel_answers.c.answer).where(here)).scalar_one_or_none()

    def keep_panel_answer(self, panel_id: str, request_key: str, answer: Any, now: float) -> None:
        """For a day."""
        values = {"panel_id": panel_id, "request_key": request_key, "answer": answer, "answered_at": now}
        here = and_(panel_answers.c.panel_id == panel_id, panel_answers.c.request_key == request_key)
        with self._database.write() as connection:
            connection.execute(delete(panel_answers).where(panel_answers.c.answered_at < now - ANSWER_S))
            connection.execute(delete(panel_answers).where(here))
            connection.execute(insert(panel_answers).values(values))


def _query() -> Select[Any]:
    return (
        select(
            panels,
            rooms.c.name.label("room"),
            facilities.c.name.label("facility"),
            facilities.c.timezone,
            facilities.c.municipality_id,
        )
        .join(rooms, rooms.c.room_id == panels.c.room_id)
        .join(facilities, facilities.c.facility_id == rooms.c.facility_id)
    )


def _read(connection: Connection, where: Any) -> Panel:
    row = connection.execute(_query().where(where)).one_or_none()
    if row is None:
        raise NotFound(NO_PANEL)
    return _panel(row)


def _mine(connection: Connection, municipality_id: str, panel_id: str) -> Any:
    here = and_(panels.c.panel_id == panel_id, panels.c.revoked_at.is_(None))
    if _read(connection, here).municipality_id != municipality_id:
        raise NotFound(NO_PANEL)
    return here


def _need_room(connection: Connection, municipality_id: str, room_id: str) -> None:
    query = (
        select(rooms.c.room_id)
        .join(facilities, facilities.c.facility_id == rooms.c.facility_id)
        .where(rooms.c.room_id == room_id, facilities.c.municipality_id == municipality_id)
    )
    if connection.execute(query).one_or_none() is None:
        raise NotFound("There is no room with that identifier.")


def _panel(row: Row[Any]) -> Panel:
    return Panel(**{name: getattr(row, name) for name in Panel.__dataclass_fields__})
