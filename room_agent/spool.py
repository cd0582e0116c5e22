"""What the board keeps of its own sound: which packets it holds, which the hub has, and what may go. Pure.

A *stream* is one epoch of the microphone; a *segment* is one file of it (about ten minutes). Laws (held by properties):
what the hub has not acknowledged goes only when it is older than the limit *and* the disk is short, and is counted;
acknowledged sound goes first, the oldest first; what is held, what is unsent and what is missing always add up.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from room_agent.hubclock import Instant

TRACK = "microphone"
"""The track's name, the same live and in the upload: the hub finds the track by it."""
_FRAME_MS = (*(10, 20, 40, 60) * 3, *(10, 20) * 2, *(2.5, 5, 10, 20) * 4)
"""By the first five bits of an Opus packet (RFC 6716, table 2)."""
BYTES_PER_S = 4_600.0
"""32 kb/s of Opus with heads and seals; for saying how long the room will last."""
NEAR_S = 2 * 3600.0
"""Room for less than this is said on the screen: time enough for a person to come."""


class Run(NamedTuple):
    """Packet numbers first, first + 1, … end - 1."""

    first: int
    end: int


Runs = tuple[Run, ...]


def merged(runs: Iterable[Run]) -> Runs:
    """The same numbers, in order, without overlap, as few runs as can be."""
    out: list[Run] = []
    for run in sorted(run for run in runs if run.first < run.end):
        if out and run.first <= out[-1].end:
            out[-1] = Run(out[-1].first, max(out[-1].end, run.end))
        else:
            out.append(run)
    return tuple(out)


def without(runs: Runs, gone: Runs) -> Runs:
    """Numbers of `runs` that are not in `gone`; both as `merged` gives them."""
    out: list[Run] = []
    for first, end in runs:
        at = first
        for cut in gone:
            if cut.end <= at:
                continue
            if cut.first >= end:
                break
            if cut.first > at:
                out.append(Run(at, cut.first))
            at = cut.end
        if at < end:
            out.append(Run(at, end))
    return tuple(out)


def count(runs: Iterable[Run]) -> int:
    return sum(run.end - run.first for run in runs)


def duration_s(payload: bytes) -> float:
    """Of one Opus packet (RFC 6716, 3.2); 0 for what is none."""
    if not payload:
        return 0.0
    code = payload[0] & 3
    frames = (1, 2, 2, payload[1] & 63 if len(payload) > 1 else 0)[code]
    return _FRAME_MS[payload[0] >> 3] * frames / 1000


@dataclass(frozen=True, slots=True)
class Segment:
    """One file. `began_at`: UTC POSIX seconds. No runs: nothing in it can be read (any more)."""

    number: int
    began_at: float
    runs: Runs = ()
    end_sample: int = 0
    size: int = 0


@dataclass(frozen=True, slots=True)
class Stream:
    """`origin_at`: UTC POSIX seconds of sample 0 by this board's clock. `forsaken`: the hub knows no such session.

    `counted_at`: the same on the clock that only counts, since the machine's start `boot`. `placed_at`: by the hub's
    clock, wrong by `within_s` at most; None until that is known.
    """

    epoch: int
    session_id: str
    origin_at: float
    closed: bool = False
    forsaken: bool = False
    acknowledged: Runs = ()
    counted_at: float | None = None
    boot: str = ""
    placed_at: float | None = None
    within_s: float | None = None

    @property
    def placed(self) -> Instant | None:
        return None if self.placed_at is None or self.within_s is None else Instant(self.placed_at, self.within_s)


@dataclass(frozen=True, slots=True)
class Holding:
    """What the hub is told of one stream. `missing`: numbers within that this board does not hold (any more).

    `placed_at`, `within_s` None: this board knows only its own clock of the day.
    """

    session_id: str
    epoch: int
    first_sequence: int
    next_sequence: int
    end_sample: int
    origin_at: float
    closed: bool
    missing: Runs = ()
    placed_at: float | None = None
    within_s: float | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """At least `min_free_bytes` or `min_free_share` of the disk stay free, whichever is less."""

    hours: float = 48.0
    min_free_bytes: int = 1 << 30
    min_free_share: float = 0.05

    def reserve(self, total: int) -> int:
        return min(self.min_free_bytes, int(total * self.min_free_share))


@dataclass(frozen=True, slots=True)
class Evicted:
    """A segment to delete. `lost`: its numbers that the hub does not have; the caller says so."""

    epoch: int
    number: int
    lost: Runs = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """`room_s`: seconds of sound that still fit."""

    level: Literal["ok", "near", "full"]
    room_s: float
    evict: tuple[Evicted, ...] = ()


@dataclass
class SpoolIndex:
    """Everything held, by epoch. `evict` in a verdict is only advice: call `evicted` when the file is gone."""

    streams: dict[int, Stream] = field(default_factory=dict)
    segments: dict[int, dict[int, Segment]] = field(default_factory=dict)

    # ---- what happens

    def add(self, stream: Stream, segments: Iterable[Segment] = ()) -> None:
        self.streams[stream.epoch] = stream
        self.segments[stream.epoch] = {segment.number: segment for segment in segments}

    def change(self, epoch: int, **values: object) -> bool:
        """Whether anything changed."""
        before = self.streams[epoch]
        self.streams[epoch] = replace(before, **values)  # type: ignore[arg-type]
        return self.streams[epoch] != before

    def grow(self, epoch: int, segment: Segment) -> None:
        """That segment as it stands now."""
        self.segments[epoch][segment.number] = segment

    def lose(self, epoch: int, gone: Runs) -> None:
        """These cannot be read (any more)."""
        for number, segment in self.segments.get(epoch, {}).items():
            self.segments[epoch][number] = replace(segment, runs=without(segment.runs, gone))

    def acknowledge(self, epoch: int, stored: Iterable[Run]) -> bool:
        """The hub has these safely on its disk. Whether that is news."""
        stream = self.streams.get(epoch)
        return stream is not None and self.change(epoch, acknowledged=merged((*stream.acknowledged, *stored)))

    def evicted(self, epoch: int, number: int, *, keep: bool = False) -> bool:
        """That file is gone. True: so is the whole stream; `keep` it where more is to be written."""
        self.segments[epoch].pop(number, None)
        if keep or self.segments[epoch] or not self.streams[epoch].closed:
            return False
        del self.segments[epoch], self.streams[epoch]
        return True

    # ---- what is so

    def held(self, epoch: int) -> Runs:
        return merged(run for segment in self.segments.get(epoch, {}).values() for run in segment.runs)

    def unsent(self, epoch: int) -> Runs:
        stream = self.streams[epoch]
        return () if stream.forsaken else without(self.held(epoch), stream.acknowledged)

    def packet_s(self, epoch: int) -> float:
        """Mean length of the stream's packets: its numbers and its samples both begin at 0."""
        last = max(self.segments.get(epoch, {}).values(), key=lambda each: each.end_sample, default=None)
        return last.end_sample / 48_000 / last.runs[-1].end if last is not None and last.runs else 0.02

    def unsent_s(self, epoch: int) -> float:
        return count(self.unsent(epoch)) * self.packet_s(epoch)

    def busy(self) -> bool:
        """Is there anything to talk about with the hub?"""
        return any(not stream.closed or self.unsent(epoch) for epoch, stream in self.streams.items())

    def holdings(self) -> list[Holding]:
        """Open streams and those with unsent sound, newest first; a stream without any packet is not told."""
        found = []
        for epoch in sorted(self.streams, reverse=True):
            stream, held = self.streams[epoch], self.held(epoch)
            if not held or stream.forsaken or (stream.closed and not self.unsent(epoch)):
                continue
            span = Run(held[0].first, held[-1].end)
            end_sample = max(segment.end_sample for segment in self.segments[epoch].values())
            found.append(
                Holding(
                    stream.session_id, epoch, span.first, span.end, end_sample, stream.origin_at, stream.closed,
                    without((span,), held), stream.placed_at, stream.within_s,
                )
            )  # fmt: skip
        return found

    # ---- what may go

    def judge(
        self, now: float, free: int, total: int, limits: Limits, writing: Segment | None = None, need: int = 0
    ) -> Verdict:
        """`free` and `total` bytes of the disk, `need` is to be written now; `writing` is never given up."""
        room = free - limits.reserve(total)
        evict: list[Evicted] = []
        for rank, segment, entry in self._by_worth(now - limits.hours * 3600, writing):
            if rank == 0 or (room <= need and rank < 3):
                evict.append(entry)
                room += segment.size
        room_s = max(0.0, room / BYTES_PER_S)
        level: Literal["ok", "near", "full"] = "full" if room <= 0 else "near" if room_s < NEAR_S else "ok"
        return Verdict(level, room_s, tuple(evict))

    def _by_worth(self, old_before: float, writing: Segment | None) -> list[tuple[int, Segment, Evicted]]:
        """Least worth first: 0 sent and old, 1 sent, 2 unsent and old, 3 unsent."""
        found = []
        for epoch, segments in self.segments.items():
            unsent = self.unsent(epoch)
            for segment in segments.values():
                if segment is writing:
                    continue
                lost = without(segment.runs, without(segment.runs, unsent))
                old = segment.began_at < old_before
                rank = (2 if old else 3) if lost else (0 if old else 1)
                found.append((rank, segment, Evicted(epoch, segment.number, lost)))
        return sorted(found, key=lambda each: (each[0], each[1].began_at, each[2].epoch, each[1].number))
