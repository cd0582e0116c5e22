"""Addresses of calendars, entries read from other calendars, and answers to invitations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, and_, delete, insert, select, update

from session_manager.attendance import Reply
from session_manager.errors import NotFound, NotPossible
from session_manager.people import Feed, Secret
from session_manager.store.part import Part, need
from session_manager.store.people_tables import answers, feeds, imported_entries
from session_manager.store.secrets import hashed, new_id, new_secret
from session_manager.store.tables import municipalities

KINDS = frozenset({"person", "room", "public"})


class Calendars(Part):
    def add_feed(self, municipality_id: str, kind: str, subject_id: str, now: float) -> Secret:
        """A new address; 256 random bits, shown this once. Others of the same calendar go on until revoked."""
        if kind not in KINDS:
            raise NotPossible("A calendar is of a person, of a room, or public.")
        feed_id, secret = new_id(), new_secret()
        with self._database.write() as connection:
            need(connection, municipalities, municipality_id, "municipality")
            connection.execute(
                insert(feeds).values(
                    feed_id=feed_id,
                    secret_hash=hashed(secret),
                    municipality_id=municipality_id,
                    kind=kind,
                    subject_id=subject_id,
                    created_at=now,
                )
            )
        return Secret(feed_id, secret)

    def feed(self, secret: str) -> Feed | None:
        good = and_(feeds.c.secret_hash == hashed(secret), feeds.c.revoked_at.is_(None))
        with self._database.read() as connection:
            row = connection.execute(select(feeds).where(good)).one_or_none()
            if row is None:
                return None
            return Feed(row.feed_id, row.municipality_id, row.kind, row.subject_id, row.created_at)

    def feeds(self, municipality_id: str, subject_id: str | None = None) -> list[Feed]:
        query = select(feeds).where(feeds.c.municipality_id == municipality_id, feeds.c.revoked_at.is_(None))
        if subject_id is not None:
            query = query.where(feeds.c.subject_id == subject_id)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(feeds.c.created_at)).all()
        return [Feed(row.feed_id, row.municipality_id, row.kind, row.subject_id, row.created_at) for row in rows]

    def revoke_feed(self, municipality_id: str, feed_id: str, now: float, subject_id: str | None = None) -> None:
        """`subject_id`: only when it is of this person or room. Raises NotFound."""
        here = and_(
            feeds.c.feed_id == feed_id, feeds.c.municipality_id == municipality_id, feeds.c.revoked_at.is_(None)
        )
        if subject_id is not None:
            here = and_(here, feeds.c.subject_id == subject_id)
        with self._database.write() as connection:
            if connection.execute(update(feeds).where(here).values(revoked_at=now)).rowcount != 1:
                raise NotFound("There is no calendar address with that identifier.")

    def put_imported(self, municipality_id: str, source: str, entries: Sequence[Mapping[str, Any]], now: float) -> int:
        """The whole content of one source, instead of what it held before. Each with `uid` and `recurrence`."""
        mine = and_(imported_entries.c.municipality_id == municipality_id, imported_entries.c.source == source)
        unique = {(str(one["uid"])[:255], str(one.get("recurrence") or "")[:64]): one for one in entries}
        with self._database.write() as connection:
            need(connection, municipalities, municipality_id, "municipality")
            connection.execute(delete(imported_entries).where(mine))
            for (uid, recurrence), entry in unique.items():
                connection.execute(
                    insert(imported_entries).values(
                        municipality_id=municipality_id,
                        source=source,
                        uid=uid,
                        recurrence=recurrence,
                        entry=dict(entry),
                        imported_at=now,
                    )
                )
        return len(unique)

    def imported(self, municipality_id: str, source: str | None = None) -> list[dict[str, Any]]:
        query = select(imported_entries.c.entry).where(imported_entries.c.municipality_id == municipality_id)
        if source is not None:
            query = query.where(imported_entries.c.source == source)
        with self._database.read() as connection:
            return [dict(entry) for entry in connection.execute(query).scalars()]

    def answers(self, uid: str) -> dict[str, str]:
        """Status per attendee, of the whole series or single event."""
        query = select(answers.c.attendee, answers.c.status).where(answers.c.uid == uid, answers.c.recurrence == "")
        with self._database.read() as connection:
            return {row.attendee: row.status for row in connection.execute(query)}


def put_answer(connection: Connection, reply: Reply, recurrence: str) -> bool:
    """The newest answer of an attendee stands (RFC 5546 section 2.1.5); False: an older one came late."""
    here = and_(answers.c.uid == reply.uid, answers.c.recurrence == recurrence, answers.c.attendee == reply.attendee)
    values = {"status": reply.status, "sequence": reply.sequence, "stamped_at": reply.stamped_at}
    row = connection.execute(select(answers).where(here)).one_or_none()
    if row is None:
        mine = {"uid": reply.uid, "recurrence": recurrence, "attendee": reply.attendee}
        connection.execute(insert(answers).values(**mine, **values))
        return True
    if (row.sequence, row.stamped_at) >= (reply.sequence, reply.stamped_at):
        return False
    connection.execute(update(answers).where(here).values(**values))
    return True
