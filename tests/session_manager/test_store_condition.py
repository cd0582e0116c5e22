"""In what condition a database is; looking at it changes nothing."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from session_manager.store import Store
from session_manager.store.condition import Condition, condition
from tests.session_manager.fresh import fresh
from tests.session_manager.hall import QUICK
from tests.session_manager.house import Databases


def made(folder: Path) -> Path:
    path = Path(fresh(folder / "hub.db"))
    Store.open(path, QUICK).close()
    return path


def files(folder: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in folder.iterdir()}


def test_a_database_of_this_version_is_current_and_stays_as_it_was(tmp_path: Path) -> None:
    path = made(tmp_path)
    before = files(tmp_path)
    assert condition(path) == Condition("current", read_through=True)
    assert files(tmp_path) == before


def test_one_that_a_hub_has_open_is_read_beside_it(tmp_path: Path) -> None:
    store = Store.open(Path(fresh(tmp_path / "hub.db")), QUICK)
    try:
        store.add_facility("壱岐", "Asia/Tokyo")
        before = {name: content for name, content in files(tmp_path).items() if name != "hub.db-shm"}
        assert {"hub.db", "hub.db-wal"} == set(before)
        assert condition(tmp_path / "hub.db").state == "current"
        assert before.items() <= files(tmp_path).items()
        store.add_facility("福岡", "Asia/Tokyo")
    finally:
        store.close()


@pytest.mark.parametrize(("revision", "state"), [("0001", "older"), ("from tomorrow", "newer")])
def test_one_of_another_version_is_told_and_not_migrated(tmp_path: Path, revision: str, state: str) -> None:
    path = made(tmp_path)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    connection.close()
    before = path.read_bytes()
    assert condition(path).state == state
    assert path.read_bytes() == before


def test_a_database_of_something_else_is_foreign(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "hub.db")
    connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.close()
    assert condition(tmp_path / "hub.db").state == "foreign"


def test_one_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    assert condition(tmp_path / "hub.db") == Condition("absent")
    assert not files(tmp_path)


def test_a_file_with_a_hole_is_damaged(tmp_path: Path) -> None:
    path = made(tmp_path)
    content = bytearray(path.read_bytes())
    content[8192 : 8192 + 65_536] = bytes(65_536)
    path.write_bytes(content)
    assert condition(path).state == "damaged"
    path.write_text("no database at all, but long enough to be read as one" * 100)
    assert condition(path).state == "damaged"


def test_a_folder_in_its_place_cannot_be_opened(tmp_path: Path) -> None:
    found = condition(tmp_path)
    assert (found.state, bool(found.detail)) == ("closed", True)


def test_both_kinds_of_database_are_judged_alike(databases: Databases) -> None:
    address = databases.new()
    databases.open(address)
    assert condition(address).state == "current"


def test_a_server_that_is_not_there_cannot_be_opened() -> None:
    found = condition("postgresql://shimawa@127.0.0.1:1/shimawa?connect_timeout=5")
    assert found.state == "closed"
