from __future__ import annotations

import random

import jiwer
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transcription import alignment
from transcription.alignment import align
from transcription.lines import TranscriptLine
from transcription.score import (
    Difference,
    Edits,
    cer,
    character_edits,
    normalise,
    score_lines,
    wer,
    word_edits,
)

LAWS = settings(max_examples=300, deadline=None)
short = st.text("あいう漢ab ", max_size=30)


def walk(reference: str, hypothesis: str, steps: str) -> None:
    """The steps lead from one to the other."""
    at = other = 0
    for step in steps:
        if step in "=s":
            assert (reference[at] == hypothesis[other]) is (step == "=")
        at, other = at + (step != "i"), other + (step != "d")
    assert (at, other) == (len(reference), len(hypothesis))


@LAWS
@given(short.filter(bool), short)
def test_errors_are_as_few_as_jiwer_finds(reference: str, hypothesis: str) -> None:
    steps = align(reference, hypothesis)
    walk(reference, hypothesis, steps)
    theirs = jiwer.process_characters(
        reference,
        hypothesis,
        reference_transform=jiwer.ReduceToListOfListOfChars(),
        hypothesis_transform=jiwer.ReduceToListOfListOfChars(),
    )
    assert len(steps) - steps.count("=") == theirs.substitutions + theirs.deletions + theirs.insertions


@LAWS
@given(st.lists(st.sampled_from(["next", "slide", "please", "the", "island"]), min_size=1, max_size=20), st.data())
def test_word_errors_are_those_of_jiwer(reference: list[str], data: st.DataObject) -> None:
    hypothesis = data.draw(st.lists(st.sampled_from(["next", "slide", "police", "an", "island"]), max_size=20))
    ours = wer(" ".join(reference), " ".join(hypothesis), raw=True)
    assert ours == pytest.approx(jiwer.wer(" ".join(reference), " ".join(hypothesis)))


@given(short, short)
def test_halving_finds_no_more_errors_than_the_whole(reference: str, hypothesis: str) -> None:
    whole = align(reference, hypothesis)
    halved = alignment.align(reference, hypothesis, at_once=4)
    walk(reference, hypothesis, halved)
    assert halved.count("=") - len(halved) == whole.count("=") - len(whole)


def test_two_hours_of_speech_are_compared_exactly() -> None:
    choose = random.Random(1)
    said = "".join(choose.choices("あいうえおかきくけこ会議島海", k=36_000))
    written = list(said)
    places = choose.sample(range(0, 36_000, 20), 900)
    for at in places[:300]:
        written[at] = "×"
    for at in places[300:600]:
        written[at] = ""
    for at in places[600:]:
        written[at] += "△▽"
    assert character_edits(said, "".join(written), raw=True) == Edits(36_000, 300, 300, 600)


@pytest.mark.parametrize(
    "one, other",
    [
        ("聞こえますか？", "聞こえますか"),
        ("それでは、始めます。", "それでは 始めます"),
        ("ＡＢＣ　１２３", "abc 123"),
        ("ｶﾀｶﾅ", "カタカナ"),
        ("２０２６年", "二〇二六年"),
        ("2026年", "二千二十六年"),
        ("3万5千人", "三万五千人"),
        ("十時十五分", "10時15分"),
        ("1,000円", "千円".replace("千", "1000")),
        ("Don't stop.", "dont stop"),
        ("第一回", "第1回"),
    ],
)
def test_what_a_reader_would_not_call_an_error_is_none(one: str, other: str) -> None:
    assert cer(one, other) == 0
    assert cer(one, other, raw=True) > 0


@pytest.mark.parametrize("word", ["千葉", "百", "万歳", "々", "ー"])
def test_words_that_only_look_like_numbers_stay(word: str) -> None:
    assert normalise(word) == word


@given(st.text())
def test_normalising_twice_changes_nothing_and_nothing_raises(text: str) -> None:
    once = normalise(text)
    assert not any(character.isspace() for character in once)
    assert cer(text, text) == 0
    assert cer(text, once) == 0 or normalise(once) != once


@pytest.mark.parametrize(
    "reference, hypothesis, expected",
    [
        ("あいうえお", "あいうえお", 0.0),
        ("あいうえお", "あいかえお", 0.2),
        ("あいうえお", "", 1.0),
        ("", "", 0.0),
        ("", "あい", 2.0),
        ("。、", "", 0.0),
    ],
)
def test_the_rate_is_errors_per_character_of_the_reference(reference: str, hypothesis: str, expected: float) -> None:
    assert cer(reference, hypothesis) == pytest.approx(expected)


def test_japanese_characters_count_as_words_and_latin_words_as_one() -> None:
    assert word_edits("Zoom で話します", "zoom で話しました") == Edits(6, 1, 0, 1)


def line(started_s: float, site: str, text: str) -> TranscriptLine:
    return TranscriptLine(started_s, started_s + 1, site, "", text)


def test_each_site_is_scored_alone_and_cutting_lines_differently_costs_nothing() -> None:
    said = [line(0, "島", "聞こえますか。"), line(2, "本土", "はい、聞こえます。"), line(4, "島", "始めましょう。")]
    written = [line(0.1, "島", "聞こえますか始め"), line(2.1, "本土", "はい聞きます"), line(4.5, "島", "ましょう")]
    score = score_lines(said, written)
    island, mainland = score.sites
    assert (island.site, island.lines_said, island.lines_written, island.characters.errors) == ("島", 2, 2, 0)
    assert mainland.differences == (Difference("こえ", "き"),)
    assert (mainland.characters.substitutions, mainland.characters.deletions) == (1, 1)
    assert score.characters == island.characters + mainland.characters
    assert score.characters.rate == pytest.approx(2 / 19)
    assert score.raw_characters.errors > score.characters.errors


def test_text_under_the_wrong_site_is_an_error_at_both() -> None:
    score = score_lines([line(0, "島", "はい")], [line(0, "本土", "はい")])
    assert [(site.site, site.characters.deletions, site.characters.insertions) for site in score.sites] == [
        ("島", 2, 0),
        ("本土", 0, 2),
    ]
    assert score.characters.rate == 2.0
