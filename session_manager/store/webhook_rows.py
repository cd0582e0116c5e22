"""Messages to other programs: rows beside what they tell, one per webhook that asked for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from session_manager.booking_records import Booking
from session_manager.store.municipalities import homes_of
from session_manager.store.notice_tables import webhook_deliveries, webhooks
from session_manager.store.secrets import new_id
from session_manager.webhooks import booking_body, session_body, wanted


def booking_events(
    connection: Connection, events: Sequence[Row[Any]], found: Mapping[str, Booking], now: float
) -> None:
    hooks = _listening(connection)
    for event in events if hooks else ():
        booking = found[event.booking_id]
        body = booking_body(event.number, event.what, event.happened_at, booking)
        _deliver(connection, hooks, frozenset({booking.municipality_id}), f"booking.{event.what}", body, now)


def session_event(connection: Connection, session: Row[Any], what: str, now: float) -> None:
    hooks = _listening(connection)
    if hooks:
        homes = homes_of(connection, session.session_id)
        body = session_body(f"session.{what}", now, session.session_id, session.confidential)
        _deliver(connection, hooks, homes, f"session.{what}", body, now)


def put_delivery(connection: Connection, webhook_id: str, event: str, body: str, now: float) -> str:
    delivery_id = f"msg_{new_id()}"
    plain = {"delivery_id": delivery_id, "webhook_id": webhook_id, "event": event, "body": body}
    times = {"created_at": now, "next_at": now}
    connection.execute(insert(webhook_deliveries).values(**plain, **times, state="waiting", attempts=0))
    return delivery_id


def _listening(connection: Connection) -> Sequence[Row[Any]]:
    return connection.execute(select(webhooks).where(webhooks.c.disabled_at.is_(None))).all()


def _deliver(
    connection: Connection, hooks: Sequence[Row[Any]], homes: frozenset[str], event: str, body: str, now: float
) -> None:
    for hook in hooks:
        if hook.municipality_id in homes and wanted(event, hook.events):
            put_delivery(connection, hook.webhook_id, event, body, now)
