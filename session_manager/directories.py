"""Whom a town works with, as its office looks them up: organisations with where they stand, people with what they may.

Pure records; the store fills them. `*_on` are days of the municipality's calendar.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from session_manager.membership import Agreement, Level, Step
from session_manager.people import Grant, GroupMember, Membership, Organisation, Person


@dataclass(frozen=True, slots=True)
class HouseRow:
    """`until_on`: the last day of what is in force; `in_force` and None: until it is ended."""

    organisation: Organisation
    level: int
    staff: int
    in_force: bool
    until_on: date | None


@dataclass(frozen=True, slots=True)
class PersonRow:
    person: Person
    organisations: tuple[str, ...]
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Directory:
    """`people_in_all`, `organisations_in_all`: how many fit the search, shown or not."""

    organisations: tuple[HouseRow, ...]
    people: tuple[PersonRow, ...]
    organisations_in_all: int
    people_in_all: int
    ladder: tuple[Level, ...]


@dataclass(frozen=True, slots=True)
class House:
    """One organisation with everything the office keeps of it. `names` by identifier, of whoever confirmed."""

    organisation: Organisation
    membership: Membership | None
    steps: tuple[Step, ...]
    agreements: tuple[Agreement, ...]
    staff: tuple[Person, ...]
    ladder: tuple[Level, ...]
    names: dict[str, str]


@dataclass(frozen=True, slots=True)
class Someone:
    person: Person
    organisations: tuple[Organisation, ...]
    roles: tuple[Grant, ...]
    groups: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class NewPartner:
    """Six answers: name, level, from and to, seats, contact, and what kind of house it is."""

    name: str
    level: int
    starts_on: date
    ends_on: date | None
    seats: int | None
    mail: str
    sector: str
    across_sea: bool


@dataclass(frozen=True, slots=True)
class Previewed:
    """One row of a file. `problem` empty: it can be taken. `new_house`: its organisation would be made."""

    row: int
    name: str
    mail: str
    organisation: str
    new_house: bool
    problem: str


def tree(members: tuple[GroupMember, ...]) -> list[tuple[int, GroupMember]]:
    """Who brought whom, as depth and member in reading order. Whose referrer has left stands at the root."""
    here = {one.person_id for one in members}
    below: dict[str | None, list[GroupMember]] = {}
    for one in sorted(members, key=lambda one: (one.joined_at, one.person_id)):
        below.setdefault(one.referrer_id if one.referrer_id in here else None, []).append(one)
    found: list[tuple[int, GroupMember]] = []
    waiting = [(0, one) for one in reversed(below.get(None, []))]
    while waiting:
        depth, one = waiting.pop()
        found.append((depth, one))
        waiting += [(depth + 1, other) for other in reversed(below.get(one.person_id, []))]
    return found
