"""What an audio log holds and where: two indexes in memory that are rebuilt from the file. Pure.

`SpanIndex` grows with the number of holes, `ChunkIndex` by one entry per 64 KiB of file; neither with packets.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field

CHUNK_BYTES = 65_536
_NEAR = 5 * 48_000
_MAX_PIECES = 4


@dataclass(frozen=True, slots=True)
class Span:
    """Half open [start_sample, end_sample) on the 48 kHz clock. Not `present`: packets are missing there."""

    start_sample: int
    end_sample: int
    present: bool


@dataclass(slots=True)
class _Run:
    """Packets with consecutive numbers."""

    first: int
    last: int
    start_sample: int
    end_sample: int


class SpanIndex:
    """Which packets are there, as runs of consecutive numbers.

    A hole is a set of missing numbers. Where the numbers are consecutive and the samples are not, the sender chose to
    send nothing (discontinuous transmission, a muted microphone): that is silence, and present.
    """

    def __init__(self) -> None:
        self._runs: list[_Run] = []
        self._firsts: list[int] = []
        self.end_sample = 0

    def __contains__(self, sequence: int) -> bool:
        at = bisect_right(self._firsts, sequence) - 1
        return at >= 0 and sequence <= self._runs[at].last

    def add(self, sequence: int, sample: int, duration: int) -> bool:
        """False when that number is there already; the first one stays."""
        end = sample + duration
        at = bisect_right(self._firsts, sequence) - 1
        if at >= 0:
            before = self._runs[at]
            if sequence <= before.last:
                return False
            if sequence == before.last + 1:
                before.last, before.end_sample = sequence, end
                self._join(at)
                self.end_sample = max(self.end_sample, end)
                return True
        self._runs.insert(at + 1, _Run(sequence, sequence, sample, end))
        self._firsts.insert(at + 1, sequence)
        self._join(at + 1)
        self.end_sample = max(self.end_sample, end)
        return True

    def _join(self, at: int) -> None:
        """Make one run of the one at `at` and its successor when nothing is between them."""
        if at + 1 == len(self._runs) or self._runs[at].last + 1 != self._runs[at + 1].first:
            return
        after = self._runs.pop(at + 1)
        del self._firsts[at + 1]
        self._runs[at].last, self._runs[at].end_sample = after.last, after.end_sample

    def spans(self) -> tuple[Span, ...]:
        """Sorted, without overlap, covering [0, end_sample), neighbours of different kind."""
        found: list[Span] = []
        position = 0
        for run in self._runs:
            start = max(run.start_sample, position) if run.first else position
            _extend(found, Span(position, start, present=False))
            position = max(start, run.end_sample)
            _extend(found, Span(start, position, present=True))
        _extend(found, Span(position, self.end_sample, present=True))
        return tuple(found)

    def missing(self, from_sample: int, to_sample: int) -> tuple[Span, ...]:
        """Holes within [from_sample, to_sample); what lies behind the last packet is missing too."""
        holes = [span for span in self.spans() if not span.present]
        holes.append(Span(self.end_sample, max(self.end_sample, to_sample), present=False))
        cut = (Span(max(h.start_sample, from_sample), min(h.end_sample, to_sample), present=False) for h in holes)
        return tuple(hole for hole in cut if hole.start_sample < hole.end_sample)

    def numbers(self) -> tuple[range, ...]:
        """Sequence numbers that are there."""
        return tuple(range(run.first, run.last + 1) for run in self._runs)

    def missing_numbers(self) -> tuple[range, ...]:
        """Sequence numbers that are not there, below the highest that is: what a repair has to copy."""
        ends = [-1, *(run.last for run in self._runs)]
        return tuple(
            range(end + 1, run.first) for end, run in zip(ends, self._runs, strict=False) if end + 1 < run.first
        )


def _extend(found: list[Span], span: Span) -> None:
    if span.start_sample >= span.end_sample:
        return
    if found and found[-1].present == span.present:
        span = Span(found.pop().start_sample, span.end_sample, span.present)
    found.append(span)


@dataclass(frozen=True, slots=True, order=True)
class Piece:
    """Packets whose first sample is in [start_sample, end_sample) lie among these bytes of the file."""

    start_sample: int
    end_sample: int
    offset: int
    size: int


@dataclass(slots=True)
class _Chunk:
    offset: int
    size: int = 0
    pieces: list[tuple[int, int]] = field(default_factory=list)

    def add(self, start: int, end: int) -> None:
        """Late packets among live ones make a second range, so that a chunk is not read for what lies between."""
        if self.pieces and self.pieces[-1][0] <= start <= self.pieces[-1][1] + _NEAR:
            self.pieces[-1] = (self.pieces[-1][0], max(end, self.pieces[-1][1]))
            return
        self.pieces = _merged([*self.pieces, (start, end)], _NEAR)
        while len(self.pieces) > _MAX_PIECES:
            nearest = min(after[0] - before[1] for before, after in zip(self.pieces, self.pieces[1:], strict=False))
            self.pieces = _merged(self.pieces, nearest)


def _merged(pieces: Iterable[tuple[int, int]], near: int) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for start, end in sorted(pieces):
        if found and start <= found[-1][1] + near:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


class ChunkIndex:
    """Where in the file which samples are."""

    def __init__(self) -> None:
        self._chunks: list[_Chunk] = []

    def add(self, offset: int, size: int, sample: int, duration: int) -> None:
        """Records come in the order of their place in the file."""
        if not self._chunks or offset + size - self._chunks[-1].offset > CHUNK_BYTES:
            self._chunks.append(_Chunk(offset))
        chunk = self._chunks[-1]
        chunk.size = offset + size - chunk.offset
        chunk.add(sample, sample + duration)

    def pieces(self, from_sample: int) -> list[Piece]:
        """Sorted by start; those that end at or before `from_sample` are left out."""
        return sorted(
            Piece(start, end, chunk.offset, chunk.size)
            for chunk in self._chunks
            for start, end in chunk.pieces
            if end > from_sample
        )
