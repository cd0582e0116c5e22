"""The demo's stage on a network of namespaces, and what can be done to its processes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from session_manager.demo.children import Child
from session_manager.demo.client import HubClient
from session_manager.demo.dialogue import Dialogue, Utterance, load_dialogue, microphone_script
from session_manager.demo.stage import ADMINISTRATOR, Stage, write_script
from tests.faults.compare import Said
from tests.faults.network import HUB_ADDRESS, Network, connected, enter

HUB_PORT = 8420
HUB = "hub"
"""Among the wrappers, beside the sites' keys."""
ACCOUNTED_S = 60.0
STEADY_S = 2.0
POLL_S = 0.05


def script(*parts: tuple[str, Sequence[int], float, float]) -> Dialogue:
    """Rows of utterances of the demo, said by anybody: (site, their numbers, second of the first, seconds between)."""
    whole = load_dialogue()
    said: list[Utterance] = []
    for site, numbers, first_s, pause_s in parts:
        at_s = first_s
        for number in numbers:
            one = whole.utterances[number - 1]
            said.append(Utterance(site, one.path, one.language, one.text, at_s, one.seconds))
            at_s += one.seconds + pause_s
    keys = {site for site, *_ in parts}
    ordered = sorted(said, key=lambda one: one.at_s)
    return Dialogue(tuple(site for site in whole.sites if site.key in keys), tuple(ordered))


def ends_s(dialogue: Dialogue) -> float:
    return max(one.at_s + one.seconds for one in dialogue.utterances)


@dataclass(slots=True)
class SeaStage(Stage):
    """A stage whose hub and boards run in namespaces; `command_of` wraps a process (a false clock, a slow disk)."""

    network: Network = field(kw_only=True)
    board_arguments: tuple[str, ...] = field(default=(), kw_only=True)
    state_folders: dict[str, Path] = field(default_factory=dict, kw_only=True)
    wrappers: dict[str, tuple[str, ...]] = field(default_factory=dict, kw_only=True)

    async def restart_hub(self) -> None:
        arguments = ["-m", "session_manager", "serve", "--json", "--data", str(self.folder / "hub")]
        arguments += ["--host", HUB_ADDRESS, "--port", str(HUB_PORT), "--media-address", HUB_ADDRESS]
        name = f"hub-{len(self.hub_processes)}"
        command = (*self.network.command(), *self.wrappers.get(HUB, ()))
        process = await Child.start(name, [*arguments, *self.hub_arguments], self.folder, before=command)
        if self.hub_processes:
            await self.hub.__aexit__()
        self.hub_processes.append(process)
        self.hub = HubClient(process.announced["url"])
        await self.hub.login(ADMINISTRATOR, self._password)

    async def start_board(self, key: str) -> None:
        name = next(site.name for site in self.dialogue.sites if site.key == key)
        cues = self.folder / f"{key}.json"
        if not cues.exists():
            write_script(cues, microphone_script(self.dialogue, key, None))
        state = self.state_folders.get(key, self.folder / f"board-{key}")
        arguments = ["-m", "room_agent", "run", "--json", "--hub", self.hub.url, "--state", str(state)]
        arguments += ["--status-port", "0", "--microphone", f"sim:cue={cues}"]
        arguments += ["--camera", f"sim:card={name}" if self.board_arguments else "none"]
        arguments += ["--speaker", f"sim:record={self.folder / f'heard-{key}-{time.time_ns()}.wav'}"]
        command = (*self.network.command(key), *self.wrappers.get(key, ()))
        given = self.devices.get(key)
        environment = {**(given.environment if given else {}), "SHIMAWA_DEVICE_TOKEN": self._tokens[key]}
        arguments += self.board_arguments
        self.boards[key] = await Child.start(f"board-{key}", arguments, self.folder, environment, before=command)

    async def board_status(self, key: str) -> dict[str, Any]:
        where = urlsplit(self.boards[key].announced["status_url"])
        made = connected(self.network.cables[key].namespace, where.hostname or "", where.port or 0)
        reader, writer = await asyncio.open_connection(sock=made)
        try:
            writer.write(f"GET {where.path or '/'} HTTP/1.0\r\nHost: {where.netloc}\r\n\r\n".encode())
            async with asyncio.timeout(5):  # not wait_for: before 3.12 it can swallow a cancellation
                answer = await reader.read()
        finally:
            writer.close()
        found: dict[str, Any] = json.loads(answer.partition(b"\r\n\r\n")[2])
        return found

    # ---- what befalls processes

    def worker(self, module: str) -> psutil.Process:
        """The newest of the hub's own processes that runs `python -m module`."""
        hub = psutil.Process(self.hub_processes[-1].process.pid)
        found = [child for child in hub.children(recursive=True) if module in _command(child)]
        return max(found, key=lambda child: child.create_time())

    async def kill_board(self, key: str) -> None:
        self.boards[key].process.kill()
        await self.boards[key].process.wait()

    async def kill_hub(self) -> None:
        self.hub_processes[-1].process.kill()
        await self.hub_processes[-1].process.wait()

    # ---- what came of it

    async def lines(self, starts_at: float) -> list[Said]:
        names = {site.name: site.key for site in self.dialogue.sites}
        found = await self.hub.get(f"/api/sessions/{self.session_id}/lines")
        return [
            Said(names[one["site_name"]], one["started_at"] - starts_at, one["ended_at"] - starts_at, one["text"])
            for one in found
            if one["site_name"] in names
        ]

    async def coverage(self) -> dict[str, Any]:
        found: dict[str, Any] = await self.hub.get(f"/api/sessions/{self.session_id}/coverage")
        return found

    async def end(self, patience_s: float = ACCOUNTED_S) -> None:
        """End the session, then wait until all is accounted for and nothing changes, or patience is at its end."""
        await self.hub.post(f"/api/sessions/{self.session_id}/end")
        until = time.monotonic() + patience_s
        seen: object = None
        while time.monotonic() < until:
            session = await self.hub.get(f"/api/sessions/{self.session_id}")
            covered = await self.coverage()
            lines = await self.lines(0.0)
            done = session["state"] == "ended" and covered["figure"] == 1.0
            if done and lines == seen:
                return
            seen = lines
            await asyncio.sleep(STEADY_S if done else 0.5)


def _command(process: psutil.Process) -> list[str]:
    """Empty when it has just died."""
    with contextlib.suppress(psutil.NoSuchProcess):  # of which a zombie is one
        return list(process.cmdline())
    return []


@asynccontextmanager
async def at_sea(network: Network, stage: SeaStage) -> AsyncIterator[SeaStage]:
    """Everybody joined; this process speaks to the hub from within the hub's namespace."""
    with open("/proc/self/ns/net", "rb") as home:
        enter(f"/run/netns/{network.hub}")
        try:
            async with stage:
                await stage.everybody_joined()
                yield stage
                for child in (*stage.boards.values(), *stage.hub_processes):
                    with contextlib.suppress(ProcessLookupError):
                        child.process.kill()  # all is read; a board would say its farewell for seconds
        finally:
            enter(f"/proc/self/fd/{home.fileno()}")


@dataclass
class Told:
    """Everything that the session's event stream told, with the instant at which it came; survives a hub's death."""

    heard: list[tuple[float, str, dict[str, Any]]] = field(default_factory=list)

    def first_after(self, at: float, kinds: Sequence[str], site_id: str) -> float | None:
        times = [came for came, kind, data in self.heard if came >= at and kind in kinds]
        sites = [data.get("site_id") for came, kind, data in self.heard if came >= at and kind in kinds]
        return next((came for came, site in zip(times, sites, strict=True) if site == site_id), None)


@asynccontextmanager
async def following(stage: SeaStage) -> AsyncIterator[Told]:
    import httpx

    told, over = Told(), asyncio.Event()

    async def follow() -> None:
        while not over.is_set():
            with contextlib.suppress(httpx.HTTPError, RuntimeError):
                async for kind, data in stage.hub.follow(stage.session_id):
                    told.heard.append((time.time(), kind, data))
            await asyncio.sleep(0.2)

    task = asyncio.create_task(follow())
    try:
        yield told
    finally:
        over.set()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def moment(at: float) -> None:
    """Until that POSIX instant of the script."""
    await asyncio.sleep(max(0.0, at - time.time()))
