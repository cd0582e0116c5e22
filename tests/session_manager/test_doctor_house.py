"""Disk, database, clock, memory: what is said of each."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_manager.doctor_house import (
    CONDITIONS,
    clock_is_kept,
    cores,
    judge_clock,
    judge_database,
    judge_room,
    look_at_clock,
    look_at_database,
    look_at_machine,
    look_at_room,
    memory,
)
from session_manager.settings import HubSettings
from session_manager.store.condition import Condition
from tests.session_manager.fresh import fresh

LEVELS = {"well": 0, "attention": 1, "wrong": 2}


@given(st.integers(0, 1 << 44), st.integers(0, 1 << 44))
def test_more_room_is_never_worse(one: int, other: int) -> None:
    less, more = sorted((one, other))
    assert LEVELS[judge_room(less).level] >= LEVELS[judge_room(more).level]


def test_room_is_said_in_hours_of_talk() -> None:
    assert "room for about 2 hours of one board's talk" in judge_room(40_000_000).sentence
    assert [judge_room(one).level for one in (40_000_000, 400_000_000, 4_000_000_000)] == ["wrong", "attention", "well"]


@pytest.mark.parametrize("state", CONDITIONS)
def test_every_condition_of_a_database_has_its_words(state: str) -> None:
    finding = judge_database(Condition(state, "torn page."))  # type: ignore[arg-type]
    assert (finding.next == "") == (finding.level == "well")
    assert "{" not in finding.sentence


def test_a_database_that_others_may_read_is_told(tmp_path: Path) -> None:
    path = Path(fresh(tmp_path / "shimawa.db"))
    path.chmod(0o644)
    found = list(look_at_database(HubSettings(data=tmp_path)))
    assert [(one.code, one.level) for one in found] == [("database", "well"), ("database_private", "wrong")]
    assert "no damage was found" in found[0].sentence
    path.chmod(0o600)
    assert len(list(look_at_database(HubSettings(data=tmp_path)))) == 1


def test_a_log_folder_elsewhere_is_looked_at_itself(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    found = list(look_at_room(HubSettings(data=tmp_path / "data", log_folder=tmp_path)))
    assert [one.code for one in found] == ["log_private", "disk"]


def test_a_clock_that_nobody_keeps_and_one_of_which_nothing_is_known_differ() -> None:
    findings = [judge_clock(kept) for kept in (True, False, None)]
    assert [one.level for one in findings] == ["well", "attention", "attention"]
    assert "timedatectl set-ntp true" in findings[1].next
    assert "not known" in findings[2].sentence
    assert list(look_at_clock()) == [judge_clock(clock_is_kept())]


def test_memory_and_cores_are_read_from_this_machine() -> None:
    total, free = memory()
    assert total is not None
    assert free is not None
    assert 0 < free <= total
    assert cores() > 0
    (finding,) = look_at_machine()
    assert "core" in finding.sentence
