"""The rows of the table: a budget, what was measured, whether it holds. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """`form`: how long and how hard the fault was in this run. `detail`: what differs, for whoever mends it."""

    scenario: str
    budget: str
    measured: str
    ok: bool
    form: str = ""
    detail: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def at_most(scenario: str, what: str, limit: float, found: float | None, unit: str, form: str = "") -> Row:
    """`found` None: it never happened, which breaks any limit."""
    measured = "never" if found is None else f"{found:.4g} {unit}"
    return Row(scenario, f"{what} <= {limit:g} {unit}", measured, found is not None and found <= limit, form)


def text_table(rows: list[Row]) -> str:
    """For terminals of any width: one line each, columns by their longest."""
    heads = ("scenario", "budget", "measured", "", "form")
    cells = [(r.scenario, r.budget, r.measured, "ok" if r.ok else "BROKEN", r.form) for r in rows]
    widths = [max(len(row[i]) for row in [heads, *cells]) for i in range(len(heads))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in [heads, *cells]]
    return "\n".join(line.rstrip() for line in [lines[0], "-" * len(lines[0]), *lines[1:]])
