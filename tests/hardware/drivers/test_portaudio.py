"""Real PortAudio on a PulseAudio of our own: what a virtual speaker plays, its monitor captures."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pulse import Pulse, pulse_server

ROOT = Path(__file__).resolve().parents[3]
pytestmark = [pytest.mark.portaudio]

PRELUDE = """
import asyncio, json, sys
import numpy as np
from hardware.devices import is_there, list_devices, open_microphone, open_speaker
from hardware.drivers.simulated import Tone
from hardware.errors import HardwareError
from hardware.ports import SAMPLE_RATE

def player(tone):
    played = 0
    def render(count):
        nonlocal played
        played += count
        return tone.render(played - count, count)
    return render

def strength(samples, hertz):
    turns = np.exp(-2j * np.pi * hertz * np.arange(samples.size) / SAMPLE_RATE)
    return float(2 * abs(np.mean(samples * turns)))

async def captured(microphone, seconds):
    blocks = [await microphone.read() for _ in range(int(seconds * 100))]
    return np.concatenate([block.samples for block in blocks])

async def hear(microphone, hertz, above):
    # until 200 ms of it come without a break: a busy machine may drop some, and the first second of a null sink is poor
    while strength(await captured(microphone, 0.2), hertz) < above:
        pass
"""


@pytest.fixture
def pulse() -> Iterator[Pulse]:
    with pulse_server(
        ("island", "mainland"),
        microphones={"mic_island": "island.monitor", "mic_mainland": "mainland.monitor"},
        speakers={"out_island": "island", "out_mainland": "mainland"},
    ) as server:
        yield server


def program(pulse: Pulse, body: str) -> subprocess.Popen[str]:
    lines = "\n".join(f"    {line}" for line in body.strip().splitlines())
    code = f"{PRELUDE}\nasync def main():\n{lines}\n\nasyncio.run(main())"
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, **pulse.environment},
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def outcome(process: subprocess.Popen[str]) -> object:
    out, err = process.communicate(timeout=50)
    assert process.returncode == 0, err
    return json.loads(out.splitlines()[-1])


async def test_a_tone_played_into_one_speaker_arrives_at_its_microphone_and_nowhere_else(pulse: Pulse) -> None:
    body = """
speaker, silent = await open_speaker("portaudio:out_island"), await open_speaker("portaudio:out_mainland")
speaker.start(player(Tone(1000.0, 0.5)))
silent.start(player(Tone(1000.0, 0.0)))
here, there = await open_microphone("portaudio:mic_island"), await open_microphone("name:mic_mainland")
await hear(here, 1000.0, 0.45)
blocks = [await here.read() for _ in range(100)]
at = [block.sample for block in blocks]
times = [block.captured_at for block in blocks]
result = {
    "there": strength(await captured(there, 1.0), 1000.0),
    "steps": sorted(set(b - a for a, b in zip(at, at[1:]))),
    "latency": speaker.latency_s,
    "names": [speaker.name, here.name, there.name],
}
for device in (speaker, silent, here, there):
    device.close()
print(json.dumps(result))
"""
    result = await asyncio.to_thread(outcome, program(pulse, body))
    assert isinstance(result, dict)
    assert result["there"] < 0.01
    assert result["names"] == ["out_island", "mic_island", "mic_mainland"]
    assert 0.0 < result["latency"] < 0.5
    assert result["steps"][0] == 480


async def test_microphone_and_speaker_opened_at_the_same_time_do_not_pull_the_library_from_under_each_other(
    pulse: Pulse,
) -> None:
    body = """
for _ in range(12):
    opened = await asyncio.gather(open_speaker("portaudio:out_island"), open_microphone("portaudio:mic_mainland"))
    for device in opened:
        device.close()
print(json.dumps([device.name for device in opened]))
"""
    assert await asyncio.to_thread(outcome, program(pulse, body)) == ["out_island", "mic_mainland"]


async def test_devices_are_listed_by_the_names_that_open_them(pulse: Pulse) -> None:
    result = await asyncio.to_thread(
        outcome, program(pulse, "print(json.dumps([[d.kind, d.spec] for d in list_devices()]))")
    )
    assert isinstance(result, list)
    assert ["microphone", "portaudio:mic_island"] in result
    assert ["speaker", "portaudio:out_mainland"] in result


async def test_whether_a_device_is_listed_is_told_also_while_others_are_open(pulse: Pulse) -> None:
    body = """
specs = ["default", "name:Conference Bar 9", "portaudio:mic_island", "portaudio:Conference Bar 9"]
before = [is_there("microphone", each) for each in specs]
microphone = await open_microphone("portaudio:mic_island")
after = [is_there("microphone", each) for each in specs]
await microphone.read()
microphone.close()
print(json.dumps([before, after]))
"""
    found = await asyncio.to_thread(outcome, program(pulse, body))
    assert found == [[True, True, True, False]] * 2


async def test_a_saved_name_that_is_gone_falls_back_to_the_system_and_an_exact_one_does_not(pulse: Pulse) -> None:
    body = """
microphone = await open_microphone("name:Conference Bar 9")
microphone.close()
try:
    await open_microphone("portaudio:Conference Bar 9")
except HardwareError as error:
    print(json.dumps([microphone.name, error.code, str(error)]))
"""
    name, code, sentence = await asyncio.to_thread(outcome, program(pulse, body))  # type: ignore[misc]
    assert name == "default"
    assert code == "device_missing"
    assert "no microphone named 'Conference Bar 9'" in sentence


async def test_a_sound_server_that_dies_is_a_lost_device_at_both_ends(pulse: Pulse) -> None:
    body = """
speaker = await open_speaker("portaudio:out_island")
speaker.start(player(Tone(1000.0, 0.5)))
microphone = await open_microphone("portaudio:mic_island")
await hear(microphone, 1000.0, 0.4)
print("playing", flush=True)
codes = []
try:
    while True:
        await microphone.read()
except HardwareError as error:
    codes.append(error.code)
try:
    await speaker.watch()
except HardwareError as error:
    codes.append(error.code)
try:
    await open_speaker("portaudio:out_island")
except HardwareError as error:
    codes.append(error.code)
print(json.dumps(codes))
"""
    process = program(pulse, body)
    assert process.stdout is not None
    assert await asyncio.to_thread(process.stdout.readline) == "playing\n"
    pulse.process.kill()
    codes = await asyncio.to_thread(outcome, process)
    assert isinstance(codes, list)
    assert codes[:2] == ["device_lost", "device_lost"]
    assert codes[2] in ("device_missing", "device_busy")
