"""`python -m hardware`: a list, a trial, and sentences that say what to do next."""

from __future__ import annotations

from pathlib import Path

import pytest

from hardware.__main__ import main


def test_named_devices_are_tried_and_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(
        [
            "--seconds=0.2",
            "--microphone=sim:tone=440",
            "--camera=sim:card=Iki",
            f"--speaker=sim:record={tmp_path}/a.wav",
        ]
    )
    said = capsys.readouterr().out
    assert code == 0
    assert "tone 440 Hz works, loudest -15 dBFS" in said
    assert "played a tone of 440 Hz" in said
    assert "Iki works: 1280 x 720" in said


def test_a_silent_microphone_is_asked_about(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seconds", "0.2", "--microphone", "sim:silence"]) == 0
    assert "is silent: is it muted" in capsys.readouterr().out


def test_a_named_device_that_is_missing_fails_with_its_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--microphone", "sim:nothing=1", "--camera", "none"]) == 1
    said = capsys.readouterr().out
    assert "names no microphone" in said
    assert "camera: none, as asked." in said


def test_the_list_alone_needs_no_device(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    assert capsys.readouterr().out
