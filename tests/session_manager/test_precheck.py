"""What the hub says of boards before a session, and lessons out of a timetable."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_manager.precheck import AWAKE_S, BoardFacts, Finding, find, state_of
from session_manager.timetable import Term, dated, days_off, weekly

NOW = 1_780_000_000.0
AWAKE = BoardFacts("b", NOW - 5)


@pytest.mark.parametrize(
    ("board", "state"),
    [
        (AWAKE, "ready"),
        (replace(AWAKE, microphone=True, speaker=True, camera=True), "ready"),
        (replace(AWAKE, microphone=False, camera=False), "microphone"),
        (replace(AWAKE, speaker=False), "speaker"),
        (replace(AWAKE, camera=False), "camera"),
        (replace(AWAKE, last_seen_at=NOW - AWAKE_S - 1, microphone=False), "asleep"),
        (replace(AWAKE, last_seen_at=None), "never"),
    ],
)
def test_a_board_is_ready_when_it_answers_and_misses_nothing(board: BoardFacts, state: str) -> None:
    assert state_of(board, NOW) == state


def test_one_board_that_is_ready_is_enough_for_its_room() -> None:
    broken = replace(AWAKE, microphone=False)
    assert find("s", "壱岐", [broken, AWAKE], NOW) == Finding("s", "壱岐", "ready")
    assert find("s", "壱岐", [broken, replace(AWAKE, last_seen_at=None)], NOW).state == "microphone"
    assert find("s", "壱岐", [], NOW).state == "none"


TERM = Term(date(2026, 9, 1), date(2026, 12, 24), frozenset(), {"3": (time(10, 50), time(11, 40))})
ROW = {"subject": "物理", "day": "水", "period": "3", "starts": "", "ends": "", "far": ""}


@given(st.dates(date(2026, 1, 1), date(2028, 1, 1)), st.integers(0, 300), st.sampled_from("月火水木金土日"))
def test_a_lesson_is_on_each_such_day_of_the_term_and_on_no_other(first: date, length: int, day: str) -> None:
    term = replace(TERM, first=first, last=first + timedelta(days=length))
    [row] = weekly([{**ROW, "day": day}], term)
    wanted = [
        one
        for one in (first + timedelta(days=number) for number in range(length + 1))
        if "月火水木金土日"[one.weekday()] == day
    ]
    assert [starts.date() for starts, _ in row.dates] == wanted
    assert bool(row.problems) == (not wanted)


def test_days_without_school_are_left_out_and_named() -> None:
    off = days_off([(date(2026, 9, 9), date(2026, 9, 16))])
    [row] = weekly([ROW], replace(TERM, off=off))
    assert row.left_out == (date(2026, 9, 9), date(2026, 9, 16))
    assert row.dates[:2] == (
        (datetime(2026, 9, 2, 10, 50), datetime(2026, 9, 2, 11, 40)),
        (datetime(2026, 9, 23, 10, 50), datetime(2026, 9, 23, 11, 40)),
    )


@pytest.mark.parametrize("day", ["水", "水曜", "水曜日", "Wed", "wednesday", " wed "])
def test_days_are_written_as_people_write_them(day: str) -> None:
    [row] = weekly([{**ROW, "day": day}], TERM)
    assert row.problems == ()
    assert row.dates[0][0].date() == date(2026, 9, 2)


@pytest.mark.parametrize(
    "wrong",
    [
        {"day": "祝"},
        {"day": ""},
        {"period": "9"},
        {"period": "", "starts": "25:00", "ends": "26:00"},
        {"starts": "11:40", "ends": "10:50"},
        {"subject": "  "},
        {"starts": "00:00", "ends": "23:00"},
    ],
)
def test_a_row_that_cannot_be_says_why_and_spoils_no_other(wrong: dict[str, str]) -> None:
    bad, good = weekly([{**ROW, **wrong}, ROW], TERM)
    assert bad.problems
    assert all(problem.endswith(".") for problem in bad.problems)
    assert (bad.row, good.row, good.problems) == (2, 3, ())


def test_dates_of_a_calendar_are_put_together_by_subject_and_hour() -> None:
    wednesday = datetime(2026, 9, 2, 10, 50)
    length = timedelta(minutes=50)
    lessons = [("物理", day, day + length) for day in (wednesday + timedelta(weeks=week) for week in (0, 1, 60))]
    lessons.append(("化学", wednesday, wednesday + timedelta(minutes=50)))
    physics, chemistry = dated(lessons, TERM)
    assert (physics.subject, physics.period, len(physics.dates)) == ("物理", "3", 2)
    assert len(chemistry.dates) == 1
