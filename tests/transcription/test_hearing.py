"""Resampler, voice activity and ear: the same sound at the same place, however it comes in."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.transcription.sounds import DIALOGUE, at_48k, noise
from transcription.ear import Ear, Frame, Heard, Skip
from transcription.fakes import opus_packets
from transcription.grid import MODEL_RATE, RATE, WINDOW, WINDOW_16K
from transcription.resample import Resampler
from transcription.vad import LevelVoiceActivity, SileroModel, SileroVoiceActivity, level_db

SOUND = noise(1.0, 0.1)
ENCODED = opus_packets(noise(8.0, 0.1))


def frames(heard: list[Heard]) -> list[Frame]:
    return [item for item in heard if isinstance(item, Frame)]


def sound_of(heard: list[Heard]) -> NDArray[np.float32]:
    return np.concatenate([frame.audio for frame in frames(heard)])


def ear(from_sample: int = 0) -> Ear:
    return Ear(from_sample, LevelVoiceActivity())


def numbers(packets: list) -> list[tuple[int, int, bytes]]:
    return [(packet.sequence, packet.sample, packet.payload) for packet in packets]


@given(st.lists(st.integers(1, 5_000), max_size=30))
@settings(max_examples=25)
def test_the_resampler_gives_the_same_samples_for_any_chunking(sizes: list[int]) -> None:
    resampler, out, at = Resampler(RATE), [], 0
    for size in [*sizes, len(SOUND)]:
        out.append(resampler.feed(SOUND[at : at + size]))
        at += size
    out.append(resampler.flush())
    assert np.array_equal(np.concatenate(out)[: len(SOUND) // 3], soxr.resample(SOUND, RATE, MODEL_RATE))


def test_sound_of_the_models_own_rate_is_not_touched() -> None:
    resampler = Resampler(MODEL_RATE)
    assert resampler.feed(SOUND) is SOUND
    assert len(resampler.flush()) == 0


@pytest.fixture(scope="module")
def silero() -> SileroModel:
    return SileroModel()


def test_voice_activity_keeps_its_state_between_calls(silero: SileroModel) -> None:
    sound, rate = soundfile.read(str(DIALOGUE / "18_iki.flac"), dtype="float32")
    assert rate == MODEL_RATE
    windows = sound[: len(sound) // WINDOW_16K * WINDOW_16K].reshape(-1, WINDOW_16K)
    whole = SileroVoiceActivity(silero).hear(windows)
    one_by_one = SileroVoiceActivity(silero)
    assert [one_by_one.hear(window[None])[0] for window in windows] == pytest.approx(whole, abs=1e-4)
    forgetful = SileroVoiceActivity(silero)
    cold = []
    for window in windows:
        forgetful.reset()
        cold += forgetful.hear(window[None])
    assert cold != pytest.approx(whole, abs=1e-2)


def test_voice_activity_hears_speech_and_not_silence(silero: SileroModel) -> None:
    sound, _ = soundfile.read(str(DIALOGUE / "18_iki.flac"), dtype="float32")
    windows = sound[: len(sound) // WINDOW_16K * WINDOW_16K].reshape(-1, WINDOW_16K)
    probabilities = SileroVoiceActivity(silero).hear(windows)
    assert max(probabilities) > 0.9
    assert max(probabilities[:8]) < 0.2


def test_a_level_is_in_decibels_of_full_scale() -> None:
    assert level_db(np.full(512, 0.1, np.float32)) == pytest.approx(-20.0, abs=0.01)
    assert level_db(np.zeros(512, np.float32)) == -96.0


@given(st.lists(st.integers(1, 60), max_size=20))
@settings(max_examples=15)
def test_the_ear_makes_the_same_frames_for_any_grouping_of_packets(sizes: list[int]) -> None:
    packets = numbers(ENCODED[:150])
    whole = ear()
    expected = whole.hear(packets) + whole.finish(150 * 960)
    one, got, at = ear(), [], 0
    for size in [*sizes, len(packets)]:
        got += one.hear(packets[at : at + size])
        at += size
    got += one.finish(150 * 960)
    assert [frame.sample for frame in frames(got)] == [index * WINDOW for index in range(len(frames(expected)))]
    assert np.array_equal(sound_of(got), sound_of(expected))


@pytest.mark.parametrize("begin", [0, 1, 7, 50])
def test_a_restarted_ear_hears_the_same_sound_at_the_same_places(begin: int) -> None:
    first = ear()
    whole = first.hear(numbers(ENCODED))
    watermark = frames(whole)[60].sample
    later = ear(watermark)
    again = frames(later.hear([p for p in numbers(ENCODED) if p[1] + 960 > watermark - begin * 960]))
    before = {frame.sample: frame.audio for frame in frames(whole)}
    assert again[0].sample == watermark
    for frame in again[12:]:
        assert np.max(np.abs(frame.audio - before[frame.sample])) < 0.02


def test_a_short_hole_is_silence_of_its_length() -> None:
    packets = numbers(ENCODED)
    heard = ear().hear(packets[:100] + packets[150:300])
    levels = {frame.sample: frame.level_db for frame in frames(heard)}
    in_hole = [level for sample, level in levels.items() if 100 * 960 + WINDOW <= sample < 150 * 960 - 2 * WINDOW]
    assert in_hole
    assert max(in_hole) < -60
    assert all(level > -40 for sample, level in levels.items() if sample >= 150 * 960 + WINDOW)


def test_a_long_hole_is_skipped_and_what_follows_lies_where_it_belongs() -> None:
    packets = numbers(ENCODED)
    later = 3_600 * 50
    moved = [(number + later, sample + later * 960, payload) for number, sample, payload in packets[150:]]
    one = ear()
    heard = one.hear(packets[:150] + moved)
    [skip] = [item for item in heard if isinstance(item, Skip)]
    resumed = moved[0][1]
    assert resumed - WINDOW < skip.to_sample <= resumed
    after = [frame for frame in frames(heard) if frame.sample >= skip.to_sample]
    assert after[0].sample == skip.to_sample
    plain = ear()
    reference = {frame.sample: frame for frame in frames(plain.hear(packets))}
    assert {frame.sample % WINDOW for frame in after} == {0}
    quiet_before = [frame for frame in frames(heard) if 150 * 960 + WINDOW < frame.sample < skip.to_sample]
    assert len(quiet_before) > 20
    assert max(frame.level_db for frame in quiet_before[2:]) < -60
    shifted = resumed - 150 * 960
    assert shifted % WINDOW == 0, "the test wants the grid to match"
    for frame in after[12:]:
        assert np.max(np.abs(frame.audio - reference[frame.sample - shifted].audio)) < 0.05


def test_the_last_samples_are_heard_before_the_end() -> None:
    sound = np.zeros(RATE, np.float32)
    sound[-4_800:] = 0.3 * np.sin(2 * np.pi * 440 * np.arange(4_800) / RATE)
    one = ear()
    packets = numbers(opus_packets(sound))
    heard = one.hear(packets) + one.finish(RATE)
    assert max(frame.level_db for frame in frames(heard)[-4:]) > -20
    assert frames(heard)[-1].sample + WINDOW >= RATE


def test_a_packet_that_is_no_opus_is_left_out() -> None:
    one = ear()
    heard = one.hear([(0, 0, b""), *numbers(ENCODED)[1:50]])
    assert frames(heard)[0].sample == 0


def test_plain_sound_of_another_rate_is_heard_at_its_places() -> None:
    tone = (0.3 * np.sin(2 * np.pi * 440 * np.arange(44_100) / 44_100)).astype(np.float32)
    one = Ear(0, LevelVoiceActivity(), 44_100)
    heard = frames(one.sound(np.concatenate([np.zeros(44_100, np.float32), tone])) + one.finish())
    onset = next(frame.sample for frame in heard if frame.probability > 0.5)
    assert abs(onset - RATE) <= WINDOW


def test_the_helper_sounds_are_what_the_tests_take_them_for() -> None:
    assert len(at_48k("18_iki.flac")) == pytest.approx(1.64 * RATE, abs=10)
