"""CSV for spreadsheets: nothing in it is ever a formula, and it comes back as it was."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_manager.errors import NotPossible
from session_manager.sheets import MARK, read_sheet, write_sheet

cells = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=20).map(str.strip)


@given(st.lists(st.tuples(cells.filter(bool), cells), max_size=10))
def test_what_goes_out_comes_back(rows: list[tuple[str, str]]) -> None:
    read = read_sheet(write_sheet(("name", "mail"), rows), ("name", "mail"), ("name",))
    kept = [(one["name"], one["mail"]) for one in read]
    assert kept == list(rows)


@pytest.mark.parametrize("evil", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", "'=1"])
def test_no_cell_is_a_formula(evil: str) -> None:
    line = next(csv.reader(io.StringIO(write_sheet(("name",), [(evil,)]).removeprefix(MARK), newline="")))
    assert line == ["name"]
    rows = list(csv.reader(io.StringIO(write_sheet(("name",), [(evil,)]).removeprefix(MARK), newline="")))
    assert rows[1][0].startswith("'")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "empty"),
        ("colour\nred\n", "first line"),
        ("mail\na@b\n", "first line"),
        ("name,mail\na,b,c\n", "Row 2"),
        ("name,mail\n,b\n", "Row 2"),
        ('name\n"open', "not CSV"),
        ("name\n" + "x" * 1001, "1000"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused_with_its_place(text: str, sentence: str) -> None:
    with pytest.raises(NotPossible, match=sentence):
        read_sheet(text, ("name", "mail"), ("name",))
