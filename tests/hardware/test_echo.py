"""The echo canceller, the real module, in a computed room."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from hardware.drivers.simulated import Script
from hardware.echo import STEP_SAMPLES, EchoCanceller, EchoFreeMicrophone, EchoMode, echo_wanted, heard_by
from hardware.ports import SAMPLE_RATE, AudioBlock, Samples

SECONDS = 8
DELAY = SAMPLE_RATE * 60 // 1000


def speech_like(seed: int, seconds: int = SECONDS) -> Samples:
    """Noise with the spectrum and the syllables of a voice."""
    rng = np.random.default_rng(seed)
    count = seconds * SAMPLE_RATE
    spectrum = np.fft.rfft(rng.standard_normal(count))
    hertz = np.fft.rfftfreq(count, 1 / SAMPLE_RATE)
    spectrum *= 1.0 / (1.0 + (hertz / 800.0) ** 2) * (hertz > 80.0)
    voice = np.fft.irfft(spectrum, count)
    syllables = np.clip(np.sin(2 * np.pi * 2.3 * np.arange(count) / SAMPLE_RATE + seed), 0.0, 1.0)
    return (0.25 * voice / np.abs(voice).max() * (0.1 + syllables)).astype(np.float32)


def room(played: Samples) -> Samples:
    """What the microphone hears of the speaker: 60 ms away, reverberation of 0.3 s."""
    rng = np.random.default_rng(1)
    tail = SAMPLE_RATE * 3 // 10
    impulse = rng.standard_normal(tail) * np.exp(-6.9 * np.arange(tail) / tail) * 0.02
    impulse[0] = 0.5
    size = played.size + tail
    wet = np.fft.irfft(np.fft.rfft(played, size) * np.fft.rfft(impulse, size), size)[: played.size]
    return np.concatenate([np.zeros(DELAY), wet])[: played.size].astype(np.float32)


def power(samples: Samples) -> float:
    return float(np.mean(samples.astype(np.float64) ** 2))


def run(canceller: EchoCanceller, played: Samples, heard: Samples) -> Samples:
    cleaned = []
    for start in range(0, heard.size, STEP_SAMPLES):
        canceller.reverse(played[start : start + STEP_SAMPLES])
        cleaned.append(canceller.process(heard[start : start + STEP_SAMPLES]))
    return np.concatenate(cleaned)


def test_the_echo_of_a_room_is_at_least_20_db_quieter() -> None:
    played = speech_like(1)
    heard = room(played)
    canceller = EchoCanceller()
    cleaned = run(canceller, played, heard)
    settled = slice(4 * SAMPLE_RATE, None)
    assert 10 * np.log10(power(heard[settled]) / power(cleaned[settled])) > 20.0
    assert canceller.erle_db > 15.0


def test_who_speaks_here_is_kept() -> None:
    here = speech_like(2, 4)
    cleaned = run(EchoCanceller(noise_suppression=False), np.zeros_like(here), here)
    assert abs(10 * np.log10(power(cleaned[SAMPLE_RATE:]) / power(here[SAMPLE_RATE:]))) < 3.0


def test_odd_blocks_of_the_speaker_are_heard_in_full() -> None:
    played = speech_like(1)
    heard = room(played)
    canceller, cleaned, told = EchoCanceller(), [], 0
    for start in range(0, heard.size, STEP_SAMPLES):
        while told < start + STEP_SAMPLES:
            canceller.reverse(played[told : told + 333])
            told += 333
        cleaned.append(canceller.process(heard[start : start + STEP_SAMPLES]))
    settled = slice(4 * SAMPLE_RATE, None)
    assert 10 * np.log10(power(heard[settled]) / power(np.concatenate(cleaned)[settled])) > 20.0


def test_a_block_that_is_not_10_ms_is_refused() -> None:
    with pytest.raises(ValueError, match="480"):
        EchoCanceller().process(np.zeros(481, np.float32))


class _Capture:
    """Blocks of a prepared sound; some never come."""

    name = "capture"

    def __init__(self, sound: Samples, lost: set[int]) -> None:
        self._script = Script([(0, sound)])
        self._lost = lost
        self._at = 0

    async def read(self) -> AudioBlock:
        while self._at // STEP_SAMPLES in self._lost:
            self._at += STEP_SAMPLES
        start, self._at = self._at, self._at + STEP_SAMPLES
        return AudioBlock(self._script.render(start, STEP_SAMPLES), start, start / SAMPLE_RATE)

    def close(self) -> None:
        self._at = -1


async def test_a_microphone_behind_the_canceller_keeps_step_when_capture_is_lost() -> None:
    played = speech_like(1)
    heard = room(played)
    lost = {index + step for index in range(100, 700, 100) for step in range(2)}
    canceller = EchoCanceller()
    microphone = EchoFreeMicrophone(_Capture(heard, lost), canceller)
    rendered = 0

    def render(count: int) -> Samples:
        return played[rendered : rendered + count]

    speaker = heard_by(canceller, render)
    before, after = [], []
    for index in range(SECONDS * 100):
        speaker(STEP_SAMPLES)
        rendered += STEP_SAMPLES
        if index in lost:
            continue
        block = await asyncio.wait_for(microphone.read(), 10)
        assert block.sample == index * STEP_SAMPLES
        if index >= 400:
            before.append(heard[block.sample : block.sample + STEP_SAMPLES])
            after.append(block.samples)
    assert 10 * np.log10(power(np.concatenate(before)) / power(np.concatenate(after))) > 20.0
    microphone.close()


@pytest.mark.parametrize(
    ("mode", "microphone", "speaker", "wanted"),
    [
        ("auto", "default", "default", True),
        ("auto", "sim:tone=1", "default", False),
        ("auto", "default", "none", False),
        ("on", "sim:tone=1", "sim:meter", True),
        ("off", "default", "default", False),
    ],
)
def test_auto_means_real_devices_at_both_ends(mode: EchoMode, microphone: str, speaker: str, wanted: bool) -> None:
    assert echo_wanted(mode, microphone, speaker) is wanted
