"""Which recogniser a machine can carry: the real small one once, and what is said of others."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from session_manager.capacity import Candidate, Cost
from session_manager.doctor_speech import Speech, Tried, judge_choice, judge_estimate, judge_load, read, set_up
from session_manager.settings import HubSettings
from signaling.examining.findings import Finding

QUICK = Cost(20.0, 0.1, 0.4, 0.5, 400_000_000)
"""A twentieth of the time: eleven at once."""
LATE = Cost(20.0, 0.1, 5.9, 8.0, 400_000_000)
"""One at ease cannot be, two with lines only."""
SLOW = Cost(20.0, 0.1, 19.9, 20.0, 400_000_000)


def looked(settings: HubSettings, models: tuple[str, ...] = (), tracks: int = 2) -> list[Finding]:
    return [one for row in Speech(settings, models, tracks).examinations() for one in row.look()]


def test_the_small_model_is_really_measured_and_its_like_estimated(tmp_path: Path) -> None:
    """One process with the real fixture model, for both."""
    found = looked(HubSettings(port=0, model="fixture", device="cpu"), tracks=1)
    by_code = {one.code: one for one in found}
    assert set(by_code) - {"recogniser_memory"} == {"recogniser", "recogniser_demo", "recommendation"}
    assert "s of work for a second of talk" in by_code["recogniser"].sentence
    assert "An estimate" in by_code["recommendation"].sentence
    assert by_code["recogniser"].level in ("well", "attention")


def test_a_folder_without_a_model_is_told_and_the_others_are_measured(tmp_path: Path) -> None:
    settings = HubSettings(port=0, model="none", device="cpu")
    first, second, last = looked(settings, (str(tmp_path),))
    assert (first.level, "None is set" in first.sentence) == ("attention", True)
    assert (second.level, "is not a speech model" in second.sentence) == ("attention", True)
    assert (last.code, last.level) == ("recommendation", "attention")


def test_the_model_that_is_set_and_not_there_is_wrong(tmp_path: Path) -> None:
    rows = Speech(HubSettings(port=0, model=str(tmp_path), device="cpu"), (), 2).examinations()
    (finding,) = rows[0].look()
    assert (finding.level, "there are no captions" in finding.next) == ("wrong", True)


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
