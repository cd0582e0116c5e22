"""Two boards on real PortAudio: what is played into one's virtual microphone comes out of the other's speaker."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile

from session_manager.demo.stage import BoardDevices
from tests.e2e.scene import excerpt, staged
from tests.pulse import Pulse, pulse_server

pytestmark = [pytest.mark.e2e, pytest.mark.portaudio, pytest.mark.timeout(120)]

RATE = 48_000
TONES = {"iki": 440.0, "fukuoka": 880.0}


def tone(folder: Path, hertz: float) -> Path:
    path = folder / f"{hertz:.0f}.wav"
    wave = 0.3 * np.sin(2 * np.pi * hertz * np.arange(60 * RATE) / RATE)
    soundfile.write(path, wave.astype(np.float32), RATE, subtype="PCM_16")
    return path


def share(sound: np.ndarray, hertz: float) -> float:
    """How much of the sound's energy lies within 10 Hz of that tone."""
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(sound.size))) ** 2
    frequencies = np.fft.rfftfreq(sound.size, 1 / RATE)
    return float(spectrum[np.abs(frequencies - hertz) < 10].sum() / max(spectrum.sum(), 1e-12))


@asynccontextmanager
async def playing(pulse: Pulse, sink: str, path: Path) -> AsyncIterator[None]:
    environment = {**os.environ, **pulse.environment}
    player = await asyncio.create_subprocess_exec("paplay", f"--device={sink}", str(path), env=environment)
    try:
        yield
    finally:
        if player.returncode is None:
            player.terminate()
        await player.wait()


async def recorded(pulse: Pulse, source: str, seconds: float) -> np.ndarray:
    """Mono float32 of what a Pulse source gives next."""
    arguments = ["--raw", "--format=float32le", "--channels=1", f"--rate={RATE}", f"--device={source}"]
    environment = {**os.environ, **pulse.environment}
    recorder = await asyncio.create_subprocess_exec(
        "parec", *arguments, env=environment, stdout=asyncio.subprocess.PIPE
    )
    assert recorder.stdout is not None
    try:
        raw = await asyncio.wait_for(recorder.stdout.readexactly(round(seconds * RATE) * 4), 30)
    finally:
        recorder.terminate()
        await recorder.wait()
    return np.frombuffer(raw, np.float32)


async def arrives(pulse: Pulse, source: str, hertz: float, seconds: float = 30.0) -> None:
    async with asyncio.timeout(seconds):
        while True:
            sound = await recorded(pulse, source, 1.0)
            if float(np.sqrt(np.mean(sound**2))) > 0.05 and share(sound, hertz) > 0.8:
                return


async def test_two_boards_hear_each_other_through_their_sound_devices(tmp_path: Path) -> None:
    sinks = ("mic_iki", "out_iki", "mic_fukuoka", "out_fukuoka")
    microphones = {f"microphone_{site}": f"mic_{site}.monitor" for site in TONES}
    speakers = {f"speaker_{site}": f"out_{site}" for site in TONES}
    with pulse_server(sinks, microphones=microphones, speakers=speakers) as pulse:
        devices = {
            site: BoardDevices(
                microphone=f"portaudio:microphone_{site}",
                camera="none",
                speaker=f"portaudio:speaker_{site}",
                environment={**pulse.environment, "SHIMAWA_ECHO": "off"},
            )
            for site in TONES
        }
        async with (
            playing(pulse, "mic_iki", tone(tmp_path, TONES["iki"])),
            playing(pulse, "mic_fukuoka", tone(tmp_path, TONES["fukuoka"])),
            staged(excerpt(1, 4), tmp_path, devices=devices),
        ):
            await arrives(pulse, "out_fukuoka.monitor", TONES["iki"])
            await arrives(pulse, "out_iki.monitor", TONES["fukuoka"])
