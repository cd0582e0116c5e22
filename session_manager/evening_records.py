"""Series with their people, dialogue evenings and their reports, as plain values. Instants are whole POSIX seconds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from session_manager.booking import State as BookingState
from session_manager.consent import Level
from session_manager.enrolment import Selection
from session_manager.enrolment import State as ApplicationState
from session_manager.report import ItemKind, Paragraph
from session_manager.series import Mode

How = Literal["in_person", "online"]
SessionState = Literal["none", "planned", "live", "ending", "ended"]
CHECKS = 2
"""Peers who look at a question before it is asked."""


@dataclass(frozen=True, slots=True)
class Behind:
    """Whose a series or a booking is. `group_id` None: of no group."""

    municipality_id: str
    group_id: str | None
    confidential: bool


@dataclass(frozen=True, slots=True)
class Circle:
    """The people of a series. `seed`: of the lot, shown so that anybody can draw again."""

    series_id: str
    group_id: str
    capacity: int
    selection: Selection
    open_until: int | None
    seed: str
    drawn_at: int | None


@dataclass(frozen=True, slots=True)
class Application:
    person_id: str
    name: str
    state: ApplicationState
    number: int
    asked_at: int
    moved_at: int


@dataclass(frozen=True, slots=True)
class SeriesLine:
    """One series in a list: how many dates are to come, are skipped, and the next one."""

    series_id: str
    title: str
    kind: str
    group_id: str | None
    people: int
    to_come: int
    skipped: int
    next_booking_id: str | None
    next_starts: datetime | None
    next_zone: str


@dataclass(frozen=True, slots=True)
class DateAttendance:
    """`nameless`: of those who came in, who wished to be counted only."""

    booking_id: str
    in_person: int
    online: int
    nameless: int


@dataclass(frozen=True, slots=True)
class Question:
    """`version` rises with every change; a check is of one version."""

    words: str = ""
    why: str = ""
    known: str = ""
    owner_id: str | None = None
    version: int = 0
    checked_by: tuple[str, ...] = ()

    @property
    def checked(self) -> bool:
        return len(self.checked_by) >= CHECKS


@dataclass(frozen=True, slots=True)
class Guest:
    """One of the group as the evening sees them. `came_at` None: not here. Levels are nobody's but their own."""

    person_id: str
    name: str
    role: str
    organisation: str
    sector: str
    side: str
    new: bool
    how: How | None
    came_at: int | None
    left_at: int | None


@dataclass(frozen=True, slots=True)
class SeatedTable:
    people: tuple[str, ...]
    board: bool


@dataclass(frozen=True, slots=True)
class HarvestItem:
    """`yes_at`: when its speaker agreed that it becomes public. `from_title`, `from_starts`: of an earlier evening."""

    item_id: str
    booking_id: str
    kind: ItemKind
    words: str
    person_id: str | None
    name: str
    due_on: str | None
    yes_at: int | None
    done_at: int | None
    from_starts: datetime | None = None


@dataclass(frozen=True, slots=True)
class RoomConsent:
    """`agreed`: what the evening proposes; `level`: what may be kept now; `present`: how many have a word in it."""

    agreed: Level
    level: Level
    present: int


@dataclass(frozen=True, slots=True)
class OwnWord:
    level: Level
    listens: bool
    said_at: int


@dataclass(frozen=True, slots=True)
class Evening:
    """One date: before, at the door and after. `open_actions`: of earlier evenings, to be asked about."""

    booking_id: str
    municipality_id: str
    series_id: str | None
    group_id: str | None
    title: str
    kind: str
    state: BookingState
    mode: Mode
    starts: datetime
    ends: datetime
    zone: str
    starts_at: int
    ends_at: int
    places: tuple[str, ...]
    session_id: str | None
    session_state: SessionState
    question: Question
    guests: tuple[Guest, ...]
    tables: tuple[SeatedTable, ...]
    seed: str
    consent: RoomConsent
    publish_from: Level
    nameless: int
    items: tuple[HarvestItem, ...]
    open_actions: tuple[HarvestItem, ...]
    slug: str | None
    published_at: int | None


@dataclass(frozen=True, slots=True)
class NewItem:
    kind: ItemKind
    words: str
    person_id: str | None = None
    due_on: str | None = None
    said_yes: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """`paragraphs`: what may be public now; `held_back`: items that may not, for want of a yes."""

    booking_id: str
    slug: str
    title: str
    opening: str
    left_out: tuple[str, ...]
    paragraphs: tuple[Paragraph, ...]
    held_back: int
    drafted_at: int
    published_at: int | None
    withdrawn_at: int | None


@dataclass(frozen=True, slots=True)
class PublicReport:
    """What anybody may read."""

    slug: str
    municipality: str
    title: str
    opening: str
    paragraphs: tuple[Paragraph, ...]
    day: datetime
    published_at: int
