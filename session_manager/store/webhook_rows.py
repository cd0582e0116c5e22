"""Messages to other programs: rows beside what they tell, one per webhook that asked for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from session_manager.booking_records import Booking
from session_manager.store.notice_tables import webhook_deliveries, webhooks
from session_manager.store.secrets import new_id
from session_manager.webhooks import booking_body, wanted


def booking_events(
    connection: Connection, events: Sequence[Row[Any]], found: Mapping[str, Booking], now: float
) -> None:
    for event in events:
        booking = found[event.booking_id]
        body = booking_body(event.number, event.what, event.happened_at, booking)
        deliver(connection, booking.municipality_id, f"booking.{event.what}", body, now)


def deliver(connection: Connection, municipality_id: str, event: str, body: str, now: float) -> None:
    """A row for each webhook of the municipality that listens to this and is not switched off."""
    mine = webhooks.c.municipality_id == municipality_id
    for hook in connection.execute(select(webhooks).where(mine, webhooks.c.disabled_at.is_(None))).all():
        if wanted(event, hook.events):
            connection.execute(
                insert(webhook_deliveries).values(
                    delivery_id=f"msg_{new_id()}",
                    webhook_id=hook.webhook_id,
                    event=event,
                    body=body,
                    state="waiting",
                    attempts=0,
                    created_at=now,
                    next_at=now,
                )
            )
