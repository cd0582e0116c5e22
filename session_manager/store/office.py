"""Letters to a municipality's office that are not about a booking."""

from __future__ import annotations

from sqlalchemy import Connection, or_, select

from session_manager.notices import Letter
from session_manager.store.notice_tables import office_mail
from session_manager.store.outbox import enqueue
from session_manager.store.people_tables import grants, people


def tell_office(connection: Connection, municipality_id: str, letter: Letter, now: float) -> int:
    """In the caller's transaction: to the office's own address, else to everybody with an office role; how many."""
    mine = select(office_mail.c.mail, office_mail.c.language).where(office_mail.c.municipality_id == municipality_id)
    found = connection.execute(mine).all()
    if not found:
        with_role = (
            select(people.c.mail, people.c.language)
            .join(grants, grants.c.person_id == people.c.person_id)
            .where(
                grants.c.municipality_id == municipality_id,
                grants.c.role.in_(("administrator", "staff")),
                or_(grants.c.expires_at.is_(None), grants.c.expires_at > now),
                people.c.mail.is_not(None),
            )
            .distinct()
            .order_by(people.c.mail, people.c.language)
        )
        found = connection.execute(with_role).all()
    return sum(enqueue(connection, letter.to(mail, language, municipality_id), now) for mail, language in found)
