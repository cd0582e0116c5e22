"""Each test file says what it needs; shared scripted fakes ship in the packages.

Where a change is judged (CI is set) Hypothesis tries the same cases each time; elsewhere it looks for new ones.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Generator

import pytest
from hypothesis import settings

# What takes longest begins first, so that at the end no worker waits for another's long test; a module's tests stay
# together, and between the browsers come tests that need none.
LONGEST = (
    *("test_demo", "test_kills", "test_journey_evening", "test_bad_circumstances", "test_journey_class", "test_faults"),
    *("test_browser", "test_random_kills", "test_journey_telework", "test_portaudio", "test_journey_office"),
    *("test_browser_names", "test_api_fuzz", "test_browser_call", "test_attacks", "test_browser_join", "test_worker"),
    *("test_browser_week", "test_mending", "test_browser_live", "test_route_matrix", "test_browser_self", "test_agent"),
    *("test_browser_approvals", "test_keeping", "test_browser_office", "test_formats", "test_browser_panel"),
)

settings.register_profile("here", deadline=None)
settings.register_profile("judged", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("judged" if os.environ.get("CI") else "here")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is imported for the tests stays until the end: the collector does not look through it again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.stem, len(LONGEST)))
