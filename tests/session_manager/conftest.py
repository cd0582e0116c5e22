"""A store in a real file, a hall with two rooms, and the web over both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from session_manager.store import Store
from tests.session_manager.hall import Hall, Web, open_store, open_web
from tests.session_manager.house import Databases
from tests.session_manager.kinds import postgresql


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(tmp_path)
    yield store
    store.close()


@pytest.fixture
def hall(store: Store) -> Hall:
    return Hall(store)


@pytest.fixture
def web(hall: Hall) -> Web:
    return open_web(hall)


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Databases]:
    """Of both kinds, whatever the run is about."""
    made = Databases(request.param, tmp_path, postgresql() if request.param == "postgresql" else None)
    yield made
    made.close()
