"""Cameras, video files and network cameras by OpenCV: one thread per camera, one slot, the latest picture wins."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from pathlib import Path
from typing import Any

from hardware.errors import DeviceLost, DeviceMissing
from hardware.mailbox import Mailbox
from hardware.ports import Camera, Frame
from hardware.specs import DeviceInfo

try:
    import cv2
except (ImportError, OSError) as error:
    raise DeviceMissing(
        "Cameras need the package `opencv-python-headless`: install shimawa[board], or write `none`."
    ) from error

PROBED = 4
SILENT_LIMIT_S = 1.0


def open_camera(source: str, width: int, height: int, fps: int, loop: asyncio.AbstractEventLoop) -> Camera:
    """A number, a file or a stream address; empty: the first camera that opens. Raises DeviceMissing. Blocks."""
    wanted: list[int | str] = [int(source) if source.isdigit() else source] if source else list(range(PROBED))
    for candidate in wanted:
        capture = _open(candidate, width, height, fps)
        if capture is not None:
            return OpenCvCamera(capture, str(candidate), loop)
    if source:
        raise DeviceMissing(f"The camera '{source}' does not open: connect it, or close the program that uses it.")
    raise DeviceMissing("No camera was found: connect one, or write `none` to join without a picture.")


def list_cameras() -> list[DeviceInfo]:
    """Those of the first few numbers that open; OpenCV knows no names. Blocks for as long as the drivers do."""
    found: list[DeviceInfo] = []
    for number in range(PROBED):
        capture = _open(number, 1280, 720, 15)
        if capture is not None:
            found.append(
                DeviceInfo("camera", f"opencv:{number}", f"camera {number}", capture.getBackendName(), not found)
            )
            capture.release()
    return found


def has_camera(source: str) -> bool | None:
    """Whether `open_camera` would have something to open; opens nothing. None: only opening it would tell."""
    if source and not source.isdigit():
        return None if "://" in source else Path(source).exists()
    if not sys.platform.startswith("linux"):
        return None
    return any(Path(f"/dev/video{number}").exists() for number in ([source] if source else range(PROBED)))


def _open(source: int | str, width: int, height: int, fps: int) -> Any | None:
    cv2.utils.logging.setLogLevel(
        cv2.utils.logging.LOG_LEVEL_SILENT
    )  # a missing camera is our sentence, not a page of warnings
    backend = cv2.CAP_DSHOW if sys.platform == "win32" and isinstance(source, int) else cv2.CAP_ANY
    capture = cv2.VideoCapture(source, backend)
    if not capture.isOpened():
        capture.release()
        return None
    if isinstance(source, int):
        # MJPG first: raw pictures of 720p do not fit through USB 2 at 15 a second
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
        capture.set(cv2.CAP_PROP_FPS, fps)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    return capture


class OpenCvCamera:
    """`dropped` counts pictures that were replaced before somebody took them."""

    def __init__(self, capture: Any, name: str, loop: asyncio.AbstractEventLoop) -> None:
        self.name = name
        self._slot: Mailbox[Frame] = Mailbox(1, loop)
        self._stopping = threading.Event()
        # not a daemon: OpenCV's own threads abort a process that ends under them, so the interpreter shall wait for it
        threading.Thread(target=self._film, args=(capture,), name="camera").start()

    @property
    def dropped(self) -> int:
        return self._slot.dropped

    async def read(self) -> Frame:
        return await self._slot.take()

    def close(self) -> None:
        """Returns at once; the thread lets the camera go after its current picture."""
        self._stopping.set()

    def _film(self, capture: Any) -> None:
        pause_s = _pause_s(capture)
        last_at = time.monotonic()
        while not self._done() and time.monotonic() - last_at < SILENT_LIMIT_S:
            good, picture = capture.read()
            if good:
                last_at = time.monotonic()
                self._slot.put(Frame(picture, last_at))
                self._stopping.wait(pause_s)
            else:
                self._stopping.wait(0.02)
        capture.release()
        self._slot.fail(DeviceLost(f"The camera '{self.name}' gives no more pictures: connect it again."))

    def _done(self) -> bool:
        """Closed, or nobody is left who could close it."""
        return self._stopping.is_set() or not threading.main_thread().is_alive()


def _pause_s(capture: Any) -> float:
    """A file would be over at once: it is shown at its own rate. Cameras and streams pace themselves."""
    rate = capture.get(cv2.CAP_PROP_FPS)
    return 1.0 / rate if capture.get(cv2.CAP_PROP_FRAME_COUNT) > 0 and rate > 0 else 0.0
