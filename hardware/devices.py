"""Which driver a spec means, and what this computer has.

| spec | microphone | speaker | camera |
|---|---|---|---|
| `none` | no device: `None` comes back | same | same |
| `default` or `auto` | the system's | the system's | the first that opens |
| `name:NAME` | saved name, else the system's with a warning | same | - |
| `portaudio:NAME` | that one or an error | same | - |
| `opencv:0`, `opencv:FILE` | - | - | camera number, file or stream address |
| `sim:tone=440` | a tone | - | - |
| `sim:silence` | exact zeros | - | - |
| `sim:script=FILE.json`, `sim:file=FILE` | sounds by the clock | - | - |
| `sim:cue=FILE.json` | the script, silent until its file says when it begins | - | - |
| `sim:queue` | silence until `say(path)` | - | - |
| `sim:meter`, `sim:record=FILE.wav` | - | measures, records | - |
| `sim:card=NAME` | - | - | test card |

A driver's library is imported when its driver is chosen, not before.
"""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path

from hardware.errors import DeviceMissing, HardwareError
from hardware.ports import Camera, Microphone, Speaker
from hardware.specs import DeviceInfo, Kind, Spec, is_simulated, parse_spec

__all__ = ["DeviceInfo", "is_simulated", "is_there", "list_devices", "open_camera", "open_microphone", "open_speaker"]

logger = logging.getLogger(__name__)


async def open_microphone(spec: str) -> Microphone | None:
    """None for `none`. Raises DeviceMissing, DeviceBusy or SourceUnreadable; opens in a thread, never blocks."""
    loop = asyncio.get_running_loop()
    return await asyncio.to_thread(_open_microphone, parse_spec(spec), loop)


async def open_speaker(spec: str) -> Speaker | None:
    """None for `none`. It is silent until `start`. Raises DeviceMissing or DeviceBusy."""
    loop = asyncio.get_running_loop()
    return await asyncio.to_thread(_open_speaker, parse_spec(spec), loop)


async def open_camera(spec: str, *, width: int = 1280, height: int = 720, fps: int = 15) -> Camera | None:
    """None for `none`. A camera may give another size than asked; the first frame tells. Raises DeviceMissing."""
    loop = asyncio.get_running_loop()
    return await asyncio.to_thread(_open_camera, parse_spec(spec), width, height, fps, loop)


def list_devices() -> list[DeviceInfo]:
    """Everything real that can be opened; empty when the libraries or the devices are missing. Blocks."""
    found: list[DeviceInfo] = []
    for listing in (_list_audio, _list_cameras):
        try:
            found += listing()
        except HardwareError as error:
            logger.info("part of the device list is missing: %s", error.code)
    return found


def is_there(kind: Kind, spec: str) -> bool | None:
    """Whether that device is connected, without opening it: nobody is heard or seen by this. Blocks.

    None: none is wanted, or only opening it would tell.
    """
    parsed = parse_spec(spec)
    try:
        match parsed.driver:
            case "none":
                return None
            case "sim":
                return Path(parsed.value).is_file() if parsed.key in {"file", "script"} else True
            case "opencv":
                return _has_camera(parsed.rest)
            case "default" | "auto" if kind == "camera":
                return _has_camera(parsed.rest)
            case "default" | "auto" | "name" | "portaudio":
                from hardware.drivers import portaudio

                return portaudio.has_device(kind, parsed.rest, parsed.driver != "portaudio")
    except DeviceMissing:
        return False
    except HardwareError:
        return None
    return False


def _has_camera(source: str) -> bool | None:
    from hardware.drivers import opencv

    return opencv.has_camera(source)


def _open_microphone(spec: Spec, loop: asyncio.AbstractEventLoop) -> Microphone | None:
    match spec:
        case Spec("none"):
            return None
        case Spec("sim"):
            return _simulated_microphone(spec)
        case Spec("default" | "auto" | "name" | "portaudio"):
            from hardware.drivers import portaudio

            return portaudio.open_microphone(spec.rest, spec.driver != "portaudio", loop)
    raise _unknown("microphone", spec)


def _simulated_microphone(spec: Spec) -> Microphone:
    from hardware.drivers import simulated as sim

    match spec.key:
        case "tone":
            return sim.SimulatedMicrophone(sim.Tone(_number(spec.value)), name=f"tone {spec.value} Hz")
        case "silence":
            return sim.SimulatedMicrophone(sim.Script(), name="silence")
        case "queue":
            return sim.SimulatedMicrophone(sim.Script(), name="queue")
        case "file":
            return sim.SimulatedMicrophone(sim.Script([(0, sim.load_sound(Path(spec.value)))]), name=spec.value)
        case "cue":
            from hardware.drivers.awaited import AwaitedScript

            return sim.SimulatedMicrophone(AwaitedScript(Path(spec.value)), name=spec.value)
        case "script":
            sounds = sim.load_script(Path(spec.value), time.time())
            return sim.SimulatedMicrophone(sounds, name=spec.value)
    raise _unknown("microphone", spec)


def _open_speaker(spec: Spec, loop: asyncio.AbstractEventLoop) -> Speaker | None:
    match spec:
        case Spec("none"):
            return None
        case Spec("sim", "record", path) if path:
            from hardware.drivers.simulated import SimulatedSpeaker

            return SimulatedSpeaker(name=path, record=Path(path))
        case Spec("sim", "" | "meter"):
            from hardware.drivers.simulated import SimulatedSpeaker

            return SimulatedSpeaker(name="meter")
        case Spec("default" | "auto" | "name" | "portaudio"):
            from hardware.drivers import portaudio

            return portaudio.open_speaker(spec.rest, spec.driver != "portaudio", loop)
    raise _unknown("speaker", spec)


def _open_camera(spec: Spec, width: int, height: int, fps: int, loop: asyncio.AbstractEventLoop) -> Camera | None:
    match spec:
        case Spec("none"):
            return None
        case Spec("sim", "card"):
            from hardware.drivers.test_card import TestCardCamera

            return TestCardCamera(spec.value, width, height, fps)
        case Spec("default" | "auto" | "opencv"):
            from hardware.drivers import opencv

            return opencv.open_camera(spec.rest, width, height, fps, loop)
    raise _unknown("camera", spec)


def _list_audio() -> list[DeviceInfo]:
    from hardware.drivers import portaudio

    return portaudio.list_audio()


def _list_cameras() -> list[DeviceInfo]:
    from hardware.drivers import opencv

    return opencv.list_cameras()


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise DeviceMissing(f"'{text}' is not a number of hertz: write for example sim:tone=440.") from None


def _unknown(kind: Kind, spec: Spec) -> DeviceMissing:
    text = f"{spec.driver}:{spec.rest}" if spec.rest else spec.driver
    return DeviceMissing(f"'{text}' names no {kind}: run `python -m hardware` to see what can be written there.")
