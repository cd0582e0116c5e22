"""Mouth to ear between two boards on PulseAudio's null sinks: `python -m tools.bench_null_sinks`.

PortAudio is at both ends. A probe plays clicks into the sink that is a board's microphone, and listens, on two inputs
to that sink and to the one that is the other board's loudspeaker. The difference of the two instants is mouth to ear
with all buffers of the sound system; what the probe's own devices add is the same on both sides and falls out.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from hardware.devices import open_microphone, open_speaker
from hardware.errors import DeviceLost
from hardware.ports import Microphone, Samples
from tools.clicks import ClickDetector, Clicks, Heard, heard_against, share

P50_MS, P95_MS = 110.0, 130.0
"""70 and 90 on loopback; null sinks add 40 (see docs/decisions/0004)."""
WAKE_S = 4.0
"""The first seconds of a null sink bring hardly any blocks."""


async def probe(seconds: float) -> None:
    """Prints the instants of said and heard clicks."""
    said, heard, clicks, played = list[float](), list[float](), Clicks(), 0

    def render(count: int) -> Samples:
        nonlocal played
        played += count
        return clicks.render(played - count, count)

    speaker = await open_speaker("portaudio:to_mouth")
    mouth, ear = await open_microphone("portaudio:at_mouth"), await open_microphone("portaudio:at_ear")
    assert speaker is not None
    assert mouth is not None
    assert ear is not None
    speaker.start(render)
    listening = [asyncio.create_task(_listen(mouth, said)), asyncio.create_task(_listen(ear, heard))]
    await asyncio.sleep(WAKE_S + seconds)
    for task in listening:
        task.cancel()
    for device in (speaker, mouth, ear):
        device.close()
    start = said[0] + WAKE_S if said else 0.0
    print(json.dumps({"said": said, "heard": [at for at in heard if at > start]}), flush=True)


async def _listen(microphone: Microphone, found: list[float]) -> None:
    detector = ClickDetector(found.append)
    with contextlib.suppress(DeviceLost):
        while True:
            block = await microphone.read()
            detector.hear(block.samples, block.captured_at)


async def board(hub: str, name: str, folder: Path) -> None:
    """One board with real drivers; prints `joined` and ends when stdin closes."""
    from room_agent.agent import Agent
    from room_agent.config import BoardSettings, DeviceSettings
    from room_agent.epochs import EpochCounter

    devices = DeviceSettings(microphone=f"portaudio:mic_{name}", camera="none", speaker=f"portaudio:out_{name}")
    settings = BoardSettings(hub=hub, token=name, state=folder / name, devices=devices, echo="off", ask_every_s=0.2)
    agent = Agent(settings, EpochCounter(settings.state))
    running = asyncio.create_task(agent.run())
    while agent.status().link.subscribe != "up":  # noqa: ASYNC110 - a status is a fact to read, not an event
        await asyncio.sleep(0.05)
    print("joined", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    print(json.dumps(agent.status().playout), file=sys.stderr, flush=True)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@contextlib.asynccontextmanager
async def _process(environment: dict[str, str], *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tools.bench_null_sinks", *arguments,
        env=environment, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.communicate(), 10)
        if process.returncode is None:
            process.kill()
            await process.wait()


async def measure(seconds: float) -> list[Heard]:
    """Clicks of `seconds`; PulseAudio, a hub with its media worker and two boards live only as long."""
    from tests.pulse import pulse_server
    from tests.room_agent.house import House

    folder = Path(tempfile.mkdtemp(prefix="shimawa-bench-"))
    microphones = {"mic_mouth": "mouth.monitor", "mic_ear": "hush.monitor"}
    microphones |= {"at_mouth": "mouth.monitor", "at_ear": "ear.monitor"}
    speakers = {"out_ear": "ear", "out_mouth": "waste", "to_mouth": "mouth"}
    with pulse_server(("mouth", "ear", "hush", "waste"), microphones=microphones, speakers=speakers) as pulse:
        environment = {**os.environ, **pulse.environment}
        async with House() as house, house.working(), contextlib.AsyncExitStack() as stack:
            house.expect("mouth", "ear")
            for name in ("mouth", "ear"):
                arguments = ("--board", name, "--hub", house.http.url, "--folder", str(folder))
                process = await stack.enter_async_context(_process(environment, *arguments))
                assert process.stdout is not None
                await asyncio.wait_for(process.stdout.readline(), 60)
            async with _process(environment, "--probe", str(seconds)) as prober:
                assert prober.stdout is not None
                told: dict[str, Any] = json.loads(await asyncio.wait_for(prober.stdout.readline(), seconds + 60))
    return heard_against(told["said"], told["heard"])


def run(seconds: float = 15.0) -> list[dict[str, object]]:
    heard = asyncio.run(measure(seconds))
    figures = (("null_sinks_p50", 0.5, P50_MS), ("null_sinks_p95", 0.95, P95_MS))
    return [
        {"name": name, "value": round(share(heard, part), 1), "unit": "ms", "aim": aim, "baseline": None}
        for name, part, aim in figures
    ]


def main() -> None:
    words = sys.argv[1:]
    if words[:1] == ["--probe"]:
        asyncio.run(probe(float(words[1])))
    elif words[:1] == ["--board"]:
        asyncio.run(board(words[3], words[1], Path(words[5])))
    else:
        for one in run():
            print(f"{one['name']:<34} {one['value']:>8} {one['unit']}")


if __name__ == "__main__":
    main()
