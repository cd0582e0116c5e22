"""SQLite and PostgreSQL side by side: the same shape, the same promises to readers and writers."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, make_url, text

from session_manager.errors import NotPossible, StartFailed
from session_manager.hub import Hub
from session_manager.settings import load_settings
from session_manager.store import Store
from session_manager.store.tables import metadata
from tests.session_manager.hall import QUICK, Hall
from tests.session_manager.house import Databases
from tests.session_manager.kinds import postgresql
from tests.session_manager.postgres import USER, new_database
from tests.session_manager.test_admin import run


def shape_of(connection: Connection) -> dict[str, Any]:
    """Everything but types, which each database names in its own words."""
    looking = inspect(connection)
    found: dict[str, Any] = {}
    for table in looking.get_table_names():
        found[table] = {
            "columns": [(one["name"], one["nullable"]) for one in looking.get_columns(table)],
            "primary": looking.get_pk_constraint(table)["constrained_columns"],
            "foreign": sorted(
                (one["constrained_columns"], one["referred_table"], one["referred_columns"])
                for one in looking.get_foreign_keys(table)
            ),
            "unique": sorted(one["column_names"] for one in looking.get_unique_constraints(table)),
            "indexes": sorted(
                (str(one["name"]), one["column_names"], bool(one["unique"]))
                for one in looking.get_indexes(table)
                if not one.get("duplicates_constraint") and one["name"] != "no_overlap"
            ),
            "checks": sorted(str(one["name"]) for one in looking.get_check_constraints(table)),
        }
    return found


def test_both_databases_are_of_one_shape(tmp_path: Path) -> None:
    shapes = []
    for kind in ("sqlite", "postgresql"):
        databases = Databases(kind, tmp_path, postgresql() if kind == "postgresql" else None)
        with databases.open(databases.new())._database.read() as connection:
            assert compare_metadata(MigrationContext.configure(connection), metadata) == []
            shapes.append(shape_of(connection))
        databases.close()
    assert shapes[0] == shapes[1]


def test_one_path_through_each_part(databases: Databases) -> None:
    hall = Hall(databases.open(databases.new()))
    assert hall.stream().epoch == 0


def test_a_reader_sees_one_moment_and_changes_nothing(databases: Databases) -> None:
    address = databases.new()
    reading, writing = databases.open(address), databases.open(address)
    count = text("SELECT count(*) FROM facilities")
    with reading._database.read() as connection:
        before = connection.execute(count).scalar_one()
        writing.add_facility("壱岐", "Asia/Tokyo")
        assert connection.execute(count).scalar_one() == before
    with reading._database.read() as connection:
        assert connection.execute(count).scalar_one() == before + 1


def test_two_hubs_write_one_after_the_other(databases: Databases) -> None:
    """Each reads what it will write and waits for the other before it looks."""
    address = databases.new()
    stores = [databases.open(address) for _ in range(2)]
    stores[0].add_facility("0", "Asia/Tokyo")

    def count_up(store: Store) -> None:
        for _ in range(20):
            with store._database.write() as connection:
                number = int(connection.execute(text("SELECT name FROM facilities")).scalar_one())
                connection.execute(text("UPDATE facilities SET name = :name"), {"name": str(number + 1)})

    threads = [threading.Thread(target=count_up, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.name for one in stores[0].facilities()] == ["40"]


def test_a_postgresql_that_sorts_by_a_language_is_refused_with_what_to_do() -> None:
    address = new_database(postgresql(), "by_language", "template0 LOCALE_PROVIDER icu ICU_LOCALE 'ja'")
    with pytest.raises(StartFailed, match=r"createdb .* --locale C"):
        Store.open(address, QUICK)


def test_one_setting_puts_an_installation_into_postgresql(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIMAWA_DATABASE", new_database(postgresql(), "installed").replace("+psycopg", ""))
    assert run(tmp_path, "board", "add", "左", "--facility", "壱岐", "--room", "会議室") == 0
    assert run(tmp_path, "backup", str(tmp_path / "b.zip")) == 2
    hub = Hub(load_settings(None, data=tmp_path, port=0, media_port=0, model="none"))
    assert [one.name for one in hub.store.boards()] == ["左"]
    hub.store.close()
    hub._socket.close()
    hub._lock.release()
    assert not (tmp_path / "shimawa.db").exists()


def test_a_database_server_that_was_started_anew_is_found_again() -> None:
    address = new_database(postgresql(), "left_alone")
    store = Store.open(address, QUICK)
    store.add_facility("壱岐", "Asia/Tokyo")
    with psycopg.connect(host=str(postgresql()), user=USER, dbname="postgres", autocommit=True) as connection:
        name = make_url(address).database
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
    assert [one.name for one in store.facilities()] == ["壱岐"]
    store.close()


def test_a_letter_that_only_one_of_them_could_keep_is_refused_and_no_fault_of_the_disk() -> None:
    store = Store.open(new_database(postgresql(), "letters"), QUICK)
    with pytest.raises(NotPossible, match="cannot be kept"):
        store.add_facility("壱\0岐", "Asia/Tokyo")
    store.close()
