"""Time on the wall and time that passes: intervals, clashes, free time, and what to offer when the wish is taken. Pure.

Local times are naive `datetime`s beside the name of their IANA zone; instants are whole UTC POSIX seconds. Every
interval is half open, so one that ends when another starts does not clash with it. A local time that the clock change
leaves out is read with the offset before the change, one that comes twice is its first coming (RFC 5545, 3.3.5).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """Half open [starts_at, ends_at), in whole POSIX seconds."""

    starts_at: int
    ends_at: int

    def __post_init__(self) -> None:
        if not self.ends_at > self.starts_at:
            raise ValueError("an interval must end after it starts")

    @property
    def length_s(self) -> int:
        return self.ends_at - self.starts_at

    def widened(self, before_s: int, after_s: int) -> Interval:
        return Interval(self.starts_at - before_s, self.ends_at + after_s)

    def shifted(self, by_s: int) -> Interval:
        return Interval(self.starts_at + by_s, self.ends_at + by_s)

    def holds(self, other: Interval) -> bool:
        return self.starts_at <= other.starts_at and other.ends_at <= self.ends_at


@dataclass(frozen=True, slots=True)
class Wall:
    """From one local time to another in one zone, as people agree on it."""

    starts: datetime
    ends: datetime
    zone: str


def instant(local: datetime, zone: str) -> int:
    return int(local.replace(tzinfo=ZoneInfo(zone), fold=0).timestamp())


def local_time(at: int, zone: str) -> datetime:
    return datetime.fromtimestamp(at, ZoneInfo(zone)).replace(tzinfo=None, fold=0)


def exists(local: datetime, zone: str) -> bool:
    """Whether the clocks there show that time at all on that day."""
    there = local.replace(tzinfo=ZoneInfo(zone), fold=0)
    return there.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0) == local


def interval(wall: Wall) -> Interval:
    """An end that the clock change puts before its start is moved on to the length that was agreed."""
    starts_at, ends_at = instant(wall.starts, wall.zone), instant(wall.ends, wall.zone)
    if ends_at <= starts_at:
        ends_at = starts_at + int((wall.ends - wall.starts).total_seconds())
    return Interval(starts_at, ends_at)


def wall(time: Interval, zone: str) -> Wall:
    return Wall(local_time(time.starts_at, zone), local_time(time.ends_at, zone), zone)


def clash(one: Interval, other: Interval) -> bool:
    return one.starts_at < other.ends_at and other.starts_at < one.ends_at


def merged(times: Iterable[Interval]) -> list[Interval]:
    """The same seconds as few intervals in order; touching ones become one."""
    found: list[Interval] = []
    for time in sorted(times):
        if found and time.starts_at <= found[-1].ends_at:
            found[-1] = Interval(found[-1].starts_at, max(found[-1].ends_at, time.ends_at))
        else:
            found.append(time)
    return found


def without(base: Iterable[Interval], taken: Iterable[Interval]) -> list[Interval]:
    """What of `base` is not taken, in order."""
    holes = merged(taken)
    found: list[Interval] = []
    for time in merged(base):
        start = time.starts_at
        for hole in holes[max(0, bisect_left(holes, time) - 1) :]:
            if hole.starts_at >= time.ends_at:
                break
            if hole.starts_at > start:
                found.append(Interval(start, hole.starts_at))
            start = max(start, hole.ends_at)
        if start < time.ends_at:
            found.append(Interval(start, time.ends_at))
    return found


def crowded(times: Iterable[Interval], limit: int) -> list[Interval]:
    """When more than `limit` of them run at once; 0: when any does."""
    steps = sorted(step for time in times for step in ((time.starts_at, 1), (time.ends_at, -1)))
    found: list[Interval] = []
    running, since = 0, 0
    for at, change in steps:
        if running <= limit < running + change:
            since = at
        elif running + change <= limit < running and at > since:
            found.append(Interval(since, at))
        running += change
    return merged(found)


@dataclass(frozen=True, slots=True)
class Availability:
    """One place: when it is open, what is taken (buffers of others included), and its own buffers."""

    open: tuple[Interval, ...]
    taken: tuple[Interval, ...]
    before_s: int = 0
    after_s: int = 0

    def takes(self, time: Interval) -> bool:
        with_buffers = time.widened(self.before_s, self.after_s)
        inside = any(span.holds(time) for span in self.open)
        return inside and not any(clash(with_buffers, one) for one in self.taken)

    def free(self) -> list[Interval]:
        """When it is open and nobody has it; with the taken times these tile the opening hours."""
        return without(self.open, self.taken)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`place_id`: instead of `for_place_id`, with the time as wished. `skip`: leave this date of the series out."""

    kind: Literal["shift", "shorten", "other_place", "skip"]
    time: Interval | None = None
    for_place_id: str | None = None
    place_id: str | None = None


@dataclass(frozen=True, slots=True)
class Near:
    """How far from the wish an offer may be: by Indico's measure 20 minutes or a quarter shorter; we look further."""

    shift_s: int = 7200
    step_s: int = 900
    shortest: float = 0.75


def suggestions(
    wanted: Interval,
    places: Mapping[str, Availability],
    others: Mapping[str, Mapping[str, Availability]],
    *,
    near: Near = Near(),
    in_series: bool = False,
) -> list[Suggestion]:
    """`others`: for each wanted place those that could stand in for it, best first. Nothing offered is taken."""
    found = [Suggestion("shift", time) for time in _shifted(wanted, places, near)]
    shorter = _shortened(wanted, places, near)
    found += [Suggestion("shorten", shorter)] if shorter is not None else []
    full = [place_id for place_id, there in places.items() if not there.takes(wanted)]
    if len(full) == 1:
        fits = (name for name, there in others.get(full[0], {}).items() if there.takes(wanted))
        found += [Suggestion("other_place", wanted, full[0], name) for _, name in zip(range(3), fits, strict=False)]
    return found + ([Suggestion("skip")] if in_series else [])


def _all_take(places: Mapping[str, Availability], time: Interval) -> bool:
    return all(there.takes(time) for there in places.values())


def _shifted(wanted: Interval, places: Mapping[str, Availability], near: Near) -> list[Interval]:
    """The nearest time earlier and the nearest later."""
    found = []
    for sign in (-1, 1):
        steps = (wanted.shifted(sign * by) for by in range(near.step_s, near.shift_s + 1, near.step_s))
        first = next((time for time in steps if _all_take(places, time)), None)
        found += [first] if first is not None else []
    return found


def _shortened(wanted: Interval, places: Mapping[str, Availability], near: Near) -> Interval | None:
    """The longest part of the wish, in steps, that is free and not too short."""
    least = int(wanted.length_s * near.shortest)
    parts: Sequence[Interval] = [
        Interval(wanted.starts_at + early, wanted.ends_at - late)
        for early in range(0, wanted.length_s - least + 1, near.step_s)
        for late in range(0, wanted.length_s - least - early + 1, near.step_s)
        if early + late
    ]
    fitting = [part for part in parts if _all_take(places, part)]
    return max(fitting, key=lambda part: (part.length_s, -part.starts_at), default=None)
