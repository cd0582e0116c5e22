"""How long a sound takes from one board's microphone to another's loudspeaker: `python -m tools.bench_mouth_to_ear`.

Four processes as in the field: a hub (scripted answers, real signaling), its media worker, and two real boards with
simulated devices. One board's microphone clicks; the other's loudspeaker notes when a click is rendered. Both are paced
by the one monotonic clock of this machine, in blocks of 10 ms, so the figure holds capture, 20 ms framing, encoding,
network, forwarding, play-out and rendering, and not what real devices and their buffers add (20 to 60 ms).

Then the line is disturbed: one packet lost on the wire, the media worker, the speaking board and the listening board
stopped for 300 ms, the line stopped for 300 ms; each time it is told how long afterwards a click was still late.
Two Chromiums are measured in the same run as the baseline (`tools.bench_chromium_audio`), and two boards on the null
sinks of PulseAudio (`tools.bench_null_sinks`). Also: from the start of joining to the first audio packet.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from hardware.drivers.simulated import SimulatedMicrophone
from hardware.ports import Microphone, Speaker
from room_agent.agent import Agent
from room_agent.config import BoardSettings, DeviceSettings
from room_agent.devices import Openers
from room_agent.epochs import EpochCounter
from tools.clicks import Clicks, Heard, ListeningSpeaker, back_after_s, go_first, heard_after, share
from tools.wire_tap import WireTap

STALL_S = 0.3
WATCH_S = 5.0
REST_S = 5.0
"""Then the next disturbance: play-out remembers for ten seconds, and each is to be judged by itself."""
MEDIAN_MS, P95_MS, BACK_S = 70.0, 90.0, 2.0
NEAR_MS = 10.0
"""Back is: not later than the 95th percentile before, or than this run's 95th percentile and so much more."""
Rows = list[dict[str, object]]


# ---- one board, a process of its own -------------------------------------------------------------------------------


class Bench:
    """The devices of one board of the bench."""

    def __init__(self, clicking: bool) -> None:
        self._clicking = clicking
        self.first_click_at = 0.0

    async def microphone(self, spec: str) -> Microphone | None:
        self.first_click_at = asyncio.get_running_loop().time()
        return SimulatedMicrophone(Clicks(), name="clicks") if self._clicking else None

    async def loudspeaker(self, spec: str) -> Speaker | None:
        return ListeningSpeaker(lambda at: print(json.dumps({"click": at}), flush=True))

    async def camera(self, spec: str, *, width: int, height: int, fps: int) -> None:
        return None


async def board(hub: str, name: str, folder: Path) -> None:
    """Joins, says so, tells every click, loses or holds packets as stdin says; its figures when stdin closes."""
    bench, tap = Bench(name == "mouth"), WireTap()
    devices = DeviceSettings(microphone="bench", camera="none", speaker="bench")
    settings = BoardSettings(hub=hub, token=name, state=folder / name, devices=devices, echo="off", ask_every_s=0.2)
    agent = Agent(settings, EpochCounter(settings.state), Openers(bench.microphone, bench.camera, bench.loudspeaker))
    with tap.on_this_loop():
        running = asyncio.create_task(agent.run())
        while agent.status().link.subscribe != "up":  # noqa: ASYNC110 - a status is a fact to read, not an event
            await asyncio.sleep(0.02)
        print(json.dumps({"joined": True}), flush=True)
        while line := (await asyncio.to_thread(sys.stdin.readline)).strip():
            tap.lose(1) if line == "lose" else tap.hold(float(line.removeprefix("hold ")))
        status = agent.status()
        figures = {
            "first_click_at": bench.first_click_at,
            "join_ms": status.join.join_ms,
            "playout": dict(status.playout),
            "wire_lost": tap.lost,
        }
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    print(json.dumps(figures), flush=True)


# ---- the scene -----------------------------------------------------------------------------------------------------


@dataclass
class Child:
    """A board's process and what it has said so far."""

    process: asyncio.subprocess.Process
    clicks_at: list[float] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    joined: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def listen(self) -> None:
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            said = json.loads(line)
            if "click" in said:
                self.clicks_at.append(said["click"])
            elif "joined" in said:
                self.joined.set()
            else:
                self.figures = said
        self.ended.set()

    def tell(self, command: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(command.encode() + b"\n")

    async def finish(self) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.close()
        await asyncio.wait_for(self.ended.wait(), 30)
        return self.figures


@contextlib.asynccontextmanager
async def child(hub: str, name: str, folder: Path) -> AsyncIterator[Child]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tools.bench_mouth_to_ear", "--board", name, "--hub", hub, "--folder", str(folder),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    made = Child(process)
    listening = asyncio.create_task(made.listen())
    try:
        await asyncio.wait_for(made.joined.wait(), 60)
        yield made
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await listening


@dataclass
class Disturbed:
    """`name`, and from when to when (`time.monotonic`)."""

    name: str
    began_at: float
    ended_at: float


@dataclass
class Line:
    """Two boards that hear each other, to be disturbed."""

    mouth: Child
    ear: Child
    worker: int

    async def lose_one_packet(self) -> None:
        self.mouth.tell("lose")

    async def stop_worker(self) -> None:
        await _stopped(self.worker, STALL_S)

    async def stop_mouth(self) -> None:
        await _stopped(self.mouth.process.pid, STALL_S)

    async def stop_ear(self) -> None:
        await _stopped(self.ear.process.pid, STALL_S)

    async def stop_link(self) -> None:
        self.mouth.tell(f"hold {STALL_S}")
        await asyncio.sleep(STALL_S)


DISTURBANCES: dict[str, Callable[[Line], Any]] = {
    "lost_packet": Line.lose_one_packet,
    "worker_stall": Line.stop_worker,
    "mouth_stall": Line.stop_mouth,
    "ear_stall": Line.stop_ear,
    "link_stall": Line.stop_link,
}


async def _stopped(pid: int, seconds: float) -> None:
    os.kill(pid, signal.SIGSTOP)
    try:
        await asyncio.sleep(seconds)
    finally:
        os.kill(pid, signal.SIGCONT)


@dataclass
class Measured:
    """Everything of one run; `calm_from` to `calm_to`, then the disturbances."""

    heard: list[Heard]
    calm_from: float
    calm_to: float
    disturbed: list[Disturbed]
    joins_ms: list[float]
    playout: dict[str, Any]
    wire_lost: int

    @property
    def calm(self) -> list[Heard]:
        return [click for click in self.heard if self.calm_from <= click.at < self.calm_to]


async def measure(seconds: float, names: tuple[str, ...] = tuple(DISTURBANCES), joins: int = 3) -> Measured:
    """`seconds` of calm after the play-out has settled, then each disturbance and 5 s to see it out.

    Raises this process's priority for good, where that is allowed.
    """
    go_first()
    from tests.room_agent.house import House

    folder, joined = Path(tempfile.mkdtemp(prefix="shimawa-bench-")), list[float]()
    loop = asyncio.get_running_loop()
    before = set(psutil.Process().children())
    async with House() as house, house.working():
        worker = next(one.pid for one in set(psutil.Process().children()) - before if _is_worker(one))
        house.expect("mouth", "ear")
        async with child(house.http.url, "mouth", folder) as mouth:
            for _ in range(joins):
                async with child(house.http.url, "ear", folder) as ear:
                    await asyncio.sleep(1)
                    joined.append((await ear.finish())["join_ms"])
            async with child(house.http.url, "ear", folder) as ear:
                line, disturbed = Line(mouth, ear, worker), list[Disturbed]()
                await asyncio.sleep(2.0)
                calm_from = loop.time()
                await asyncio.sleep(seconds)
                calm_to = loop.time()
                for name in names:
                    began_at = loop.time()
                    await DISTURBANCES[name](line)
                    disturbed.append(Disturbed(name, began_at, loop.time()))
                    await asyncio.sleep(WATCH_S + REST_S)
                told = await ear.finish()
            said = await mouth.finish()
    heard = heard_after(said["first_click_at"], ear.clicks_at)
    joins_ms = [*joined, told["join_ms"]]
    return Measured(heard, calm_from, calm_to, disturbed, joins_ms, told["playout"], said["wire_lost"])


def _is_worker(process: psutil.Process) -> bool:
    return "signaling.media.worker" in process.cmdline()


def rows_of(measured: Measured) -> Rows:
    calm = measured.calm
    limit_ms = max(P95_MS, share(calm, 0.95) + NEAR_MS)
    rows = [
        row("mouth_to_ear_p50", share(calm, 0.5), "ms", MEDIAN_MS),
        row("mouth_to_ear_p95", share(calm, 0.95), "ms", P95_MS),
    ]
    for one in measured.disturbed:
        back_s = back_after_s(measured.heard, one.ended_at, one.ended_at + WATCH_S, limit_ms)
        rows.append(row(f"back_after_{one.name}", back_s, "s", BACK_S))
        after = [click for click in measured.heard if one.ended_at + BACK_S < click.at < one.ended_at + WATCH_S]
        rows.append(row(f"mouth_to_ear_p50_after_{one.name}", share(after, 0.5), "ms", MEDIAN_MS))
    if measured.joins_ms:
        rows.append(row("board_join_to_first_packet_p50", statistics.median(measured.joins_ms), "ms", 130.0))
    return rows


def row(name: str, value: float, unit: str, aim: float | None, baseline: float | None = None) -> dict[str, object]:
    return {"name": name, "value": round(value, 1), "unit": unit, "aim": aim, "baseline": baseline}


def run(seconds: float = 20.0) -> Rows:
    """Prints a table and returns {name, value, unit, aim, baseline} for each figure."""
    from tools import bench_chromium_audio, bench_null_sinks

    measured = asyncio.run(measure(seconds))
    chromium = asyncio.run(bench_chromium_audio.measure(seconds))
    rows = rows_of(measured)
    for one, part in ((rows[0], 0.5), (rows[1], 0.95)):
        one["baseline"] = round(share(chromium, part), 1)
    rows += bench_null_sinks.run(seconds)
    for one in rows:
        print(f"{one['name']:<36} {one['value']!s:>8} {one['unit']:<3} aim {one['aim']}  baseline {one['baseline']}")
    print(f"{len(measured.heard)} clicks, {measured.wire_lost} packets lost on purpose; play-out: {measured.playout}")
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seconds", type=float, nargs="?", default=20.0)
    parser.add_argument("--board", choices=("mouth", "ear"), help=argparse.SUPPRESS)
    parser.add_argument("--hub", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.board:
        asyncio.run(board(arguments.hub, arguments.board, arguments.folder))
    else:
        run(arguments.seconds)


if __name__ == "__main__":
    main()
