"""Which sites were heard here: the fact behind "each site heard both others"."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from hardware.level import FLOOR_DBFS, dbfs
from hardware.ports import SAMPLE_RATE, Samples

LOUD_DBFS = -45.0
LOUD_FOR_MS = 200.0


def level_dbfs(samples: Samples) -> float:
    """RMS of one block against full scale; -127 for digital silence and empty blocks."""
    return dbfs(float(np.dot(samples, samples)) / samples.size) if samples.size else FLOOR_DBFS


@dataclass
class Heard:
    """A site counts as heard from the instant its played sound was above -45 dBFS for 200 ms without a break.

    Short dips belong to speech: up to 40 ms below the level do not break the 200 ms.
    """

    first_heard_at: dict[str, float] = field(default_factory=dict)
    _loud_ms: dict[str, float] = field(default_factory=dict)
    _dip_ms: dict[str, float] = field(default_factory=dict)

    DIP_MS = 40.0

    def add(self, site_id: str, samples: Samples, now: float) -> None:
        """One rendered block of that site, in order; `now` in UTC POSIX seconds."""
        if site_id in self.first_heard_at:
            return
        duration_ms = samples.size * 1000.0 / SAMPLE_RATE
        if level_dbfs(samples) < LOUD_DBFS:
            self._dip_ms[site_id] = self._dip_ms.get(site_id, 0.0) + duration_ms
            if self._dip_ms[site_id] > self.DIP_MS:
                self._loud_ms[site_id] = 0.0
            return
        self._dip_ms[site_id] = 0.0
        self._loud_ms[site_id] = self._loud_ms.get(site_id, 0.0) + duration_ms
        if self._loud_ms[site_id] >= LOUD_FOR_MS:
            self.first_heard_at[site_id] = now
