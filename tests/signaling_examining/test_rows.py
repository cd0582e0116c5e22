"""The table of examinations: each is looked at, none stops the others."""

from __future__ import annotations

import io
import json
import threading

import pytest

from signaling.examining.findings import well
from signaling.examining.rows import Examination, examine, refused, report


class Terminal(io.StringIO):
    """Tells when somebody wrote on it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = threading.Event()

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        count = super().write(text)
        self.written.set()
        return count


def fine(code: str) -> Examination:
    return Examination(code, code, lambda: [well(code, f"{code} is fine.")])


def broken() -> Examination:
    def look() -> list[object]:
        raise ZeroDivisionError("nothing to divide")

    return Examination("middle", "the middle", look)  # type: ignore[arg-type]


def test_one_that_fails_itself_is_a_finding_and_the_others_are_looked_at() -> None:
    first, middle, last = examine([fine("first"), broken(), fine("last")], io.StringIO())
    assert (first.code, last.code) == ("first", "last")
    assert (middle.code, middle.level) == ("middle", "wrong")
    assert "ZeroDivisionError: nothing to divide" in middle.sentence


def test_people_read_lines_and_programs_one_list() -> None:
    out = io.StringIO()
    assert report([fine("disk")], as_json=False, out=out, terminal=io.StringIO()) == 0
    assert out.getvalue().splitlines() == ["  well       disk is fine.", "", "All is well (1 looked at)."]
    out = io.StringIO()
    assert report([fine("disk"), broken()], as_json=True, out=out, terminal=io.StringIO()) == 1
    assert [one["level"] for one in json.loads(out.getvalue())] == ["well", "wrong"]


def test_what_takes_longer_is_named_on_a_terminal_and_taken_away_again() -> None:
    terminal = Terminal()

    def look() -> list[object]:
        assert terminal.written.wait(30)
        return []

    assert list(examine([Examination("slow", "the slow thing", look)], terminal, patience_s=0.0)) == []  # type: ignore[arg-type]
    assert terminal.getvalue() == "  ... looking at the slow thing\r\033[K"


def test_what_is_quick_or_not_on_a_terminal_says_nothing_of_itself() -> None:
    terminal = Terminal()
    assert len(list(examine([fine("quick")], terminal, patience_s=60.0))) == 1
    assert terminal.getvalue() == ""


def test_settings_that_cannot_be_read_end_it_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert refused("settings", ValueError("The file x cannot be read."), as_json=False) == 2
    said = capsys.readouterr()
    assert (said.out, "The file x cannot be read." in said.err) == ("", True)
    assert refused("settings", ValueError("The file x cannot be read."), as_json=True) == 2
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["code"], row["level"]) == ("settings", "wrong")
