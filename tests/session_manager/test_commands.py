"""`shimawa`: one command, parts imported when asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

from session_manager.commands import COMMANDS, main


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_can_explain_itself_by_the_name_it_was_called(name: str) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "session_manager.commands", name, "--help"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith(f"usage: shimawa {name} ")


@pytest.mark.parametrize("part", ["hub", "board"])
def test_the_doctor_explains_both_its_parts(part: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["doctor", part, "--help"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: shimawa doctor {part} ")


def test_an_unknown_command_is_refused_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["dance"])
    assert ended.value.code == 2
    assert "board" in capsys.readouterr().err


def test_the_umbrella_itself_loads_neither_model_nor_database() -> None:
    heavy = ("ctranslate2", "sqlalchemy", "aiortc")
    code = f"import sys, session_manager.commands; print([one for one in {heavy} if one in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True).stdout
    assert out.strip() == "[]"
