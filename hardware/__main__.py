"""`python -m hardware`: which devices this computer has, and whether they work.

Without arguments it lists everything and tries the system's microphone, speaker and camera. A device named on the
command line must work (exit code 1 if not); the system's own may be missing.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from hardware.devices import list_devices, open_camera, open_microphone, open_speaker
from hardware.errors import HardwareError
from hardware.level import LevelMeter
from hardware.ports import SAMPLE_RATE, Camera, Microphone, Samples, Speaker

TONE_HERTZ = 440.0
TONE_AMPLITUDE = 0.2
BAR_WIDTH = 40
BAR_FLOOR_DBFS = -60.0
QUIET_DBFS = -70.0


@dataclass(frozen=True, slots=True)
class Trial:
    """One device to try: how to open it and what to do with it. `named`: somebody asked for exactly this one."""

    kind: str
    spec: str
    named: bool
    run: Callable[[str, float], Awaitable[str]]


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    trials = [
        Trial(kind, getattr(options, kind) or "default", getattr(options, kind) is not None, run)
        for kind, run in (("microphone", _try_microphone), ("speaker", _try_speaker), ("camera", _try_camera))
    ]
    if any(trial.named for trial in trials):
        trials = [trial for trial in trials if trial.named]
    else:
        _print_list()
    if options.list:
        return 0
    return asyncio.run(_try_all(trials, options.seconds))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="shimawa devices", description="List this computer's devices and try them.")
    for kind in ("microphone", "speaker", "camera"):
        parser.add_argument(f"--{kind}", metavar="SPEC", help=f"try this {kind} (a SPEC from the list)")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long to try each device (default 3)")
    parser.add_argument("--list", action="store_true", help="list only")
    return parser


def _print_list() -> None:
    devices = list_devices()
    if not devices:
        print("No devices were found. Connect them, or use simulated ones: sim:tone=440, sim:meter, sim:card=NAME.")
    for device in devices:
        mark = "*" if device.is_default else " "
        print(f"{mark} {device.kind:<10} {device.spec:<40} {device.api}")
    if devices:
        print("* is the system's own choice (`default`).")


async def _try_all(trials: Sequence[Trial], seconds: float) -> int:
    failed = 0
    for trial in trials:
        try:
            verdict = await trial.run(trial.spec, seconds)
        except HardwareError as error:
            failed += trial.named
            verdict = str(error)
        print(f"{trial.kind}: {verdict}")
    return 1 if failed else 0


async def _try_microphone(spec: str, seconds: float) -> str:
    microphone = await open_microphone(spec)
    if microphone is None:
        return "none, as asked."
    try:
        meter = await _listen(microphone, seconds)
    finally:
        microphone.close()
    if meter.max_dbfs < QUIET_DBFS:
        return f"{microphone.name} opens but is silent: is it muted, or the wrong one?"
    return f"{microphone.name} works, loudest {meter.max_dbfs:.0f} dBFS."


async def _listen(microphone: Microphone, seconds: float) -> LevelMeter:
    meter = LevelMeter()
    heard = 0
    while heard < seconds * SAMPLE_RATE:
        block = await microphone.read()
        meter.add(block.samples)
        heard += block.samples.size
        if sys.stdout.isatty():
            print(f"\r{_bar(meter.level_dbfs)}", end="", flush=True)
    if sys.stdout.isatty():
        print()
    return meter


def _bar(level_dbfs: float) -> str:
    filled = round(BAR_WIDTH * (1.0 - max(BAR_FLOOR_DBFS, level_dbfs) / BAR_FLOOR_DBFS))
    return f"[{'#' * filled:<{BAR_WIDTH}}] {level_dbfs:6.1f} dBFS"


async def _try_speaker(spec: str, seconds: float) -> str:
    from hardware.drivers.simulated import Tone

    speaker = await open_speaker(spec)
    if speaker is None:
        return "none, as asked."
    tone, played = Tone(TONE_HERTZ, TONE_AMPLITUDE), 0

    def render(count: int) -> Samples:
        nonlocal played
        played += count
        return tone.render(played - count, count)

    try:
        speaker.start(render)
        await _play(speaker, seconds)
    finally:
        speaker.close()
    if not played:
        return f"{speaker.name} opens but never asks for sound: choose another one."
    return f"{speaker.name} played a tone of {TONE_HERTZ:.0f} Hz for {played / SAMPLE_RATE:.1f} s. Did you hear it?"


async def _play(speaker: Speaker, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await speaker.watch()
    except TimeoutError:
        return


async def _try_camera(spec: str, seconds: float) -> str:
    camera = await open_camera(spec)
    if camera is None:
        return "none, as asked."
    try:
        return await _watch(camera, seconds)
    finally:
        camera.close()


async def _watch(camera: Camera, seconds: float) -> str:
    frame = await camera.read()
    started_at, frames = time.monotonic(), 0
    while time.monotonic() - started_at < seconds:
        frame = await camera.read()
        frames += 1
    height, width = frame.picture.shape[:2]
    return f"{camera.name} works: {width} x {height}, {frames / (time.monotonic() - started_at):.0f} pictures a second."


if __name__ == "__main__":
    sys.exit(main())
