"""What a board asks of its devices. A driver keeps one of these promises; `hardware.devices` finds the driver.

Audio is float32 mono in [-1, 1] at 48 kHz unless a name says otherwise. Positions count samples on the device's own
clock from the moment it was opened; a hole in capture shows as a jump of the position, never as a silent shift.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

SAMPLE_RATE = 48_000
Samples = npt.NDArray[np.float32]
Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class AudioBlock:
    """`samples`: shape (n,). `sample`: position of the first. `captured_at`: its time on `time.monotonic`'s clock."""

    samples: Samples
    sample: int
    captured_at: float


class Microphone(Protocol):
    """Durable in order, lossy under pressure: when its 1 s ring is full the oldest block goes and is counted."""

    name: str

    async def read(self) -> AudioBlock:
        """Next block (about 10 ms). Raises `hardware.errors.DeviceLost` when the device is gone."""

    def close(self) -> None: ...


Render = Callable[[int], Samples]
"""Asked from the audio thread for exactly n samples, shape (n,); must not block or raise."""


class Speaker(Protocol):
    """Pulls: the device's clock decides when samples are wanted."""

    name: str

    def start(self, render: Render) -> None: ...

    @property
    def latency_s(self) -> float:
        """From `render` returning to the air, as the driver estimates it."""

    async def watch(self) -> None:
        """Waits as long as the speaker plays, then raises `hardware.errors.DeviceLost`; call it after `start`."""

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Frame:
    """`picture`: BGR, shape (height, width, 3). `captured_at`: `time.monotonic`'s clock."""

    picture: Picture
    captured_at: float


class Camera(Protocol):
    """Latest wins: one slot, a slow reader sees fewer frames and never an old one."""

    name: str

    async def read(self) -> Frame:
        """Next frame not seen yet. Raises `hardware.errors.DeviceLost` when the device is gone."""

    def close(self) -> None: ...
