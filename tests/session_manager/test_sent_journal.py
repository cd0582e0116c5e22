"""The journal of letters: whatever is cut, whenever: nobody is taken who was not, and whoever was stays so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from session_manager.sent_journal import NAME, Found, SentJournal, hold, read
from session_manager.store.secrets import new_id

NOBODY: frozenset[str] = frozenset()
OUTCOMES = st.sampled_from(["taken", "refused", "cut off"])
LETTERS = st.lists(st.tuples(st.sampled_from("abcdef"), OUTCOMES), max_size=5)


def kept(folder: Path) -> Found:
    with hold(folder, 1) as journal:
        assert journal is not None
        return journal.found()


def write(journal: SentJournal, letters: list[tuple[str, str]]) -> None:
    for notice_id, outcome in letters:
        entry = journal.begin(notice_id)
        if outcome != "cut off":
            getattr(entry, outcome)()


def expected(letters: list[tuple[str, str]]) -> Found:
    taken = frozenset(one for one, outcome in letters if outcome == "taken")
    return Found(taken, frozenset(one for one, outcome in letters if outcome == "cut off") - taken)


@settings(max_examples=25, deadline=None)
@given(before=LETTERS, last=st.tuples(st.just("xyz"), OUTCOMES), after=LETTERS, data=st.data())
def test_a_file_that_is_cut_at_any_byte_of_its_last_line_tells_the_rest_and_goes_on(
    before: list[tuple[str, str]], last: tuple[str, str], after: list[tuple[str, str]], data: st.DataObject
) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        with hold(folder, 1) as journal:
            assert journal is not None
            write(journal, before)
            whole = (folder / NAME).stat().st_size
            write(journal, [last])
        os.truncate(folder / NAME, data.draw(st.integers(whole, (folder / NAME).stat().st_size - 1)))
        assert kept(folder) == expected(before)
        with hold(folder, 1) as journal:
            assert journal is not None
            write(journal, after)
        assert kept(folder) == expected(before + after)


@given(st.binary(max_size=200))
def test_rubbish_is_no_letter_and_never_raises(content: bytes) -> None:
    assert read(content).doubtful.isdisjoint(read(content).taken)
    assert read(b"\n" + content + b"\n+ abc\n").taken >= {"abc"}


@given(LETTERS, st.integers(0, 300))
def test_what_a_power_cut_leaves_of_a_file_names_nobody_as_taken_who_was_not(
    letters: list[tuple[str, str]], size: int
) -> None:
    marks = {"taken": b"+", "refused": b"-", "cut off": b"?"}
    content = b"".join(b"%s %s\n" % (marks[outcome], one.encode()) for one, outcome in letters)
    assert read(content[:size]).taken <= expected(letters).taken
    assert read(content) == expected(letters)


def test_a_letter_is_in_doubt_on_the_disk_before_anything_is_known_of_it(tmp_path: Path) -> None:
    with hold(tmp_path, 1) as journal:
        assert journal is not None
        entry = journal.begin("abc")
        assert (tmp_path / NAME).read_bytes() == b"? abc\n"
        entry.taken()
        assert (tmp_path / NAME).read_bytes() == b"+ abc\n"
        journal.clear()
    assert kept(tmp_path) == Found(NOBODY, NOBODY)
    assert (tmp_path / NAME).stat().st_mode & 0o077 == 0


def test_identifiers_of_the_store_are_ones_of_the_journal(tmp_path: Path) -> None:
    names = [new_id() for _ in range(50)]
    with hold(tmp_path, 1) as journal:
        assert journal is not None
        write(journal, [(one, "taken") for one in names])
    assert kept(tmp_path).taken == set(names)


def test_two_processes_never_hold_it_and_a_killed_one_lets_go(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib\nfrom session_manager.sent_journal import hold\n"
        "with hold(pathlib.Path(sys.argv[1]), 1) as journal:\n"
        "    journal.begin('abc')\n    print('held', flush=True)\n    sys.stdin.read()\n"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with hold(tmp_path, 0) as journal:
            assert journal is None
        other.kill()
    assert kept(tmp_path) == Found(NOBODY, frozenset({"abc"}))


def test_a_folder_that_cannot_be_written_is_an_error_and_lets_go(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    for _ in range(2):
        with pytest.raises(OSError), hold(tmp_path, 1):
            pass
