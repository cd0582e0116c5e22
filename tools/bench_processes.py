"""Memory and CPU of every process of a real session: `python -m tools.bench_processes`.

A hub, its media and transcription workers and three boards hold the first half of the demo's dialogue. Memory is
taken after it (resident, what `top` shows), CPU over it. The baseline of each process's memory is a Python that only
imports what it cannot do without (asyncio).
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from session_manager.demo.dialogue import Dialogue, load_dialogue
from session_manager.demo.stage import Stage

UTTERANCES = 12
MEBIBYTE = 1 << 20


def first_half() -> Dialogue:
    whole = load_dialogue()
    return Dialogue(whole.sites, whole.utterances[:UTTERANCES])


def bare_python_mib() -> float:
    code = "import asyncio, psutil; print(psutil.Process().memory_info().rss)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    return int(out) / MEBIBYTE


def processes(stage: Stage) -> dict[str, psutil.Process]:
    hub = psutil.Process(stage.hub_processes[-1].process.pid)
    found = {"hub": hub, "board": psutil.Process(stage.boards["iki"].process.pid)}
    for child in hub.children():
        line = child.cmdline()
        if "signaling.media.worker" in line:
            found["media_worker"] = child
        elif "transcription" in line:
            found["transcription_worker"] = child
    return found


def cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


async def session() -> dict[str, tuple[float, float]]:
    """MiB after the dialogue and share of a core during it, by process."""
    dialogue = first_half()
    with TemporaryDirectory(prefix="shimawa-bench-") as folder:
        async with Stage(dialogue, Path(folder)) as stage:
            await stage.everybody_joined()
            running = processes(stage)
            starts_at = time.time() + 0.5
            stage.speak(starts_at)
            before = {name: cpu_s(process) for name, process in running.items()}
            began = time.monotonic()
            await asyncio.sleep(dialogue.seconds + 1.0)
            elapsed = time.monotonic() - began
            return {
                name: (process.memory_info().rss / MEBIBYTE, (cpu_s(process) - before[name]) / elapsed)
                for name, process in running.items()
            }


def run() -> list[dict[str, object]]:
    bare = round(bare_python_mib(), 1)
    rows: list[dict[str, object]] = []
    for name, (memory, cpu) in asyncio.run(session()).items():
        rows.append(_row(f"{name}_memory", round(memory, 1), "MiB", bare))
        rows.append(_row(f"{name}_cpu", round(100 * cpu, 1), "% of a core", None))
    return rows


def _row(name: str, value: float, unit: str, baseline: float | None) -> dict[str, object]:
    return {"name": name, "value": value, "unit": unit, "aim": None, "baseline": baseline}


if __name__ == "__main__":
    for row in run():
        print(f"{row['name']:<34} {row['value']:>8} {row['unit']}")
