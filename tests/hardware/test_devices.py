"""From a spec to a device or one clear sentence, and nothing imported that was not chosen."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest

from hardware import devices
from hardware.drivers.simulated import SimulatedMicrophone, SimulatedSpeaker
from hardware.drivers.test_card import TestCardCamera
from hardware.errors import DeviceMissing, SourceUnreadable

ROOT = Path(__file__).resolve().parents[2]


async def test_none_is_no_device() -> None:
    assert await devices.open_microphone("none") is None
    assert await devices.open_speaker("none") is None
    assert await devices.open_camera("none") is None


@pytest.mark.parametrize("spec", ["sim:tone=440", "sim:silence", "sim:queue"])
async def test_simulated_microphones_open(spec: str) -> None:
    microphone = await devices.open_microphone(spec)
    assert isinstance(microphone, SimulatedMicrophone)
    assert (await microphone.read()).samples.shape == (480,)


async def test_a_queue_says_the_file_it_is_told(tmp_path: Path) -> None:
    microphone = await devices.open_microphone("sim:queue")
    assert isinstance(microphone, SimulatedMicrophone)
    (tmp_path / "a.wav").write_text("not sound")
    with pytest.raises(SourceUnreadable):
        microphone.say(tmp_path / "a.wav")


async def test_simulated_speakers_open(tmp_path: Path) -> None:
    assert isinstance(await devices.open_speaker("sim:meter"), SimulatedSpeaker)
    recording = await devices.open_speaker(f"sim:record={tmp_path / 'a.wav'}")
    assert recording is not None
    recording.close()
    assert (tmp_path / "a.wav").exists()


async def test_a_test_card_opens_at_the_size_asked() -> None:
    camera = await devices.open_camera("sim:card=勝本小学校", width=320, height=180, fps=5)
    assert isinstance(camera, TestCardCamera)
    assert (await camera.read()).picture.shape == (180, 320, 3)


@pytest.mark.parametrize("spec", ["", "what", "sim:", "sim:tune=1", "opencv:0", "sim:card=x"])
async def test_an_unknown_microphone_says_where_to_look(spec: str) -> None:
    with pytest.raises(DeviceMissing, match="python -m hardware"):
        await devices.open_microphone(spec)


@pytest.mark.parametrize("spec", ["what", "sim:record=", "sim:tone=440"])
async def test_an_unknown_speaker_says_where_to_look(spec: str) -> None:
    with pytest.raises(DeviceMissing, match="python -m hardware"):
        await devices.open_speaker(spec)


@pytest.mark.parametrize("spec", ["what", "portaudio:x", "sim:tone=440"])
async def test_an_unknown_camera_says_where_to_look(spec: str) -> None:
    with pytest.raises(DeviceMissing, match="python -m hardware"):
        await devices.open_camera(spec)


async def test_a_tone_wants_a_number() -> None:
    with pytest.raises(DeviceMissing, match="sim:tone=440"):
        await devices.open_microphone("sim:tone=la")


PORTABLE = """
import importlib, importlib.abc, json, pkgutil, sys
blocked = set(json.loads(sys.argv[1]))

class Blocker(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in blocked:
            raise ModuleNotFoundError(name)

for name in blocked:
    sys.modules.pop(name, None)
sys.meta_path.insert(0, Blocker())
for package in sys.argv[2:]:
    root = importlib.import_module(package)
    for module in pkgutil.walk_packages(root.__path__, package + "."):
        if module.name not in ("hardware.drivers.portaudio", "hardware.drivers.opencv"):
            importlib.import_module(module.name)
print(json.dumps(sorted({name.split(".")[0] for name in sys.modules} & {"sounddevice", "cv2", "livekit", "soundfile"})))
"""


def import_without(blocked: list[str], *packages: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PORTABLE, json.dumps(blocked), *packages],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


LINUX_ONLY = ["fcntl", "grp", "pty", "pwd", "resource", "termios", "tty", "uvloop", "syslog", "spwd"]


def test_everything_a_board_has_imports_without_linux_only_modules() -> None:
    import_without(LINUX_ONLY, "hardware", "room_agent")


def test_hardware_imports_without_any_driver_library_and_takes_none_by_itself() -> None:
    assert import_without(["sounddevice", "cv2", "livekit", "soundfile", "soxr"], "hardware") == []


def open_without(blocked: str, call: str) -> str:
    program = f"""
import asyncio, sys
sys.modules[{blocked!r}] = None
from hardware import devices
from hardware.errors import DeviceMissing
try:
    asyncio.run({call})
except DeviceMissing as error:
    print(error)
"""
    return subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_a_missing_sound_library_is_one_clear_sentence() -> None:
    assert "install shimawa[board], or write `none`" in open_without(
        "sounddevice", "devices.open_microphone('default')"
    )


def test_a_missing_camera_library_is_one_clear_sentence() -> None:
    assert "install shimawa[board], or write `none`" in open_without("cv2", "devices.open_camera('default')")


def test_the_list_is_empty_without_libraries() -> None:
    program = (
        "import sys\nsys.modules['cv2'] = sys.modules['sounddevice'] = None\nfrom hardware import devices\n"
        "print(devices.list_devices())"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("kind", "spec", "found"),
    [
        ("microphone", "none", None),
        ("microphone", "sim:tone=440", True),
        ("microphone", "sim:file=nowhere.wav", False),
        ("microphone", "what", False),
        ("camera", "sim:card=x", True),
        ("camera", "opencv:nowhere.avi", False),
        ("camera", "opencv:rtsp://camera.example/1", None),
    ],
)
def test_whether_a_device_is_there_is_told_without_opening_it(
    kind: Literal["microphone", "camera"], spec: str, found: bool | None
) -> None:
    assert devices.is_there(kind, spec) is found
