"""What the end-to-end tests share: a smaller dialogue, an audience, and the hub's processes by what they are."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from session_manager.demo.dialogue import Dialogue, Utterance, load_dialogue
from session_manager.demo.stage import BoardDevices, Stage


def excerpt(
    *numbers: int, sites: tuple[str, ...] = ("iki", "fukuoka"), pause_s: float = 1.2, lead_s: float = 0.5
) -> Dialogue:
    """Utterances of the demo by their number (1 to 23), said by the first of `sites` in turn if theirs is not there."""
    whole = load_dialogue()
    at_s = 0.5
    chosen: list[Utterance] = []
    for turn, number in enumerate(numbers):
        one = whole.utterances[number - 1]
        site = one.site if one.site in sites else sites[turn % len(sites)]
        chosen.append(Utterance(site, one.path, one.language, one.text, at_s, one.seconds))
        at_s += one.seconds + pause_s
    return Dialogue(tuple(site for site in whole.sites if site.key in sites), tuple(chosen))


@dataclass
class Audience:
    """Everything that the session's event stream told, each with the instant at which it came."""

    heard: list[tuple[float, str, dict[str, Any]]] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, kind: str, data: dict[str, Any]) -> None:
        self.heard.append((time.time(), kind, data))
        self.changed.set()

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [data for _, told, data in self.heard if told == kind]

    def lines(self) -> list[dict[str, Any]]:
        """The latest revision of each line, in the order of speaking; what was taken back is not among them."""
        latest = {line["line_id"]: line for line in sorted(self.of("line.committed"), key=lambda one: one["revision"])}
        return sorted((line for line in latest.values() if line["text"]), key=lambda line: line["started_at"])

    async def until(self, condition: Callable[[Audience], bool], seconds: float = 30.0) -> None:
        async with asyncio.timeout(seconds):
            while not condition(self):
                self.changed.clear()
                await self.changed.wait()


@asynccontextmanager
async def audience(stage: Stage) -> AsyncIterator[Audience]:
    made = Audience()

    async def follow() -> None:
        async for kind, data in stage.hub.follow(stage.session_id):
            made.take(kind, data)

    task = asyncio.create_task(follow())
    try:
        yield made
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def staged(
    dialogue: Dialogue, folder: Path, *hub_arguments: str, devices: Mapping[str, BoardDevices] | None = None
) -> AsyncIterator[Stage]:
    """A hub with its boards, all joined."""
    given = hub_arguments or ("--model", "fixture", "--device", "cpu")
    async with Stage(dialogue, folder, hub_arguments=given, devices=devices or {}) as stage:
        await stage.everybody_joined()
        yield stage


def hub_child(stage: Stage, module: str) -> psutil.Process:
    """The newest of the hub's own processes that runs `python -m module`."""
    hub = psutil.Process(stage.hub_processes[-1].process.pid)
    found = [child for child in hub.children(recursive=True) if module in child.cmdline()]
    return max(found, key=lambda child: child.create_time())


def kill(pid: int) -> None:
    os.kill(pid, 9)


async def moment(at: float) -> None:
    """Until that instant of the script."""
    await asyncio.sleep(max(0.0, at - time.time()))
