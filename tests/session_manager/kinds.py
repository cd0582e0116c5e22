"""Which kind of database a run is about: `SHIMAWA_TEST_STORE=postgresql`, or else SQLite. Read here and nowhere else.

PostgreSQL: one server a process, begun when the first test asks for a store and ended with the process; each folder has
a database of its own, copied from one that was migrated once.
"""

from __future__ import annotations

import atexit
import os
from contextlib import ExitStack
from functools import cache
from itertools import count
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import inspect, make_url, select, table, text

from session_manager.passwords import Passwords
from session_manager.store import Store
from tests.session_manager.fresh import fresh
from tests.session_manager.postgres import USER, new_database, server

POSTGRESQL = os.environ.get("SHIMAWA_TEST_STORE", "sqlite") == "postgresql"
_KEPT = 40
"""Databases of stores that are closed; the oldest is dropped when there are more."""
_numbers = count()
_addresses: dict[Path, str] = {}


def open_at(path: Path, passwords: Passwords) -> Store:
    """The store of that name: the file itself, or the database that stands for it in this run."""
    return Store.open(address_of(path), passwords)


def address_of(path: Path) -> str | Path:
    if not POSTGRESQL:
        return fresh(path)
    if path not in _addresses:
        _drop_old()
        _addresses[path] = new_database(postgresql(), f"test{next(_numbers)}", shape(postgresql()))
    return _addresses[path]


@cache
def postgresql() -> Path:
    """The folder of the socket of this process's server."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(server())


@cache
def shape(folder: Path) -> str:
    """The name of a database on that server in this version's shape: others are copied from it."""
    Store.open(new_database(folder, "shape")).close()
    return "shape"


def _drop_old() -> None:
    """Not what is open still: its turn comes again."""
    if len(_addresses) < _KEPT:
        return
    with psycopg.connect(host=str(postgresql()), user=USER, dbname="postgres", autocommit=True) as connection:
        busy = {row[0] for row in connection.execute("SELECT datname FROM pg_stat_activity WHERE datname IS NOT NULL")}
        for path, address in [*_addresses.items()][: 1 - _KEPT]:
            name = make_url(address).database or ""
            if name not in busy:
                connection.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))
                del _addresses[path]


def everything(store: Store) -> str:
    """All that stands in any of its tables."""
    with store._database.read() as connection:
        names = inspect(connection).get_table_names()
        rows = [row for name in names for row in connection.execute(select(text("*")).select_from(table(name)))]
    return "\n".join(str(tuple(row)) for row in rows)
