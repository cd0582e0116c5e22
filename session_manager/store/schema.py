"""Brings a database to this version's shape when the hub starts. Forward only."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

from session_manager.errors import StartFailed, StoreFailed
from session_manager.store.database import Database, check_postgresql

_SCRIPTS = Path(__file__).parent / "migrations"


def migrate(database: Database) -> None:
    """In one transaction: a start that fails half way leaves the database as it was. Raises StartFailed."""
    try:
        with database.write() as connection:
            _upgrade(connection)
    except StoreFailed as error:
        database.close()
        raise StartFailed(f"The hub's database cannot be opened: {error}") from error
    except StartFailed:
        database.close()
        raise


@cache
def known_revisions() -> frozenset[str]:
    """Of every shape that this version can bring up to date. Read once: the scripts are part of the program."""
    return frozenset(script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions())


@cache
def newest_revision() -> str | None:
    return ScriptDirectory.from_config(_config()).get_current_head()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    return config


def _upgrade(connection: Connection) -> None:
    check_postgresql(connection)
    current = MigrationContext.configure(connection).get_current_revision()
    if current is not None and current == newest_revision():
        return
    config = _config()
    config.attributes["connection"] = connection
    if current is not None and current not in known_revisions():
        raise StartFailed(
            "The hub's database was written by a newer version of Shimawa. Install that version or restore a backup."
        )
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StartFailed(f"The hub's database could not be brought up to date: {error}") from error
