"""All sites that are heard, summed into one stream, with a limiter in place of clipping and a level per site."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from hardware.level import FLOOR_DBFS, LevelMeter
from hardware.ports import SAMPLE_RATE, Samples

CEILING = 0.9
"""-0.9 dBFS: up to here the sum passes unchanged."""
RELEASE_S = 0.3


class Source(Protocol):
    def pull(self, count: int, now: float) -> Samples:
        """Exactly `count` samples, shape (count,); asked from the audio thread, must not block or raise."""


class Limiter:
    """Turns the gain down within one block so that no sample passes the ceiling, and up again slowly.

    A straight gain line over the block from the old gain to the new; what still stands out at its beginning bends
    softly between the ceiling and full scale instead of breaking off.
    """

    def __init__(self) -> None:
        self._gain = 1.0

    def apply(self, samples: Samples) -> Samples:
        if not samples.size:
            return samples
        peak = float(np.max(np.abs(samples)))
        allowed = min(1.0, CEILING / peak) if peak > 0.0 else 1.0
        recovered = self._gain + (1.0 - self._gain) * min(1.0, samples.size / (RELEASE_S * SAMPLE_RATE))
        gain = min(allowed, recovered)
        if gain >= 0.9999 and self._gain >= 0.9999:
            self._gain = 1.0
            return samples
        line = np.linspace(self._gain, gain, samples.size, dtype=np.float32)
        self._gain = gain
        return _bend(samples * line)


class Mixer:
    """Sources come and go on the loop while the audio thread renders: the table is replaced, never changed."""

    def __init__(self) -> None:
        self._sources: Mapping[str, tuple[Source, LevelMeter]] = {}
        self._limiter = Limiter()

    def add(self, source_id: str, source: Source) -> None:
        """The same id again replaces the old source."""
        self._sources = {**self._sources, source_id: (source, LevelMeter(0.2))}

    def remove(self, source_id: str) -> None:
        """Unknown ids are ignored."""
        self._sources = {key: value for key, value in self._sources.items() if key != source_id}

    def levels_dbfs(self) -> dict[str, float]:
        """RMS per source over its last whole 200 ms; -127 is silence."""
        return {source_id: meter.level_dbfs for source_id, (_, meter) in self._sources.items()}

    def level_dbfs(self, source_id: str) -> float:
        _, meter = self._sources.get(source_id, (None, None))
        return FLOOR_DBFS if meter is None else meter.level_dbfs

    def render(self, count: int, now: float) -> Samples:
        """The limited sum, shape (count,), never beyond [-1, 1]; silence when nobody is there."""
        total = np.zeros(count, np.float32)
        for source, meter in self._sources.values():
            samples = source.pull(count, now)
            meter.add(samples)
            total += samples
        return self._limiter.apply(total)


def _bend(samples: Samples) -> Samples:
    size = np.abs(samples)
    over = size > CEILING
    if not over.any():
        return samples
    room = 1.0 - CEILING
    bent: Samples = np.where(over, np.sign(samples) * (CEILING + room * np.tanh((size - CEILING) / room)), samples)
    return bent.astype(np.float32)
