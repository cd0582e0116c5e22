"""What time and full disks do: drift of two clocks, memory over hours, a board that cannot write."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import psutil

from hardware.ports import SAMPLE_RATE, Samples
from room_agent.playout import PlayoutBuffer
from tests.faults.cuts import HERE, THERE, Undisturbed, talk
from tests.faults.plays import Play, Scene
from tests.faults.rows import Row, at_most
from tests.faults.scene import ends_s

BLOCK = 480
PACKET = 960
DRIFT_PPM = 300
WARM_S = 30.0
NEAR_MS = 20.0
GROWN_MB = 20.0
DISK_KB = 512


class Hum:
    """A decoder of a steady sound: the buffer's work does not depend on what it plays."""

    def __init__(self) -> None:
        turns = np.arange(PACKET) * (200.0 / SAMPLE_RATE)
        self._sound: Samples = (0.1 * np.sin(2 * np.pi * turns)).astype(np.float32)

    def decode(self, payload: bytes) -> Samples | None:
        return self._sound

    def conceal(self, count: int, following: bytes | None = None) -> Samples | None:
        return None


def drifting(ppm: float, seconds: float, jitter_s: float = 0.005, seed: int = 1) -> tuple[float, int, int]:
    """Ten minutes of a sender whose clock runs `ppm` fast, on a clock of our own, so that they take seconds.

    The farthest that the level was from its target after 30 s (ms, over one second's mean), underruns in the first
    half and in the second. Packets come late by up to `jitter_s`, evenly spread.
    """
    buffer = PlayoutBuffer(Hum())
    chance = random.Random(seed)
    period_s = PACKET / SAMPLE_RATE / (1 + ppm * 1e-6)
    sent, at, away_ms = 0, 0.0, 0.0
    underruns = [0, 0]
    second: list[float] = []
    arrivals = [(0.040 + chance.uniform(0, jitter_s), 0)]
    for block in range(round(seconds * SAMPLE_RATE / BLOCK)):
        at = block * BLOCK / SAMPLE_RATE
        while arrivals[0][0] <= at:
            came, number = arrivals.pop(0)
            buffer.push(number, number * PACKET, b"x", came)
            sent += 1
            arrivals.append((0.040 + sent * period_s + chance.uniform(0, jitter_s), sent))
        buffer.pull(BLOCK, at)
        stats = buffer.stats()
        underruns[at > seconds / 2] = stats.underruns - (underruns[0] if at > seconds / 2 else 0)
        if at < WARM_S:
            continue
        second.append(stats.level_ms - stats.target_ms)
        if len(second) == SAMPLE_RATE // BLOCK:
            away_ms = max(away_ms, abs(float(np.mean(second))))
            second.clear()
    return away_ms, underruns[0], underruns[1]


async def drift(folder: Path, undisturbed: Undisturbed, full: bool) -> list[Row]:
    rows = []
    for ppm in (DRIFT_PPM, -DRIFT_PPM):
        away_ms, early, late = await asyncio.to_thread(drifting, ppm, 600.0)
        form = "10 min of the play-out buffer on a clock of the test's own, 5 ms jitter"
        row = at_most(f"drift {ppm:+d} ppm", "away from target", NEAR_MS, away_ms, "ms", form)
        ok = row.ok and late <= early
        budget = row.budget + ", no underrun growth"
        rows.append(Row(row.scenario, budget, f"{row.measured}; underruns {early} then {late}", ok, form))
    return rows


def _resident_mb(pids: list[int]) -> float:
    total = 0.0
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            total += psutil.Process(pid).memory_info().rss / 2**20
    return total


async def memory(folder: Path, undisturbed: Undisturbed, full: bool) -> list[Row]:
    """Two hours of talk; two minutes in the short form, which proves little. Hub with its workers, and each board.

    Not accelerated: packets, timers and queues run at the pace of sound.
    """
    length_s = 7200.0 if full else 120.0
    dialogue = talk(int(length_s / 3.4))
    sizes: dict[str, list[float]] = {}
    single: dict[int, list[float]] = {}

    async def fault(scene: Scene) -> None:
        hub = scene.stage.hub_processes[-1].process.pid
        groups = {"hub": [hub, *(one.pid for one in psutil.Process(hub).children(recursive=True))]}
        groups |= {f"board {key}": [child.process.pid] for key, child in scene.stage.boards.items()}
        samples = 24
        for number in range(samples + 1):
            await scene.at(WARM_S + (ends_s(dialogue) - WARM_S) * number / samples)
            for name, pids in groups.items():
                sizes.setdefault(name, []).append(await asyncio.to_thread(_resident_mb, pids))
            for pid in groups["hub"]:
                single.setdefault(pid, []).append(await asyncio.to_thread(_resident_mb, [pid]))

    await Play(dialogue, folder, fault).run()
    form = f"{length_s / 60:.0f} min" + ("" if full else " for 2 h")
    rows = []
    for name, mb in sizes.items():
        row = at_most(f"memory: {name}", "grows", GROWN_MB, max(mb[-3:]) - mb[0], "MB", form)
        detail = ("MB by time: " + _figures(mb),)
        if name == "hub":
            detail += tuple(f"process {number}: {_figures(one)}" for number, one in enumerate(single.values()))
        rows.append(Row(row.scenario, row.budget, f"{row.measured} from {mb[0]:.0f} MB", row.ok, form, detail))
    return rows


def _figures(mb: Iterable[float]) -> str:
    return " ".join(f"{one:.1f}" for one in mb)


@contextlib.contextmanager
def tiny_disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """A disk of that size, made of memory."""
    folder.mkdir(parents=True)
    command = ("mount", "-t", "tmpfs", "-o", f"size={kilobytes}k,mode=0700", "none", str(folder))
    subprocess.run(command, check=True, timeout=20)
    try:
        yield folder
    finally:
        subprocess.run(("umount", "-l", str(folder)), check=True, timeout=20)


async def disk_full(folder: Path, undisturbed: Undisturbed, full: bool) -> list[Row]:
    """Something else fills the board's disk while it speaks, and its cable is dead for 8 s of that."""
    dialogue = talk(7)
    seen: dict[str, object] = {}
    with tiny_disk(folder / "disk", DISK_KB) as state:

        async def fault(scene: Scene) -> None:
            await scene.at(3.0)
            pid = scene.stage.boards[HERE].process.pid
            with contextlib.suppress(OSError), (state / "somebody-elses.bin").open("wb", buffering=0) as ballast:
                while True:
                    ballast.write(bytes(4096))
            full_at = scene.mark("full")
            await scene.at(ends_s(dialogue) - 2.0)
            seen["alive"] = scene.stage.boards[HERE].process.returncode is None and psutil.pid_exists(pid)
            looks = scene.watch.since(HERE, full_at)
            seen["board"] = next((s for s in (_said(look.status) for look in looks) if _names_disk(s)), None)
            session = await scene.stage.hub.get(f"/api/sessions/{scene.stage.session_id}")
            told = [data for _, kind, data in scene.told.heard if kind == "session.changed"]
            seen["page"] = _names_disk(json.dumps([session, told], ensure_ascii=False))
            seen["live"] = scene.watch.grown(THERE, await _site(scene), "received", full_at, full_at + 10.0)
            (state / "somebody-elses.bin").unlink()

        found = await Play(dialogue, folder, fault, states={HERE: state}).run()
    form = f"a board's disk of {DISK_KB} KiB is filled while it speaks"
    errors = _complaints(folder / f"board-{HERE}.log")
    return [
        Row(
            "disk_full: live", "goes on", f"{seen['live']} of 500 packets in 10 s", float(str(seen["live"])) > 450, form
        ),
        Row(
            "disk_full: board", "says what is at risk", str(seen["board"] or "nothing"), seen["board"] is not None, form
        ),
        Row("disk_full: page", "says what is at risk", "said" if seen["page"] else "nothing", bool(seen["page"]), form),
        Row(
            "disk_full: process",
            "no crash, no corrupt file",
            f"{'alive' if seen['alive'] else 'dead'}, {len(errors)} tracebacks; {found.account}",
            bool(seen["alive"]) and not errors and found.account.figure == 1.0,
            form,
            errors,
        ),
    ]


async def _site(scene: Scene) -> str:
    session = await scene.stage.hub.get(f"/api/sessions/{scene.stage.session_id}")
    names = {site.key: site.name for site in scene.stage.dialogue.sites}
    return str(next(site["site_id"] for site in session["sites"] if site["name"] == names[HERE]))


def _said(status: dict[str, object]) -> str:
    sentence = status["sentence"]
    return str(sentence["en"]) if isinstance(sentence, dict) else ""


def _names_disk(text: str) -> bool:
    return any(word in text.lower() for word in ("disk", "storage", "ディスク", "保存できません"))


def _complaints(log: Path) -> tuple[str, ...]:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    return tuple(line for line in lines if line.startswith("Traceback") or "Task exception" in line)
