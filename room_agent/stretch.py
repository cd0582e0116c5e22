"""Making sound a little shorter or longer without being heard: interpolation, one pitch period less or more."""

from __future__ import annotations

import numpy as np

from hardware.ports import Samples

HISTORY = 1
AHEAD = 2
"""Cubic interpolation looks at one sample before and two after."""

_DECIMATION = 4
_SHORTEST_LAG = 120


def resample(source: Samples, cursor: float, ratio: float, count: int) -> Samples:
    """`count` samples of `source` read from `cursor` on in steps of `ratio` (Catmull-Rom), shape (count,).

    Needs HISTORY samples before the cursor and AHEAD after the last position.
    """
    if ratio == 1.0 and cursor == int(cursor):
        return source[int(cursor) : int(cursor) + count].copy()
    positions = cursor + ratio * np.arange(count)
    index = positions.astype(np.int64)
    t = (positions - index).astype(np.float32)
    before, here, after, beyond = (source[index + step] for step in (-1, 0, 1, 2))
    slope = after - before
    curve = 2.0 * before - 5.0 * here + 4.0 * after - beyond
    bend = 3.0 * (here - after) + beyond - before
    result: Samples = here + 0.5 * t * (slope + t * (curve + t * bend))
    return result


def best_lag(piece: Samples) -> tuple[int, float]:
    """Where `piece` repeats itself best: lag in samples (2.5 ms to half its length), correlation in [-1, 1]."""
    coarse = piece[: piece.size // _DECIMATION * _DECIMATION].reshape(-1, _DECIMATION).mean(axis=1)
    width = coarse.size // 2
    shortest = _SHORTEST_LAG // _DECIMATION
    if width <= shortest:
        return 0, -1.0
    windows = np.lib.stride_tricks.sliding_window_view(coarse, width)[shortest : width + 1]
    energy = np.einsum("ij,ij->i", windows, windows) * float(np.dot(coarse[:width], coarse[:width]))
    likeness = windows @ coarse[:width] / np.sqrt(energy + 1e-12)
    best = int(np.argmax(likeness))
    return (best + shortest) * _DECIMATION, float(likeness[best])


def cut(piece: Samples, lag: int) -> Samples:
    """`piece` without `lag` samples: its beginning fades into what comes `lag` later, both ends stay as they were."""
    width = min(piece.size - lag, max(120, piece.size // 2))
    fade = np.linspace(0.0, 1.0, width, dtype=np.float32)
    joined = piece[:width] * (1.0 - fade) + piece[lag : lag + width] * fade
    return np.concatenate([joined, piece[lag + width :]])


def repeat(piece: Samples, lag: int) -> Samples:
    """`piece` with `lag` samples said twice, faded into each other; both ends stay as they were."""
    width = piece.size - lag
    fade = np.linspace(0.0, 1.0, width, dtype=np.float32)
    joined = piece[lag:] * (1.0 - fade) + piece[:width] * fade
    return np.concatenate([piece[:lag], joined, piece[width:]])
