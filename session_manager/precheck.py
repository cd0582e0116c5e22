"""Is everything ready for a session: what the hub can tell of each site's boards shortly before. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

EARLY_S = 600.0
"""From ten minutes before."""
AWAKE_S = 120.0
"""A board asks for its session several times a minute; one that was silent for two is asleep."""
AGAIN_S = 30.0
"""As long as it has not begun, the boards are looked at again: a cable that was put in is seen."""

State = Literal["ready", "asleep", "never", "none", "microphone", "speaker", "camera"]
_WORST: tuple[State, ...] = ("none", "never", "asleep", "microphone", "speaker", "camera", "ready")


@dataclass(frozen=True, slots=True)
class BoardFacts:
    """`last_seen_at` None: never. A device: True found, False missing, None: the board says nothing of it."""

    board_id: str
    last_seen_at: float | None
    microphone: bool | None = None
    speaker: bool | None = None
    camera: bool | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """Of one site. `none`: a room without a board."""

    site_id: str
    site: str
    state: State


def state_of(board: BoardFacts, now: float) -> State:
    if board.last_seen_at is None:
        return "never"
    if now - board.last_seen_at > AWAKE_S:
        return "asleep"
    devices: tuple[tuple[State, bool | None], ...] = (
        ("microphone", board.microphone),
        ("speaker", board.speaker),
        ("camera", board.camera),
    )
    return next((name for name, found in devices if found is False), "ready")


def find(site_id: str, site: str, boards: Iterable[BoardFacts], now: float) -> Finding:
    """One board that is ready is enough; else the one that lacks least speaks for the site."""
    states = [state_of(board, now) for board in boards]
    return Finding(site_id, site, max(states, key=_WORST.index, default="none"))
