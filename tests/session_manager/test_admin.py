"""`shimawa admin` on a data folder of its own."""

from __future__ import annotations

import argparse
import io
from pathlib import Path

import pytest

from session_manager import admin
from session_manager.store import Store
from tests.session_manager.hall import NOW, PASSWORD


def run(folder: Path, *words: str) -> int:
    parser = argparse.ArgumentParser()
    admin.add_arguments(parser.add_subparsers(required=True))
    return admin.run(parser.parse_args(["admin", "--data", str(folder), *words]))


def type_in(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_the_first_administrator_is_made_and_can_sign_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    type_in(monkeypatch, f"{PASSWORD}\n")
    assert run(tmp_path / "data", "create", "小田", "--password-stdin") == 0
    assert run(tmp_path / "data", "list") == 0
    assert "小田\tadministrator" in capsys.readouterr().out
    store = Store.open(tmp_path / "data" / "shimawa.db")
    account = store.verify("小田", PASSWORD)
    store.close()
    assert account is not None


def test_a_new_password_replaces_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    type_in(monkeypatch, f"{PASSWORD}\nanother long one\n")
    assert run(tmp_path, "create", "oda", "--role", "staff", "--password-stdin") == 0
    assert run(tmp_path, "reset-password", "oda", "--password-stdin") == 0
    store = Store.open(tmp_path / "shimawa.db")
    assert store.verify("oda", PASSWORD) is None
    assert store.verify("oda", "another long one") is not None
    store.close()


@pytest.mark.parametrize(
    ("words", "typed", "sentence"),
    [
        (["create", "oda", "--password-stdin"], "short\n", "10 to 256 characters"),
        (["create", "oda"], "", "--password-stdin"),
        (["reset-password", "nobody", "--password-stdin"], f"{PASSWORD}\n", "no account"),
        (["board", "add", "b", "--facility", "f", "--room", "r", "--timezone", "No/Where"], "", "time zone"),
    ],
)
def test_what_fails_is_a_sentence_and_an_exit_code(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    typed: str,
    sentence: str,
) -> None:
    type_in(monkeypatch, typed)
    assert run(tmp_path, *words) == 2
    said = capsys.readouterr()
    assert sentence in said.err
    assert said.err.startswith("shimawa admin: ")
    assert said.out == ""


def test_a_board_is_enrolled_with_its_facility_and_room_made_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ("--facility", "壱岐テレワークセンター", "--room", "会議室")
    for name in ("左", "右"):
        assert run(tmp_path, "board", "add", name, *where) == 0
    tokens = [line for line in capsys.readouterr().out.splitlines() if len(line) == 43]
    assert run(tmp_path, "board", "list") == 0
    listed = capsys.readouterr().out
    assert listed.count("壱岐テレワークセンター\t会議室\t") == 2
    store = Store.open(tmp_path / "shimawa.db")
    assert [board.name for token in tokens if (board := store.board_by_token(token, NOW))] == ["左", "右"]
    assert (len(store.facilities()), len(store.rooms())) == (1, 1)
    store.close()


def test_a_data_folder_that_is_no_folder_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert run(tmp_path / "file", "list") == 2
    assert "Check the folder" in capsys.readouterr().err
