"""Which recogniser a machine can carry: the real small one once, and what is said of others."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from session_manager.capacity import Candidate, Cost
from session_manager.doctor_speech import Speech, Tried, doubts, judge_choice, judge_estimate, judge_load, read, set_up
from session_manager.recogniser import FIXTURE
from session_manager.settings import HubSettings

QUICK = Cost(20.0, 0.1, 0.4, 0.5, 400_000_000)
"""A twentieth of the time: eleven at once."""
LATE = Cost(20.0, 0.1, 5.9, 8.0, 400_000_000)
"""One at ease cannot be, two with lines only."""
SLOW = Cost(20.0, 0.1, 19.9, 20.0, 400_000_000)


def test_without_a_recogniser_it_is_said_that_there_are_no_captions() -> None:
    for settings in (HubSettings(model="none"), HubSettings(transcription_workers=0)):
        (finding,) = Speech(settings, (), 2).examinations()[0].look()
        assert (finding.level, "no captions; sound is kept" in finding.sentence) == ("attention", True)


@pytest.mark.parametrize(
    ("known", "models", "name"),
    [
        ({}, (), "small"),
        ({}, ("a",), "a"),
        ({}, ("a", "b"), ""),
        ({"model": "c"}, ("a", "b"), "c"),
        ({"model": "none"}, ("a",), "none"),
    ],
)
def test_the_model_given_as_to_the_hub_is_the_one_that_is_set(
    known: dict[str, str], models: tuple[str, ...], name: str
) -> None:
    assert set_up(HubSettings.model_validate(known), models) == name


def test_a_model_that_takes_for_ever_is_ended(tmp_path: Path) -> None:
    (row, _) = Speech(HubSettings(port=0, model="fixture"), (), 2, within_s=0.01).examinations()
    (finding,) = row.look()
    assert "did not hear 20 s of talk within" in finding.sentence


@pytest.mark.parametrize(
    ("cost", "tracks", "set_up", "level"),
    [
        (QUICK, 11, True, "well"),
        (QUICK, 13, True, "attention"),
        (LATE, 2, True, "attention"),
        (SLOW, 2, True, "wrong"),
        (SLOW, 2, False, "attention"),
    ],
)
def test_a_load_is_judged_by_how_many_shall_talk_at_once(cost: Cost, tracks: int, set_up: bool, level: str) -> None:
    finding = judge_load(Tried(Candidate("m", 1, cost)), tracks, set_up=set_up)
    assert finding.level == level
    assert (finding.next == "") == (level == "well")


@pytest.mark.parametrize(
    ("free", "lines", "in_noise", "codes"),
    [
        (None, 6, 0, []),
        (500_000_000, 6, 0, []),
        (300_000_000, 6, 0, ["recogniser_memory"]),
        (None, 0, 2, ["recogniser_noise", "recogniser_words"]),
    ],
)
def test_what_a_model_takes_and_writes_is_doubted_when_there_is_reason(
    free: int | None, lines: int, in_noise: int, codes: list[str]
) -> None:
    tried = Tried(Candidate("m", 1, QUICK), lines=lines, in_noise=in_noise)
    assert [one.code for one in doubts("m", tried, free)] == codes


def test_the_demos_model_is_known_by_its_folder_too() -> None:
    rows = Speech(HubSettings(model=str(FIXTURE)), (str(FIXTURE), "fixture"), 2).examinations()
    assert [one.title for one in rows[:-1]] == ["the recogniser fixture (a minute or more)"]


def test_the_largest_that_carries_enough_is_recommended_with_the_line_to_write(tmp_path: Path) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    quick, slow = Candidate(str(folder), 250, QUICK), Candidate("medium", 770, SLOW)
    finding = judge_choice([quick, slow], 2, "small")
    assert (finding.level, f'model = "{folder}"' in finding.next) == ("well", True)
    assert judge_choice([quick, slow], 2, str(folder)).next == ""
    none = judge_choice([slow, Candidate("other", 500, LATE)], 3, "small")
    assert (none.level, "other comes nearest" in none.sentence) == ("attention", True)


def test_an_estimate_says_that_it_is_one() -> None:
    fast, poor = Cost(20.0, 0.01, 0.05, 0.05, 10), Cost(20.0, 0.1, 5.0, 5.0, 10)
    most = judge_estimate(fast, 2, sys.maxsize)
    assert (most.level, "large-v3-turbo (809 M)" in most.sentence, "An estimate" in most.sentence) == (
        "well",
        True,
        True,
    )
    assert "tiny (39 M)" in judge_estimate(fast, 2, 200_000_000).sentence
    least = judge_estimate(poor, 2, sys.maxsize)
    assert (least.level, least.sentence.startswith("Not even tiny")) == ("attention", True)


def test_what_a_child_says_is_read_and_rubbish_is_refused() -> None:
    text = (
        '{"load_s": 1.5, "size": 7, "peak_bytes": 9, "talk_s": 20, "hearing_s": 1, "lines_s": 2, "partials_s": 3,'
        ' "lines": 6, "in_noise": 1}'
    )
    assert read("m", text) == Tried(Candidate("m", 7, Cost(20, 1, 2, 3, 9)), 1.5, 6, 1)
    with pytest.raises(ValueError):
        read("m", "Segmentation fault")
