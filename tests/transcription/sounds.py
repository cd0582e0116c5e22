"""Sounds for tests: the demo dialogue, noise, and sequences of both."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from transcription.grid import RATE

DIALOGUE = Path(__file__).parents[2] / "session_manager" / "demo" / "dialogue"


@dataclass(frozen=True)
class Said:
    file: str
    site: str
    language: str
    text: str


def dialogue() -> list[Said]:
    whole = json.loads((DIALOGUE / "dialogue.json").read_text(encoding="utf-8"))
    return [Said(u["file"], u["site"], u["language"], u["text"]) for u in whole["utterances"]]


def at_48k(file: str) -> NDArray[np.float32]:
    sound, rate = soundfile.read(str(DIALOGUE / file), dtype="float32")
    out: NDArray[np.float32] = soxr.resample(sound, rate, RATE)
    return out


def noise(seconds: float, level: float, seed: int = 0) -> NDArray[np.float32]:
    """White, `level` RMS."""
    chance = np.random.default_rng(seed)
    return (chance.standard_normal(round(seconds * RATE)) * level).astype(np.float32)


def silence(seconds: float) -> NDArray[np.float32]:
    return np.zeros(round(seconds * RATE), np.float32)
