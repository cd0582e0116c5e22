"""The demo's script: who says what, when."""

from __future__ import annotations

import itertools

from session_manager.demo.dialogue import load_dialogue, microphone_script


def test_nobody_speaks_while_another_does() -> None:
    said = load_dialogue().utterances
    assert len(said) == 23
    assert all(one.at_s + one.seconds <= next_one.at_s for one, next_one in itertools.pairwise(said))
    assert all(one.path.is_file() for one in said)


def test_a_site_is_heard_in_the_languages_that_it_speaks_japanese_first() -> None:
    dialogue = load_dialogue()
    assert dialogue.languages("katsumoto") == ("ja", "en")
    assert dialogue.languages("fukuoka") == ("ja",)
    assert dialogue.languages("nobody") == ("ja",)


def test_a_script_without_a_beginning_waits() -> None:
    dialogue = load_dialogue()
    assert microphone_script(dialogue, "iki", None)["starts_at"] is None
    assert len(microphone_script(dialogue, "iki", 5.0)["say"]) == len(dialogue.of("iki"))  # type: ignore[arg-type]
