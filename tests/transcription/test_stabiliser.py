"""Stabiliser and comparison keys: committed partial text only grows, and never splits a character."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcription.stabiliser import PartialText, Stabiliser
from transcription.text_keys import comparison_key, graphemes, spoken_weight

hypotheses = st.lists(st.text(alphabet="あいか\u3099がー、。 ABab１1", max_size=14), max_size=8)


def views(*texts: str) -> list[PartialText]:
    stabiliser = Stabiliser()
    return [stabiliser.update(text) for text in texts]


@given(hypotheses)
def test_committed_text_only_grows_and_every_view_begins_with_it(texts: list[str]) -> None:
    committed = ""
    for view in views(*texts):
        assert view.committed.startswith(committed)
        assert view.text.startswith(view.committed)
        committed = view.committed


@given(hypotheses)
def test_a_combining_mark_is_never_cut_from_its_base(texts: list[str]) -> None:
    stabiliser, before = Stabiliser(), ""
    for text in texts:
        view = stabiliser.update(text)
        new = view.committed[len(before) :]
        assert not new or not before or not unicodedata.combining(new[0])
        before = view.committed


def test_what_two_hypotheses_agree_on_is_committed_but_for_its_last_characters() -> None:
    assert views("今日は良い", "今日は良い天気")[1] == PartialText("今日は", "今日は良い天気")


def test_the_first_hypothesis_commits_nothing() -> None:
    assert views("今日は良い")[0] == PartialText("", "今日は良い")


def test_width_punctuation_and_blanks_do_not_prevent_agreement() -> None:
    assert views("ＡＢＣですね、はい", "abcですね はい そう")[1].committed == "abcですね"


def test_the_whole_agreed_sentence_is_committed_with_its_mark() -> None:
    assert views("はい。次", "はい。次です")[1].committed == "はい。"


def test_an_english_word_is_not_cut() -> None:
    assert views("Can you see", "Can you seem")[1].committed in ("Can you ", "Can you")


def test_a_changed_ending_replaces_only_what_was_not_committed() -> None:
    assert views("会議を始め", "会議を始めます", "会議を終わります")[2].text == "会議を終わります"


def test_a_revised_beginning_keeps_what_people_have_read() -> None:
    first, second, third = views("壱岐の皆さん", "壱岐の皆さん聞こえ", "行きの皆さん聞こえますか")
    assert second.committed == "壱岐の皆"
    assert third.text == "壱岐の皆さん聞こえますか"
    assert first.committed == ""


@pytest.mark.parametrize(
    "text, key",
    [
        ("Ｈｅｌｌｏ、　World!", "helloworld"),
        ("か\u3099き", "がき"),
        ("ラーメン〜", "ラーメンー"),
        ("「はい」。", "はい"),
        ("㈱", "株"),
    ],
)
def test_a_comparison_key_ignores_what_readers_ignore(text: str, key: str) -> None:
    assert comparison_key(text) == key


def test_graphemes_keep_their_display() -> None:
    text = "か\u3099葛\U000e0100城👩\u200d🏫"
    assert "".join(grapheme.display for grapheme in graphemes(text)) == text
    assert len(graphemes(text)) == 4


def test_a_latin_letter_weighs_half_a_kana() -> None:
    assert spoken_weight("はい") == 2.0
    assert spoken_weight("yes!") == 1.5
