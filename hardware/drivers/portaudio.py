"""Real microphones and speakers by PortAudio.

Two streams, because capture and play-out are two clocks; blocks of 10 ms at low latency, which gave 40 ms from
application to application where larger blocks gave 80. PortAudio's facts that shape this file:

* A device that is pulled out may end the stream (`finished_callback`), or just stop calling, or be replaced by silence;
  so the callbacks are watched, and one second without any is a loss. (A loop that stands still for a second is none.)
* The list of devices is frozen when the library starts. It is started anew, which ends every open stream, so this
  happens only while none is open: close what is lost, then open again by name.
* Index numbers move; names stay. On Windows each device is listed once per host API and the default one (MME) is slow
  and cuts names, so WASAPI is taken there, converting to our rate.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from hardware.capture_clock import CaptureClock
from hardware.errors import DeviceBusy, DeviceLost, DeviceMissing
from hardware.mailbox import Mailbox
from hardware.ports import SAMPLE_RATE, AudioBlock, Microphone, Render, Speaker
from hardware.specs import DeviceInfo, Kind

try:
    import sounddevice as sd
except OSError as error:  # the wheel is there, the library is not
    raise DeviceMissing(
        "PortAudio is not installed, so no sound device can be used: install it (libportaudio2) or write `none`."
    ) from error
except ImportError as error:
    raise DeviceMissing(
        "Sound devices need the package `sounddevice`: install shimawa[board], or write `none`."
    ) from error

logger = logging.getLogger(__name__)

BLOCK_SAMPLES = 480
RING_BLOCKS = 100
SILENT_LIMIT_S = 1.0
START_LIMIT_S = 5.0
"""A device that slept asks once and then not again for a second or two; so long after its start silence is no loss."""
_CHANNELS: dict[Kind, str] = {"microphone": "max_input_channels", "speaker": "max_output_channels"}
_NUMBER: dict[Kind, int] = {"microphone": 0, "speaker": 1}


class _Library:
    """PortAudio is one per process: who has a stream open, and when the device list may be read anew."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._streams = 0

    @contextmanager
    def alone(self, kind: Kind) -> Iterator[None]:
        """From reading the list to opening a device nobody may start the library anew: indexes would mean others."""
        with self._lock:
            if not self._streams:
                sd._terminate()
                sd._initialize()
            try:
                yield
            except sd.PortAudioError as error:
                logger.warning("PortAudio: %s", error)
                raise DeviceBusy(
                    f"The sound system did not give the list of {kind}s: the board tries again."
                ) from error

    def open(self, make: Callable[[], Any]) -> Any:
        with self._lock:
            stream = make()
            self._streams += 1
            return stream

    def close(self, stream: Any) -> None:
        with self._lock:
            self._streams -= 1
            stream.abort(ignore_errors=True)
            stream.close(ignore_errors=True)


_library = _Library()


def open_microphone(name: str, or_default: bool, loop: asyncio.AbstractEventLoop) -> Microphone:
    """By name, or the system's when `name` is empty, or (`or_default`) when there is none of that name. Blocks."""
    with _library.alone("microphone"):
        return PortAudioMicrophone(_find("microphone", name, or_default), loop)


def open_speaker(name: str, or_default: bool, loop: asyncio.AbstractEventLoop) -> Speaker:
    """As `open_microphone`."""
    with _library.alone("speaker"):
        return PortAudioSpeaker(_find("speaker", name, or_default), loop)


def list_audio() -> list[DeviceInfo]:
    """One row per device and direction, in PortAudio's order. Blocks."""
    found: list[DeviceInfo] = []
    for kind in _CHANNELS:
        with _library.alone(kind):
            for device in _devices(kind):
                name, is_default = device["name"], device["index"] == _default(kind)
                found.append(DeviceInfo(kind, f"portaudio:{name}", name, _api(device), is_default))
    return found


def has_device(kind: Kind, name: str, or_default: bool) -> bool:
    """Whether the list has what `open_microphone` would take; opens nothing. Raises DeviceBusy. Blocks."""
    with _library.alone(kind):
        devices = _devices(kind)
    if name and not or_default:
        return any(name.lower() in device["name"].lower() for device in devices)
    return bool(devices)


def _devices(kind: Kind) -> list[dict[str, Any]]:
    devices = [device for device in sd.query_devices() if device[_CHANNELS[kind]] > 0]
    if sys.platform == "win32":
        return [device for device in devices if "WASAPI" in _api(device)] or devices
    return devices


def _api(device: dict[str, Any]) -> str:
    return str(sd.query_hostapis(device["hostapi"])["name"])


def _default(kind: Kind) -> int:
    """Index of the system's device of this kind, -1 when there is none; on Windows WASAPI's own default."""
    if sys.platform == "win32":
        for api in sd.query_hostapis():
            if "WASAPI" in api["name"]:
                return int(api["default_input_device" if kind == "microphone" else "default_output_device"])
    return int(sd.default.device[_NUMBER[kind]])


def _find(kind: Kind, name: str, or_default: bool) -> dict[str, Any]:
    devices = _devices(kind)
    if name:
        exact = [device for device in devices if device["name"] == name]
        near = [device for device in devices if name.lower() in device["name"].lower()]
        if exact or near:
            return (exact or near)[0]
        if not or_default:
            raise DeviceMissing(f"There is no {kind} named '{name}': run `python -m hardware` to see the names.")
        logger.warning("the saved %s is not there: the system's default is taken", kind)
    index = _default(kind)
    chosen = [device for device in devices if device["index"] == index] or devices
    if not chosen:
        raise DeviceMissing(f"No {kind} was found: connect one, or check the system's sound settings.")
    return chosen[0]


def _open_stream(kind: Kind, device: dict[str, Any], **options: Any) -> Any:
    """An opened, not yet started stream. PortAudio's own words go into the log, a person gets a sentence."""
    factory = sd.InputStream if kind == "microphone" else sd.OutputStream
    settings = sd.WasapiSettings(auto_convert=True) if "WASAPI" in _api(device) else None
    try:
        return _library.open(
            lambda: factory(
                device=device["index"],
                samplerate=SAMPLE_RATE,
                blocksize=BLOCK_SAMPLES,
                dtype="float32",
                latency="low",
                extra_settings=settings,
                **options,
            )
        )
    except sd.PortAudioError as error:
        logger.info("opening a %s failed with PortAudio error %s", kind, error.args[-1] if error.args else "")
        raise DeviceBusy(
            f"The {kind} '{device['name']}' cannot be opened: close the program that uses it, or connect it again."
        ) from error


def _start(kind: Kind, name: str, stream: Any) -> None:
    try:
        stream.start()
    except sd.PortAudioError as error:
        _library.close(stream)
        raise DeviceBusy(f"The {kind} '{name}' does not start: close other programs that use it.") from error


class PortAudioMicrophone:
    """`overflows` counts what PortAudio admits, `missing_samples` what the clock shows, `dropped` full-ring blocks."""

    def __init__(self, device: dict[str, Any], loop: asyncio.AbstractEventLoop) -> None:
        self.name = str(device["name"])
        self.overflows = 0
        self._ring: Mailbox[AudioBlock] = Mailbox(RING_BLOCKS, loop)
        self._clock = CaptureClock()
        self._silent_from = time.monotonic() + START_LIMIT_S
        self._closed = False
        self._stream = _open_stream(
            "microphone", device, channels=1, callback=self._captured, finished_callback=self._finished
        )
        self._delay_s = float(self._stream.latency)
        _start("microphone", self.name, self._stream)

    @property
    def dropped(self) -> int:
        return self._ring.dropped

    @property
    def missing_samples(self) -> int:
        return self._clock.missing_samples

    async def read(self) -> AudioBlock:
        while True:
            try:
                async with asyncio.timeout(SILENT_LIMIT_S):
                    return await self._ring.take()
            except TimeoutError:
                if time.monotonic() > self._silent_from:
                    self._ring.fail(_lost("microphone", self.name))
                    self.close()

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            _library.close(self._stream)

    def _captured(self, data: Any, count: int, _time: Any, status: Any) -> None:
        now = time.monotonic()
        self.overflows += bool(status.input_overflow)
        self._silent_from = max(self._silent_from, now + SILENT_LIMIT_S)
        position = self._clock.place(count, now)
        self._ring.put(AudioBlock(data[:, 0].copy(), position, now - self._delay_s - count / SAMPLE_RATE))

    def _finished(self) -> None:
        self._ring.fail(_lost("microphone", self.name))


class PortAudioSpeaker:
    """`underflows` counts what PortAudio admits. Mono goes to both channels where there are two."""

    def __init__(self, device: dict[str, Any], loop: asyncio.AbstractEventLoop) -> None:
        self.name = str(device["name"])
        self.underflows = 0
        self._loop = loop
        self._channels = min(2, int(device["max_output_channels"]))
        self._render: Render | None = None
        self._silent_from = time.monotonic() + START_LIMIT_S
        self._gone = asyncio.Event()
        self._closed = False
        self._stream = _open_stream(
            "speaker", device, channels=self._channels, callback=self._wanted, finished_callback=self._finished
        )

    @property
    def latency_s(self) -> float:
        return float(self._stream.latency)

    def start(self, render: Render) -> None:
        self._render = render
        self._silent_from = time.monotonic() + START_LIMIT_S
        _start("speaker", self.name, self._stream)

    async def watch(self) -> None:
        """Raises DeviceLost once the speaker has ended, or has not asked for a second."""
        while not self._gone.is_set() and time.monotonic() < self._silent_from:
            try:
                async with asyncio.timeout(SILENT_LIMIT_S / 4):
                    await self._gone.wait()
            except TimeoutError:
                continue
        self.close()
        raise _lost("speaker", self.name)

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            _library.close(self._stream)

    def _wanted(self, out: Any, count: int, _time: Any, status: Any) -> None:
        self._silent_from = max(self._silent_from, time.monotonic() + SILENT_LIMIT_S)
        self.underflows += bool(status.output_underflow)
        out[:] = 0.0 if self._render is None else self._render(count)[:, np.newaxis]

    def _finished(self) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._gone.set)


def _lost(kind: Kind, name: str) -> DeviceLost:
    return DeviceLost(f"The {kind} '{name}' is gone: connect it again; the board tries by itself.")
