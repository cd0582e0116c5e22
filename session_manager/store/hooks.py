"""Webhooks of a municipality and what waits to be delivered to them. At least once: a claim ends by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, and_, delete, insert, select, update

from session_manager.errors import NotPossible
from session_manager.notices import Letter
from session_manager.store.notice_tables import office_mail, webhook_deliveries, webhooks
from session_manager.store.outbox import enqueue
from session_manager.store.part import Part, need
from session_manager.store.people import need_here
from session_manager.store.secrets import new_id
from session_manager.store.tables import municipalities
from session_manager.store.webhook_rows import put_delivery
from session_manager.webhooks import EVENT_NAMES, GIVE_UP_S, KEEP_S, retry_at, test_body

CLAIM_S = 120.0
"""Longer than one try can take (`session_manager.courier.TOTAL_S`)."""
MAX_HOOKS = 20


@dataclass(frozen=True, slots=True)
class Webhook:
    """`failing_since`: nothing was taken since; `disabled_at`: given up, until somebody enables it again."""

    webhook_id: str
    municipality_id: str
    url: str
    events: tuple[str, ...]
    created_at: float
    failing_since: float | None
    disabled_at: float | None
    failure: str | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one webhook; `delivery_id` is the message's identifier in every try."""

    delivery_id: str
    webhook_id: str
    url: str
    event: str
    body: str
    attempts: int


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """For people who look after it."""

    delivery_id: str
    event: str
    state: str
    attempts: int
    created_at: float
    sent_at: float | None
    failure: str | None


class Webhooks(Part):
    def add_webhook(self, municipality_id: str, url: str, events: Sequence[str], now: float) -> Webhook:
        """Raises NotFound, NotPossible for events that are none or when there are too many."""
        if not events or not all(EVENT_NAMES.fullmatch(one) for one in events):
            raise NotPossible("Name events like booking.made, booking.* or session.*.")
        values = {"webhook_id": new_id(), "municipality_id": municipality_id, "url": url, "events": list(events)}
        mine = select(webhooks.c.webhook_id).where(webhooks.c.municipality_id == municipality_id)
        with self._database.write() as connection:
            need(connection, municipalities, municipality_id, "municipality")
            if len(connection.execute(mine).all()) >= MAX_HOOKS:
                raise NotPossible(f"There are {MAX_HOOKS} webhooks already. Remove one first.")
            made = insert(webhooks).values(**values, created_at=now).returning(webhooks)
            return _hook(connection.execute(made).one())

    def webhooks(self, municipality_id: str) -> list[Webhook]:
        query = select(webhooks).where(webhooks.c.municipality_id == municipality_id).order_by(webhooks.c.created_at)
        with self._database.read() as connection:
            return [_hook(row) for row in connection.execute(query)]

    def remove_webhook(self, municipality_id: str, webhook_id: str) -> None:
        """What waits for it goes with it. Raises NotFound."""
        with self._database.write() as connection:
            need_here(connection, webhooks, webhook_id, municipality_id, "webhook")
            connection.execute(delete(webhook_deliveries).where(webhook_deliveries.c.webhook_id == webhook_id))
            connection.execute(delete(webhooks).where(webhooks.c.webhook_id == webhook_id))

    def enable_webhook(self, municipality_id: str, webhook_id: str, now: float) -> Webhook:
        """Again after it was switched off; what waited is tried now. Raises NotFound."""
        here = webhooks.c.webhook_id == webhook_id
        fresh = {"failing_since": None, "disabled_at": None, "failure": None}
        waits = and_(webhook_deliveries.c.webhook_id == webhook_id, webhook_deliveries.c.state == "waiting")
        with self._database.write() as connection:
            need_here(connection, webhooks, webhook_id, municipality_id, "webhook")
            connection.execute(update(webhook_deliveries).where(waits).values(next_at=now))
            return _hook(connection.execute(update(webhooks).where(here).values(**fresh).returning(webhooks)).one())

    def try_webhook(self, municipality_id: str, webhook_id: str, now: float) -> str:
        """Puts a test message on its way; its identifier. Raises NotFound."""
        with self._database.write() as connection:
            need_here(connection, webhooks, webhook_id, municipality_id, "webhook")
            return put_delivery(connection, webhook_id, "webhook.test", test_body(now), now)

    def deliveries(self, municipality_id: str, webhook_id: str, limit: int = 100) -> list[DeliveryRow]:
        """The newest. Raises NotFound."""
        mine = select(webhook_deliveries).where(webhook_deliveries.c.webhook_id == webhook_id)
        with self._database.read() as connection:
            need_here(connection, webhooks, webhook_id, municipality_id, "webhook")
            newest = mine.order_by(webhook_deliveries.c.created_at.desc()).limit(limit)
            rows = connection.execute(newest).all()
        return [DeliveryRow(**{name: getattr(row, name) for name in DeliveryRow.__dataclass_fields__}) for row in rows]

    def claim_deliveries(self, now: float, limit: int) -> list[Delivery]:
        """Due ones of webhooks that are on, and those whose claim ran out; old ones that were taken are forgotten."""
        due = and_(webhook_deliveries.c.state.in_(("waiting", "claimed")), webhook_deliveries.c.next_at <= now)
        old = and_(webhook_deliveries.c.state.in_(("sent", "dead")), webhook_deliveries.c.next_at <= now - KEEP_S)
        query = (
            select(webhook_deliveries, webhooks.c.url)
            .join(webhooks, webhooks.c.webhook_id == webhook_deliveries.c.webhook_id)
            .where(due, webhooks.c.disabled_at.is_(None))
            .order_by(webhook_deliveries.c.next_at, webhook_deliveries.c.delivery_id)
            .limit(limit)
        )
        with self._database.read() as connection:
            if connection.execute(query.limit(1)).first() is None:
                return []
        with self._database.write() as connection:
            connection.execute(delete(webhook_deliveries).where(old))
            found = connection.execute(query).all()
            for row in found:
                values = {"state": "claimed", "next_at": now + CLAIM_S, "attempts": row.attempts + 1}
                connection.execute(update(webhook_deliveries).where(_one(row.delivery_id)).values(**values))
        return [
            Delivery(row.delivery_id, row.webhook_id, row.url, row.event, row.body, row.attempts + 1) for row in found
        ]

    def delivery_taken(self, delivery: Delivery, now: float) -> None:
        here = webhooks.c.webhook_id == delivery.webhook_id
        values = {"state": "sent", "sent_at": now, "next_at": now, "failure": None}
        with self._database.write() as connection:
            connection.execute(update(webhook_deliveries).where(_one(delivery.delivery_id)).values(**values))
            connection.execute(update(webhooks).where(here).values(failing_since=None, failure=None))

    def delivery_failed(self, delivery: Delivery, failure: str, now: float, *, gone: bool = False) -> bool:
        """Waits longer each time. True: the webhook was switched off now, and its office is told.

        `gone`: the other side said that it wants no more (410).
        """
        again = retry_at(delivery.attempts, now)
        values: dict[str, object] = {"state": "waiting", "next_at": again} if again else {"state": "dead"}
        here = webhooks.c.webhook_id == delivery.webhook_id
        with self._database.write() as connection:
            failed = update(webhook_deliveries).where(_one(delivery.delivery_id))
            connection.execute(failed.values(**values, failure=failure[:200]))
            row = connection.execute(select(webhooks).where(here)).one_or_none()
            if row is None or row.disabled_at is not None:
                return False
            since = row.failing_since or now
            off = gone or now - since >= GIVE_UP_S
            news = {"failing_since": since, "failure": failure[:200], "disabled_at": now if off else None}
            connection.execute(update(webhooks).where(here).values(**news))
            if off:
                _tell_office(connection, row, now)
            return off


def _tell_office(connection: Any, hook: Row[Any], now: float) -> None:
    mine = select(office_mail).where(office_mail.c.municipality_id == hook.municipality_id)
    office = connection.execute(mine).one_or_none()
    if office is not None:
        letter = Letter(f"webhook_off:{hook.webhook_id}:{now:.0f}", "webhook_off", (("url", hook.url),))
        enqueue(connection, letter.to(office.mail, office.language, hook.municipality_id), now)


def _one(delivery_id: str) -> Any:
    return webhook_deliveries.c.delivery_id == delivery_id


def _hook(row: Row[Any]) -> Webhook:
    values = {name: getattr(row, name) for name in Webhook.__dataclass_fields__}
    return Webhook(**{**values, "events": tuple(row.events)})
