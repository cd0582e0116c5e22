"""Sound that stays close: mouth to ear on loopback, and how soon it is back after a lost packet and after stalls."""

from __future__ import annotations

from pathlib import Path

from tests.faults.cuts import Undisturbed
from tests.faults.rows import Row, at_most
from tools.bench_mouth_to_ear import WATCH_S, measure, rows_of

CALM_S, CALM_FULL_S = 10.0, 60.0


async def mouth_to_ear(folder: Path, undisturbed: Undisturbed, full: bool) -> list[Row]:
    """Two boards with simulated devices and a media worker, each a process; no cable of its own is needed."""
    calm_s = CALM_FULL_S if full else CALM_S
    measured = await measure(calm_s, joins=0)
    form = f"{calm_s:.0f} s of clicks over a voice on loopback, then {WATCH_S:.0f} s after each disturbance"
    rows: list[Row] = []
    for figure in rows_of(measured):
        aim, value = figure["aim"], figure["value"]
        if isinstance(aim, float) and isinstance(value, float) and "join" not in str(figure["name"]):
            rows.append(at_most(f"close: {figure['name']}", "stays", aim, value, str(figure["unit"]), form))
    return rows
