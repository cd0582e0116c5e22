"""A copy of the store's file while the hub goes on writing, and a look at whether such a copy is whole."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from session_manager.errors import NotPossible, StoreFailed
from session_manager.store.schema import known_revisions

PAGES = 4_096
"""Of 4 KiB each: one step of the copy, after which progress is told."""

RESTORED = "restored"
"""Why a letter was given up that waited in a backup."""


def snapshot(source: Path, target: Path, progress: Callable[[int, int], None]) -> str:
    """The state of one moment, however much is written meanwhile; its revision. `progress`: pages done, of all.

    The copy reads within one transaction, so nothing that is written later is in it and nothing makes it start again.
    Raises NotPossible (no store there), StoreFailed.
    """
    if not source.is_file():
        raise NotPossible(f"There is no hub's database at {source}. Give its folder with --data.")
    os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with closing(sqlite3.connect(source, isolation_level=None)) as reading, closing(_copy(target)) as copy:
            reading.execute("PRAGMA busy_timeout=15000")
            reading.execute("BEGIN")
            reading.execute("SELECT count(*) FROM sqlite_master").fetchone()  # from here on it sees this moment
            reading.backup(copy, pages=PAGES, progress=lambda _status, left, all_: progress(all_ - left, all_))
            copy.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        raise StoreFailed(f"The database could not be copied ({error}). Check the disk, then try again.") from error
    return checked(target)


def checked(path: Path) -> str:
    """The revision of a whole store of this or an older version. Raises NotPossible."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as copy:
            words = [row[0] for row in copy.execute("PRAGMA integrity_check(5)")]
            broken = copy.execute("PRAGMA foreign_key_check").fetchone()
            revision = copy.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error as error:
        raise NotPossible(f"The database in it is damaged or none of ours ({error}). Take another backup.") from error
    if words != ["ok"] or broken is not None or revision is None:
        raise NotPossible("The database in it is damaged. Take another backup.")
    if revision[0] not in known_revisions():
        raise NotPossible("The database in it was written by a newer version of Shimawa. Install that version first.")
    return str(revision[0])


def hold_letters(path: Path) -> int:
    """Of a copy that is put back: what waited is given up, to be sent again by hand; how many. The hub that the copy is
    of went on and sent it, as far as anybody knows. Raises StoreFailed."""
    held = "UPDATE outbox SET state = 'dead', failure = ? WHERE state IN ('waiting', 'claimed')"
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as copy:
            if copy.execute("SELECT 1 FROM sqlite_master WHERE name = 'outbox'").fetchone() is None:
                return 0  # of a time without letters
            return copy.execute(held, (RESTORED,)).rowcount
    except sqlite3.Error as error:
        raise StoreFailed(f"The letters in the copy could not be held ({error}). Check the disk.") from error


def _copy(target: Path) -> sqlite3.Connection:
    return sqlite3.connect(target, isolation_level=None)
