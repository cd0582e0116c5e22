"""A new database already in this version's shape, so that a test does not wait for every migration again.

The migrations run for real once a process (and in their own tests); each test gets a copy of the file they left, and
opens it like any other: the hub looks at its version and finds nothing to do.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from session_manager.store import Store


@cache
def _migrated() -> bytes:
    with TemporaryDirectory(prefix="shimawa-fresh-") as folder:
        path = Path(folder) / "hub.db"
        Store.open(path).close()  # the last one to close folds the log into the file
        assert not path.with_name("hub.db-wal").exists()
        return path.read_bytes()


def fresh(path: Path) -> Path:
    """For `Store.open`. What is there already is left alone."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_migrated())
    return path
