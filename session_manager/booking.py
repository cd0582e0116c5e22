"""The states of a booking, every way between them, and what time alone makes due. Pure.

requested --approve--> confirmed --check_in--> in_use --end--> done. Only offered, confirmed and in_use hold their
places. A request that loses its place goes to the waiting list: waiting --offer--> offered --accept--> confirmed. A
date of a series that was skipped is *wanted*: kept, holding nothing, to be tried again. Nothing leaves what is over.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

State = Literal[
    "wanted",
    "requested",
    "waiting",
    "offered",
    "confirmed",
    "in_use",
    "done",
    "declined",
    "expired",
    "cancelled",
    "released",
]
HOLDING: frozenset[State] = frozenset({"offered", "confirmed", "in_use"})
PENDING: frozenset[State] = frozenset({"wanted", "requested", "waiting"})
OVER: frozenset[State] = frozenset({"done", "declined", "expired", "cancelled", "released"})

Kind = Literal["plain", "telework", "remote_class", "dialogue", "seminar", "ceremony", "external"]
WITH_SESSION: frozenset[str] = frozenset({"telework", "remote_class", "dialogue", "seminar", "ceremony", "external"})
"""Kinds whose evening is run by the hub: each makes its session."""


class Event(StrEnum):
    APPROVE = "approve"
    DECLINE = "decline"
    QUEUE = "queue"
    OFFER = "offer"
    ACCEPT = "accept"
    TAKE = "take"
    ASK = "ask"
    EXPIRE = "expire"
    CANCEL = "cancel"
    CHECK_IN = "check_in"
    END = "end"
    RELEASE = "release"


MOVES: dict[tuple[State, Event], State] = {
    ("wanted", Event.TAKE): "confirmed",
    ("wanted", Event.ASK): "requested",
    ("wanted", Event.QUEUE): "waiting",
    ("wanted", Event.EXPIRE): "expired",
    ("wanted", Event.CANCEL): "cancelled",
    ("requested", Event.APPROVE): "confirmed",
    ("requested", Event.DECLINE): "declined",
    ("requested", Event.QUEUE): "waiting",
    ("requested", Event.EXPIRE): "expired",
    ("requested", Event.CANCEL): "cancelled",
    ("waiting", Event.ASK): "requested",
    ("waiting", Event.OFFER): "offered",
    ("waiting", Event.EXPIRE): "expired",
    ("waiting", Event.CANCEL): "cancelled",
    ("offered", Event.ACCEPT): "confirmed",
    ("offered", Event.EXPIRE): "expired",
    ("offered", Event.CANCEL): "cancelled",
    ("confirmed", Event.CHECK_IN): "in_use",
    ("confirmed", Event.CANCEL): "cancelled",
    ("confirmed", Event.RELEASE): "released",
    ("confirmed", Event.END): "done",
    ("in_use", Event.END): "done",
    ("in_use", Event.CANCEL): "cancelled",
}

_STATE_WORDS: dict[State, str] = {
    "wanted": "skipped for now",
    "requested": "waiting for approval",
    "waiting": "on the waiting list",
    "offered": "offered and not yet accepted",
    "confirmed": "confirmed",
    "in_use": "in use",
    "done": "over",
    "declined": "declined",
    "expired": "expired",
    "cancelled": "cancelled",
    "released": "released because nobody came",
}


def after(state: State, event: Event) -> State | None:
    """None: that cannot be done now."""
    return MOVES.get((state, event))


def refusal(state: State) -> str:
    return f"This cannot be done: the booking is {_STATE_WORDS[state]}."


@dataclass(frozen=True, slots=True)
class Attendance:
    """How a place asks people to show that they came. `late_s`: then it is released; None: never."""

    early_s: int = 900
    late_s: int | None = 900
    strikes: int = 3
    exempt_kinds: frozenset[str] = frozenset({"remote_class", "dialogue", "ceremony"})
    exempt_longer_s: int = 8 * 3600
    exempt_made_within_s: int = 2 * 3600


@dataclass(frozen=True, slots=True)
class Facts:
    """What the clock is asked about. `met`: its session has begun, which counts as checking in."""

    state: State
    kind: str
    starts_at: int
    ends_at: int
    created_at: int
    expires_at: int | None = None
    met: bool = False


def due(facts: Facts, attendance: Attendance, now: float) -> Event | None:
    """What time alone makes of a booking now; None: nothing yet. Asked again until None it ends."""
    if facts.state in PENDING or facts.state == "offered":
        end = facts.ends_at if facts.state in {"offered", "waiting"} else facts.starts_at
        limit = end if facts.expires_at is None else min(end, facts.expires_at)
        return Event.EXPIRE if now >= limit else None
    if facts.state == "confirmed" and facts.met and now < facts.ends_at:
        return Event.CHECK_IN
    if facts.state == "confirmed" and not facts.met and _missed(facts, attendance, now):
        return Event.RELEASE
    if facts.state in {"confirmed", "in_use"} and now >= facts.ends_at:
        return Event.END
    return None


def exempt(facts: Facts, attendance: Attendance) -> bool:
    """What is never released: classes and evenings, whole days, and what was made just before."""
    return (
        attendance.late_s is None
        or facts.kind in attendance.exempt_kinds
        or facts.ends_at - facts.starts_at >= attendance.exempt_longer_s
        or facts.starts_at - facts.created_at <= attendance.exempt_made_within_s
    )


def _missed(facts: Facts, attendance: Attendance, now: float) -> bool:
    late = attendance.late_s
    return late is not None and not exempt(facts, attendance) and now >= min(facts.starts_at + late, facts.ends_at)


def may_check_in(facts: Facts, attendance: Attendance, now: float) -> bool:
    return facts.starts_at - attendance.early_s <= now < facts.ends_at


def offer_until(starts_at: int, now: float) -> int:
    """How long an offered place is held: ten minutes when it is soon (24 hours), else twelve hours."""
    return int(now) + (600 if starts_at - now < 86_400 else 43_200)


def request_until(starts_at: int, now: float, hold_s: int) -> int:
    """A request nobody answers ends by itself: after `hold_s`, at its start at the latest."""
    return min(starts_at, int(now) + hold_s)
