"""The cheapest way from one sequence to another in substitutions, deletions and insertions. Pure.

Bit-parallel over Python's long integers: Hyyrö, "A bit-vector algorithm for computing Levenshtein and Damerau edit
distances" (2003); long inputs are halved first (Hirschberg, 1975), so two hours of speech need neither minutes nor
gigabytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MATCH, SUBSTITUTE, DELETE, INSERT = "=", "s", "d", "i"
_WHOLE = 4_000_000


def align(reference: Sequence[str], hypothesis: Sequence[str], *, at_once: int = _WHOLE) -> str:
    """One character per step: `=` same, `s` different, `d` only the reference goes on, `i` only the hypothesis.

    Inputs whose lengths multiply to more than `at_once` are halved.
    """
    if not reference or not hypothesis:
        return DELETE * len(reference) + INSERT * len(hypothesis)
    if len(reference) * len(hypothesis) <= at_once or len(hypothesis) == 1:
        return _trace(reference, hypothesis)
    middle = len(hypothesis) // 2
    before = _last_column(reference, hypothesis[:middle])
    after = _last_column(reference[::-1], hypothesis[middle:][::-1])[::-1]
    at = min(range(len(reference) + 1), key=lambda i: before[i] + after[i])
    first = align(reference[:at], hypothesis[:middle], at_once=at_once)
    return first + align(reference[at:], hypothesis[middle:], at_once=at_once)


@dataclass(frozen=True, slots=True)
class _Column:
    """Where, going down the reference, the distance rises and falls by one."""

    rises: int
    falls: int


def _columns(reference: Sequence[str], hypothesis: Sequence[str]) -> Iterator[_Column]:
    """One column of the distance matrix per unit of the hypothesis."""
    places: dict[str, int] = {}
    for at, unit in enumerate(reference):
        places[unit] = places.get(unit, 0) | 1 << at
    mask = (1 << len(reference)) - 1
    rises, falls = mask, 0
    for unit in hypothesis:
        same = places.get(unit, 0)
        diagonal = ((((same & rises) + rises) ^ rises) | same | falls) & mask
        right_rises = (falls | ~(diagonal | rises)) << 1 | 1
        right_falls = (diagonal & rises) << 1
        rises = (right_falls | ~(diagonal | right_rises)) & mask
        falls = right_rises & diagonal & mask
        yield _Column(rises, falls)


def _last_column(reference: Sequence[str], hypothesis: Sequence[str]) -> list[int]:
    """Distance of every beginning of the reference to the whole hypothesis."""
    column = _Column((1 << len(reference)) - 1, 0)
    for column in _columns(reference, hypothesis):  # noqa: B007
        pass
    distances = [len(hypothesis)]
    rises, falls = (f"{bits:0{len(reference)}b}"[::-1] for bits in (column.rises, column.falls))
    for up, down in zip(rises, falls, strict=True):
        distances.append(distances[-1] + (up == "1") - (down == "1"))
    return distances


def _trace(reference: Sequence[str], hypothesis: Sequence[str]) -> str:
    columns = list(_columns(reference, hypothesis))
    row, column = len(reference), len(hypothesis)
    steps: list[str] = []
    while row and column:
        bit = 1 << (row - 1)
        if columns[column - 1].rises & bit:
            steps.append(DELETE)
            row -= 1
            continue
        column -= 1
        if column and columns[column - 1].falls & bit:
            steps.append(INSERT)
            continue
        row -= 1
        steps.append(MATCH if reference[row] == hypothesis[column] else SUBSTITUTE)
    return DELETE * row + INSERT * column + "".join(reversed(steps))
