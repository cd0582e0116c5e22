"""In what condition a database is, without touching it: nothing is made, migrated or locked for long."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, create_engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from session_manager.errors import StartFailed, StoreFailed
from session_manager.store.database import check_postgresql, connect
from session_manager.store.schema import known_revisions, newest_revision

CHECKED_BYTES = 256 << 20
"""A file up to this size is read through for damage; a larger one would take minutes."""

State = Literal["absent", "current", "older", "newer", "foreign", "damaged", "closed"]


@dataclass(frozen=True, slots=True)
class Condition:
    """`absent`: made at the first start. `older`: brought up to date at the next start. `foreign`: no database of
    ours. `closed`: it cannot be opened; `detail` says why. `read_through`: looked at for damage."""

    state: State
    detail: str = ""
    read_through: bool = False


def condition(path_or_url: str | Path) -> Condition:
    if "://" in str(path_or_url):
        return _of_server(str(path_or_url))
    return _of_file(Path(path_or_url))


def _of_file(path: Path) -> Condition:
    if not path.exists() or (path.is_file() and path.stat().st_size == 0):
        return Condition("absent")
    # A file that nobody has open is read as it lies; one with a log beside it as its users do.
    waiting = path.with_name(path.name + "-wal").exists()
    address = f"file:{quote(str(path.absolute()))}?mode=ro{'' if waiting else '&immutable=1'}"
    engine = create_engine(
        "sqlite://", creator=lambda: sqlite3.connect(address, uri=True, timeout=5.0), poolclass=NullPool
    )
    try:
        with engine.connect() as connection:
            whole = path.stat().st_size <= CHECKED_BYTES
            if whole and (said := str(connection.execute(text("PRAGMA quick_check(1)")).scalar())) != "ok":
                return Condition("damaged", said)
            return Condition(_state(connection), read_through=whole)
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", error)
        torn = isinstance(cause, sqlite3.DatabaseError) and _torn(cause)
        return Condition("damaged" if torn else "closed", str(cause))
    finally:
        engine.dispose()


def _torn(error: sqlite3.DatabaseError) -> bool:
    return getattr(error, "sqlite_errorcode", 0) in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)


def _of_server(url: str) -> Condition:
    try:
        database = connect(url)
    except StartFailed as error:
        return Condition("closed", str(error))
    try:
        with database.read() as connection:
            check_postgresql(connection)
            return Condition(_state(connection))
    except (StoreFailed, StartFailed) as error:
        return Condition("closed", str(error))
    finally:
        database.close()


def _state(connection: Connection) -> State:
    found = MigrationContext.configure(connection).get_current_revision()
    if found is None:
        return "foreign" if inspect(connection).get_table_names() else "absent"
    if found == newest_revision():
        return "current"
    return "older" if found in known_revisions() else "newer"
