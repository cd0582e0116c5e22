"""Which tracks go into a subscriber's slots, and which videos its budget allows. Pure.

The rules, in the order of their strength:
1. a track whose want says `max_height` 0 is not sent;
2. a budget stops video, the largest first, and never audio;
3. who is in a slot stays there;
4. free slots are filled by priority, then by order of publication;
5. with more voices than slots, a voice that speaks takes the slot of the one that has been silent longest.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

HYSTERESIS_S = 2.0
"""A voice keeps its slot this long after it was placed and after its last word."""

RESUME_SHARE = 0.9
"""A stopped video comes back only when everything fits into this share of the budget."""

SPEAKING_DBOV = 50
"""A level of -50 dBov or louder counts as speech."""


@dataclass(frozen=True, slots=True)
class Voice:
    """An audio track as the choice sees it; instants on the caller's clock, `spoke_at` None: never."""

    track_id: str
    spoke_at: float | None = None
    level: int = 127


@dataclass(frozen=True, slots=True)
class Placing:
    """A slot's occupant and since when."""

    track_id: str | None
    placed_at: float


@dataclass(frozen=True, slots=True)
class Video:
    track_id: str
    kbps: float


def fill(slots: Sequence[str | None], eligible: Sequence[str]) -> list[str | None]:
    """Keep whoever is still eligible, then put the others into free slots in order."""
    allowed = set(eligible)
    chosen = [track if track in allowed else None for track in slots]
    waiting = [track for track in eligible if track not in chosen]
    for place, track in enumerate(chosen):
        if track is None and waiting:
            chosen[place] = waiting.pop(0)
    return chosen


def louder(slots: Sequence[Placing], voices: Mapping[str, Voice], now: float) -> tuple[int, str] | None:
    """The one exchange that is due: (slot, track that takes it); None when everybody who speaks is heard."""
    placed = {slot.track_id for slot in slots}
    waiting = [
        voice
        for voice in voices.values()
        if voice.track_id not in placed and voice.spoke_at is not None and now - voice.spoke_at < HYSTERESIS_S
    ]
    quiet: list[tuple[float, int]] = []
    for place, slot in enumerate(slots):
        occupant = voices.get(slot.track_id) if slot.track_id is not None else None
        if occupant is None or now - slot.placed_at < HYSTERESIS_S:
            continue
        last_word = occupant.spoke_at if occupant.spoke_at is not None else -1.0
        if occupant.spoke_at is None or now - last_word >= HYSTERESIS_S:
            quiet.append((last_word, place))
    if not waiting or not quiet:
        return None
    return min(quiet)[1], min(waiting, key=lambda voice: (voice.level, voice.track_id)).track_id


def over_budget(
    videos: Sequence[Video], audio_kbps: float, budget_kbps: int | None, stopped: Collection[str]
) -> frozenset[str]:
    """The videos to stop, given those that are `stopped` now. Audio counts against the budget but is never stopped."""
    if budget_kbps is None:
        return frozenset()
    flowing = [video for video in videos if video.track_id not in stopped]
    resting = [video for video in videos if video.track_id in stopped]
    total = audio_kbps + sum(video.kbps for video in flowing)
    for video in sorted(flowing, key=lambda video: (-video.kbps, video.track_id)):
        if total <= budget_kbps:
            break
        total -= video.kbps
        resting.append(video)
    for video in sorted(resting, key=lambda video: (video.kbps, video.track_id)):
        fits = total + video.kbps <= budget_kbps * RESUME_SHARE
        if fits and video.track_id in stopped:
            total += video.kbps
            resting.remove(video)
    return frozenset(video.track_id for video in resting)
