"""The epoch rises with every start and is never used twice."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from room_agent.epochs import EpochCounter
from room_agent.errors import CannotStart


def test_every_start_has_a_higher_epoch(tmp_path: Path) -> None:
    first = EpochCounter(tmp_path / "state")
    assert first.current == 1
    assert first.next() == 2
    assert EpochCounter(tmp_path / "state").current == 3


def test_a_damaged_counter_is_not_guessed(tmp_path: Path) -> None:
    (tmp_path / "epoch").write_text("3x")
    with pytest.raises(CannotStart, match="number"):
        EpochCounter(tmp_path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotStart, match="state folder"):
        EpochCounter(tmp_path / "file" / "state")


def test_it_rises_on_a_full_disk_too(tiny_disk: Path) -> None:
    counter = EpochCounter(tiny_disk)
    for _ in range(8):
        counter.next()
    with contextlib.suppress(OSError):
        (tiny_disk / "ballast").write_bytes(b"x" * (1 << 20))
    assert [counter.next(), counter.next()] == [10, 11]
    assert EpochCounter(tiny_disk).current == 12
