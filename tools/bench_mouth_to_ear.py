"""How long a sound takes from one board's microphone to another's loudspeaker: `python -m tools.bench_mouth_to_ear`.

Three processes as in the field: a hub (scripted answers, real signaling, a real media worker) and two real boards with
simulated devices. One board's microphone clicks; the other's loudspeaker notes when a click is rendered. Both are paced
by the one monotonic clock of this machine, in blocks of 10 ms, so the figure holds capture, 20 ms framing, encoding,
network, forwarding, play-out and rendering, and not what real devices and their buffers add (20 to 60 ms).
Also measured: from the start of joining to the first audio packet.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np

from hardware.drivers.simulated import SimulatedMicrophone, SimulatedSpeaker
from hardware.ports import SAMPLE_RATE, Microphone, Render, Samples, Speaker
from room_agent.agent import Agent
from room_agent.config import BoardSettings, DeviceSettings
from room_agent.devices import Openers
from room_agent.epochs import EpochCounter

CLICK_EVERY_S = 0.7
CLICK_SAMPLES = 144
THRESHOLD = 0.1
FIGURES = (("mouth_to_ear_p50", 0.5, 120.0), ("mouth_to_ear_p95", 0.95, None))


class Clicks:
    """A burst of 3 ms every 0.7 s on a silent line."""

    period = round(CLICK_EVERY_S * SAMPLE_RATE)

    def __init__(self) -> None:
        click = 0.8 * np.sign(np.random.default_rng(1).standard_normal(CLICK_SAMPLES))
        self._click = click.astype(np.float32)

    def render(self, start: int, count: int) -> Samples:
        block = np.zeros(count, np.float32)
        places = (start + np.arange(count)) % self.period
        sounding = places < CLICK_SAMPLES
        block[sounding] = self._click[places[sounding]]
        return block


class ListeningSpeaker(SimulatedSpeaker):
    """Notes on the monotonic clock when a click begins to sound."""

    def __init__(self) -> None:
        super().__init__(name="listening")
        self.clicks_at: list[float] = []
        self._quiet_until = 0.0

    def start(self, render: Render) -> None:
        def listen(count: int) -> Samples:
            now = asyncio.get_running_loop().time()
            samples = render(count)
            loud = np.flatnonzero(np.abs(samples) > THRESHOLD)
            if loud.size and now > self._quiet_until:
                self._quiet_until = now + CLICK_EVERY_S / 2
                self.clicks_at.append(now + float(loud[0]) / SAMPLE_RATE)
            return samples

        super().start(listen)


class Bench:
    """The devices of one board of the bench."""

    def __init__(self, clicking: bool) -> None:
        self._clicking = clicking
        self.speaker = ListeningSpeaker()
        self.first_click_at = 0.0

    async def microphone(self, spec: str) -> Microphone | None:
        self.first_click_at = asyncio.get_running_loop().time()
        return SimulatedMicrophone(Clicks(), name="clicks") if self._clicking else None

    async def loudspeaker(self, spec: str) -> Speaker | None:
        return self.speaker


async def board(hub: str, name: str, folder: Path) -> None:
    """One process: joins, prints `joined`, and its figures when stdin closes."""
    bench = Bench(name == "mouth")
    devices = DeviceSettings(microphone="bench", camera="none", speaker="bench")
    settings = BoardSettings(hub=hub, token=name, state=folder / name, devices=devices, echo="off", ask_every_s=0.2)
    agent = Agent(settings, EpochCounter(settings.state), Openers(bench.microphone, _no_camera, bench.loudspeaker))
    running = asyncio.create_task(agent.run())
    while agent.status().link.subscribe != "up":  # noqa: ASYNC110 - a status is a fact to read, not an event
        await asyncio.sleep(0.02)
    print("joined", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    status = agent.status()
    figures = {
        "first_click_at": bench.first_click_at,
        "clicks_at": bench.speaker.clicks_at,
        "join_ms": status.join.join_ms,
        "playout": dict(status.playout),
    }
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    print(json.dumps(figures), flush=True)


async def _no_camera(spec: str, *, width: int, height: int, fps: int) -> None:
    return None


# ---- the whole -----------------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def process(hub: str, name: str, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tools.bench_mouth_to_ear", "--board", name, "--hub", hub, "--folder", str(folder),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert child.stdout is not None
    try:
        await asyncio.wait_for(child.stdout.readline(), 60)
        yield child
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()


async def figures_of(child: asyncio.subprocess.Process) -> dict[str, object]:
    out, _ = await asyncio.wait_for(child.communicate(b""), 30)
    return json.loads(out)


def delays_ms(mouth: dict, ear: dict) -> list[float]:
    """Each heard click belongs to the last one said before it."""
    first = mouth["first_click_at"]
    return [(at - first) % CLICK_EVERY_S * 1000 for at in ear["clicks_at"]]


async def measure(seconds: float) -> tuple[list[float], list[float], dict]:
    """Delays in ms after the play-out has settled, join times in ms, and the ear's play-out figures."""
    from tests.room_agent.house import House

    folder, joins = Path(tempfile.mkdtemp()), []
    async with House() as house, house.working():
        house.expect("mouth", "ear")
        async with process(house.http.url, "mouth", folder) as mouth:
            for _ in range(3):
                async with process(house.http.url, "ear", folder) as ear:
                    await asyncio.sleep(1)
                    joins.append((await figures_of(ear))["join_ms"])
            async with process(house.http.url, "ear", folder) as ear:
                await asyncio.sleep(seconds)
                heard = await figures_of(ear)
            said = await figures_of(mouth)
    delays = delays_ms(said, heard)
    return delays[len(delays) // 4 :], [*joins, heard["join_ms"]], heard["playout"]


def run(seconds: float = 20.0) -> list[dict[str, object]]:
    """Prints a table and returns {name, value, unit, aim, baseline} for each figure."""
    delays, joins, playout = asyncio.run(measure(seconds))
    ordered = sorted(delays)
    rows = [
        {
            "name": name,
            "value": round(ordered[int(len(ordered) * share)], 1),
            "unit": "ms",
            "aim": aim,
            "baseline": None,
        }
        for name, share, aim in FIGURES
    ]
    rows.append(_row("board_join_to_first_packet_p50", statistics.median(joins), 130.0))
    for row in rows:
        print(f"{row['name']:<34} {row['value']!s:>8} ms  aim {row['aim']}")
    print(f"{len(delays)} clicks; play-out: {playout}")
    return rows


def _row(name: str, value: float, aim: float | None) -> dict[str, object]:
    return {"name": name, "value": round(value, 1), "unit": "ms", "aim": aim, "baseline": None}


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
