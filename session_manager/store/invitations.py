"""Doors into one session: invitations with a code, and the cookies of people who only read along."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, insert, or_, select, update

from session_manager.records import Invitation
from session_manager.store.part import Part, need
from session_manager.store.secrets import hashed, new_id, new_secret
from session_manager.store.tables import invitations, sessions, views
from session_manager.store.values import InvitationRole, NewInvitation


class Invitations(Part):
    def add_invitation(
        self, session_id: str, role: InvitationRole, expires_at: float, uses: int | None
    ) -> NewInvitation:
        """`uses` None: as often as wanted until it expires. Raises NotFound."""
        code = new_secret(128)
        values = {
            "invitation_id": new_id(),
            "session_id": session_id,
            "code_hash": hashed(code),
            "role": role,
            "expires_at": expires_at,
            "uses_left": uses,
        }
        with self._database.write() as connection:
            need(connection, sessions, session_id, "session")
            row = connection.execute(insert(invitations).values(values).returning(invitations)).one()
            return NewInvitation(_invitation(row), code)

    def look_invitation(self, code: str, now: float) -> Invitation | None:
        """What the code opens, without using it up; None when it is unknown, expired or used up."""
        with self._database.read() as connection:
            row = connection.execute(select(invitations).where(_good(code, now))).one_or_none()
            return _invitation(row) if row is not None else None

    def redeem_invitation(self, code: str, now: float) -> Invitation | None:
        """Uses it once, in one statement: a code for one cannot let two in."""
        once = (
            update(invitations)
            .where(_good(code, now))
            .values(uses_left=invitations.c.uses_left - 1)
            .returning(invitations)
        )
        with self._database.write() as connection:
            row = connection.execute(once).one_or_none()
            return _invitation(row) if row is not None else None

    def open_view(self, session_id: str, now: float, ttl: float) -> str:
        """A cookie that lets a browser read one session. Raises NotFound."""
        cookie = new_secret()
        with self._database.write() as connection:
            need(connection, sessions, session_id, "session")
            connection.execute(delete(views).where(views.c.expires_at <= now))
            connection.execute(
                insert(views).values(
                    cookie_hash=hashed(cookie), session_id=session_id, opened_at=now, expires_at=now + ttl
                )
            )
        return cookie

    def view(self, cookie: str, now: float) -> str | None:
        """The identifier of the session this cookie opens."""
        mine = select(views.c.session_id).where(views.c.cookie_hash == hashed(cookie), views.c.expires_at > now)
        with self._database.read() as connection:
            return connection.execute(mine).scalar_one_or_none()


def _good(code: str, now: float) -> ColumnElement[bool]:
    left = or_(invitations.c.uses_left.is_(None), invitations.c.uses_left > 0)
    return and_(invitations.c.code_hash == hashed(code), invitations.c.expires_at > now, left)


def _invitation(row: Row[Any]) -> Invitation:
    return Invitation(row.invitation_id, row.session_id, row.role, row.expires_at, row.uses_left)
