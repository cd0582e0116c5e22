"""Positions: one sample clock per stream (48 kHz) and one grid of voice-activity windows laid on it.

The grid starts at sample 0 of the stream, not at the sample a worker happened to begin with, so a restarted worker sees
the same windows and finds the same spans.
"""

from __future__ import annotations

import math

RATE = 48_000
MODEL_RATE = 16_000
RATIO = RATE // MODEL_RATE
WINDOW_16K = 512
"""Silero's window at 16 kHz: 32 ms."""
WINDOW = WINDOW_16K * RATIO
WINDOW_S = WINDOW / RATE


def floor_to_grid(sample: int) -> int:
    return sample - sample % WINDOW


def windows_for(seconds: float) -> int:
    """How many windows cover `seconds`; at least one."""
    return max(1, math.ceil(round(seconds / WINDOW_S, 6)))


def seconds(samples: int) -> float:
    return samples / RATE
