"""A store in a real file, a hall with two rooms, the web over both, and a browser for its pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from session_manager.store import Store
from tests.session_manager.hall import Hall, Web, open_store, open_web
from tests.session_manager.house import Databases
from tests.session_manager.kinds import postgresql

if TYPE_CHECKING:
    from playwright.async_api import Browser


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


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One for all pages that a process tests, in one loop; each test opens a profile of its own in it."""
    from tests.session_manager.site import chromium

    async with chromium() as made:
        yield made
