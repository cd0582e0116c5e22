"""Who sits with whom: tables that mix, proposed by a seed. Pure: the same seed and people give the same tables.

People who take part from afar sit together, at a table with a board. Everybody else is spread so that sectors,
organisations, island and mainland, new and old meet, and neighbours of earlier evenings do not sit together again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import combinations, product

ROUNDS = 12
"""Times that every exchange of two people is tried; the proposal hardly changes after a few."""

_SAME_SECTOR, _SAME_HOUSE, _SAME_SIDE, _BOTH_NEW, _MET = 2, 6, 1, 1, 4
_NO_MEETINGS: Mapping[frozenset[str], int] = {}


@dataclass(frozen=True, slots=True)
class Guest:
    """`side`: island, mainland or not known; `new`: was at none of the earlier evenings. Empty text: not known."""

    person_id: str
    sector: str = ""
    organisation: str = ""
    side: str = ""
    new: bool = False
    remote: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """`board`: it has one, so that people from afar can sit at it."""

    people: tuple[str, ...]
    board: bool = False


def shuffled(names: Sequence[str], seed: str) -> list[str]:
    """An order that nobody chose and anybody can check: by SHA-256 of the seed, a colon and the name."""
    return sorted(names, key=lambda name: (sha256(f"{seed}:{name}".encode()).digest(), name))


def sizes(people: int, per_table: int) -> list[int]:
    """As many tables as needed, the larger ones first; they differ by one at most."""
    if people == 0:
        return []
    count = -(-people // per_table)
    return [people // count + (1 if number < people % count else 0) for number in range(count)]


def propose(
    guests: Sequence[Guest], per_table: int, seed: str, met: Mapping[frozenset[str], int] = _NO_MEETINGS
) -> list[Table]:
    """`met`: how often two sat together before. The first tables are those with a board, if anybody is remote."""
    by_id = {guest.person_id: guest for guest in guests}
    order = shuffled(list(by_id), seed)
    line = [name for name in order if by_id[name].remote] + [name for name in order if not by_id[name].remote]
    seats: list[list[str]] = []
    for size in sizes(len(line), per_table):
        seats.append(line[:size])
        line = line[size:]
    _exchange(seats, by_id, met)
    return [Table(tuple(table), any(by_id[name].remote for name in table)) for table in seats]


def cost(tables: Sequence[Sequence[str]], guests: Mapping[str, Guest], met: Mapping[frozenset[str], int]) -> int:
    """How alike the neighbours are, over all tables; less is better mixed."""
    return sum(_alike(guests[a], guests[b], met) for table in tables for a, b in combinations(table, 2))


def neighbours(evenings: Sequence[Sequence[Sequence[str]]]) -> dict[frozenset[str], int]:
    """How often two sat at one table, over earlier evenings."""
    found: dict[frozenset[str], int] = {}
    for tables in evenings:
        for table in tables:
            for pair in combinations(sorted(set(table)), 2):
                found[frozenset(pair)] = found.get(frozenset(pair), 0) + 1
    return found


def _alike(one: Guest, other: Guest, met: Mapping[frozenset[str], int]) -> int:
    return (
        _SAME_SECTOR * (one.sector != "" and one.sector == other.sector)
        + _SAME_HOUSE * (one.organisation != "" and one.organisation == other.organisation)
        + _SAME_SIDE * (one.side != "" and one.side == other.side)
        + _BOTH_NEW * (one.new == other.new)
        + _MET * met.get(frozenset((one.person_id, other.person_id)), 0)
    )


def _exchange(seats: list[list[str]], guests: Mapping[str, Guest], met: Mapping[frozenset[str], int]) -> None:
    """Two people of two tables change places where that mixes better; who is remote stays."""
    for _ in range(ROUNDS):
        if not any(_better(seats, a, b, guests, met) for a, b in combinations(range(len(seats)), 2)):
            return


def _better(
    seats: list[list[str]], a: int, b: int, guests: Mapping[str, Guest], met: Mapping[frozenset[str], int]
) -> bool:
    """Makes every exchange between the two tables that helps; whether there was one."""

    def lonely(name: str, table: Sequence[str], instead: str) -> int:
        return sum(_alike(guests[name], guests[other], met) for other in table if other != instead)

    helped = False
    for i, j in product(range(len(seats[a])), range(len(seats[b]))):
        one, other = seats[a][i], seats[b][j]
        if guests[one].remote or guests[other].remote:
            continue
        before = lonely(one, seats[a], one) + lonely(other, seats[b], other)
        after = lonely(other, seats[a], one) + lonely(one, seats[b], other)
        if after < before:
            seats[a][i], seats[b][j] = other, one
            helped = True
    return helped
