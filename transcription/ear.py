"""From packets (or plain sound) of one stream to windows with a probability of speech. The shell around decoder,
resampler and voice activity; positions are exact, whatever the packets do.

A long hole is not heard second by second: one second of silence ends what was open, then the ear skips to its end.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from transcription import opus
from transcription.grid import RATE, WINDOW, WINDOW_16K, floor_to_grid
from transcription.recognition import Samples16k
from transcription.reorder import Hole, Piece, Reorder, Sound
from transcription.resample import Resampler
from transcription.vad import VoiceActivity, level_db

LONG_HOLE = 3 * RATE
_SILENCE_BEFORE_SKIP = RATE


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One window: 512 samples at 16 kHz whose first lies at `sample` on the 48 kHz clock."""

    sample: int
    audio: Samples16k
    probability: float
    level_db: float


@dataclass(frozen=True, slots=True)
class Skip:
    """Silence up to `to_sample` (on the grid), of which no frames are made."""

    to_sample: int


Heard = Frame | Skip


class Ear:
    """`rate`: of what `sound` is given; packets are always 48 kHz."""

    def __init__(self, from_sample: int, activity: VoiceActivity, rate: int = RATE) -> None:
        self._from_sample = from_sample
        self._activity = activity
        self._rate = rate
        self._reorder = Reorder(from_sample)
        self._decoder = opus.OpusDecoder()
        self._resampler = Resampler(rate)
        self._started = False
        self._fed = 0
        self._taken = 0
        self._drop = 0
        self._rest = np.zeros(0, np.float32)
        self._rest_at = 0

    @property
    def late(self) -> int:
        return self._reorder.late

    @property
    def holds(self) -> bool:
        """Packets wait for an earlier one and were not heard yet."""
        return self._reorder.holds

    @property
    def damaged(self) -> int:
        return self._decoder.damaged

    def hear(self, packets: Iterable[tuple[int, int, bytes]]) -> list[Heard]:
        """`packets`: (sequence, first sample, Opus payload)."""
        pieces: list[Piece] = []
        for sequence, sample, payload in packets:
            length = opus.packet_duration(payload)
            if length:
                pieces += self._reorder.push(Sound(sample, sequence, length, payload))
        return self._hear_pieces(pieces)

    def sound(self, samples: NDArray[np.float32]) -> list[Heard]:
        """Plain sound at the ear's rate instead of packets; it begins at sample 0."""
        self._started = True
        return self._windows(self._resampler.feed(samples))

    def stalled(self) -> list[Heard]:
        """Nothing came for a while: hear what waited for missing packets."""
        return self._hear_pieces(self._reorder.give_up_waiting())

    def finish(self, end_sample: int | None = None) -> list[Heard]:
        """The last frame is filled up with silence. `end_sample`: silence up to there; not for plain sound."""
        heard = self._hear_pieces(self._reorder.end(end_sample)) if end_sample is not None else []
        heard += self._windows(self._resampler.flush())
        fill = -len(self._rest) % WINDOW_16K
        return heard + self._windows(np.zeros(fill, np.float32))

    def _hear_pieces(self, pieces: Iterable[Piece]) -> list[Heard]:
        heard: list[Heard] = []
        sound: list[NDArray[np.float32]] = []
        for piece in pieces:
            if not self._started:
                self._start(piece.sample, sound)
            if isinstance(piece, Sound):
                sound.append(self._decoder.decode(piece.payload))
            elif piece.length < LONG_HOLE:
                sound.append(np.zeros(piece.length, np.float32))
            else:
                heard += self._skip(piece, sound)
                sound = [np.zeros((piece.sample + piece.length) % WINDOW, np.float32)]
        return heard + self._feed(sound)

    def _start(self, sample: int, sound: list[NDArray[np.float32]]) -> None:
        """Silence from the grid point before the first sample, so that every run resamples in the same phase."""
        self._started = True
        self._rest_at = floor_to_grid(sample)
        sound.append(np.zeros(sample - self._rest_at, np.float32))

    def _skip(self, hole: Hole, sound: list[NDArray[np.float32]]) -> list[Heard]:
        until = floor_to_grid(hole.sample + _SILENCE_BEFORE_SKIP)
        target = floor_to_grid(hole.sample + hole.length)
        heard = self._feed([*sound, np.zeros(until - hole.sample, np.float32)])
        # what the resampler still holds is silence; it will come out first and is not wanted
        self._drop += self._fed * WINDOW_16K // WINDOW - self._taken
        self._taken += self._drop
        self._rest = np.zeros(0, np.float32)
        self._rest_at = target
        self._activity.reset()
        self._decoder.reset()
        return [*heard, Skip(target)]

    def _feed(self, sound: list[NDArray[np.float32]]) -> list[Heard]:
        if not sound:
            return []
        block = np.concatenate(sound)
        self._fed += len(block)
        out = self._resampler.feed(block)
        dropped = min(self._drop, len(out))
        self._drop -= dropped
        out = out[dropped:]
        self._taken += len(out)
        return self._windows(out)

    def _windows(self, samples: NDArray[np.float32]) -> list[Heard]:
        self._rest = np.concatenate([self._rest, samples])
        count = len(self._rest) // WINDOW_16K
        windows = self._rest[: count * WINDOW_16K].reshape(count, WINDOW_16K)
        self._rest = self._rest[count * WINDOW_16K :]
        at = self._rest_at
        self._rest_at += count * WINDOW
        return [
            Frame(at + index * WINDOW, window, probability, level_db(window))
            for index, (window, probability) in enumerate(zip(windows, self._activity.hear(windows), strict=True))
            if at + (index + 1) * WINDOW > self._from_sample
        ]
