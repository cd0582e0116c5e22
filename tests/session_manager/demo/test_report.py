"""The demo's figures from what was said and seen."""

from __future__ import annotations

import json
from pathlib import Path

from session_manager.demo.dialogue import DemoSite, Dialogue, Utterance
from session_manager.demo.report import BoardFacts, Report, SeenLine, SeenPartial, build_report

T0 = 1_000.0
DIALOGUE = Dialogue(
    (DemoSite("a", "壱岐"), DemoSite("b", "福岡")),
    (
        Utterance("a", Path("1"), "ja", "賛成です。", 0.0, 2.9),
        Utterance("b", Path("2"), "ja", "はい。", 4.0, 1.9),
    ),
)
"""Speech from 0.3 to 2.3 s and from 4.3 to 5.3 s."""

LINES = [
    SeenLine("福岡", "はい。", T0 + 4.3, T0 + 5.3, T0 + 6.0),
    SeenLine("壱岐", "賛成です。", T0 + 0.2, T0 + 2.4, T0 + 3.3),
]
BOARDS = [BoardFacts("壱岐", ("福岡",), 100.0), BoardFacts("福岡", ("壱岐",), 200.0)]


def report(lines: list[SeenLine], partials: list[SeenPartial] | None = None) -> Report:
    return build_report(DIALOGUE, T0, lines, partials or [], BOARDS, 1.0, 0.5)


def test_a_perfect_dialogue_has_no_wrong_character_whatever_the_order_of_arrival() -> None:
    found = report(LINES)
    assert (found.cer, found.sites["壱岐"].lines, found.sites["福岡"].heard) == (0.0, 1, ("壱岐",))


def test_a_missing_line_counts_all_its_characters() -> None:
    found = report(LINES[:1])
    assert found.sites["壱岐"].cer == 1.0
    assert 0.5 < found.cer < 1.0


def test_times_are_counted_from_the_true_end_and_beginning_of_speech() -> None:
    partials = [
        SeenPartial("壱岐", "賛成", T0 + 0.9),
        SeenPartial("福岡", "", T0 + 4.4),
        SeenPartial("福岡", "は", T0 + 4.9),
    ]
    found = report(LINES, partials)
    assert found.final_after_speech_ms_p50 == 850.0
    assert found.first_partial_ms_p50 == 600.0
    assert found.join_ms_p50 == 150.0


def test_what_was_not_seen_is_none_and_not_zero() -> None:
    found = report([])
    assert found.final_after_speech_ms_p50 is None
    assert found.first_partial_ms_p50 is None


def test_it_is_ready_for_json() -> None:
    assert json.loads(json.dumps(report(LINES).as_json()))["forward_p99_ms"] == 0.5
