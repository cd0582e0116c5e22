"""Packets of one stream in order of sample position, with holes made explicit. Pure.

A packet that is missing is waited for while less than `patience_s` of newer audio has come; then its place is a hole.
What comes later than that, or twice, is counted and dropped here; the audio log has it, and the repair after the
session hears it. A jump in position without a jump in sequence is a pause of the sender (DTX, mute), not a loss:
nobody waits for it.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

from transcription.grid import RATE

PATIENCE_S = 0.3


@dataclass(frozen=True, slots=True, order=True)
class Sound:
    """`length` samples from `sample` on, as one Opus packet."""

    sample: int
    sequence: int
    length: int = field(compare=False)
    payload: bytes = field(compare=False)


@dataclass(frozen=True, slots=True)
class Hole:
    """No audio for `length` samples from `sample` on. `lost`: packets are missing, not only silence of the sender."""

    sample: int
    length: int
    lost: bool


Piece = Sound | Hole


class Reorder:
    """The first packet may lie before `from_sample` (context for decoder and voice activity) or after it (a hole)."""

    def __init__(self, from_sample: int, patience_s: float = PATIENCE_S) -> None:
        self._from_sample = from_sample
        self._patience = round(patience_s * RATE)
        self._waiting: list[Sound] = []
        self._position: int | None = None
        self._sequence: int | None = None
        self.late = 0
        self.lost_holes = 0

    @property
    def position(self) -> int:
        """Everything before is out."""
        return self._from_sample if self._position is None else self._position

    @property
    def holds(self) -> bool:
        """Packets wait for an earlier one."""
        return bool(self._waiting)

    def push(self, packet: Sound) -> list[Piece]:
        if self._position is None:
            self._position = min(self._from_sample, packet.sample)
        if packet.sample < self._position or any(packet.sample == held.sample for held in self._waiting):
            self.late += 1
            return []
        heapq.heappush(self._waiting, packet)
        return self._release(force=False)

    def give_up_waiting(self) -> list[Piece]:
        """No newer audio comes for now: let out what is held."""
        return self._release(force=True)

    def end(self, end_sample: int) -> list[Piece]:
        """Everything that is held, then a hole up to `end_sample`."""
        pieces = self._release(force=True)
        pieces += self._hole_before(end_sample, lost=False)
        return pieces

    def _release(self, force: bool) -> list[Piece]:
        pieces: list[Piece] = []
        while self._waiting and (force or self._is_next(self._waiting[0]) or self._waited_enough()):
            packet = heapq.heappop(self._waiting)
            if packet.sample < self.position:
                self.late += 1
                continue
            lost = self._sequence is not None and packet.sequence != self._sequence + 1
            pieces += self._hole_before(packet.sample, lost)
            pieces.append(packet)
            self._position = packet.sample + packet.length
            self._sequence = packet.sequence
        return pieces

    def _is_next(self, packet: Sound) -> bool:
        return packet.sample == self.position or (self._sequence is not None and packet.sequence == self._sequence + 1)

    def _waited_enough(self) -> bool:
        return sum(packet.length for packet in self._waiting) >= self._patience

    def _hole_before(self, sample: int, lost: bool) -> list[Piece]:
        if sample <= self.position:
            return []
        hole = Hole(self.position, sample - self.position, lost)
        self.lost_holes += lost
        self._position = sample
        return [hole]
