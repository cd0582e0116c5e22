"""Repair: what the hub lacks of a stream, what must be heard again, and how that meets the lines it has. Pure.

Positions are samples at 48 kHz, half open. A *region* is recognised again as a whole; it begins and ends where the
recogniser was certainly idle, so that what lies outside cannot change.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from transcription.grid import WINDOW

RATE = 48_000
MAX_RANGES = 200
MAX_STORED_RANGES = 1_000
IN_FLIGHT = 100
"""Packets (two seconds) that may still come by themselves while a stream is live."""
QUIET = RATE
"""No line is this near to either end of a region: the pause there is longer than any that ends an utterance."""
GUARD = int(1.5 * RATE)
"""Between a filled hole and the ends of its region: more than the endpointer looks back."""
REACH = 20 * RATE
"""No utterance is longer: one that was open when its sound ended, and left no line, begins within this."""
SAME = int(0.05 * RATE)
PART = 60 * RATE
"""A long region is stored in parts of at least this, so that a restart does not begin it anew."""
GIVE_UP_S = 7 * 86_400.0
CLOCK_TRUSTED_S = 2.0
RETRACTED = "repaired"
"""Why a line is suppressed that the repaired sound does not bear out."""


class Samples(NamedTuple):
    start: int
    end: int


# ---- numbers: what a board is asked for ------------------------------------------------------------------------------


def absent(present: Sequence[range], first: int, after: int) -> list[range]:
    """Numbers in [first, after) that are in none of `present` (sorted, apart)."""
    found, at = [], first
    for run in present:
        if run.start > at:
            found.append(range(at, min(run.start, after)))
        at = max(at, run.stop)
        if at >= after:
            break
    if at < after:
        found.append(range(at, after))
    return [one for one in found if one]


def lacks(present: Sequence[range], number: int) -> bool:
    index = bisect_right(present, number, key=lambda one: one.start) - 1
    return index < 0 or number not in present[index]


def known(present: Sequence[range], lost: Iterable[tuple[int, int]]) -> list[range]:
    """Numbers that need not be asked for, in order: the hub has them, or the board has lost them."""
    return sorted([*present, *(range(*one) for one in lost)], key=lambda one: one.start)


def off_at(instant: float, off: Iterable[tuple[float, float | None]]) -> bool:
    """Whether nothing was to be kept then."""
    return any(start <= instant and (end is None or instant < end) for start, end in off)


def wanted(
    present: Sequence[range], first: int, after: int, live: bool, lost: Sequence[tuple[int, int]] = ()
) -> list[range]:
    """What the board has and the hub has not, newest first. `live`: the newest packets may be on their way."""
    if live and present:
        after = min(after, max(first, present[-1].stop - IN_FLIGHT))
    return absent(known(present, lost), first, after)[::-1][:MAX_RANGES]


def placed(numbers: Iterable[range], next_sequence: int, end_sample: int) -> list[Samples]:
    """About where those numbers lie, by the board's mean length of a packet; exact when all are of one length."""
    each = end_sample / max(1, next_sequence)
    return merged((round(one.start * each), round(one.stop * each)) for one in numbers)


def common(some: Sequence[tuple[int, int]], others: Sequence[tuple[int, int]]) -> list[Samples]:
    """What lies in both; each sorted and apart."""
    found, index = [], 0
    for start, end in some:
        while index < len(others) and others[index][1] <= start:
            index += 1
        for other in others[index:]:
            if other[0] >= end:
                break
            found.append(Samples(max(start, other[0]), min(end, other[1])))
    return found


def origin(
    told_origin_at: float, end_sample: int, closed: bool, now: float, placed: tuple[float, float] | None = None
) -> float:
    """The instant of sample 0, by the hub's clock, of a stream that the hub has not heard itself.

    `placed`: where the board puts it on our clock, and by how much that may be wrong. Its clock of the day is taken
    where it agrees with that, for then it may be the better one; else what it put. A board that does not know: its
    clock is taken unless it is off by `CLOCK_TRUSTED_S`: a stream that is still open ends now, and none ends in the
    future.
    """
    if placed is not None and placed[1] <= CLOCK_TRUSTED_S and placed[0] + end_sample / RATE <= now + CLOCK_TRUSTED_S:
        return told_origin_at if abs(told_origin_at - placed[0]) <= placed[1] else placed[0]
    ahead = told_origin_at + end_sample / RATE - now
    wrong = ahead > CLOCK_TRUSTED_S or (not closed and ahead < -CLOCK_TRUSTED_S)
    return told_origin_at - ahead if wrong else told_origin_at


def between(began: float, length_s: float, after: float | None, before: float | None) -> float:
    """`began`, moved as little as need be: not before the track's earlier sound ends, not into what follows it."""
    if before is not None:
        began = min(began, before - length_s)
    return began if after is None else max(began, after)


# ---- regions: what is heard again ------------------------------------------------------------------------------------


def merged(spans: Iterable[tuple[int, int]], near: int = 0) -> list[Samples]:
    """Sorted; those that overlap, touch or are less than `near` apart are one."""
    found: list[Samples] = []
    for start, end in sorted(spans):
        if found and start <= found[-1].end + near:
            found[-1] = Samples(found[-1].start, max(found[-1].end, end))
        else:
            found.append(Samples(start, end))
    return found


def regions(
    touched: Iterable[tuple[int, int]], lines: Iterable[tuple[int, int]], limit: int, *, live: bool
) -> list[Samples]:
    """Stretches to recognise again after packets came into `touched`, sorted and apart.

    `limit`: where the live run has decided up to; what it has not decided is left to it. Not `live`: where the stream
    ends, and a region may end there too.
    """
    loud = merged((start - QUIET, end + QUIET) for start, end in lines)
    grown = []
    for start, end in touched:
        if start >= limit:
            continue
        stop = _quiet_after(loud, end + GUARD)
        if stop > limit and not live:
            stop = limit
        grown.append(Samples(max(0, _quiet_before(loud, start - GUARD)) // WINDOW * WINDOW, stop))
    return [one for one in merged(grown) if one.end <= limit]


def _quiet_before(loud: Sequence[Samples], at: int) -> int:
    """The pause before: of the line that is there, else behind the last one, since what follows it may be unheard."""
    index = bisect_right(loud, at, key=lambda one: one.start) - 1
    if index < 0:
        return at - REACH
    last = loud[index]
    return last.start if last.start < at < last.end else max(last.end, at - REACH)


def _quiet_after(loud: Sequence[Samples], at: int) -> int:
    inside = _inside(loud, at)
    return at if inside is None else inside.end


def _inside(spans: Sequence[Samples], at: int) -> Samples | None:
    index = bisect_right(spans, at, key=lambda one: one.start) - 1
    return spans[index] if index >= 0 and spans[index].start < at < spans[index].end else None


def is_worth_hearing(holes: Sequence[tuple[int, int]], refused: Sequence[tuple[int, int]], rested: bool) -> bool:
    """Whether a region is heard again now. `rested`: it has waited long enough for what it still lacks (`holes`).

    Not while the log lacks what was heard live (`refused` by the disk): good lines would become worse ones.
    """
    return not holes or (rested and not common(refused, holes))


def part_ends(done: int, mark: int, lines: Iterable[tuple[int, int]]) -> bool:
    """Whether what was heard again between `done` and `mark` may be stored before the rest: no known line is cut."""
    if mark - done < PART:
        return False
    return not any(start < mark - SAME and end > mark + SAME for start, end in lines)


def belongs(span: tuple[int, int], region: Samples) -> bool:
    """A line belongs where its middle is."""
    return region.start <= sum(span) // 2 < region.end


def subtracted(span: tuple[int, int], taken: Samples) -> list[Samples]:
    """What is left of `span`."""
    left = [Samples(span[0], min(span[1], taken.start)), Samples(max(span[0], taken.end), span[1])]
    return [one for one in left if one.start < one.end]


# ---- reconciling -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Heard:
    """What the repaired sound says: a line, or (`suppressed`) text that was not believed."""

    start_sample: int
    end_sample: int
    text: str
    language: str
    confidence: float
    suppressed: str | None = None


class StoredLine(Protocol):
    @property
    def line_id(self) -> str: ...
    @property
    def start_sample(self) -> int: ...
    @property
    def end_sample(self) -> int: ...
    @property
    def text(self) -> str: ...
    @property
    def suppressed(self) -> str | None: ...
    @property
    def edited_by(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Changes:
    """`revise`: line to what it is now. What is in none of the three stays as it is."""

    revise: tuple[tuple[str, Heard], ...] = ()
    retract: tuple[str, ...] = ()
    add: tuple[Heard, ...] = ()


def reconcile(stored: Sequence[StoredLine], heard: Sequence[Heard]) -> Changes:
    """A stored line goes on as the one that was heard in its place; what a person edited is never touched."""
    old, new = list(stored), list(heard)
    for line in stored:
        twin = next((one for one in new if _same(line, one)), None)
        if twin is not None:
            old.remove(line)
            new.remove(twin)
    edited = [line for line in old if line.edited_by is not None]
    old = [line for line in old if line.edited_by is None]
    new = [one for one in new if not any(_mostly(line, one) for line in edited)]
    revise = []
    pairs = [(_overlap(line, one), line, one) for line in old for one in new if _mostly(line, one)]
    for _, line, one in sorted(pairs, key=lambda pair: -pair[0]):
        if line in old and one in new:
            old.remove(line)
            new.remove(one)
            revise.append((line.line_id, one))
    return Changes(tuple(revise), tuple(line.line_id for line in old), tuple(new))


def _same(line: StoredLine, one: Heard) -> bool:
    near = max(abs(line.start_sample - one.start_sample), abs(line.end_sample - one.end_sample)) <= SAME
    return near and line.text == one.text and line.suppressed == one.suppressed


def _mostly(line: StoredLine, one: Heard) -> bool:
    shorter = min(line.end_sample - line.start_sample, one.end_sample - one.start_sample)
    return 2 * _overlap(line, one) > max(1, shorter)


def _overlap(line: StoredLine, one: Heard) -> int:
    return max(0, min(line.end_sample, one.end_sample) - max(line.start_sample, one.start_sample))


# ---- completeness ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StreamState:
    """`closed` None: from nobody's board, or (`board`) the board has not told of it. `coming_s`: still on the board."""

    board: bool
    decided: bool
    touched: bool
    closed: bool | None
    coming_s: float


def complete(
    streams: Iterable[StreamState], silent_boards: Iterable[float | None], ended_at: float, now: float
) -> bool:
    """Nothing more will come. `silent_boards`: when boards with a seat and without any stream were last seen."""
    if now - ended_at >= GIVE_UP_S:
        return True
    if any(seen is not None and seen <= ended_at for seen in silent_boards):
        return False
    return all(
        one.decided and not one.touched and (not one.board or (one.closed is True and not one.coming_s))
        for one in streams
    )
