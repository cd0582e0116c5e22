"""Letters that wait to be sent. One is written in the transaction of its cause, and once.

waiting -> claimed -> sent, or back to waiting, or dead after the last try. When a hub starts, it first learns from
the journal of letters (`session_manager.sent_journal`) what the mail server took, and tries the rest of what a killed
one had claimed again, with the same Message-ID. So a letter is never lost; when one can go twice: decision 0033.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, insert, select, true, update

from session_manager.notices import Letter, retry_at
from session_manager.store.part import Part
from session_manager.store.people_tables import outbox
from session_manager.store.secrets import new_id

CLAIM_S = 3 * 3600.0
"""Longer than a batch can take with every time-out of `session_manager.mail`, which gives each letter some minutes."""
_CHUNK = 400


@dataclass(frozen=True, slots=True)
class Notice:
    notice_id: str
    message_id: str
    recipient: str
    subject: str
    body: str
    calendar: str | None
    method: str | None
    attempts: int


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """For people who look after it; without the text."""

    notice_id: str
    cause: str
    recipient: str
    state: str
    attempts: int
    created_at: float
    sent_at: float | None
    failure: str | None


class Outbox(Part):
    def post(self, letter: Letter, now: float) -> bool:
        """A letter without any other change. False: it was written before."""
        with self._database.write() as connection:
            return enqueue(connection, letter, now)

    def claim_notices(self, now: float, limit: int = 20) -> list[Notice]:
        """Due ones, and those whose claim ran out; nobody else gets them until the claim ends."""
        due = and_(outbox.c.state.in_(("waiting", "claimed")), outbox.c.next_at <= now)
        with self._database.write() as connection:
            found = connection.execute(select(outbox).where(due).order_by(outbox.c.next_at).limit(limit)).all()
            claimed = []
            for row in found:
                attempts = row.attempts + 1
                here = outbox.c.notice_id == row.notice_id
                connection.execute(
                    update(outbox).where(here).values(state="claimed", next_at=now + CLAIM_S, attempts=attempts)
                )
                claimed.append(_notice(row, attempts))
            return claimed

    def settle_notices(self, taken: Collection[str], now: float) -> None:
        """`taken` were sent, whatever is written here; what else is claimed waits again: no sender has it any more."""
        known = sorted(taken)
        with self._database.write() as connection:
            for start in range(0, len(known), _CHUNK):
                here = and_(outbox.c.notice_id.in_(known[start : start + _CHUNK]), outbox.c.state != "sent")
                connection.execute(update(outbox).where(here).values(**_sent(now)))
            left = outbox.c.state == "claimed"
            connection.execute(update(outbox).where(left).values(state="waiting", next_at=now))

    def notice_sent(self, notice_id: str, now: float) -> None:
        """The text is not kept: it may hold a link."""
        here = outbox.c.notice_id == notice_id
        with self._database.write() as connection:
            connection.execute(update(outbox).where(here).values(**_sent(now)))

    def notice_failed(self, notice_id: str, failure: str, now: float, *, for_good: bool = False) -> None:
        """`for_good`: the mail system will never take it. `failure`: a code, no address."""
        here = outbox.c.notice_id == notice_id
        with self._database.write() as connection:
            row = connection.execute(select(outbox.c.attempts).where(here)).one()
            again = None if for_good else retry_at(row.attempts, now)
            values: dict[str, object] = {"state": "waiting", "next_at": again} if again else {"state": "dead"}
            connection.execute(update(outbox).where(here).values(**values, failure=failure[:200]))

    def retry_notice(self, municipality_id: str | None, notice_id: str, now: float) -> bool:
        """A dead letter gets all its tries again. `municipality_id` None: of any."""
        here = and_(outbox.c.notice_id == notice_id, outbox.c.state == "dead", _of(municipality_id))
        with self._database.write() as connection:
            changed = connection.execute(update(outbox).where(here).values(state="waiting", next_at=now, attempts=0))
            return changed.rowcount == 1

    def outbox(self, municipality_id: str | None, limit: int = 200) -> list[OutboxRow]:
        """The newest; `municipality_id` None: of all."""
        query = select(outbox).where(_of(municipality_id)).order_by(outbox.c.created_at.desc()).limit(limit)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return [OutboxRow(**{name: getattr(row, name) for name in OutboxRow.__dataclass_fields__}) for row in rows]


def enqueue(connection: Connection, letter: Letter, now: float) -> bool:
    """In the caller's transaction. False: this cause wrote its letter before."""
    if connection.execute(select(outbox.c.notice_id).where(outbox.c.cause == letter.cause)).first() is not None:
        return False
    subject, body = letter.text()
    notice_id = new_id()
    connection.execute(
        insert(outbox).values(
            notice_id=notice_id,
            cause=letter.cause,
            municipality_id=letter.municipality_id,
            message_id=f"<{notice_id}.{new_id()}@shimawa.invalid>",
            recipient=letter.recipient,
            subject=subject,
            body=body,
            calendar=letter.calendar,
            method=letter.method,
            state="waiting",
            attempts=0,
            next_at=now,
            created_at=now,
        )
    )
    return True


def _sent(now: float) -> dict[str, object]:
    return {"state": "sent", "sent_at": now, "body": "", "calendar": None, "failure": None}


def _of(municipality_id: str | None) -> Any:
    return true() if municipality_id is None else outbox.c.municipality_id == municipality_id


def _notice(row: Row[Any], attempts: int) -> Notice:
    return Notice(
        row.notice_id,
        row.message_id,
        row.recipient,
        row.subject,
        row.body,
        row.calendar,
        row.method,
        attempts,
    )


__all__ = ["CLAIM_S", "Letter", "Notice", "Outbox", "OutboxRow", "enqueue"]
