"""The facts of the session manager as plain values: what the store gives back and the hub passes around.

Instants (`*_at`) are UTC POSIX seconds. Sample positions are on the 48 kHz clock of their stream. Identifiers are
random, URL-safe text and say nothing about what they name.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

SessionState = Literal["planned", "live", "ending", "ended"]


@dataclass(frozen=True, slots=True)
class Facility:
    facility_id: str
    name: str
    timezone: str
    municipality_id: str = "default"
    on_island: bool = True


@dataclass(frozen=True, slots=True)
class Room:
    room_id: str
    facility_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Board:
    """A device in a room. `last_seen_at` None: it has never called."""

    board_id: str
    room_id: str
    name: str
    enrolled_at: float
    last_seen_at: float | None


@dataclass(frozen=True, slots=True)
class Account:
    account_id: str
    name: str
    role: Literal["administrator", "staff"]


@dataclass(frozen=True, slots=True)
class Site:
    """A place in one session: a board's room (`room_id` set) or one remote person."""

    site_id: str
    session_id: str
    name: str
    room_id: str | None
    languages: tuple[str, ...]
    position: int


@dataclass(frozen=True, slots=True)
class Seat:
    """One peer's place at a site. A board's seat is made with the session, a person's when they join."""

    seat_id: str
    session_id: str
    site_id: str
    display_name: str
    role: str
    board_id: str | None


@dataclass(frozen=True, slots=True)
class Session:
    session_id: str
    title: str
    state: SessionState
    starts_at: float
    ends_at: float
    timezone: str
    started_at: float | None
    ended_at: float | None
    confidential: bool
    sites: tuple[Site, ...]
    completed_at: float | None = None
    """When it was certain that nothing more will come from any board; None until then."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """A door into one session. The code itself is known only when it is made; `uses_left` None: no limit."""

    invitation_id: str
    session_id: str
    role: str
    expires_at: float
    uses_left: int | None


@dataclass(frozen=True, slots=True)
class Stream:
    """One epoch of one track. `origin_at`: the instant of sample 0, None until its first packet has come."""

    track_id: str
    epoch: int
    session_id: str
    site_id: str
    seat_id: str
    name: str
    kind: Literal["audio", "video"]
    source: str
    opened_at: float
    origin_at: float | None
    end_sample: int
    watermark_sample: int
    closed_at: float | None
    close_cause: str | None
    decided: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One utterance's text. `suppressed`: recognised, not believed, with the reason; not part of the transcript."""

    line_id: str
    session_id: str
    track_id: str
    epoch: int
    site_id: str
    site_name: str
    speaker: str
    revision: int
    start_sample: int
    end_sample: int
    started_at: float
    ended_at: float
    text: str
    language: str
    confidence: float
    suppressed: str | None
    event_number: int
    repaired: bool = False
    """This revision was heard in sound that a board brought later."""
    edited_by: str | None = None


@dataclass(frozen=True, slots=True)
class Spool:
    """What a board says it keeps of a stream. `coming_s`: how much of it the hub still wants.

    `missing`: numbers within that the board has lost, half open pairs, sorted and apart.
    """

    track_id: str
    epoch: int
    first_sequence: int
    next_sequence: int
    end_sample: int
    closed: bool
    coming_s: float
    told_at: float
    missing: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class DiskTold:
    """How a board's spool stands. `at_risk_s`: seconds of sound only in its memory. `room_s`: seconds that still fit.
    `lost_s`: seconds given up unsent since the board started."""

    level: Literal["ok", "near", "full"]
    at_risk_s: float = 0.0
    room_s: float | None = None
    lost_s: float = 0.0


@dataclass(frozen=True, slots=True)
class SiteRisk:
    """A site whose board is short of disk; the figures as in `DiskTold`."""

    site_id: str
    site_name: str
    disk: Literal["near", "full"]
    at_risk_s: float
    room_s: float | None
    lost_s: float


@dataclass(frozen=True, slots=True)
class Coming:
    """Sound that a site's board keeps and has not brought yet."""

    site_id: str
    site_name: str
    seconds: float


class SpanKind(StrEnum):
    LINE = "line"
    SILENCE = "silence"
    SUPPRESSED = "suppressed"
    OFF_RECORD = "off_record"
    GAP = "gap"
    PENDING = "pending"


@dataclass(frozen=True, slots=True)
class CoverageSpan:
    """Half open [started_at, ended_at). `cause` is set for gaps: `network`, `reconnect`, `disk_full`, `worker_lost`,
    `board_lost`."""

    kind: SpanKind
    started_at: float
    ended_at: float
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class TrackCoverage:
    track_id: str
    site_id: str
    site_name: str
    spans: tuple[CoverageSpan, ...]


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """Something that happened in a session. `number` None: a view (partial, levels), never stored or replayed.

    `kind` is a message type of the signaling protocol (`line.committed`, `session.changed`, `peer.changed`,
    `caption.partial`, `levels`, ...) and `data` that message's body, ready for JSON.
    """

    number: int | None
    kind: str
    data: dict[str, object]


@dataclass(frozen=True, slots=True)
class Gap:
    """Audio known to be missing from the record, half open, with its cause. `epoch` None: the whole track."""

    session_id: str
    track_id: str
    epoch: int | None
    started_at: float
    ended_at: float
    cause: str
