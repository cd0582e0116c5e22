"""`make faults`, or `python -m tests.faults [--full] [NAME ...]`: break things, measure, print the table.

Writes build/faults.json, a list of {scenario, budget, measured, ok, form, detail}, and ends with 1 where a budget is
broken. Scenarios have a short form for every day; `--full` runs the lengths that the budgets speak of. Each run keeps
its logs under build/faults/. Needs root: namespaces, nftables, tunnels; asks sudo when it is not.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Coroutine
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from tests.faults.catalogue import SCENARIOS
from tests.faults.cuts import Undisturbed
from tests.faults.rows import Row, text_table

OUT = Path("build/faults.json")
LOGS = Path("build/faults")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("scenarios", nargs="*", help=f"only these: {' '.join(SCENARIOS)}")
    parser.add_argument("--full", action="store_true", help="the lengths of the budgets, hours in all")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--logs", type=Path, default=LOGS)
    given = parser.parse_args()
    if unknown := set(given.scenarios) - set(SCENARIOS):
        parser.error(f"no such scenario: {' '.join(sorted(unknown))}; there are: {' '.join(SCENARIOS)}")
    if os.geteuid() != 0:
        os.execvp("sudo", ["sudo", "-n", "-E", sys.executable, "-m", "tests.faults", *sys.argv[1:]])
    began = time.monotonic()
    rows = _run(given.scenarios or list(SCENARIOS), given.logs, given.full, given.out)
    print(text_table(rows))
    broken = [row for row in rows if not row.ok]
    for row in broken:
        print(f"\n{row.scenario}")
        print("\n".join(f"  {one}" for one in row.detail[:12]) or "  (no detail)")
    minutes = (time.monotonic() - began) / 60
    print(f"\n{len(rows)} budgets, {len(broken)} broken, {minutes:.1f} min in all; written to {given.out}")
    return 1 if broken else 0


def _run(names: list[str], logs: Path, full: bool, out: Path) -> list[Row]:
    rows: list[Row] = []
    undisturbed = Undisturbed(logs)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as progress:
        task = progress.add_task("faults", total=len(names))
        for name in names:
            progress.update(task, description=name)
            folder = logs / name
            shutil.rmtree(folder, ignore_errors=True)
            rows += _one(name, folder, undisturbed, full)
            progress.advance(task)
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_text(json.dumps([row.as_json() for row in rows], ensure_ascii=False, indent=1), encoding="utf-8")
    return rows


def _one(name: str, folder: Path, undisturbed: Undisturbed, full: bool) -> list[Row]:
    """A scenario that falls over is a broken budget, not the end of the suite."""
    try:
        return asyncio.run(_tidily(SCENARIOS[name](folder, undisturbed, full)))
    except Exception as error:  # noqa: BLE001 - whatever it is, the others shall run and this one be told
        told = tuple(traceback.format_exception_only(error)) + tuple(traceback.format_tb(error.__traceback__)[-3:])
        return [Row(name, "runs to its end", f"{type(error).__name__}: {error}".splitlines()[0][:120], False, "", told)]


async def _tidily(scenario: Coroutine[object, object, list[Row]]) -> list[Row]:
    """A suite that is asked to stop takes its namespaces and processes down first, as at Ctrl-C."""
    task = asyncio.ensure_future(scenario)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await task


if __name__ == "__main__":
    raise SystemExit(main())
