"""Who gets how much: a subscriber's budget into videos that flow or rest, and into what each publisher is asked for.

There is one encoding of every track (no simulcast), so a thin line is served in two ways: the publisher is asked for
less, down to a floor, and below that floor the subscriber goes without that video.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from signaling.media.ladder import Rung, Standing, affordable, share_kbps, step, tighter, videos_of, voice_kbps
from signaling.media.lines import Downlink
from signaling.media.selection import Video, over_budget

LEADER_S = 2.0
"""Somebody must have spoken this much later than the one who is shown to take that place."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A video that a subscriber would like, in the order of its wishes. `spoke_at`: when its site last spoke."""

    track_id: str
    kbps: float
    priority: int = 0
    spoke_at: float | None = None


@dataclass(frozen=True, slots=True)
class Allotment:
    """What one subscriber gets. `targets`: kb/s that a track should not exceed for its sake, headers included."""

    stopped: frozenset[str] = frozenset()
    silenced: bool = False
    leader: str | None = None
    limit_kbps: float | None = None
    targets: Mapping[str, float] = field(default_factory=dict)


def by_weight(wishes: Sequence[Wish], leader: str | None) -> list[str]:
    """Priority first, then whoever spoke last, whoever is shown with an advantage; then the order of the wishes."""

    def weight(wish: Wish) -> tuple[int, float]:
        spoke_at = wish.spoke_at if wish.spoke_at is not None else float("-inf")
        return -wish.priority, -(spoke_at + LEADER_S if wish.track_id == leader else spoke_at)

    return [wish.track_id for wish in sorted(wishes, key=weight)]


def allot(
    before: Allotment,
    line: Downlink,
    voices: Mapping[str, float],
    wishes: Sequence[Wish],
    cap: float | None,
    now: float,
) -> Allotment:
    """Decide anew; `line.standing` follows. `voices`: kb/s by track."""
    limit, audio = line.budget.limit_kbps, sum(voices.values())
    both = tighter(limit, cap)
    if both is None:
        line.standing = Standing()
        return Allotment()
    fits = affordable(len(voices), audio, len(wishes), limit, cap)
    line.standing = step(line.standing, fits, now)
    rung = line.standing.rung
    shown = videos_of(rung, by_weight(wishes, before.leader))
    flowing = [Video(wish.track_id, wish.kbps) for wish in wishes if wish.track_id in shown]
    resting = frozenset(wish.track_id for wish in wishes if wish.track_id not in shown)
    stopped = resting | over_budget(flowing, audio, int(both), before.stopped)
    share, voice = share_kbps(len(shown), audio, both), voice_kbps(len(voices), both)
    targets = {track_id: share for track_id in shown if share is not None}
    targets |= {track_id: voice for track_id in voices if voice is not None}
    return Allotment(stopped, rung is Rung.CAPTIONS, shown[0] if shown else None, both, targets)
