"""Who gets a place in a series: by order of asking, by lot, or by hand; then the waiting list moves up. Pure.

applied -> placed -> declined; applied -> waiting -> placed; everything but declined -> withdrawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from session_manager.tables import shuffled

Selection = Literal["order", "lot", "hand"]
State = Literal["applied", "placed", "waiting", "declined", "withdrawn"]
OVER: frozenset[State] = frozenset({"declined", "withdrawn"})


@dataclass(frozen=True, slots=True)
class Applicant:
    """`number`: the how-manieth to ask."""

    person_id: str
    state: State
    number: int


@dataclass(frozen=True, slots=True)
class Move:
    person_id: str
    to: State


@dataclass(frozen=True, slots=True)
class NewCircle:
    """`group_id` None: a group is made and named like the series. `open_until` None: nobody can apply."""

    group_id: str | None = None
    capacity: int = 20
    selection: Selection = "order"
    open_until: int | None = None


def line(selection: Selection, seed: str, applicants: Sequence[Applicant]) -> list[Applicant]:
    """The order in which places are given: of asking, or of the lot (`tables.shuffled`: anybody can check it)."""
    in_time = sorted(applicants, key=lambda one: one.number)
    if selection != "lot":
        return in_time
    order = {name: at for at, name in enumerate(shuffled([one.person_id for one in in_time], seed))}
    return sorted(in_time, key=lambda one: order[one.person_id])


def settled(
    selection: Selection, seed: str, capacity: int, applicants: Sequence[Applicant], *, drawn: bool
) -> list[Move]:
    """What becomes of the applications now. By lot nobody moves before the draw; by hand nobody but by hand.

    Who has a place keeps it, also when the capacity is made smaller.
    """
    if selection == "hand" or (selection == "lot" and not drawn):
        return []
    left = capacity - sum(one.state == "placed" for one in applicants)
    moves = []
    for one in line(selection, seed, [one for one in applicants if one.state in {"applied", "waiting"}]):
        if left > 0:
            moves.append(Move(one.person_id, "placed"))
            left -= 1
        elif one.state == "applied":
            moves.append(Move(one.person_id, "waiting"))
    return moves
