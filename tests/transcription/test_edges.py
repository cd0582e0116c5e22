"""Edges of lines: where the windows of voice activity lie on the sound does not move them."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import soxr
from numpy.typing import NDArray

from tests.transcription.sounds import at_48k, dialogue
from transcription.ear import Ear
from transcription.edges import STEP_S, EdgeRules, Heard, measured, offset, onset, sounding
from transcription.grid import MODEL_RATE, RATE, WINDOW_16K, WINDOW_S
from transcription.listener import Listener
from transcription.recognition import RecognitionRequest
from transcription.vad import SileroModel, SileroVoiceActivity

Sound = NDArray[np.float32]

SHIFTS = (0, 101, 230, 377)
"""Samples at 16 kHz; a window has 512."""
ONSET_S = 2.0


@cache
def activity() -> SileroVoiceActivity:
    return SileroVoiceActivity(SileroModel())


def said(number: int) -> Sound:
    sound: Sound = soxr.resample(at_48k(dialogue()[number].file), RATE, MODEL_RATE)
    return sound


def hiss(seconds: float, level: float, seed: int = 0) -> Sound:
    chance = np.random.default_rng(seed)
    return (chance.standard_normal(round(seconds * MODEL_RATE)) * level).astype(np.float32)


def silence(seconds: float) -> Sound:
    return np.zeros(round(seconds * MODEL_RATE), np.float32)


def in_a_room(speech: Sound, level: float) -> Sound:
    sound = np.concatenate([silence(ONSET_S), speech, silence(1.5)])
    return sound + hiss(len(sound) / MODEL_RATE, level)[: len(sound)]


def heard(sound: Sound, shift: int) -> list[RecognitionRequest]:
    """As by an ear whose windows lie `shift` samples later on the sound."""
    activity().reset()
    ear, listener = Ear(0, activity(), MODEL_RATE), Listener(1, 0, ("ja",))
    rest = sound[shift:]
    return listener.hear([*ear.sound(rest), *ear.finish()]) + listener.finish(len(rest) * RATE // MODEL_RATE)


def edges_s(request: RecognitionRequest, shift: int) -> tuple[float, float]:
    return request.start_sample / RATE + shift / MODEL_RATE, request.end_sample / RATE + shift / MODEL_RATE


@pytest.mark.parametrize("level", [0.0, 0.0003, 0.01], ids=["digital silence", "quiet room", "loud room"])
@pytest.mark.parametrize("number", [1, 8, 18])
def test_a_line_has_the_same_edges_wherever_the_windows_lie(number: int, level: float) -> None:
    sound = in_a_room(said(number), level)
    found = [edges_s(one, shift) for shift in SHIFTS for one in heard(sound, shift)]
    assert len(found) == len(SHIFTS)
    assert np.ptp([start for start, _ in found]) <= 0.02
    assert np.ptp([end for _, end in found]) <= 0.02


def test_what_the_recogniser_hears_is_the_same_sound_wherever_the_windows_lie() -> None:
    sound = in_a_room(said(8), 0.0003)
    first, second = (heard(sound, shift)[0] for shift in (0, 230))
    assert abs(len(first.audio) - len(second.audio)) <= 0.02 * MODEL_RATE


def steps(seconds: float) -> float:
    return seconds / STEP_S


def level_of(sound: Sound, before_s: float, likely: bool = True) -> Heard:
    whole = sound[: len(sound) // WINDOW_16K * WINDOW_16K]
    count = len(whole) // WINDOW_16K
    return measured(whole, [likely] * count, int(before_s / WINDOW_S), EdgeRules())


def spans_of(sound: Sound, before_s: float, likely: bool = True) -> list[tuple[int, int]]:
    return sounding(level_of(sound, before_s, likely), EdgeRules())


NEAR = 0.02 / STEP_S


@pytest.mark.parametrize("room", [0.0, 0.0001, 0.003], ids=["digital silence", "quiet", "loud"])
def test_sound_begins_and_ends_where_it_rises_over_the_room(room: float) -> None:
    sound = np.concatenate([silence(1), hiss(0.5, 0.1), silence(0.5)])
    [(start, end)] = spans_of(sound + hiss(2, room, 1), 0.9)
    assert start == pytest.approx(steps(1), abs=NEAR)
    assert end == pytest.approx(steps(1.5), abs=NEAR)


def test_a_hum_is_the_room_and_a_soft_hiss_over_it_is_sound() -> None:
    time = np.arange(2 * MODEL_RATE) / MODEL_RATE
    hum = sum(0.05 / n * np.sin(2 * np.pi * 50 * n * time) for n in (1, 2, 3, 5))
    soft = np.concatenate([silence(1), hiss(0.15, 0.004), hiss(0.4, 0.1), silence(0.45)])
    [(start, _)] = spans_of((soft + hum).astype(np.float32), 0.9)
    assert start == pytest.approx(steps(1), abs=NEAR)


def test_a_click_is_no_sound_unless_it_may_be_speech() -> None:
    sound = np.concatenate([silence(0.8), hiss(0.005, 0.3), silence(0.195), hiss(0.5, 0.1), silence(0.5)])
    [(start, _)] = spans_of(sound, 0.7, likely=False)
    assert start == pytest.approx(steps(1), abs=NEAR)
    [(start, _)] = spans_of(sound, 0.7)
    assert start == pytest.approx(steps(0.8), abs=NEAR)


def test_a_stop_belongs_to_its_word_and_a_pause_does_not() -> None:
    word = [hiss(0.2, 0.1), silence(0.2), hiss(0.2, 0.1)]
    spans = spans_of(np.concatenate([silence(1), *word, silence(0.4), hiss(0.2, 0.1), silence(0.5)]), 0.9)
    assert [round(end - start) for start, end in spans] == [
        pytest.approx(steps(0.6), abs=2 * NEAR),
        pytest.approx(steps(0.2), abs=2 * NEAR),
    ]


def test_the_edges_are_those_of_the_sounds_that_certain_speech_touches() -> None:
    words = [hiss(0.2, 0.1), silence(0.4), hiss(0.4, 0.1), silence(0.4), hiss(0.3, 0.1), silence(0.5)]
    heard = level_of(np.concatenate([silence(1), *words]), 0.9)

    def edges(core_s: tuple[float, float]) -> tuple[int | None, int | None]:
        core = (round(steps(core_s[0])), round(steps(core_s[1])))
        return onset(heard, core, EdgeRules()), offset(heard, core, EdgeRules())

    assert edges((1.7, 2.5)) == (pytest.approx(steps(1.6), abs=NEAR), pytest.approx(steps(2.7), abs=NEAR))
    assert edges((1.7, 1.9)) == (pytest.approx(steps(1.6), abs=NEAR), pytest.approx(steps(2.0), abs=NEAR))
    assert edges((2.1, 2.3)) == (None, None)


@pytest.mark.parametrize("louder", [1, 3, 10])
def test_a_beginning_is_the_same_however_much_of_the_rest_was_heard(louder: float) -> None:
    """The loud vowel of a later word must not make silence of the soft beginning of the first."""
    word = np.concatenate([silence(1), hiss(0.1, 0.004, 1), hiss(0.4, 0.1, 2), hiss(0.3, 0.1 * louder, 3), silence(1)])
    core = (round(steps(1.15)), round(steps(1.45)))
    for heard_s in (1.472, 1.6, 1.9):
        found = onset(level_of(word[: round(heard_s * MODEL_RATE)], 0.9), core, EdgeRules())
        assert found == pytest.approx(steps(1), abs=NEAR)
