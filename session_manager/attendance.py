"""Answers to invitations that came back by mail (RFC 5546, REPLY), and what they say about a date. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from session_manager.ical import Parsed
from session_manager.schedule import instant

AnswerStatus = Literal["NEEDS-ACTION", "ACCEPTED", "DECLINED", "TENTATIVE"]
_KNOWN: frozenset[str] = frozenset({"NEEDS-ACTION", "ACCEPTED", "DECLINED", "TENTATIVE"})


@dataclass(frozen=True, slots=True)
class Answer:
    """Of one person about one date. `answered_at` None: nothing came back yet."""

    person_id: str
    name: str
    status: AnswerStatus
    answered_at: float | None


@dataclass(frozen=True, slots=True)
class Reply:
    """One attendee's word about one date of a series, or about all of it.

    `recurs_at`: when that date begins by the rule, POSIX seconds, because programs name it in whatever zone they like;
    None: all.
    """

    uid: str
    recurs_at: int | None
    attendee: str
    status: AnswerStatus
    sequence: int
    stamped_at: float


def replies_of(parsed: Parsed, sender: str) -> list[Reply]:
    """Only the sender's own word counts, and only one of the four words. Not a REPLY: none."""
    if parsed.method != "REPLY":
        return []
    return [
        Reply(
            entry.uid,
            instant(entry.instead_of, entry.zone) if entry.instead_of is not None else None,
            who.mail.casefold(),
            who.status,  # type: ignore[arg-type]
            entry.sequence,
            entry.stamped_at,
        )
        for entry in parsed.entries
        for who in entry.attendees
        if who.mail.casefold() == sender.casefold() and who.status in _KNOWN
    ]


def newest(answers: Iterable[tuple[AnswerStatus, float]]) -> tuple[AnswerStatus, float | None]:
    """A word about the one date and one about all: the later of them stands."""
    found = sorted(answers, key=lambda one: one[1])
    return found[-1] if found else ("NEEDS-ACTION", None)
