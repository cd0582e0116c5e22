"""What the parts of the store share. Each part is one subject; `Store` is all of them over one database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, Table, select

from session_manager.errors import NotFound
from session_manager.store.database import Database


class Part:
    def __init__(self, database: Database) -> None:
        self._database = database


def need(connection: Connection, table: Table, key: str, what: str) -> Row[Any]:
    """The row under that primary key; raises NotFound with a sentence."""
    row = connection.execute(select(table).where(table.primary_key.columns[0] == key)).one_or_none()
    if row is None:
        raise NotFound(f"There is no {what} with that identifier.")
    return row
