"""Which packages an extra asks for, and which of them are here."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from signaling.examining.packages import Needed, look, needed

ASKED = [
    "numpy",
    'aiortc==1.16.0; extra == "hub"',
    'psycopg[binary]; extra == "postgresql"',
    'uvloop; sys_platform != "win32" and extra == "hub"',
    'pywin32>=3; sys_platform == "win32" and extra == "hub"',
]


def test_only_the_extras_own_packages_of_this_platform_are_asked_for() -> None:
    assert needed(ASKED, "hub", "linux") == [Needed("aiortc", "1.16.0"), Needed("uvloop")]
    assert needed(ASKED, "hub", "win32") == [Needed("aiortc", "1.16.0"), Needed("pywin32")]
    assert needed(ASKED, "postgresql", "linux") == [Needed("psycopg")]


@pytest.mark.parametrize("extra", ["hub", "board"])
def test_what_is_installed_here_is_enough(extra: str) -> None:
    (finding,) = look(extra, sys.platform)
    assert (finding.level, f"that a {extra} needs" in finding.sentence) == ("well", True)


def test_what_is_missing_or_another_version_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "little-1.0.dist-info"
    folder.mkdir()
    asked = ("numpy==0.1", "nothing-of-that-name", "pydantic")
    (folder / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: little\nVersion: 1.0\n"
        + "".join(f'Requires-Dist: {one}; extra == "hub"\n' for one in asked)
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    missing, other = look("hub", "linux", "little")
    assert (missing.level, other.level) == ("wrong", "wrong")
    assert "missing: nothing-of-that-name." in missing.sentence
    assert "numpy" in other.sentence
    assert "pydantic" not in other.sentence


def test_a_folder_of_sources_does_not_say_what_it_needs() -> None:
    (finding,) = look("hub", "linux", "nothing-of-that-name")
    assert finding.level == "attention"
