"""Letters: their words, their one time, and when reminders are due."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_manager.notices import (
    DAY_S,
    LATE_S,
    MAX_ATTEMPTS,
    REMINDERS,
    TEMPLATES,
    Expected,
    Letter,
    due_reminders,
    one_line,
    retry_at,
)
from session_manager.schedule import instant

EVENING = Expected("b1", "対話の夕べ", 100 * DAY_S, "日時: 10月14日 18:30", "a@iki.example")


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_letter_has_the_same_words_in_both_languages(template: str) -> None:
    both = TEMPLATES[template]
    assert set(both) == {"ja", "en"}
    places = [set(re.findall(r"\{(\w+)\}", "".join(both[language]))) for language in ("ja", "en")]
    assert places[0] == places[1]


@given(st.text(max_size=80))
def test_no_word_begins_another_header(word: str) -> None:
    subject, _ = Letter("c", "welcome", (("group", word),)).text()
    assert len(subject.splitlines()) == 1
    assert one_line(subject) == subject


def test_a_name_full_of_braces_is_only_a_name() -> None:
    assert "{0.__class__}" in Letter("c", "welcome", (("group", "{0.__class__}"),), language="en").text()[0]


@given(st.floats(0, 100 * DAY_S), st.floats(1, LATE_S))
def test_each_reminder_is_due_once_however_often_one_looks(start: float, step: float) -> None:
    causes: list[str] = []
    now = start
    for _ in range(20):
        causes += [letter.cause for letter in due_reminders([EVENING], now) if letter.cause not in causes]
        now += step
    assert len(causes) == len(set(causes)) <= len(REMINDERS)


def test_reminders_come_in_time_never_after_the_start_and_anew_when_moved() -> None:
    assert [one.cause for one in due_reminders([EVENING], 93 * DAY_S)] == [
        f"reminder:7d:b1:{100 * DAY_S:.0f}:a@iki.example"
    ]
    assert due_reminders([EVENING], 93 * DAY_S - 1) == []
    assert due_reminders([EVENING], 93 * DAY_S + LATE_S) == []
    assert due_reminders([EVENING], 100 * DAY_S) == []
    moved = Expected("b1", "t", 101 * DAY_S, "", "a@iki.example")
    assert due_reminders([moved], 94 * DAY_S)[0].cause != due_reminders([EVENING], 93 * DAY_S)[0].cause


def test_a_reminder_keeps_its_hour_when_the_clocks_change_and_leaves_out_who_knew_only_later() -> None:
    zone = "Australia/Lord_Howe"
    local = datetime(2026, 10, 4, 18, 30)  # the clocks went on by half an hour that morning
    one = replace(EVENING, starts_at=float(instant(local, zone)), zone=zone)
    (letter,) = due_reminders([one], instant(local - timedelta(days=1), zone))
    assert letter.cause.startswith("reminder:1d:")
    assert one.starts_at - instant(local - timedelta(days=1), zone) == DAY_S - 1800
    assert due_reminders([one], one.starts_at - DAY_S) == []
    assert due_reminders([replace(one, since_at=one.starts_at - DAY_S + 1801)], one.starts_at - DAY_S + 1801) == []
    assert due_reminders([replace(one, days=frozenset({1}))], instant(local - timedelta(days=7), zone)) == []


def test_waiting_grows_and_ends() -> None:
    waits = [retry_at(number, 0.0) for number in range(1, MAX_ATTEMPTS + 1)]
    assert waits[:3] == [60.0, 120.0, 240.0]
    assert waits[-1] is None
    assert all(one is not None and one <= 6 * 3600 for one in waits[:-1])
