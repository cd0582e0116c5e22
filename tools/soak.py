"""Two hours of a session, and how much memory they cost: `python -m tools.soak [minutes] [--hours 2]`.

Two parts, because two hours are long. *Live*: a hub, its media worker, a transcription worker and three boards hold
a dialogue for some minutes of real time, WebRTC and all; each process's memory is read every two seconds, and what it
gained by the minute after it has warmed up is carried on to two hours (its middle slope, so that a step is no slope).
*Quick* (`tools.soak_quick`): all packets of two hours through the real code that holds state, as fast as it goes.
The aim is what the issue asks: less than 20 MB in two hours.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import statistics
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from session_manager.demo.dialogue import Dialogue, Utterance, load_dialogue
from session_manager.demo.stage import Stage
from tools.bench_processes import processes

AIM_MB = 20.0
LOOK_S = 2.0
WARM_SHARE = 0.4
MEGABYTE = 1e6
Sample = tuple[float, float]
"""Seconds since the dialogue began, MB resident."""


def long_dialogue(minutes: float) -> Dialogue:
    """The demo's dialogue again and again."""
    whole = load_dialogue()
    said: list[Utterance] = []
    for turn in itertools.count():
        offset = turn * whole.seconds
        if offset >= 60 * minutes:
            return Dialogue(whole.sites, tuple(said))
        said += [
            Utterance(one.site, one.path, one.language, one.text, one.at_s + offset, one.seconds)
            for one in whole.utterances
        ]
    raise AssertionError


def slope_mb_per_h(samples: list[Sample]) -> float:
    """The median of the slopes between all pairs that lie a third of the time apart (Theil and Sen)."""
    if len(samples) < 6:
        return 0.0
    apart = (samples[-1][0] - samples[0][0]) / 3
    pairs = itertools.combinations(samples, 2)
    return statistics.median((b[1] - a[1]) / (b[0] - a[0]) * 3600 for a, b in pairs if b[0] - a[0] >= apart)


async def live(minutes: float) -> dict[str, list[Sample]]:
    """Memory of every process while they hold a dialogue."""
    found: dict[str, list[Sample]] = {}
    with TemporaryDirectory(prefix="shimawa-soak-") as folder:
        async with Stage(long_dialogue(minutes), Path(folder)) as stage:
            await stage.everybody_joined()
            running = processes(stage)
            stage.speak(time.time() + 0.5)
            began = time.monotonic()
            while (now := time.monotonic() - began) < 60 * minutes:
                for name, process in running.items():
                    found.setdefault(name, []).append((now, _resident_mb(process)))
                await asyncio.sleep(LOOK_S)
    return found


def _resident_mb(process: psutil.Process) -> float:
    return float(process.memory_info().rss / MEGABYTE)


def run(minutes: float = 5.0, hours: float = 2.0) -> list[dict[str, object]]:
    from tools import soak_quick

    rows: list[dict[str, object]] = []
    for name, samples in asyncio.run(live(minutes)).items():
        warm = [sample for sample in samples if sample[0] >= WARM_SHARE * 60 * minutes]
        growth = hours * slope_mb_per_h(warm)
        rows.append(_row(f"live_{name}_in_{hours:g}_h", growth))
        shown = "  ".join(f"{mb:.1f}" for _, mb in samples[:: max(1, len(samples) // 12)])
        print(f"{name}: {shown} MB", file=sys.stderr)
    return rows + soak_quick.run(hours)


def _row(name: str, megabytes: float) -> dict[str, object]:
    return {"name": name, "value": round(megabytes, 1), "unit": "MB", "aim": AIM_MB, "baseline": None}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("minutes", type=float, nargs="?", default=5.0)
    parser.add_argument("--hours", type=float, default=2.0)
    given = parser.parse_args()
    for row in run(given.minutes, given.hours):
        print(f"{row['name']:<40} {row['value']:>8} MB  aim {row['aim']}")


if __name__ == "__main__":
    main()
