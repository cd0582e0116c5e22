"""The hub's own recognisers: how they are started, and the sentence when there are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from session_manager.recogniser import FIXTURE, Recogniser
from session_manager.settings import HubSettings


def recogniser(**given: object) -> Recogniser:
    return Recogniser(HubSettings.model_validate(given), "token")


@pytest.mark.parametrize(("model", "word"), [("none", "No recogniser"), ("/nowhere/model", "/nowhere/model")])
def test_without_a_model_there_is_a_sentence_and_no_process(model: str, word: str) -> None:
    made = recogniser(model=model)
    assert word in made.sentence()
    assert made.processes_for("ws://127.0.0.1:1/feed") == []


def test_the_fixture_is_found_in_the_package() -> None:
    assert (FIXTURE / "model.bin").is_file()
    assert recogniser(model="fixture").sentence() == ""


def test_as_many_workers_as_asked_for_and_the_token_is_not_on_their_command_line() -> None:
    processes = recogniser(model="fixture", transcription_workers=2).processes_for("ws://127.0.0.1:1/feed")
    assert len(processes) == 2
    assert all("token" not in process._command for process in processes)


def test_workers_elsewhere_need_no_model_here(tmp_path: Path) -> None:
    made = recogniser(model=str(tmp_path / "none"), transcription_workers=0)
    assert made.sentence() == ""
    assert made.processes_for("ws://127.0.0.1:1/feed") == []


def test_a_worker_that_cannot_work_is_said_and_told() -> None:
    made = recogniser(model="tiny")
    told: list[bool] = []
    made.changed = lambda: told.append(True)
    (process,) = made.processes_for("ws://127.0.0.1:1/feed")
    process.gave_up(2)
    assert "tiny cannot be loaded" in made.sentence()
    assert told == [True]
