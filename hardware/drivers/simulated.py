"""Microphone and speaker without hardware, paced by a clock: for demos, tests and rooms that have none yet."""

from __future__ import annotations

import asyncio
import json
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from hardware.clock import Clock, MonotonicClock
from hardware.errors import DeviceBusy, DeviceLost, SourceUnreadable
from hardware.level import LevelMeter
from hardware.ports import SAMPLE_RATE, AudioBlock, Render, Samples

BLOCK_SAMPLES = 480
RING_SAMPLES = SAMPLE_RATE
"""What a reader that stays away may still get; older audio is dropped and counted, as on a real device."""
LATE_LIMIT_S = 0.2
PAUSE_SAMPLES = SAMPLE_RATE // 2


class Sound(Protocol):
    def render(self, start: int, count: int) -> Samples:
        """Samples [start, start + count) of the source, shape (count,); the same for any way of asking."""


class Tone:
    """A sine of `hertz` at `amplitude`, for ever; amplitude 0 is a dead microphone."""

    def __init__(self, hertz: float, amplitude: float = 0.25) -> None:
        self._hertz = hertz
        self._amplitude = amplitude

    def render(self, start: int, count: int) -> Samples:
        turns = np.arange(start, start + count, dtype=np.float64) * (self._hertz / SAMPLE_RATE)
        return (self._amplitude * np.sin(2.0 * np.pi * (turns % 1.0))).astype(np.float32)


class Script:
    """Sounds at their places on the sample clock, silence between; where two overlap they add up."""

    def __init__(self, sounds: Sequence[tuple[int, Samples]] = ()) -> None:
        self._sounds = list(sounds)

    @property
    def end_sample(self) -> int:
        return max((start + sound.size for start, sound in self._sounds), default=0)

    def add(self, start: int, sound: Samples) -> None:
        self._sounds.append((start, sound))

    def render(self, start: int, count: int) -> Samples:
        block = np.zeros(count, np.float32)
        for at, sound in self._sounds:
            first, last = max(at, start), min(at + sound.size, start + count)
            if first < last:
                block[first - start : last - start] += sound[first - at : last - at]
        return block


def load_sound(path: Path) -> Samples:
    """Mono float32 at 48 kHz from any sound file; channels are averaged, the rate is changed once. Blocks on disk."""
    import soundfile
    import soxr

    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (OSError, soundfile.SoundFileError) as error:
        raise SourceUnreadable(f"{path} cannot be read as sound: give a WAV or FLAC file that plays.") from error
    mono = samples.mean(axis=1, dtype=np.float32)
    if rate != SAMPLE_RATE:
        mono = soxr.resample(mono, rate, SAMPLE_RATE)
    return np.ascontiguousarray(mono, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Cue:
    """A sound that begins `at_s` after the microphone was opened, or after `starts_at` of its script."""

    at_s: float
    path: Path


def load_script(path: Path, now_posix: float) -> Script:
    """A JSON file `{"starts_at": posix_s?, "say": [{"at_s": 1.5, "path": "a.flac"}, ...]}`; paths are beside it.

    With `starts_at`, boards in different processes keep one time; what lies before `now_posix` is not said.
    """
    cues, starts_at = read_script(path)
    offset_s = 0.0 if starts_at is None else starts_at - now_posix
    placed = [(round((cue.at_s + offset_s) * SAMPLE_RATE), load_sound(cue.path)) for cue in cues]
    return Script([(start, sound) for start, sound in placed if start + sound.size > 0])


def read_script(path: Path) -> tuple[list[Cue], float | None]:
    """The cues, and when they begin in POSIX seconds if the file says so. Blocks on disk; reads no sound."""
    try:
        script = json.loads(path.read_text(encoding="utf-8"))
        cues = [Cue(float(cue["at_s"]), path.parent / cue["path"]) for cue in script["say"]]
        starts_at = script.get("starts_at")
        return cues, None if starts_at is None else float(starts_at)
    except OSError as error:
        raise SourceUnreadable(f"The script {path} cannot be opened: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SourceUnreadable(
            f'{path} is not a script: write {{"say": [{{"at_s": 1.5, "path": "hello.wav"}}]}} into it.'
        ) from error


class SimulatedMicrophone:
    """Blocks of 10 ms when the clock says they would have been captured. `dropped_samples`: reader was away."""

    def __init__(self, sound: Sound, *, name: str = "simulated", clock: Clock | None = None) -> None:
        self.name = name
        self._sound = sound
        self._clock = clock or MonotonicClock()
        self._opened_at = self._clock.now()
        self._position = 0
        self._closed = False
        self.dropped_samples = 0

    async def read(self) -> AudioBlock:
        await self._clock.until(self._opened_at + (self._position + BLOCK_SAMPLES) / SAMPLE_RATE)
        if self._closed:
            raise DeviceLost(f"The microphone {self.name} was closed.")
        behind = int((self._clock.now() - self._opened_at) * SAMPLE_RATE) - self._position
        if behind > RING_SAMPLES:
            lost = (behind - RING_SAMPLES) // BLOCK_SAMPLES * BLOCK_SAMPLES
            self.dropped_samples += lost
            self._position += lost
        start = self._position
        self._position += BLOCK_SAMPLES
        return AudioBlock(self._sound.render(start, BLOCK_SAMPLES), start, self._opened_at + start / SAMPLE_RATE)

    def close(self) -> None:
        self._closed = True

    def say(self, path: Path) -> float:
        """Queue a sound file behind what is being said; returns when it begins, on the clock. Blocks on disk."""
        return self.say_samples(load_sound(path))

    def say_samples(self, sound: Samples) -> float:
        if not isinstance(self._sound, Script):
            raise DeviceBusy(f"The microphone {self.name} plays a tone: open it with a script to say something.")
        start = self._position
        if self._sound.end_sample > start:
            start = self._sound.end_sample + PAUSE_SAMPLES
        self._sound.add(start, sound)
        return self._opened_at + start / SAMPLE_RATE


class SimulatedSpeaker:
    """Pulls 10 ms by the clock, measures, and can record (WAV, 48 kHz, 16 bit).

    `underflows` counts the times its turn came more than 200 ms late: that time is not made up, as on a real device.
    """

    latency_s = 0.0

    def __init__(self, *, name: str = "simulated", record: Path | None = None, clock: Clock | None = None) -> None:
        self.name = name
        self.meter = LevelMeter()
        self.underflows = 0
        self._clock = clock or MonotonicClock()
        self._record = _open_recording(record)
        self._task: asyncio.Task[None] | None = None

    def start(self, render: Render) -> None:
        self._task = asyncio.get_running_loop().create_task(self._play(render), name=f"speaker {self.name}")

    async def watch(self) -> None:
        """Ends only with the speaker: raises what stopped it."""
        if self._task is not None:
            await asyncio.shield(self._task)
        raise DeviceLost(f"The speaker {self.name} was closed.")

    async def _play(self, render: Render) -> None:
        due = self._clock.now()
        while True:
            await self._clock.until(due)
            samples = render(BLOCK_SAMPLES)
            self.meter.add(samples)
            if self._record is not None:
                self._record.writeframes((np.clip(samples, -1.0, 1.0) * 32767.0).astype("<i2").tobytes())
            due += BLOCK_SAMPLES / SAMPLE_RATE
            if self._clock.now() - due > LATE_LIMIT_S:
                self.underflows += 1
                due = self._clock.now()

    def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None
        if self._record is not None:
            self._record.close()
            self._record = None


def _open_recording(path: Path | None) -> wave.Wave_write | None:
    if path is None:
        return None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        recording = wave.open(str(path), "wb")  # noqa: SIM115 - stays open until close()
    except OSError as error:
        raise DeviceBusy(f"The recording {path} cannot be written: {error.strerror}.") from error
    recording.setnchannels(1)
    recording.setsampwidth(2)
    recording.setframerate(SAMPLE_RATE)
    return recording
