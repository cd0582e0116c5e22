"""The office's morning: at most five lines whatever happens, the worst first, and nothing that is wrong left out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_manager.morning import (
    LOST_S,
    QUIET_S,
    RANK,
    BoardFact,
    Facts,
    PrecheckFact,
    RecordFact,
    ReportFact,
    morning,
)

NOW = 1_780_000_000.0
BOARD = BoardFact("b", "ボード2", "小会議室", NOW - 1e6, NOW - 5)


def test_a_good_morning_is_one_green_fold() -> None:
    told = morning(Facts(boards=(BOARD,), disk_free=0.5, backups=True, backup_at=NOW - 3600), NOW)
    assert told.lines == ()
    assert len(told.green) == 5


@pytest.mark.parametrize(
    ("facts", "level", "what"),
    [
        (Facts(boards=(replace(BOARD, missing={"microphone": NOW - 600}),)), "fault", "no_microphone"),
        (Facts(boards=(replace(BOARD, last_seen_at=NOW - QUIET_S),)), "attention", "board_lost"),
        (Facts(boards=(replace(BOARD, last_seen_at=NOW - LOST_S),)), "fault", "board_lost"),
        (Facts(boards=(replace(BOARD, last_seen_at=None),)), "attention", "board_never"),
        (Facts(prechecks=(PrecheckFact("物理", "大村", NOW + 300),)), "fault", "precheck"),
        (Facts(requests_start_at=(NOW + 86_400,)), "attention", "approvals"),
        (Facts(requests_start_at=(NOW + 86_400, NOW + 3600)), "fault", "approvals"),
        (Facts(reports=(ReportFact("大会議室", "sound", NOW),)), "fault", "report_sound"),
        (Facts(letters_given_up=2), "fault", "letters"),
        (Facts(records=(RecordFact("s", "夕べ", True),)), "attention", "record_coming"),
        (Facts(records=(RecordFact("s", "夕べ", False),)), "attention", "record_gaps"),
        (Facts(recording=False), "fault", "not_recording"),
        (Facts(captions=False), "attention", "no_captions"),
        (Facts(disk_free=0.08), "attention", "disk"),
        (Facts(disk_free=0.01), "fault", "disk"),
        (Facts(backups=True), "attention", "no_backup"),
        (Facts(backups=True, backup_at=NOW - 7 * 86_400), "attention", "old_backup"),
    ],
)
def test_each_thing_that_is_wrong_is_one_line(facts: Facts, level: str, what: str) -> None:
    [line] = morning(facts, NOW).lines
    assert (line.level, line.what, line.more) == (level, what, 0)


def test_a_board_that_was_put_away_is_not_broken() -> None:
    assert morning(Facts(boards=(replace(BOARD, last_seen_at=NOW - 40 * 86_400),)), NOW).lines == ()


BOARDS = st.builds(
    BoardFact,
    st.text(max_size=3),
    st.text(max_size=3),
    st.text(max_size=3),
    st.just(0.0),
    st.none() | st.floats(NOW - 1e7, NOW),
    st.dictionaries(st.sampled_from(["microphone", "camera", "speaker"]), st.just(NOW - 60)),
)


@given(
    st.builds(
        Facts,
        boards=st.lists(BOARDS, max_size=6).map(tuple),
        requests_start_at=st.lists(st.floats(NOW - 1e4, NOW + 1e6), max_size=5).map(tuple),
        letters_given_up=st.integers(0, 5),
        recording=st.booleans(),
        captions=st.booleans(),
        disk_free=st.none() | st.floats(0, 1),
        records=st.lists(st.just(RecordFact("s", "夕べ", True)), max_size=3).map(tuple),
    )
)
def test_there_are_never_more_than_five_lines_and_the_worst_is_first(facts: Facts) -> None:
    told = morning(facts, NOW)
    assert len(told.lines) + len(told.green) == 5
    ranks = [RANK[line.level] for line in told.lines]
    assert ranks == sorted(ranks)
    assert all(line.more >= 0 and line.level != "well" for line in told.lines)
