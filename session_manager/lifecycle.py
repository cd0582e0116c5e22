"""The states of a session and every way between them. Pure.

planned --start--> live --end--> ending (last words are being written) --settled--> ended. Nothing leaves ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import get_args

from session_manager.records import SessionState

STATES: tuple[SessionState, ...] = get_args(SessionState)


class Event(StrEnum):
    START = "start"
    END = "end"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class Move:
    to: SessionState


@dataclass(frozen=True, slots=True)
class Stay:
    """Asked for what is so already: not an error, nothing to do."""


@dataclass(frozen=True, slots=True)
class Refused:
    message: str


Outcome = Move | Stay | Refused

_OVER = Refused("This session is over and cannot be started again.")
_NOT_BEGUN = Refused("This session has not begun.")
_NOT_ENDING = Refused("This session is not coming to its end.")

TABLE: dict[tuple[SessionState, Event], Outcome] = {
    ("planned", Event.START): Move("live"),
    ("planned", Event.END): _NOT_BEGUN,
    ("planned", Event.SETTLED): _NOT_BEGUN,
    ("live", Event.START): Stay(),
    ("live", Event.END): Move("ending"),
    ("live", Event.SETTLED): _NOT_ENDING,
    ("ending", Event.START): _OVER,
    ("ending", Event.END): Stay(),
    ("ending", Event.SETTLED): Move("ended"),
    ("ended", Event.START): _OVER,
    ("ended", Event.END): Stay(),
    ("ended", Event.SETTLED): Stay(),
}


def decide(state: SessionState, event: Event) -> Outcome:
    return TABLE[state, event]


def leads(old: SessionState, new: SessionState) -> bool:
    """Whether any event moves a session from `old` to `new`."""
    return any(TABLE[old, event] == Move(new) for event in Event)
