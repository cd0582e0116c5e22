"""Opening the store: migrations, durability settings, and files that are no store of ours."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from session_manager.errors import NotPossible, StartFailed, StoreFailed
from session_manager.store import Store
from session_manager.store.database import Database, connect
from session_manager.store.tables import metadata
from tests.session_manager.hall import NOW, QUICK, open_store


def test_the_migrations_make_exactly_the_tables_that_the_code_uses(store: Store) -> None:
    with store._database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_what_was_stored_is_there_after_opening_again(tmp_path: Path) -> None:
    first = open_store(tmp_path)
    facility = first.add_facility("壱岐", "Asia/Tokyo")
    first.close()
    again = open_store(tmp_path)
    assert again.facilities() == [facility]
    again.close()


def test_writes_are_in_wal_mode_and_wait_for_the_disk(tmp_path: Path) -> None:
    database = connect(tmp_path / "hub.db")
    with database.read() as connection:
        facts = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    database.close()
    assert facts == ["wal", 2, 1]


def test_only_what_need_not_last_does_not_wait_for_the_disk_and_only_that_once(tmp_path: Path) -> None:
    database = connect(tmp_path / "hub.db")
    waits = []
    for lasting in (True, False, True):
        with database.write(lasting=lasting) as connection:
            waits.append(connection.exec_driver_sql("PRAGMA synchronous").scalar())
    database.close()
    assert waits == [2, 1, 2]


def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    Store.open(tmp_path / "new" / "hub.db", QUICK).close()
    assert stat.S_IMODE((tmp_path / "new" / "hub.db").stat().st_mode) == 0o600


def _garbage(path: Path) -> None:
    path.write_bytes(b"this is no database, however long you look at it" * 100)


def _folder(path: Path) -> None:
    path.mkdir()


def _newer(path: Path) -> None:
    Store.open(path, QUICK).close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("update alembic_version set version_num = '9999'")


@pytest.mark.parametrize(
    ("spoil", "word"),
    [(_garbage, "opened"), (_folder, "folder"), (_newer, "newer version")],
    ids=["garbage", "folder", "newer"],
)
def test_what_is_no_store_of_this_version_is_refused_with_a_sentence(
    tmp_path: Path, spoil: Callable[[Path], None], word: str
) -> None:
    path = tmp_path / "hub.db"
    spoil(path)
    with pytest.raises(StartFailed, match=word):
        Store.open(path, QUICK)


@pytest.mark.parametrize("address", [":memory:", "nosuchdatabase://host/name", "://"])
def test_an_address_that_cannot_keep_anything_is_refused(address: str) -> None:
    with pytest.raises(StartFailed):
        Store.open(address, QUICK)


def test_a_url_is_as_good_as_a_path(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'hub.db'}", QUICK)
    assert store.facilities() == []
    store.close()


def test_many_threads_write_at_once_and_nothing_is_lost(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda n: store.add_facility(f"施設{n}", "Asia/Tokyo"), range(100)))
    assert len(store.facilities()) == 100
    store.close()


def test_two_processes_worth_of_stores_share_one_file(tmp_path: Path) -> None:
    """`shimawa admin` beside a running hub: another engine, another lock."""
    hub, admin = open_store(tmp_path), open_store(tmp_path)
    session_id = hub.add_session("t", NOW, NOW + 1, "Asia/Tokyo", []).session_id

    def join(n: int) -> None:
        (hub if n % 2 else admin).add_person(session_id, f"参加者{n}", "participant", ["ja"], NOW)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(join, range(40)))
    assert len(hub.seats(session_id)) == len(admin.seats(session_id)) == 40
    hub.close()
    admin.close()


def test_a_refused_write_leaves_nothing_behind_and_the_store_goes_on(store: Store) -> None:
    store.add_facility("壱岐", "Asia/Tokyo")
    with pytest.raises(NotPossible, match="name already"):
        store.add_facility("壱岐", "Asia/Tokyo")
    store.add_facility("福岡", "Asia/Tokyo")
    assert len(store.facilities()) == 2


def test_a_full_disk_is_a_sentence_and_not_the_end(tmp_path: Path) -> None:
    database = connect(tmp_path / "hub.db")
    with database.write() as connection:
        connection.exec_driver_sql("create table t (x)")
    with pytest.raises(StoreFailed, match="full"):
        _fill(database)
    with database.read() as connection:
        assert connection.exec_driver_sql("select count(*) from t").scalar() == 0
    database.close()


def _fill(database: Database) -> None:
    with database.write() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        connection.exec_driver_sql("insert into t values (zeroblob(1000000))")
