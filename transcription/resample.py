"""Sound of one stream at 16 kHz, by one resampler for the stream's whole life, so no block edge is ever heard."""

from __future__ import annotations

import numpy as np
import soxr
from numpy.typing import NDArray

from transcription.grid import MODEL_RATE

QUALITY = "HQ"
"""Measured at 48 to 16 kHz: output lags 37 ms (VHQ 77, LQ 20) and is bit-equal for any chunking; 0.2 ms a second."""


class Resampler:
    """Output sample n lies at input time n / 16000: soxr removes its own filter delay."""

    def __init__(self, rate: int) -> None:
        self._stream = None if rate == MODEL_RATE else soxr.ResampleStream(rate, MODEL_RATE, 1, "float32", QUALITY)

    def feed(self, sound: NDArray[np.float32]) -> NDArray[np.float32]:
        """`sound`: mono float32. What comes out is late by the filter's length, and complete after `flush`."""
        if self._stream is None:
            return sound
        out: NDArray[np.float32] = self._stream.resample_chunk(sound)
        return out

    def flush(self) -> NDArray[np.float32]:
        if self._stream is None:
            return np.zeros(0, np.float32)
        out: NDArray[np.float32] = self._stream.resample_chunk(np.zeros(0, np.float32), last=True)
        return out
