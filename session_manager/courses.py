"""Series that people apply for, as one person sees them: the dates, the places left, and where they stand. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from session_manager.enrolment import Applicant, Selection, State, line
from session_manager.series import Mode

Mine = State | Literal["member"]
"""`member`: in the group without having applied."""


@dataclass(frozen=True, slots=True)
class CourseDate:
    """Local times of the house. `where` empty: nowhere, it is online."""

    starts: datetime
    ends: datetime
    zone: str
    mode: Mode
    where: str


@dataclass(frozen=True, slots=True)
class Course:
    """`dates`: those to come. `left`: places that nobody has. `turn`: 1 is the next; None where there is no line."""

    series_id: str
    title: str
    kind: str
    dates: tuple[CourseDate, ...]
    capacity: int
    left: int
    selection: Selection
    open_until: int | None
    open: bool
    mine: Mine | None
    turn: int | None


def turn_of(person_id: str, selection: Selection, seed: str, applicants: Sequence[Applicant]) -> int | None:
    """The how-manieth of those who wait; None for who does not, and where a host chooses."""
    if selection == "hand":
        return None
    waiting = line(selection, seed, [one for one in applicants if one.state == "waiting"])
    return next((at for at, one in enumerate(waiting, 1) if one.person_id == person_id), None)
