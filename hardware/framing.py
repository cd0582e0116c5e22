"""Exact frames (20 ms, or what is asked for) from blocks of any size, on the device's own sample clock.

The frames form one grid: every `sample` is the first block's position plus a multiple of the frame length, whatever
the driver's block size. What the device did not deliver becomes silence where it belongs, so nothing later shifts.
"""

from __future__ import annotations

import numpy as np

from hardware.ports import SAMPLE_RATE, AudioBlock, Samples

FRAME_SAMPLES = 960
FILL_LIMIT_SAMPLES = SAMPLE_RATE
"""Holes up to this long are filled with silence; longer ones (a computer that slept) are left out, on the grid."""


class Framer:
    """Blocks in, whole frames out; the rest waits for the next block.

    Counters: `inserted_samples` (silence put in for missing capture), `skipped_samples` (left out of longer holes),
    `overlapped_samples` (delivered twice and dropped).
    """

    def __init__(self, frame_samples: int = FRAME_SAMPLES) -> None:
        self._length = self._wanted = frame_samples
        self._buffer = np.zeros(frame_samples, np.float32)
        self._filled = 0
        self._position: int | None = None
        self._frame_at = 0.0
        self._last_at = float("-inf")
        self.inserted_samples = 0
        self.skipped_samples = 0
        self.overlapped_samples = 0

    def resize(self, frame_samples: int) -> None:
        """From the next frame on; one that has begun keeps its length."""
        self._wanted = frame_samples
        if not self._filled:
            self._begin_frame()

    def push(self, block: AudioBlock) -> list[AudioBlock]:
        """Frames of shape (frame_samples,) completed by this block; `captured_at` never goes back."""
        if self._position is None:
            self._position = block.sample
        samples, first = block.samples, block.sample
        overlap = min(max(0, self._position - first), samples.size)
        self.overlapped_samples += overlap
        samples, first = samples[overlap:], first + overlap
        if not samples.size:
            return []
        origin = block.captured_at - block.sample / SAMPLE_RATE
        frames = self._bridge(first - self._position, origin)
        self._append(samples, origin, frames)
        return frames

    def _bridge(self, hole: int, origin: float) -> list[AudioBlock]:
        frames: list[AudioBlock] = []
        if hole > FILL_LIMIT_SAMPLES:
            to_boundary = -self._filled % self._length
            self._silence(to_boundary, origin, frames)
            whole = (hole - to_boundary) // self._length * self._length
            self._position = self._at() + whole
            self.skipped_samples += whole
            hole -= to_boundary + whole
        self._silence(hole, origin, frames)
        return frames

    def _silence(self, count: int, origin: float, frames: list[AudioBlock]) -> None:
        self.inserted_samples += count
        self._append(np.zeros(count, np.float32), origin, frames)

    def _append(self, samples: Samples, origin: float, frames: list[AudioBlock]) -> None:
        done = 0
        while done < samples.size:
            if not self._filled:
                self._frame_at = origin + self._at() / SAMPLE_RATE
            take = min(self._length - self._filled, samples.size - done)
            self._buffer[self._filled : self._filled + take] = samples[done : done + take]
            self._filled += take
            self._position = self._at() + take
            done += take
            if self._filled == self._length:
                frames.append(self._close_frame())

    def _close_frame(self) -> AudioBlock:
        self._last_at = max(self._last_at, self._frame_at)
        frame = AudioBlock(self._buffer, self._at() - self._length, self._last_at)
        self._begin_frame()
        return frame

    def _begin_frame(self) -> None:
        self._length, self._filled = self._wanted, 0
        self._buffer = np.zeros(self._length, np.float32)

    def _at(self) -> int:
        return self._position or 0
