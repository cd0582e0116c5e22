"""What a receiver gets when not everything fits: captions only, audio only, one small video, all videos. Pure.

Down fast, up slow: a step down is taken as soon as it is due, a step up only after `UP_S` in which the higher rung
would have fitted without a break, one rung at a time. An operator's cap takes video away and never sound; only what
was measured on the line can leave captions alone, and those do not travel here (they go over signaling).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

HOLD_S = 1.0
"""Two changes are never closer together than this."""

UP_S = 5.0
MUTE_AFTER_S = 5.0
"""Sound is given up only after so long without room for one voice."""

VIDEO_FLOOR_KBPS = 150.0
"""A video that would get less than this is worth more as room for sound."""

VOICE_FLOOR_KBPS = 20.0
"""One voice at its lowest: 12 kb/s in packets of 60 ms, headers included."""


class Rung(IntEnum):
    CAPTIONS = 0
    AUDIO = 1
    SMALL = 2
    FULL = 3


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a receiver stands. `fits_since`: since when the next rung would have fitted without a break."""

    rung: Rung = Rung.FULL
    changed_at: float | None = None
    fits_since: float | None = None
    mute_since: float | None = None


def affordable(voices: int, audio_kbps: float, videos: int, limit_kbps: float | None, cap_kbps: float | None) -> Rung:
    """The highest rung that fits. `audio_kbps` is what sound takes now; `limit_kbps` measured, `cap_kbps` set."""
    measured = _fitting(voices, audio_kbps, videos, limit_kbps)
    capped = max(Rung.AUDIO, _fitting(voices, audio_kbps, videos, cap_kbps))
    return min(measured, capped)


def _fitting(voices: int, audio_kbps: float, videos: int, limit_kbps: float | None) -> Rung:
    if limit_kbps is None:
        return Rung.FULL
    if voices and limit_kbps < VOICE_FLOOR_KBPS:
        return Rung.CAPTIONS
    spare = limit_kbps - audio_kbps
    if spare >= VIDEO_FLOOR_KBPS * max(1, videos):
        return Rung.FULL
    return Rung.SMALL if spare >= VIDEO_FLOOR_KBPS else Rung.AUDIO


def step(standing: Standing, fits: Rung, now: float) -> Standing:
    """Where the receiver stands after hearing what fits now."""
    if fits is Rung.CAPTIONS < standing.rung:
        mute_since = now if standing.mute_since is None else standing.mute_since
        standing = replace(standing, mute_since=mute_since)
        if now - mute_since < MUTE_AFTER_S:
            fits = Rung.AUDIO
    else:
        standing = replace(standing, mute_since=None)
    since = standing.changed_at
    free = since is None or now - since >= HOLD_S
    if fits < standing.rung:
        return Standing(fits, now, mute_since=standing.mute_since) if free else replace(standing, fits_since=None)
    if fits == standing.rung:
        return replace(standing, fits_since=None)
    fits_since = now if standing.fits_since is None else standing.fits_since
    if free and now - fits_since >= UP_S:
        return Standing(Rung(standing.rung + 1), now)
    return replace(standing, fits_since=fits_since)


def videos_of(rung: Rung, by_weight: Sequence[str]) -> tuple[str, ...]:
    """Which of the wished videos, most important first, this rung shows."""
    return tuple(by_weight) if rung is Rung.FULL else tuple(by_weight[:1]) if rung is Rung.SMALL else ()


def share_kbps(count: int, audio_kbps: float, limit_kbps: float | None) -> float | None:
    """What each of `count` videos may take; None: as much as it likes. Never below the floor: then it is stopped."""
    if limit_kbps is None or not count:
        return None
    return max(VIDEO_FLOOR_KBPS, (limit_kbps - audio_kbps) / count)


def voice_kbps(voices: int, limit_kbps: float | None) -> float | None:
    """What each of `voices` may take, all of the limit if need be; None: as much as it likes."""
    if limit_kbps is None or not voices:
        return None
    return max(VOICE_FLOOR_KBPS, limit_kbps / voices)


def tighter(*limits: float | None) -> float | None:
    """The least of those that say anything."""
    said = [limit for limit in limits if limit is not None]
    return min(said, default=None)
