"""How loud: decibels relative to full scale, and a meter over fixed windows."""

from __future__ import annotations

import math

import numpy as np

from hardware.ports import SAMPLE_RATE, Samples

FLOOR_DBFS = -127.0
"""What silence is called: -inf is no number for a page, and RFC 6464 ends there too."""


def dbfs(mean_square: float) -> float:
    """A full-scale square wave is 0, a full-scale sine -3.01."""
    if mean_square <= 0.0:
        return FLOOR_DBFS
    return max(FLOOR_DBFS, 10.0 * math.log10(mean_square))


def level_dbov(samples: Samples) -> int:
    """Level as RFC 6464 carries it: 0 is the loudest, 127 silence."""
    if not samples.size:
        return 127
    return min(127, max(0, round(-dbfs(float(np.dot(samples, samples)) / samples.size))))


class LevelMeter:
    """RMS over consecutive windows. `level_dbfs` is that of the last whole window, `max_dbfs` the loudest since reset.

    One thread adds, any thread reads.
    """

    def __init__(self, window_s: float = 0.1) -> None:
        self._window = max(1, round(window_s * SAMPLE_RATE))
        self._energy = 0.0
        self._count = 0
        self.level_dbfs = FLOOR_DBFS
        self.max_dbfs = FLOOR_DBFS

    def add(self, samples: Samples) -> None:
        start = 0
        while start < samples.size:
            piece = samples[start : start + self._window - self._count]
            self._energy += float(np.dot(piece, piece))
            self._count += piece.size
            start += piece.size
            if self._count == self._window:
                self._close_window()

    def reset(self) -> None:
        self._energy, self._count = 0.0, 0
        self.level_dbfs = self.max_dbfs = FLOOR_DBFS

    def _close_window(self) -> None:
        self.level_dbfs = dbfs(self._energy / self._count)
        self.max_dbfs = max(self.max_dbfs, self.level_dbfs)
        self._energy, self._count = 0.0, 0
