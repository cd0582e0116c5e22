"""Each test file says what it needs; shared scripted fakes ship in the packages.

Where a change is judged (CI is set) Hypothesis tries the same cases each time; elsewhere it looks for new ones.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Generator

import pytest
from hypothesis import settings

settings.register_profile("judged", derandomize=True, print_blob=True)
if os.environ.get("CI"):
    settings.load_profile("judged")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is imported for the tests stays until the end: the collector does not look through it again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()
