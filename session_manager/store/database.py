"""One database and its two kinds of transaction: a reader sees one moment, writers go one after the other.

SQLite runs in WAL mode with `synchronous=FULL`: what was acknowledged survives a power cut. A write that need not last
says NORMAL: its commit does not wait for the disk, and the next one that lasts takes it along. Its driver's own
transaction handling is switched off (it begins late and commits early); we say BEGIN ourselves, and writers say
BEGIN IMMEDIATE so that they wait at the door instead of failing in the middle. Threads of this process queue on a
lock, which is fair where SQLite's own waiting is not; the busy time-out is for other processes (`shimawa admin`).

PostgreSQL keeps the same two promises (decision 0034): readers say REPEATABLE READ, READ ONLY; each writer takes one
lock of the database before its first statement, so that what it looks at stays so until it has written.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from session_manager.errors import NotPossible, StartFailed, StoreFailed

_BUSY_MS = 15_000
_WRITERS = 0x5348494D
"""PostgreSQL's lock that writers of one database pass on to each other; any number that nobody else uses."""
_WRITE = "shimawa_write"
_LASTING = "shimawa_lasting"

_OPTIONS: dict[str, dict[str, Any]] = {"postgresql": {"pool_pre_ping": True}}
"""The server may have been started anew since."""
_READING: dict[str, dict[str, Any]] = {
    "postgresql": {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
}


class Database:
    """`before_commit` is asked at the end of every write, in its transaction."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._reading = engine.execution_options(**_READING.get(engine.dialect.name, {}))
        self.before_commit: Callable[[Connection], None] | None = None
        self._writer = threading.Lock()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent snapshot."""
        with _translated(), self._reading.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self, *, lasting: bool = True) -> Iterator[Connection]:
        """One transaction: everything or nothing; an exception rolls it back.

        Not `lasting`: nobody waits for the medium. A power cut may take it back, together with what followed it of the
        same kind and never with what lasts; so it is for what is known elsewhere, or told again.
        """
        with _translated(), self._writer, self.engine.connect() as connection:
            connection.info.clear()
            with connection.execution_options(**{_WRITE: True, _LASTING: lasting}).begin():
                yield connection
                if self.before_commit is not None:
                    self.before_commit(connection)

    def close(self) -> None:
        self.engine.dispose()


def connect(path_or_url: str | Path) -> Database:
    """Raises StartFailed for a URL nobody understands or a folder that cannot be made."""
    url = _url(path_or_url)
    kind = url.get_backend_name()
    if kind == "sqlite":
        _make_private(url.database)
    try:
        engine = create_engine(url, pool_size=8, max_overflow=8, hide_parameters=True, **_OPTIONS.get(kind, {}))
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise StartFailed(f"The database address cannot be used: {error}. Give a file name or a full URL.") from error
    if kind == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    elif kind == "postgresql":
        event.listen(engine, "connect", _prepare_postgresql)
        event.listen(engine, "begin", _begin_postgresql)
    return Database(engine)


def check_postgresql(connection: Connection) -> None:
    """Names are sorted and compared there as in SQLite: by their characters' numbers. Raises StartFailed."""
    if connection.dialect.name != "postgresql":
        return
    encoding, by_number = connection.execute(text("SELECT current_setting('server_encoding'), 'B' < 'a'")).one()
    if encoding != "UTF8" or not by_number:
        raise StartFailed(
            "This PostgreSQL database was not made for Shimawa. Make a new one: "
            "createdb --template template0 --encoding UTF8 --locale C shimawa"
        )


def _url(path_or_url: str | Path) -> URL:
    address = str(path_or_url)
    if "://" not in address:
        return URL.create("sqlite", database=address)
    try:
        url = make_url(address)
    except ArgumentError as error:
        raise StartFailed(
            "The database address is not a URL. Give a file name or something like postgresql://shimawa@host/shimawa."
        ) from error
    return url.set(drivername="postgresql+psycopg") if url.drivername in ("postgres", "postgresql") else url


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
    options = connection.get_execution_options()
    if options.get(_WRITE):
        connection.exec_driver_sql(f"PRAGMA synchronous={'FULL' if options[_LASTING] else 'NORMAL'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get(_WRITE) else "BEGIN")


def _prepare_postgresql(dbapi_connection: Any, _record: object) -> None:
    """Plans are small and many: compiling them costs more than it gives."""
    with dbapi_connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = {_BUSY_MS}; SET jit = off")
    dbapi_connection.commit()


def _begin_postgresql(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get(_WRITE):
        if not options[_LASTING]:
            connection.execute(text("SET LOCAL synchronous_commit = off"))
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_WRITERS})"))


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except DataError as error:
        raise NotPossible("This holds a letter or a number that cannot be kept.") from error
    except (DBAPIError, PoolTimeout) as error:
        cause = str(error.orig) if isinstance(error, DBAPIError) else "every connection is busy"
        raise StoreFailed(f"The database did not take this ({cause}). Check the disk, then try again.") from error
