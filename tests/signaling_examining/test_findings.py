"""Findings: how they are counted, and how they read."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from signaling.examining.findings import (
    Finding,
    as_rows,
    attention,
    exit_code,
    hours_in_words,
    lines,
    size_in_words,
    summary,
    time_in_words,
    well,
    wrong,
)

WORDS = st.lists(st.text("abcdefgh", min_size=1, max_size=12), min_size=1, max_size=40).map(" ".join)
FINDINGS = st.lists(
    st.builds(Finding, st.just("code"), st.sampled_from(["well", "attention", "wrong"]), WORDS, st.just("") | WORDS),
    max_size=12,
)


@given(FINDINGS)
def test_only_what_is_wrong_makes_the_command_fail(findings: list[Finding]) -> None:
    assert exit_code(findings) == int("wrong" in {one.level for one in findings})


@given(FINDINGS, st.integers(1, 200))
def test_every_word_is_printed_and_no_line_is_wider_than_the_screen(findings: list[Finding], width: int) -> None:
    for one in findings:
        printed = lines(one, width)
        assert all(len(line) <= max(width, 40) for line in printed)
        words = " ".join(printed).split()
        asked = [*one.sentence.split(), *(["Next:", *one.next.split()] if one.next else [])]
        assert words[-len(asked) :] == asked


@given(st.floats(0, 1e10), st.floats(0, 1e10))
def test_more_time_is_never_said_to_be_less(one: float, other: float) -> None:
    units = ("less", "minute", "hour", "day", "year")

    def rank(seconds: float) -> tuple[int, int]:
        words = time_in_words(seconds).split()
        place = next(i for i, unit in enumerate(units) if any(word.startswith(unit) for word in words))
        return place, int(words[1].replace(",", "")) if place else 0

    assert (rank(one) <= rank(other)) or one > other


def test_times_and_sizes_are_said_as_people_say_them() -> None:
    assert [time_in_words(one) for one in (30, 60, 2 * 3600 + 3599, 86_400, 400 * 86_400)] == [
        "less than a minute",
        "about 1 minute",
        "about 2 hours",
        "about 1 day",
        "about 1 year",
    ]
    assert [hours_in_words(one) for one in (90, 7_200, 1e7)] == ["about 1 minute", "about 2 hours", "about 2,777 hours"]
    assert [size_in_words(one) for one in (5_000, 9_531_141, 2e9, 1.5e12)] == ["5 kB", "9.5 MB", "2.0 GB", "1.5 TB"]


def test_the_last_line_says_where_to_begin() -> None:
    fine, look, bad = well("a", "A."), attention("b", "B.", "Do."), wrong("c", "C.", "Do.")
    assert summary([fine, fine]) == "All is well (2 looked at)."
    assert summary([fine, look]) == "Nothing is wrong. 1 thing is worth attention. 1 thing is well."
    assert summary([bad]) == "1 thing is wrong: begin there."
    assert summary([fine, look, bad, bad]).startswith("2 things are wrong: begin there. 1 thing is worth attention.")


def test_programs_get_the_four_fields() -> None:
    assert as_rows([attention("disk", "Small.", "Make room.")]) == [
        {"code": "disk", "level": "attention", "sentence": "Small.", "next": "Make room."}
    ]
