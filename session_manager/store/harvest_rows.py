"""What an evening left: questions, actions, quotes, as rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from session_manager.evening_records import HarvestItem
from session_manager.store.booking_tables import bookings
from session_manager.store.evening_tables import harvest_items
from session_manager.store.people_tables import people


def items_of(connection: Connection, booking_id: str) -> list[HarvestItem]:
    """In the order of writing."""
    query = _items().where(harvest_items.c.booking_id == booking_id)
    return [
        _item(row) for row in connection.execute(query.order_by(harvest_items.c.created_at, harvest_items.c.item_id))
    ]


def open_actions(connection: Connection, series_id: str | None, before: int) -> list[HarvestItem]:
    """Of earlier evenings of the series, those nobody has called done: they are asked about."""
    if series_id is None:
        return []
    query = _items().where(
        bookings.c.series_id == series_id,
        bookings.c.starts_at < before,
        harvest_items.c.kind == "action",
        harvest_items.c.done_at.is_(None),
    )
    found = connection.execute(query.order_by(bookings.c.starts_at, harvest_items.c.created_at))
    return [_item(row, datetime.fromisoformat(row.starts)) for row in found]


def _items() -> Any:
    return (
        select(harvest_items, people.c.name, bookings.c.starts)
        .join(bookings, bookings.c.booking_id == harvest_items.c.booking_id)
        .join(people, people.c.person_id == harvest_items.c.person_id, isouter=True)
    )


def _item(row: Row[Any], starts: datetime | None = None) -> HarvestItem:
    return HarvestItem(
        row.item_id,
        row.booking_id,
        row.kind,
        row.words,
        row.person_id,
        row.name or "",
        row.due_on,
        row.yes_at,
        row.done_at,
        starts,
    )
