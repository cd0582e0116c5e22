"""Endpointer: utterances from probabilities; the laws that chunking and crash recovery stand on."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transcription.endpointer import Endpointer, EndpointRules, Utterance, Window
from transcription.grid import RATE, WINDOW, WINDOW_S, windows_for

SPEECH = Window(0.9, -20.0)
QUIET = Window(0.02, -70.0)
HINT = Window(0.2, -45.0)

runs = st.lists(
    st.tuples(st.sampled_from([0.0, 0.05, 0.2, 0.4, 0.6, 0.95]), st.integers(1, 120), st.floats(-80, -10)), max_size=25
)


def spoken(script: list[tuple[float, int, float]]) -> list[Window]:
    return [Window(probability, level) for probability, count, level in script for _ in range(count)]


def seconds_of(window: Window, seconds: float) -> list[Window]:
    return [window] * windows_for(seconds)


def heard(windows: list[Window], from_sample: int = 0) -> list[Utterance]:
    endpointer = Endpointer(from_sample)
    found = endpointer.hear(windows)
    return found + endpointer.close(endpointer.position)


@given(runs, st.lists(st.integers(1, 40)))
@settings(deadline=None)
def test_chunking_does_not_change_the_spans(script: list[tuple[float, int, float]], sizes: list[int]) -> None:
    windows = spoken(script)
    endpointer, found, at = Endpointer(0), [], 0
    for size in [*sizes, len(windows)]:
        found += endpointer.hear(windows[at : at + size])
        at += size
    assert found + endpointer.close(endpointer.position) == heard(windows)


@given(runs)
@settings(deadline=None)
def test_a_fresh_endpointer_at_any_watermark_finds_the_same_rest(script: list[tuple[float, int, float]]) -> None:
    windows = spoken(script)
    whole = heard(windows)
    endpointer, watermarks = Endpointer(0), set[int]()
    for window in windows:
        watermarks |= {utterance.decided_sample for utterance in endpointer.hear([window])}
        watermarks.add(endpointer.settled)
    for watermark in sorted(watermarks)[::7]:
        rest = heard(windows[watermark // WINDOW :], watermark)
        assert rest == [utterance for utterance in whole if utterance.start_sample >= watermark]


@given(runs)
@settings(deadline=None)
def test_spans_are_in_order_apart_and_bounded(script: list[tuple[float, int, float]]) -> None:
    windows = spoken(script)
    found, rules = heard(windows), EndpointRules()
    for before, after in itertools.pairwise(found):
        assert before.end_sample <= before.decided_sample <= after.start_sample
    for utterance in found:
        length = utterance.end_sample - utterance.start_sample
        assert 0 < length <= windows_for(rules.hard_max_s) * WINDOW
        assert utterance.voiced_s > 0
        assert utterance.end_sample <= len(windows) * WINDOW


@given(runs)
@settings(deadline=None)
def test_what_is_settled_never_goes_back_and_never_passes_open_speech(script: list[tuple[float, int, float]]) -> None:
    endpointer, before = Endpointer(0), 0
    for window in spoken(script):
        endpointer.hear([window])
        assert before <= endpointer.settled <= endpointer.position
        start = endpointer.speaking_since
        assert start is None or endpointer.settled <= start
        before = endpointer.settled


def test_an_utterance_has_its_pre_roll_and_its_tail() -> None:
    [utterance] = heard(seconds_of(QUIET, 2) + seconds_of(SPEECH, 1) + seconds_of(QUIET, 1))
    onset, rules = windows_for(2), EndpointRules()
    assert utterance.start_sample == (onset - windows_for(rules.pre_roll_s)) * WINDOW
    assert utterance.end_sample == (onset + windows_for(1) + windows_for(rules.tail_s)) * WINDOW
    assert utterance.voiced_s == pytest.approx(windows_for(1) * WINDOW_S)
    assert utterance.snr_db == pytest.approx(50.0)


def test_a_weak_beginning_belongs_to_the_utterance() -> None:
    [plain] = heard(seconds_of(QUIET, 3) + seconds_of(SPEECH, 1) + seconds_of(QUIET, 1))
    [weak] = heard(seconds_of(QUIET, 3)[15:] + [HINT] * 15 + seconds_of(SPEECH, 1) + seconds_of(QUIET, 1))
    assert plain.start_sample - weak.start_sample == 15 * WINDOW


def test_a_hint_at_the_end_of_a_pause_holds_the_sentence_together() -> None:
    pause = [*seconds_of(QUIET, 0.6)[2:], HINT, HINT]
    assert len(heard(seconds_of(SPEECH, 1) + pause + seconds_of(SPEECH, 1) + seconds_of(QUIET, 1))) == 1


def test_a_hint_that_never_becomes_speech_ends_after_its_patience() -> None:
    endpointer = Endpointer(0)
    assert endpointer.hear(seconds_of(SPEECH, 1) + seconds_of(HINT, 1.05))


@pytest.mark.parametrize("voiced, found", [(2, 0), (4, 0), (5, 1), (8, 1)])
def test_a_click_is_silence_and_a_short_yes_is_an_utterance(voiced: int, found: int) -> None:
    assert len(heard(seconds_of(QUIET, 1) + [SPEECH] * voiced + seconds_of(QUIET, 1))) == found


SOFT_YES = (0.01, 0.03, 0.23, 0.22, 0.21, 0.22, 0.24, 0.36, 0.499, 0.48, 0.36, 0.21, 0.13, 0.09)
"""What Silero says to a はい of 0.25 s at -17 dB after a silence, where the windows lie unluckily."""


def test_a_soft_short_yes_is_an_utterance_of_its_own() -> None:
    yes = [Window(probability, -20.0) for probability in SOFT_YES]
    [found] = heard(seconds_of(QUIET, 1) + yes + seconds_of(QUIET, 1))
    assert found.start_sample <= windows_for(1) * WINDOW <= found.end_sample


def test_a_soft_short_yes_belongs_to_what_follows_within_half_a_second() -> None:
    yes = [Window(probability, -20.0) for probability in SOFT_YES]
    silence = seconds_of(QUIET, 1)
    [found] = heard(silence + yes + seconds_of(QUIET, 0.4) + seconds_of(SPEECH, 1) + silence)
    assert found.start_sample <= len(silence) * WINDOW


def test_hints_alone_are_silence() -> None:
    assert heard(seconds_of(QUIET, 1) + seconds_of(HINT, 2) + seconds_of(QUIET, 1)) == []


def test_long_speech_is_cut_at_its_longest_pause_after_the_soft_maximum() -> None:
    script = seconds_of(SPEECH, 8) + [QUIET] * 12 + seconds_of(SPEECH, 4) + [QUIET] * 6 + seconds_of(SPEECH, 6)
    first, second = heard([*script, *seconds_of(QUIET, 1)])
    middle = windows_for(8) + 6
    assert abs(first.end_sample // WINDOW - middle) <= 1
    assert second.start_sample == first.end_sample


def test_speech_without_a_pause_is_cut_at_its_quietest_window_before_the_hard_maximum() -> None:
    windows = [*seconds_of(SPEECH, 18), Window(0.9, -50.0), *seconds_of(SPEECH, 5), *seconds_of(QUIET, 1)]
    first, second = heard(windows)
    assert first.end_sample == windows_for(18) * WINDOW
    assert second.start_sample == first.end_sample


def test_silence_is_reported_well_behind_the_newest_audio_so_that_a_restart_can_warm_up() -> None:
    endpointer = Endpointer(0)
    endpointer.hear(seconds_of(QUIET, 10))
    assert endpointer.position - endpointer.settled == windows_for(2.5) * WINDOW
    assert endpointer.settled > 7 * RATE


def test_closing_decides_the_open_utterance() -> None:
    endpointer = Endpointer(0)
    endpointer.hear(seconds_of(QUIET, 1) + seconds_of(SPEECH, 1))
    end = endpointer.position - 500
    [utterance] = endpointer.close(end)
    assert utterance.end_sample == end
    assert endpointer.settled == end


def test_the_span_of_an_open_utterance_is_the_final_one_once_its_tail_was_heard() -> None:
    endpointer = Endpointer(0)
    endpointer.hear(seconds_of(SPEECH, 1) + seconds_of(QUIET, 0.35))
    early = endpointer.open_span()
    assert endpointer.tail_heard
    assert endpointer.hear(seconds_of(QUIET, 1)) == [early]
