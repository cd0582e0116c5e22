"""One database and its two kinds of transaction.

SQLite runs in WAL mode with `synchronous=FULL`: what was acknowledged survives a power cut. Its driver's own
transaction handling is switched off (it begins late and commits early); we say BEGIN ourselves, and writers say
BEGIN IMMEDIATE so that they wait at the door instead of failing in the middle. Threads of this process queue on a
lock, which is fair where SQLite's own waiting is not; the busy time-out is for other processes (`shimawa admin`).
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from session_manager.errors import StartFailed, StoreFailed

_BUSY_MS = 15_000
_WRITE = "shimawa_write"


class Database:
    """`before_commit` is asked at the end of every write, in its transaction."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.before_commit: Callable[[Connection], None] | None = None
        self._writer = threading.Lock()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent snapshot."""
        with _translated(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction: everything or nothing; an exception rolls it back."""
        with _translated(), self._writer, self.engine.connect() as connection:
            connection.info.clear()
            with connection.execution_options(**{_WRITE: True}).begin():
                yield connection
                if self.before_commit is not None:
                    self.before_commit(connection)

    def close(self) -> None:
        self.engine.dispose()


def connect(path_or_url: str | Path) -> Database:
    """Raises StartFailed for a URL nobody understands or a folder that cannot be made."""
    url = _url(path_or_url)
    if url.get_backend_name() == "sqlite":
        _make_private(url.database)
    try:
        engine = create_engine(url, pool_size=8, max_overflow=8, hide_parameters=True)
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise StartFailed(f"The database address cannot be used: {error}. Give a file name or a full URL.") from error
    if url.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return Database(engine)


def _url(path_or_url: str | Path) -> URL:
    text = str(path_or_url)
    if "://" not in text:
        return URL.create("sqlite", database=text)
    try:
        return make_url(text)
    except ArgumentError as error:
        raise StartFailed(
            "The database address is not a URL. Give a file name or something like sqlite:///hub.db."
        ) from error


def _make_private(database: str | None) -> None:
    """The file is for its owner only: it holds what people said."""
    if not database or database == ":memory:":
        raise StartFailed("The hub keeps its record in a file. Give the name of one, not a database in memory.")
    path = Path(database)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StartFailed(
            f"The database {path} cannot be opened for writing ({error.strerror}). Check the folder."
        ) from error


def _prepare_sqlite(dbapi_connection: sqlite3.Connection, _record: object) -> None:
    dbapi_connection.isolation_level = None
    for pragma in (f"busy_timeout={_BUSY_MS}", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        dbapi_connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get(_WRITE) else "BEGIN")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (DBAPIError, PoolTimeout) as error:
        cause = str(error.orig) if isinstance(error, DBAPIError) else "every connection is busy"
        raise StoreFailed(f"The database did not take this ({cause}). Check the disk, then try again.") from error
