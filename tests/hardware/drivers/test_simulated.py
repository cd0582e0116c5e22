"""Simulated microphone and speaker, on a clock that jumps instead of waiting."""

from __future__ import annotations

import json
import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile

from hardware.clock import SteppedClock
from hardware.drivers.simulated import (
    BLOCK_SAMPLES,
    PAUSE_SAMPLES,
    RING_SAMPLES,
    Script,
    SimulatedMicrophone,
    SimulatedSpeaker,
    Tone,
    load_script,
    load_sound,
)
from hardware.errors import DeviceBusy, DeviceLost, HardwareError, SourceUnreadable
from hardware.ports import SAMPLE_RATE, Samples


def write_sound(path: Path, rate: int, channels: int, seconds: float = 0.5, hertz: float = 440.0) -> Path:
    tone = 0.5 * np.sin(2 * np.pi * hertz * np.arange(int(rate * seconds)) / rate)
    soundfile.write(path, np.repeat(tone[:, None], channels, axis=1), rate)
    return path


async def capture(microphone: SimulatedMicrophone, seconds: float) -> Samples:
    blocks = [await microphone.read() for _ in range(int(seconds * SAMPLE_RATE / BLOCK_SAMPLES))]
    assert [block.sample for block in blocks] == [blocks[0].sample + BLOCK_SAMPLES * i for i in range(len(blocks))]
    return np.concatenate([block.samples for block in blocks])


@pytest.mark.parametrize("rate", [8000, 16_000, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("kind", ["wav", "flac"])
def test_any_rate_and_channel_count_becomes_mono_at_48_khz(tmp_path: Path, rate: int, channels: int, kind: str) -> None:
    sound = load_sound(write_sound(tmp_path / f"a.{kind}", rate, channels))
    assert sound.dtype == np.float32
    assert abs(sound.size - SAMPLE_RATE // 2) <= 2
    assert np.sqrt(np.mean(sound[4800:-4800] ** 2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.01)


@pytest.mark.parametrize("content", [b"", b"this is not sound", b"RIFF\0\0\0\0WAVE"])
def test_a_file_that_is_not_sound_is_one_clear_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes.wav"
    path.write_bytes(content)
    with pytest.raises(SourceUnreadable, match=r"notes\.wav cannot be read as sound: give a WAV or FLAC"):
        load_sound(path)


def test_a_file_that_is_not_there_is_one_clear_sentence(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable, match="cannot be read"):
        load_sound(tmp_path / "missing.wav")


async def test_blocks_come_at_the_pace_of_the_clock() -> None:
    clock = SteppedClock(100.0)
    microphone = SimulatedMicrophone(Tone(440.0), clock=clock)
    samples = await capture(microphone, 10.0)
    assert clock.now() == pytest.approx(110.0)
    assert np.array_equal(samples, Tone(440.0).render(0, samples.size))


async def test_a_reader_that_was_away_gets_the_last_second_and_a_jump() -> None:
    clock = SteppedClock()
    microphone = SimulatedMicrophone(Tone(440.0), clock=clock)
    await microphone.read()
    clock.step(10.0)
    block = await microphone.read()
    assert block.sample == pytest.approx(10 * SAMPLE_RATE - RING_SAMPLES, abs=2 * BLOCK_SAMPLES)
    assert microphone.dropped_samples == block.sample - BLOCK_SAMPLES
    assert block.captured_at == pytest.approx(block.sample / SAMPLE_RATE)


async def test_a_script_says_its_sounds_at_their_times_and_is_silent_between(tmp_path: Path) -> None:
    write_sound(tmp_path / "a.wav", 48_000, 1)
    path = tmp_path / "script.json"
    path.write_text(json.dumps({"say": [{"at_s": 0.5, "path": "a.wav"}, {"at_s": 2.0, "path": "a.wav"}]}))
    samples = await capture(SimulatedMicrophone(load_script(path, now_posix=0.0), clock=SteppedClock()), 3.0)
    loud = np.abs(samples.reshape(-1, 4800)).max(axis=1) > 0.1
    assert list(np.flatnonzero(loud)) == [5, 6, 7, 8, 9, 20, 21, 22, 23, 24]
    assert not samples[: SAMPLE_RATE // 2].any()


async def test_a_script_with_a_start_keeps_wall_time_however_late_it_is_opened(tmp_path: Path) -> None:
    write_sound(tmp_path / "a.wav", 48_000, 1, seconds=1.0)
    path = tmp_path / "script.json"
    path.write_text(
        json.dumps({"starts_at": 1000.0, "say": [{"at_s": 0, "path": "a.wav"}, {"at_s": 5, "path": "a.wav"}]})
    )
    early = load_script(path, now_posix=998.0)
    late = load_script(path, now_posix=1004.0)
    assert early.render(2 * SAMPLE_RATE - 10, 10).any() == False  # noqa: E712 - numpy's own truth
    assert early.render(2 * SAMPLE_RATE, 480).any()
    assert late.end_sample == 2 * SAMPLE_RATE
    assert late.render(SAMPLE_RATE, 480).any()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"say": 3}', '{"say": [{"path": "a.wav"}]}', '{"say": ["a.wav"]}'])
def test_a_script_that_is_none_says_how_to_write_one(tmp_path: Path, text: str) -> None:
    path = tmp_path / "script.json"
    path.write_text(text)
    with pytest.raises(SourceUnreadable, match="is not a script: write"):
        load_script(path, now_posix=0.0)


async def test_what_is_said_while_something_is_said_waits_for_its_end() -> None:
    microphone = SimulatedMicrophone(Script(), clock=SteppedClock())
    await capture(microphone, 1.0)
    first = microphone.say_samples(np.full(4800, 0.5, np.float32))
    second = microphone.say_samples(np.full(4800, 0.25, np.float32))
    assert first == pytest.approx(1.0)
    assert second == pytest.approx(1.1 + PAUSE_SAMPLES / SAMPLE_RATE)
    samples = await capture(microphone, 1.0)
    assert np.count_nonzero(samples == 0.5) == np.count_nonzero(samples == 0.25) == 4800


async def test_a_tone_cannot_be_told_to_speak() -> None:
    with pytest.raises(DeviceBusy, match="plays a tone"):
        SimulatedMicrophone(Tone(1.0), clock=SteppedClock()).say_samples(np.zeros(1, np.float32))


async def test_a_closed_microphone_is_lost() -> None:
    microphone = SimulatedMicrophone(Tone(440.0), clock=SteppedClock())
    microphone.close()
    with pytest.raises(DeviceLost):
        await microphone.read()


async def test_the_speaker_pulls_by_the_clock_measures_and_records(tmp_path: Path) -> None:
    clock = SteppedClock()
    speaker = SimulatedSpeaker(record=tmp_path / "deep" / "out.wav", clock=clock)
    tone, asked = Tone(1000.0, 0.5), 0

    def render(count: int) -> Samples:
        nonlocal asked
        asked += count
        return tone.render(asked - count, count)

    speaker.start(render)
    await clock.until(0.0)
    while clock.now() < 2.0:
        await clock.until(0.0)
    speaker.close()
    assert asked == pytest.approx(2.0 * SAMPLE_RATE, abs=2 * BLOCK_SAMPLES)
    assert speaker.meter.max_dbfs == pytest.approx(-9.03, abs=0.05)
    with wave.open(str(tmp_path / "deep" / "out.wav")) as recording:
        assert (recording.getframerate(), recording.getnchannels(), recording.getnframes()) == (48_000, 1, asked)


async def test_a_speaker_that_was_held_up_does_not_make_up_for_lost_time() -> None:
    clock, asked = SteppedClock(), 0
    speaker = SimulatedSpeaker(clock=clock)

    def render(count: int) -> Samples:
        nonlocal asked
        asked += count
        if asked == 10 * BLOCK_SAMPLES:
            clock.step(60.0)
        return np.zeros(count, np.float32)

    speaker.start(render)
    while clock.now() < 61.0:
        await clock.until(0.0)
    speaker.close()
    assert speaker.underflows == 1
    assert asked < 1.5 * SAMPLE_RATE


async def test_watching_a_closed_speaker_tells_that_it_is_lost() -> None:
    with pytest.raises(DeviceLost):
        await SimulatedSpeaker(clock=SteppedClock()).watch()


def test_a_recording_that_cannot_be_written_is_a_clear_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DeviceBusy, match="cannot be written"):
        SimulatedSpeaker(record=tmp_path / "file" / "out.wav")


def test_every_error_has_a_code_of_its_own() -> None:
    codes = [kind.code for kind in (HardwareError, *HardwareError.__subclasses__())]
    assert len(codes) == len(set(codes)) == 5
