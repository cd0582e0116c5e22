"""Listener: every second of a stream becomes a line, suppressed text or silence, once and in order."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transcription.ear import Frame, Heard, Skip
from transcription.grid import MODEL_RATE, RATE, WINDOW, WINDOW_16K
from transcription.listener import Fact, Listener, Silent, Spoken
from transcription.recognition import Failed, Recognition, RecognitionRequest

runs = st.lists(st.tuples(st.booleans(), st.integers(1, 200)), max_size=20)


NEAR = 0.02 * MODEL_RATE
HISS = (np.random.default_rng(0).standard_normal(WINDOW_16K) * 0.1).astype(np.float32)


def frame(index: int, speech: bool) -> Frame:
    probability, level, sound = (0.9, -20.0, HISS) if speech else (0.0, -96.0, np.zeros_like(HISS))
    return Frame(index * WINDOW, sound, probability, level)


def frames(script: list[tuple[bool, int]], begin: int = 0) -> list[Heard]:
    flags = [speech for speech, count in script for _ in range(count)]
    return [frame(index, flag) for index, flag in enumerate(flags)][begin:]


def said(text: str = "はい", language: str = "ja") -> Recognition:
    return Recognition(text, language, avg_logprob=-0.2)


def run(script: list[tuple[bool, int]], from_sample: int = 0) -> list[Fact]:
    heard = frames(script, from_sample // WINDOW)
    end = (from_sample // WINDOW + len(heard)) * WINDOW
    listener = Listener(1, from_sample, ("ja",))
    facts: list[Fact] = []
    for item in heard:
        for request in listener.hear([item]):
            facts += listener.answer(request, said())
        facts += listener.facts()
    for request in listener.finish(end):
        facts += listener.answer(request, said())
    facts += listener.facts()
    assert listener.done
    return facts


def spoken(facts: list[Fact]) -> list[Spoken]:
    return [fact for fact in facts if isinstance(fact, Spoken)]


@given(runs)
@settings(max_examples=40, deadline=None)
def test_every_sample_is_accounted_for(script: list[tuple[bool, int]]) -> None:
    facts, accounted = run(script), 0
    for fact in facts:
        assert fact.watermark_sample >= accounted
        accounted = fact.watermark_sample
        if isinstance(fact, Spoken):
            assert fact.end_sample <= accounted
    assert accounted == sum(count for _, count in script) * WINDOW


@given(runs, st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_a_worker_that_begins_at_a_watermark_says_exactly_the_rest(script: list[tuple[bool, int]], pick: int) -> None:
    facts = run(script)
    if not facts:
        return
    stored = facts[: pick % len(facts) + 1]
    rest = run(script, stored[-1].watermark_sample)
    lines = [(fact.start_sample, fact.end_sample) for fact in [*spoken(stored), *spoken(rest)]]
    assert lines == [(fact.start_sample, fact.end_sample) for fact in spoken(facts)]


def two_utterances() -> tuple[Listener, list[RecognitionRequest]]:
    listener = Listener(1, 0, ("ja",))
    requests = listener.hear(frames([(False, 30), (True, 30), (False, 40), (True, 30), (False, 40)]))
    return listener, requests


def test_facts_leave_in_order_whatever_order_answers_come_in() -> None:
    listener, [first, second] = two_utterances()
    assert listener.answer(second, said("二つ目")) == []
    facts = listener.answer(first, said("一つ目"))
    assert [fact.text for fact in spoken(facts)] == ["一つ目", "二つ目"]


def test_silence_is_not_reported_past_an_utterance_that_waits_for_its_answer() -> None:
    listener, [first, second] = two_utterances()
    more = [frame(170 + index, False) for index in range(400)]
    assert listener.hear(more) == []
    assert listener.facts() == []
    listener.answer(second, said())
    assert isinstance(listener.answer(first, said())[-1], Silent)


def test_what_could_not_be_recognised_is_reported_and_does_not_stop_the_stream() -> None:
    listener, [first, second] = two_utterances()
    [failed] = spoken(listener.answer(first, Failed("no")))
    assert failed.suppressed == "failed"
    assert failed.watermark_sample == first.end_sample
    [line] = spoken(listener.answer(second, said()))
    assert line.suppressed is None


def test_disbelieved_text_is_reported_with_its_reason_and_kept() -> None:
    listener, [first, _] = two_utterances()
    [fact] = spoken(listener.answer(first, said("はい" * 40)))
    assert fact.suppressed == "loop"
    assert fact.text == "はい" * 40


def test_a_request_carries_exactly_its_span() -> None:
    _, [first, _] = two_utterances()
    assert len(first.audio) * 3 == first.end_sample - first.start_sample
    voiced = np.flatnonzero(first.audio)
    assert voiced[0] == pytest.approx(0.4 * MODEL_RATE, abs=NEAR)
    assert len(voiced) == 30 * WINDOW_16K


@pytest.mark.parametrize("offset", range(0, WINDOW_16K, 16))
def test_a_quarter_second_yes_is_found_at_every_offset_of_the_window(offset: int) -> None:
    sound = np.zeros(2 * 16_000, np.float32)
    sound[8_000 + offset : 12_000 + offset] = 0.1
    listener = Listener(1, 0, ("ja",))
    windows = sound[: len(sound) // WINDOW_16K * WINDOW_16K].reshape(-1, WINDOW_16K)
    heard: list[Heard] = [
        Frame(index * WINDOW, window, 0.9 if window.any() else 0.0, -20.0 if window.any() else -96.0)
        for index, window in enumerate(windows)
    ]
    [request] = listener.hear(heard)
    assert np.count_nonzero(request.audio) == 4_000


def test_the_end_of_a_stream_decides_the_last_word() -> None:
    listener = Listener(1, 0, ("ja",))
    assert listener.hear(frames([(False, 30), (True, 20)])) == []
    [request] = listener.finish(50 * WINDOW)
    assert not listener.done
    facts = listener.answer(request, said())
    assert facts[-1].watermark_sample == 50 * WINDOW
    assert listener.done


def test_a_sender_that_stops_in_mid_word_is_decided_and_what_follows_is_heard() -> None:
    listener = Listener(1, 0, ("ja",))
    listener.hear(frames([(False, 30), (True, 20)]))
    [first] = listener.stalled()
    assert first.end_sample == 50 * WINDOW
    [second] = listener.hear(frames([(False, 30), (True, 40), (False, 40)], begin=50))
    assert second.start_sample == first.end_sample


def test_a_skipped_hole_is_silence() -> None:
    listener = Listener(1, 0, ("ja",))
    far = 3_600 * RATE // WINDOW * WINDOW
    listener.hear([*frames([(False, 100)]), Skip(far)])
    assert listener.facts() == [Silent(far)]


def test_silence_is_not_reported_more_often_than_every_two_seconds() -> None:
    listener = Listener(1, 0, ("ja",))
    reports = [fact for item in frames([(False, 1_000)]) for fact in (listener.hear([item]), listener.facts())[1]]
    assert 12 <= len(reports) <= 15


def test_memory_does_not_grow_with_silence_or_decided_speech() -> None:
    listener, chance, most = Listener(1, 0, ("ja",)), random.Random(1), 0.0
    flags = [chance.random() < 0.5 for _ in range(200) for _ in range(1)]
    for index in range(20_000):
        for request in listener.hear([frame(index, flags[(index // 100) % 200])]):
            listener.answer(request, said())
        most = max(most, listener.held_s)
    assert most < 25.0


def test_a_partial_needs_enough_speech_and_stops_at_the_pause() -> None:
    listener = Listener(1, 0, ("ja",))
    listener.hear(frames([(False, 30), (True, 6)]))
    assert listener.partial() is None
    listener.hear([frame(36 + index, True) for index in range(30)])
    partial = listener.partial()
    assert partial is not None
    assert partial.kind == "partial"
    assert partial.start_sample == pytest.approx(30 * WINDOW - 0.4 * RATE, abs=3 * NEAR)
    listener.hear([frame(66 + index, False) for index in range(12)])
    assert listener.partial() is None


def test_partials_of_one_utterance_count_up_and_their_committed_text_grows() -> None:
    listener = Listener(1, 0, ("ja",))
    listener.hear(frames([(False, 30), (True, 60)]))
    request = listener.partial()
    assert request is not None
    views = [listener.heard_partial(request, said(text)) for text in ("今日の", "今日の議題は", "今日の議題はです")]
    assert [view.revision for view in views if view] == [1, 2, 3]
    assert [view.committed for view in views if view] == ["", "今", "今日の議"]


def test_a_partial_of_a_decided_utterance_is_not_shown() -> None:
    listener = Listener(1, 0, ("ja",))
    listener.hear(frames([(False, 30), (True, 60)]))
    request = listener.partial()
    assert request is not None
    listener.hear([frame(90 + index, False) for index in range(40)])
    assert listener.heard_partial(request, said()) is None


def early() -> tuple[Listener, RecognitionRequest]:
    listener = Listener(1, 0, ("ja",))
    listener.hear(frames([(False, 30), (True, 40), (False, 11)]))
    request = listener.early()
    assert request is not None
    assert request.kind == "early"
    assert listener.early() is None, "once is enough"
    return listener, request


def test_an_early_answer_becomes_the_line_when_nothing_more_is_said() -> None:
    listener, request = early()
    assert listener.answer(request, said("早い")) == []
    assert listener.hear([frame(81 + index, False) for index in range(20)]) == []
    [fact] = spoken(listener.facts())
    assert (fact.text, fact.start_sample, fact.end_sample) == ("早い", request.start_sample, request.end_sample)


def test_an_early_request_without_an_answer_is_asked_for_again_as_itself() -> None:
    listener, request = early()
    [final] = listener.hear([frame(81 + index, False) for index in range(20)])
    assert final is request
    assert [fact.text for fact in spoken(listener.answer(final, said("一度")))] == ["一度"]


def test_an_early_answer_is_forgotten_when_the_speaker_goes_on() -> None:
    listener, request = early()
    listener.answer(request, said("まだ"))
    [final] = listener.hear([frame(81 + index, index < 20) for index in range(50)])
    assert final is not request
    [fact] = spoken(listener.answer(final, said("まだ続く")))
    assert fact.text == "まだ続く"


def test_a_stream_of_two_languages_says_which_it_spoke_last() -> None:
    listener = Listener(1, 0, ("ja", "en"))
    [first, _] = listener.hear(frames([(False, 30), (True, 30), (False, 40), (True, 30), (False, 40)]))
    assert first.preferred == ""
    listener.answer(first, said("Hello", "en"))
    [third] = listener.hear([frame(170 + index, index < 30) for index in range(70)])
    assert third.preferred == "en"
