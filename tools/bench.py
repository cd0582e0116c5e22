"""`make bench`: every measured figure, one part after the other, as a table and in build/bench.json.

Each figure has its aim (None: none is set) and, where there is one, a baseline measured in the same run; on a shared
machine read the ratio to the baseline rather than the value. `ARGS="forwarding join"` measures only those parts;
`ARGS=soak` (memory over two hours of a session, about fifteen minutes) is measured only when it is asked for.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

OUT = Path("build/bench.json")
Rows = list[dict[str, object]]

PAPER_COLUMNS = 150
HIGHER_IS_BETTER = ("packets/s", "per core", "/s")


def _audio_log() -> Rows:
    with TemporaryDirectory(prefix="shimawa-bench-") as folder:
        rows: Rows = importlib.import_module("tools.bench_audio_log").measure(Path(folder))
    return rows


def _by(module: str, function: str) -> Callable[[], Rows]:
    def measure() -> Rows:
        rows: Rows = getattr(importlib.import_module(module), function)()
        return rows

    return measure


PARTS: dict[str, Callable[[], Rows]] = {
    "forwarding": _by("tools.bench_forwarding", "run"),
    "join": _by("tools.bench_join", "run"),
    "mouth_to_ear": _by("tools.bench_mouth_to_ear", "run"),
    "transcription": _by("tools.bench_transcription", "measure"),
    "processes": _by("tools.bench_processes", "run"),
    "audio_log": _audio_log,
    "soak": _by("tools.soak", "run"),
    "schedule": _by("tools.bench_schedule", "run"),
}
ON_REQUEST = ("soak",)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="only these")
    given = parser.parse_args()
    terminal = sys.stdout.isatty()
    console = Console(highlight=False, width=None if terminal else PAPER_COLUMNS)
    figures: Rows = []
    with Progress(console=Console(stderr=True)) as progress:
        chosen = given.parts or [name for name in PARTS if name not in ON_REQUEST]
        task = progress.add_task("measuring", total=len(chosen))
        for name in chosen:
            progress.update(task, description=f"measuring {name}")
            with contextlib.redirect_stdout(sys.stderr):
                figures += [{**row, "name": f"{name}.{row['name']}"} for row in PARTS[name]()]
            progress.advance(task)
    console.print(_table(figures))
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    console.print(f"written to {OUT}")
    return 0


def _table(figures: Rows) -> Table:
    table = Table()
    for heading in ("figure", "value", "unit", "aim", "baseline", ""):
        table.add_column(heading, justify="left" if heading in ("figure", "unit", "") else "right")
    for row in figures:
        table.add_row(
            str(row["name"]),
            _number(row["value"]),
            str(row["unit"]),
            _number(row["aim"]),
            _number(row["baseline"]),
            _met(row),
        )
    return table


def _number(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:,.3g}" if abs(value) < 1 else f"{value:,.1f}"
    return "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def _met(row: dict[str, object]) -> str:
    value, aim = row["value"], row["aim"]
    if not isinstance(value, int | float) or not isinstance(aim, int | float):
        return ""
    more = any(word in str(row["unit"]) for word in HIGHER_IS_BETTER)
    return "met" if (value >= aim if more else value <= aim) else "missed"


if __name__ == "__main__":
    raise SystemExit(main())
