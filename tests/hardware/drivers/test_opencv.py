"""The OpenCV driver on a real video file: frames arrive, the latest wins, the end is a loss, the thread stops."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
import threading
from pathlib import Path

import av
import numpy as np
import pytest

from hardware.devices import open_camera
from hardware.drivers.opencv import OpenCvCamera
from hardware.errors import DeviceLost, DeviceMissing
from hardware.ports import Camera, Frame

ROOT = Path(__file__).resolve().parents[3]


def write_video(path: Path, frames: int) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=60)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        for index in range(frames):
            picture = np.full((48, 64, 3), index % 256, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode())
    return path


async def read_all(camera: Camera, seen: list[Frame]) -> None:
    while True:
        seen.append(await camera.read())


def camera_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "camera"]


async def test_pictures_come_until_the_end_and_then_the_camera_is_lost(tmp_path: Path) -> None:
    camera = await open_camera(f"opencv:{write_video(tmp_path / 'a.avi', 30)}")
    assert isinstance(camera, OpenCvCamera)
    seen: list[Frame] = []
    with pytest.raises(DeviceLost, match="gives no more pictures"):
        await read_all(camera, seen)
    assert all(frame.picture.shape == (48, 64, 3) for frame in seen)
    assert all(a.captured_at < b.captured_at for a, b in itertools.pairwise(seen))
    assert len(seen) + camera.dropped == 30
    camera.close()


async def test_closing_stops_the_thread(tmp_path: Path) -> None:
    camera = await open_camera(f"opencv:{write_video(tmp_path / 'a.avi', 300)}")
    assert camera is not None
    await camera.read()
    camera.close()
    for thread in camera_threads():
        await asyncio.to_thread(thread.join, 20)
    assert not camera_threads()


def test_a_process_that_forgets_its_camera_still_ends(tmp_path: Path) -> None:
    program = (
        "import asyncio\nfrom hardware.devices import open_camera\n"
        f"asyncio.run(open_camera('opencv:{write_video(tmp_path / 'a.avi', 3000)}'))"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, timeout=30)


@pytest.mark.parametrize("source", ["63", "/nowhere/video.avi"])
async def test_a_camera_that_does_not_open_is_one_clear_sentence(source: str) -> None:
    with pytest.raises(DeviceMissing, match="does not open: connect it"):
        await open_camera(f"opencv:{source}")


async def test_a_file_that_is_no_video_is_one_clear_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.avi").write_text("not a video")
    with pytest.raises(DeviceMissing, match="does not open"):
        await open_camera(f"opencv:{tmp_path / 'a.avi'}")
