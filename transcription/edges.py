"""Where a line begins and ends, by the sound itself. Pure.

Probabilities of speech come once per 32 ms and change with where those windows happen to lie on the sound; a board
that began again lays them elsewhere. The level does not: it is measured here every 4 ms in five bands, each against its
own noise, so that a hum, a fan or a hiss is nothing and a devoiced し is something.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from transcription.grid import MODEL_RATE, RATIO, WINDOW_16K

STEP_16K = 64
STEP = STEP_16K * RATIO
STEPS = WINDOW_16K // STEP_16K
STEP_S = STEP_16K / MODEL_RATE
_FRAME = 2 * STEP_16K
_BANDS_HZ = (250, 750, 1500, 2750, 5000, 8000)
SILENCE = 1e-10
SETTLES = 3
"""So often the loudest is looked for anew from where the sound is found to begin; it stays at once, nearly always."""

_HANN = np.hanning(_FRAME).astype(np.float32)
_BINS = [hz * _FRAME // MODEL_RATE for hz in _BANDS_HZ]


@dataclass(frozen=True, slots=True)
class EdgeRules:
    """`above_db`: over the noise is sound. `below_db`: what lies so far under the loudest is silence, however quiet.

    `smooth_s` covers a whole period of a hum. What sounds for less than `shortest_s` where nothing hints at speech is a
    click. Sounds less than `gap_s` apart belong together: a long っ is 0.2 s of nothing. `noise_s` of mere room tell
    what is noise; with less of it the quietest tenth does. The loudest is that of `loud_s` from where the sound begins,
    so that the beginning is the same however much of the rest was heard.
    """

    above_db: float = 6.0
    below_db: float = 36.0
    smooth_s: float = 0.02
    shortest_s: float = 0.04
    gap_s: float = 0.28
    noise_s: float = 0.2
    loud_s: float = 0.3


@dataclass(frozen=True, slots=True)
class Heard:
    """`level`: decibels of each step in each band. `noise`: of the room, in each band. `likely`: windows that may be
    speech."""

    level: NDArray[np.float64]
    noise: NDArray[np.float64]
    likely: tuple[bool, ...]


def measured(sound: NDArray[np.float32], likely: Sequence[bool], before: int, rules: EdgeRules) -> Heard:
    """`sound`: whole windows at 16 kHz; `likely`: which of them may be speech; the first `before` are mere room."""
    level = 10 * np.log10(_smoothed(_powers(sound), round(rules.smooth_s / STEP_S)) + SILENCE)
    room = before * STEPS
    enough = room >= round(rules.noise_s / STEP_S)
    noise = np.median(level[:room], axis=0) if enough else np.percentile(level, 10, axis=0)
    return Heard(level, noise, tuple(likely))


def sounding(heard: Heard, rules: EdgeRules, loud: slice = slice(None)) -> list[tuple[int, int]]:
    """Where there is sound, in steps, half open: sorted, apart by `gap_s` at least. `loud`: holds the loudest."""
    runs = _runs(_excess(heard, loud, rules) >= rules.above_db)
    shortest, gap = round(rules.shortest_s / STEP_S), round(rules.gap_s / STEP_S)
    found: list[tuple[int, int]] = []
    for start, end in runs:
        if end - start < shortest and not any(heard.likely[start // STEPS : (end - 1) // STEPS + 2]):
            continue
        if found and start - found[-1][1] < gap:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


def onset(heard: Heard, core: tuple[int, int], rules: EdgeRules) -> int | None:
    """First step of the first sound that `core` (steps of certain speech) touches; None when the level says nothing."""
    start = _first(sounding(heard, rules), core)
    for _ in range(SETTLES):
        if start is None:
            return None
        before, start = start, _first(sounding(heard, rules, slice(start, start + round(rules.loud_s / STEP_S))), core)
        if start == before:
            return start
    return start


def offset(heard: Heard, core: tuple[int, int], rules: EdgeRules) -> int | None:
    """Behind the last step of the last sound that `core` touches."""
    spans = reversed(sounding(heard, rules))
    return next((end for start, end in spans if end > core[0] and start < core[1]), None)


def _first(spans: Sequence[tuple[int, int]], core: tuple[int, int]) -> int | None:
    return next((start for start, end in spans if end > core[0] and start < core[1]), None)


def _powers(sound: NDArray[np.float32]) -> NDArray[np.float64]:
    """Of each step in each band."""
    padded = np.pad(sound, (_FRAME - STEP_16K) // 2, mode="edge")
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FRAME)[::STEP_16K]
    spectrum = np.fft.rfft(frames * _HANN, axis=1)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    bands: NDArray[np.float64] = np.add.reduceat(power[:, : _BINS[-1]], _BINS[:-1], axis=1) / _FRAME
    return bands


def _excess(heard: Heard, loud: slice, rules: EdgeRules) -> NDArray[np.float64]:
    """Decibels over the noise, of the two bands that have most."""
    floor = np.maximum(heard.noise, heard.level[loud].max() - rules.below_db)
    above = np.sort(heard.level - floor, axis=1)
    top: NDArray[np.float64] = above[:, -2:].mean(axis=1)
    return top


def _smoothed(power: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Mean of `width` steps around each."""
    half = width // 2
    padded = np.pad(power, ((half + 1, half), (0, 0)), mode="edge")
    total = np.cumsum(padded, axis=0)
    smooth: NDArray[np.float64] = (total[2 * half + 1 :] - total[: -2 * half - 1]) / (2 * half + 1)
    return smooth


def _runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]
