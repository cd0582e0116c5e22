"""The room's level: the least of everybody present, from the moment it is said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_manager.booking import WITH_SESSION
from session_manager.consent import (
    LISTENER,
    PUBLISH_FROM,
    USUAL,
    Level,
    Word,
    forbids_record,
    latest,
    may_publish,
    room_level,
    usual,
)

LEVELS = st.sampled_from(Level)
WORDS = st.builds(Word, st.sampled_from("abcde"), LEVELS, st.booleans())


@given(LEVELS, st.lists(WORDS))
def test_the_room_keeps_no_more_than_was_agreed_and_than_anybody_allows(agreed: Level, words: list[Word]) -> None:
    level = room_level(agreed, words)
    assert level <= agreed
    assert all(level <= word.allows for word in words)
    assert level in {agreed, *(word.allows for word in words)}


@given(LEVELS, st.lists(WORDS), WORDS)
def test_lowering_takes_effect_at_once_and_nobody_who_comes_raises_it(
    agreed: Level, said: list[Word], word: Word
) -> None:
    before = room_level(agreed, latest(said).values())
    others = [one for one in latest(said).values() if one.person_id != word.person_id]
    after = room_level(agreed, latest([*said, word]).values())
    assert after <= word.allows
    assert after == min(room_level(agreed, others), word.allows)
    if all(one.person_id != word.person_id for one in said):
        assert after <= before


@given(st.lists(WORDS))
def test_the_last_word_of_each_counts(said: list[Word]) -> None:
    found = latest(said)
    assert found.keys() == {word.person_id for word in said}
    for name, word in found.items():
        assert word == [one for one in said if one.person_id == name][-1]


def test_who_only_listens_lowers_a_recording_and_nothing_else() -> None:
    listener = Word("a", Level.PRESENCE, listens=True)
    assert room_level(Level.RECORDING, [listener]) == LISTENER
    assert room_level(Level.TURNS, [listener]) == Level.TURNS
    assert room_level(Level.TURNS, [Word("a", Level.NOTHING, listens=True)]) == Level.NOTHING


@given(WORDS, LEVELS)
def test_nothing_of_who_listens_or_said_less_becomes_public(word: Word, publish_from: Level) -> None:
    assert may_publish(word, publish_from) == (
        not word.listens and word.level >= publish_from and word.level >= PUBLISH_FROM
    )
    assert not may_publish(None, publish_from)


def test_every_kind_of_session_has_its_usual_level_and_what_is_confidential_keeps_nothing() -> None:
    assert set(USUAL) >= WITH_SESSION
    assert usual("dialogue", confidential=False) == Level.TURNS
    assert all(usual(kind, confidential=True) == Level.NOTHING for kind in USUAL)


@pytest.mark.parametrize("level", list(Level))
def test_voice_and_words_are_kept_from_captions_on_and_an_empty_room_was_promised_nothing(level: Level) -> None:
    assert forbids_record(level, 1) == (level in {Level.NOTHING, Level.PRESENCE, Level.TURNS})
    assert not forbids_record(level, 0)
