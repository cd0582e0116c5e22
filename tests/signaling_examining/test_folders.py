"""Folders that hold what people said: who may read them, and whether they take anything."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.examining.folders import (
    SLOW_S,
    VERY_SLOW_S,
    beside,
    judge_write,
    judged,
    look_at_folder,
    look_at_writes,
    owned,
    privacy,
)


def levels(findings: object) -> list[tuple[str, str]]:
    return [(one.code, one.level) for one in findings]  # type: ignore[attr-defined]


def test_a_private_folder_is_well_and_stays_as_it_was(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    assert levels([*look_at_folder("data", tmp_path, "It"), *look_at_writes("writes", tmp_path)])[0] == ("data", "well")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_yet_is_not_made(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    (finding,) = look_at_folder("data", folder, "The data folder")
    assert (finding.level, "will be made" in finding.sentence) == ("well", True)
    assert beside(folder) == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_its_place_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "data"
    file.write_text("x")
    assert levels(look_at_folder("data", file, "It")) == [("data", "wrong")]


def test_a_folder_that_takes_nothing_is_wrong() -> None:
    assert levels(look_at_folder("data", Path("/proc/self"), "It")) == [("data", "wrong")]


@pytest.mark.parametrize(
    ("mode", "level"), [(0o700, None), (0o600, None), (0o750, "attention"), (0o640, "attention"), (0o755, "wrong")]
)
def test_who_may_read_it_is_told_with_the_way_to_mend_it(tmp_path: Path, mode: int, level: str | None) -> None:
    file = tmp_path / "secret"
    file.write_text("x")
    file.chmod(mode)
    found = list(privacy("secret", file, "The secret"))
    assert [one.level for one in found] == ([level] if level else [])
    assert all(f"chmod 600 {file}" in one.next for one in found)


@given(st.integers(0, 0o777))
def test_only_its_owner_may_read_it_or_something_is_said(mode: int) -> None:
    finding = judged("x", mode, "It", "chmod")
    assert (finding is None) == (mode & 0o077 == 0)


def test_a_folder_of_another_user_is_told() -> None:
    assert levels(owned("data_owner", 1000, 0, "It")) == [("data_owner", "attention")]
    assert levels(owned("data_owner", 1000, 1000, "It")) == []


def test_a_secret_that_is_not_there_is_wrong(tmp_path: Path) -> None:
    assert levels(privacy("secret", tmp_path / "none", "The secret")) == [("secret", "wrong")]


@given(st.floats(0, 10))
def test_the_slower_the_disk_the_worse_it_is(took_s: float) -> None:
    expected = "well" if took_s < SLOW_S else "attention" if took_s < VERY_SLOW_S else "wrong"
    assert judge_write("writes", took_s).level == expected


def test_a_disk_that_is_too_quick_to_be_one_is_named() -> None:
    assert "less than 0.1 ms here: nobody will notice it. A cache" in judge_write("writes", 0.00003).sentence
    assert judge_write("writes", 0.0021).sentence.endswith("takes 2.1 ms here: nobody will notice it.")
