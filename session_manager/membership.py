"""How near a person or an organisation stands to the city: a ladder of levels that both sides climb together.

Pure. A level moves only by a step that the city and the other party both confirmed. It never falls by itself: a step
down is a step like any other. Names, number and benefits of the levels are data of each municipality.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from session_manager.errors import NotPossible

Side = Literal["city", "party"]
MAX_LEVELS = 12


@dataclass(frozen=True, slots=True)
class Level:
    """`position` counts from 1; a membership without any step stands at 0. `benefits` are words of the price rules."""

    position: int
    name: str
    criteria: str = ""
    benefits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """`city_at`, `party_at`: when each side agreed; `taken_at`: when the second of them did."""

    step_id: str
    membership_id: str
    from_level: int
    to_level: int
    evidence: str
    proposed_at: float
    city_at: float | None = None
    city_by: str | None = None
    party_at: float | None = None
    party_by: str | None = None
    taken_at: float | None = None
    withdrawn_at: float | None = None

    @property
    def open(self) -> bool:
        return self.taken_at is None and self.withdrawn_at is None


@dataclass(frozen=True, slots=True)
class Agreement:
    """`ends_on` None: until it is ended. Both days belong to it. `seats`: held free at once; None: as many as like."""

    agreement_id: str
    organisation_id: str
    title: str
    starts_on: date
    ends_on: date | None
    benefits: tuple[str, ...]
    seats: int | None = None


def check_ladder(levels: Sequence[Level]) -> None:
    """Positions 1, 2, 3 ... with different names. Raises NotPossible."""
    if not 1 <= len(levels) <= MAX_LEVELS:
        raise NotPossible(f"A ladder has 1 to {MAX_LEVELS} levels.")
    if [level.position for level in levels] != list(range(1, len(levels) + 1)):
        raise NotPossible("The levels of a ladder are numbered 1, 2, 3 and so on, in order.")
    if len({level.name for level in levels}) != len(levels):
        raise NotPossible("Two levels of a ladder have the same name. Give each its own.")


def check_step(level: int, to_level: int, top: int) -> None:
    """One rung at a time upwards; downwards any rung, because both sides must want it. Raises NotPossible."""
    if not 0 <= to_level <= top:
        raise NotPossible(f"The ladder of this municipality has the levels 1 to {top}.")
    if to_level == level:
        raise NotPossible("The membership stands at that level already.")
    if to_level > level + 1:
        raise NotPossible("A membership deepens one level at a time. Propose the next level.")


def confirm(step: Step, side: Side, by: str, at: float) -> Step:
    """One side agrees; with the second side the step is taken. Once more by the same side changes nothing."""
    if not step.open:
        raise NotPossible("This step is no longer open. Propose a new one.")
    if side == "city":
        agreed = step if step.city_at is not None else replace(step, city_at=at, city_by=by)
    else:
        agreed = step if step.party_at is not None else replace(step, party_at=at, party_by=by)
    if agreed.city_by is not None and agreed.city_by == agreed.party_by:
        raise NotPossible("Both sides confirm a step: the same person cannot speak for both.")
    done = agreed.city_at is not None and agreed.party_at is not None
    return replace(agreed, taken_at=at) if done else agreed


def level_after(steps: Sequence[Step]) -> int:
    """Of a whole history, in the order the steps were taken."""
    taken = sorted((step.taken_at, number) for number, step in enumerate(steps) if step.taken_at is not None)
    return steps[taken[-1][1]].to_level if taken else 0


def in_force(agreement: Agreement, today: date) -> bool:
    """`today` in the municipality's calendar."""
    return agreement.starts_on <= today and (agreement.ends_on is None or today <= agreement.ends_on)


def benefits(
    levels: Sequence[Level], level: int, agreements: Sequence[Agreement] = (), today: date | None = None
) -> frozenset[str]:
    """What the level gives, with every level below it, and what agreements give that are in force `today`."""
    by_level = {word for one in levels if one.position <= level for word in one.benefits}
    by_agreement = {word for one in agreements if today is not None and in_force(one, today) for word in one.benefits}
    return frozenset(by_level | by_agreement)
