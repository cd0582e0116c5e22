"""One run: a network, a hub, boards, a script that is spoken, a fault, and what came of it."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path

from session_manager.demo.dialogue import Dialogue
from tests.faults.compare import Comparison, Said, compare
from tests.faults.network import Delay, Network
from tests.faults.scene import SeaStage, Told, at_sea, ends_s, following, moment
from tests.faults.watch import Watch, watching

LEAD_S = 1.0
TAIL_S = 1.5
HUB_ARGUMENTS = ("--model", "fixture", "--device", "cpu")


@dataclass
class Scene:
    """What a fault may touch and read while the script is spoken. `marks`: instants that the fault noted."""

    stage: SeaStage
    network: Network
    starts_at: float
    watch: Watch
    told: Told
    marks: dict[str, float] = field(default_factory=dict)

    async def at(self, second: float) -> float:
        """Waits until that second of the script; the instant that it is then."""
        await moment(self.starts_at + second)
        return time.time()

    def mark(self, name: str) -> float:
        self.marks[name] = time.time()
        return self.marks[name]


Fault = Callable[[Scene], Coroutine[object, object, None]]


@dataclass(frozen=True, slots=True)
class Account:
    """`gap_s`, `pending_s`: seconds of all tracks not in the record, and not yet; `gaps`: by second of the script."""

    figure: float | None
    gap_s: float
    pending_s: float
    gaps: tuple[tuple[str, float, float, str], ...]

    def __str__(self) -> str:
        figure = "none" if self.figure is None else f"{self.figure:.4f}"
        return f"coverage {figure}, gaps {self.gap_s:.2f} s, pending {self.pending_s:.2f} s"


@dataclass(frozen=True, slots=True)
class Outcome:
    lines: tuple[Said, ...]
    account: Account
    scene: Scene
    sites: dict[str, str]
    folder: Path

    def against(self, undisturbed: Outcome) -> Comparison:
        return compare(undisturbed.lines, self.lines)


async def nothing(scene: Scene) -> None:
    """The undisturbed run."""


@dataclass
class Play:
    """`states`: folders of boards' own disks, when they are not beside the rest; `guests`: cables without a board;
    `prepare`: what is done to the network before anybody starts.
    """

    dialogue: Dialogue
    folder: Path
    fault: Fault = nothing
    delay: Delay | None = None
    board_arguments: tuple[str, ...] = ()
    states: dict[str, Path] = field(default_factory=dict)
    wrappers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    guests: tuple[str, ...] = ()
    hub_arguments: tuple[str, ...] = HUB_ARGUMENTS
    prepare: Callable[[Network], None] | None = None
    patience_s: float = 40.0

    async def run(self) -> Outcome:
        self.folder.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self.folder / "hub", ignore_errors=True)
        for old in (*self.folder.glob("board-*"), *self.folder.glob("*.json"), *self.folder.glob("*.wav")):
            shutil.rmtree(old) if old.is_dir() else old.unlink()
        keys = tuple(site.key for site in self.dialogue.sites)
        with Network((*keys, *self.guests), self.delay) as network:
            if self.prepare is not None:
                self.prepare(network)
            stage = SeaStage(
                self.dialogue,
                self.folder,
                hub_arguments=self.hub_arguments,
                network=network,
                board_arguments=self.board_arguments,
                state_folders=self.states,
                wrappers=self.wrappers,
            )
            async with at_sea(network, stage), following(stage) as told, watching(stage) as watch:
                return await self._spoken(stage, network, watch, told)

    async def _spoken(self, stage: SeaStage, network: Network, watch: Watch, told: Told) -> Outcome:
        scene = Scene(stage, network, time.time() + LEAD_S, watch, told)
        stage.speak(scene.starts_at)
        fault = asyncio.create_task(self.fault(scene))
        await asyncio.gather(scene.at(ends_s(self.dialogue) + TAIL_S), fault)
        await stage.end(self.patience_s)
        session = await stage.hub.get(f"/api/sessions/{stage.session_id}")
        names = {site.name: site.key for site in self.dialogue.sites}
        sites = {names[site["name"]]: site["site_id"] for site in session["sites"] if site["name"] in names}
        account = await _account(scene, names)
        return Outcome(tuple(await stage.lines(scene.starts_at)), account, scene, sites, self.folder)


async def _account(scene: Scene, names: dict[str, str]) -> Account:
    covered = await scene.stage.coverage()
    spans = [(names.get(track["site_name"], "guest"), span) for track in covered["tracks"] for span in track["spans"]]
    seconds = {"gap": 0.0, "pending": 0.0}
    gaps = []
    for site, span in spans:
        if span["kind"] in seconds:
            seconds[span["kind"]] += span["ended_at"] - span["started_at"]
        if span["kind"] == "gap":
            begin, end = span["started_at"] - scene.starts_at, span["ended_at"] - scene.starts_at
            gaps.append((site, round(begin, 2), round(end, 2), str(span["cause"])))
    return Account(covered["figure"], seconds["gap"], seconds["pending"], tuple(gaps))
