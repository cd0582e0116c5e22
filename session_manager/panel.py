"""What a wall tablet at a room's door shows, and the code on it for phones. Pure.

Anybody who walks by can read the panel, so it says little: of people their initials, of a confidential booking only
that the room is taken.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Literal

from session_manager.precheck import Finding

SLOT_S = 60
SLOTS = 3
"""A code on the door is good for two to three minutes: long enough to raise a phone, too short to pass it on."""
MOST_INITIALS = 24

ReportKind = Literal["camera", "sound", "display", "room", "other"]


@dataclass(frozen=True, slots=True)
class Panel:
    """`last_seen_at` to half a minute. `opened_at` None: its link was never opened."""

    panel_id: str
    municipality_id: str
    room_id: str
    name: str
    room: str
    facility: str
    timezone: str
    made_at: float
    opened_at: float | None
    last_seen_at: float | None


@dataclass(frozen=True, slots=True)
class NewPanel:
    """`key` stands behind `#` of the panel's link and opens it once; it is shown this once."""

    panel: Panel
    key: str


@dataclass(frozen=True, slots=True)
class Touch:
    """One expected person, to be touched."""

    person_id: str
    initials: str


@dataclass(frozen=True, slots=True)
class Pupil:
    person_id: str
    name: str
    came: bool


@dataclass(frozen=True, slots=True)
class Check:
    """The last look at the boards of a session."""

    findings: tuple[Finding, ...]
    checked_at: float


@dataclass(frozen=True, slots=True)
class SoonCheck:
    """For the office. `title` empty: confidential."""

    session_id: str
    title: str
    starts_at: float
    check: Check


@dataclass(frozen=True, slots=True)
class DoorLesson:
    """A class in this room. `pupils` only from ten minutes before to its end."""

    session_id: str
    state: str
    subject: str
    period: str
    far: str
    pupils: tuple[Pupil, ...]
    absent_sent: bool
    sheets: int
    check: Check | None = None


@dataclass(frozen=True, slots=True)
class DayLesson:
    """A lesson as its teacher sees it. `sheet`: for each question how often each choice was made."""

    booking_id: str
    title: str
    starts_at: int
    ends_at: int
    timezone: str
    group_id: str | None
    class_name: str
    lesson: DoorLesson
    sheet: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class DoorBooking:
    """`title` None: confidential. `held_*`: with the buffers around. `release_at`: free again if nobody came."""

    booking_id: str
    title: str | None
    kind: str
    state: str
    starts_at: int
    ends_at: int
    held_from: int
    held_until: int
    check_in_from: int
    release_at: int | None
    expected: tuple[Touch, ...]
    lesson: DoorLesson | None = None


@dataclass(frozen=True, slots=True)
class DoorDay:
    """One room's day. `open`: half-open pairs of POSIX seconds. `buffer_s`: what must stay free after a use."""

    room: str
    facility: str
    timezone: str
    day: str
    needs_approval: bool
    buffer_s: int
    open: tuple[tuple[int, int], ...]
    bookings: tuple[DoorBooking, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A fault that somebody touched on a panel. `resolved_at` None: it is still to be looked at."""

    report_id: str
    room_id: str
    room: str
    facility: str
    kind: ReportKind
    reported_at: float
    resolved_at: float | None


def initials(name: str) -> str:
    """Of a name in two parts the first letter of each; else the first two letters. Empty for an empty name."""
    parts = name.replace("　", " ").split()
    if not parts:
        return ""
    if len(parts) == 1:
        return parts[0][:2] if not parts[0].isascii() else parts[0][:1].upper()
    first, last = parts[0][0], parts[-1][0]
    return f"{first}{last}".upper()


def door_code(secret: bytes, panel_id: str, now: float) -> str:
    """What the square on the panel leads to a phone: this room, now."""
    slot = int(now) // SLOT_S
    return f"{panel_id}.{slot}.{_sign(secret, panel_id, slot)}"


def door_panel(secret: bytes, code: str, now: float) -> str | None:
    """The panel that showed this code just now; None for anything else."""
    panel_id, _, rest = code.partition(".")
    number, _, signature = rest.partition(".")
    if not (number.isascii() and number.isdecimal() and len(number) <= 12):
        return None
    if not 0 <= int(now) // SLOT_S - int(number) < SLOTS:
        return None
    good = hmac.compare_digest(_sign(secret, panel_id, int(number)).encode(), signature.encode("utf-8", "replace"))
    return panel_id if good else None


def _sign(secret: bytes, panel_id: str, slot: int) -> str:
    text = f"door:{panel_id}:{slot}".encode("utf-8", "surrogatepass")
    return hmac.new(secret, text, hashlib.sha256).hexdigest()[:20]
