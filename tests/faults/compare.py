"""Are two transcripts the same? Pure.

Both are put on the time of their script (second 0 is when it began to be spoken). A line is paired with the line of
the same site whose start is nearest; what is left over on either side is missing, or extra, or was written twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

TOLERANCE_S = 0.050
NEAR_S = 1.0
"""Lines further apart than this are not the same line."""

Kind = Literal["missing", "extra", "twice", "text", "time"]


@dataclass(frozen=True, slots=True)
class Said:
    """One line: seconds since the script began."""

    site: str
    start_s: float
    end_s: float
    text: str


@dataclass(frozen=True, slots=True)
class Difference:
    kind: Kind
    line: Said
    other: Said | None = None

    def __str__(self) -> str:
        here = f"{self.line.site} {self.line.start_s:.2f}-{self.line.end_s:.2f} s “{self.line.text}”"
        match self.kind:
            case "text" if self.other:
                return f"text: {here} became “{self.other.text}”"
            case "time" if self.other:
                moved = (self.other.start_s - self.line.start_s, self.other.end_s - self.line.end_s)
                return f"time: {here} moved by {1000 * moved[0]:+.0f} and {1000 * moved[1]:+.0f} ms"
        return f"{self.kind}: {here}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """`moved_s`: the farthest that a start or an end is from where it should be, among lines that were paired."""

    lines: int
    moved_s: float
    differences: tuple[Difference, ...]

    @property
    def equal(self) -> bool:
        return not self.differences

    def __str__(self) -> str:
        if self.equal:
            return f"equal ({self.lines} lines, moved at most {1000 * self.moved_s:.0f} ms)"
        kinds = [one.kind for one in self.differences]
        counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds))
        return f"differs: {counts} (of {self.lines} lines)"


def compare(expected: Sequence[Said], found: Sequence[Said], tolerance_s: float = TOLERANCE_S) -> Comparison:
    left = list(found)
    differences: list[Difference] = []
    moved_s = 0.0
    for line in sorted(expected, key=lambda one: one.start_s):
        near = _nearest(line, left)
        if near is None:
            differences.append(Difference("missing", line))
            continue
        left.remove(near)
        moved = max(abs(near.start_s - line.start_s), abs(near.end_s - line.end_s))
        moved_s = max(moved_s, moved)
        if near.text != line.text:
            differences.append(Difference("text", line, near))
        elif moved > tolerance_s:
            differences.append(Difference("time", line, near))
    differences += [Difference("twice" if _repeats(line, expected) else "extra", line) for line in left]
    return Comparison(len(expected), moved_s, tuple(differences))


def _nearest(line: Said, among: Iterable[Said]) -> Said | None:
    """The same text goes before a nearer start: a repeated line must not hide the one that is right."""
    near = [one for one in among if one.site == line.site and abs(one.start_s - line.start_s) <= NEAR_S]
    return min(near, key=lambda one: (one.text != line.text, abs(one.start_s - line.start_s)), default=None)


def _repeats(line: Said, expected: Iterable[Said]) -> bool:
    """Sound that a line of the script stands for already."""
    return any(one.site == line.site and one.start_s < line.end_s and line.start_s < one.end_s for one in expected)
