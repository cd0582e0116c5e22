"""What a board says of itself, twenty times a second: when it noticed, when sound came back, how much was concealed."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from tests.faults.scene import POLL_S, SeaStage

PACKET_S = 0.020


@dataclass(frozen=True, slots=True)
class Look:
    """One status at one instant (UTC POSIX)."""

    at: float
    status: dict[str, Any]

    def received(self, site_id: str) -> int:
        return int(self.status["playout"].get(site_id, {}).get("received", 0))

    def figure(self, site_id: str, name: str) -> float:
        return float(self.status["playout"].get(site_id, {}).get(name, 0.0))


@dataclass
class Watch:
    looks: dict[str, list[Look]] = field(default_factory=dict)

    def since(self, board: str, at: float) -> list[Look]:
        return [look for look in self.looks[board] if look.at >= at]

    def first(self, board: str, at: float, holds: Callable[[Look], bool]) -> float | None:
        """Seconds from `at` until a look at that board says so."""
        return next((look.at - at for look in self.since(board, at) if holds(look)), None)

    def noticed_s(self, board: str, cut_at: float) -> float | None:
        """Until what the board shows differs from what it showed when all was well."""
        before = [look for look in self.looks[board] if look.at < cut_at][-1]
        shown = _shown(before)
        return self.first(board, cut_at, lambda look: _shown(look) != shown)

    def sentence_s(self, board: str, cut_at: float) -> float | None:
        """Until the sentence differs."""
        before = [look for look in self.looks[board] if look.at < cut_at][-1]
        return self.first(board, cut_at, lambda look: _sentence(look) != _sentence(before))

    def sound_again_s(self, board: str, site_id: str, at: float) -> float | None:
        """Until packets of that site are counted again at that board; a new connection counts from nought."""
        before = [look for look in self.looks[board] if look.at < at][-1].received(site_id)
        for look in self.since(board, at):
            now = look.received(site_id)
            if now > before or (0 < now < before):
                return look.at - at
            before = min(before, now) if now else before
        return None

    def missing_share(self, board: str, site_id: str, begin: float, end: float) -> float:
        """Sound of that site that was concealed, or not there when it was due, as a share of the time between."""
        return max(
            self.grown(board, site_id, "concealed_ms", begin, end) / 1000 / (end - begin),
            self.grown(board, site_id, "lost", begin, end) * PACKET_S / (end - begin),
        )

    def grown(self, board: str, site_id: str, name: str, begin: float, end: float) -> float:
        """By how much that play-out figure of that site grew; it begins at nought with each new connection."""
        looks = [look for look in self.looks[board] if begin <= look.at <= end]
        steps = (after.figure(site_id, name) - before.figure(site_id, name) for before, after in pairwise(looks))
        return sum(max(0.0, step) for step in steps)


def _shown(look: Look) -> tuple[object, ...]:
    """What the board's panel reads and shows: the state, the sentence and the lamps of the links."""
    link = look.status["link"]
    lamps = (link["signaling"], link["publish"], link["subscribe"], link["suspect"])
    return look.status["state"], _sentence(look), *lamps


def _sentence(look: Look) -> str:
    return str(look.status["sentence"]["en"])


@asynccontextmanager
async def watching(stage: SeaStage, boards: Sequence[str] | None = None) -> AsyncIterator[Watch]:
    watch = Watch({key: [] for key in boards or stage.boards})
    over = asyncio.Event()

    async def look(key: str) -> None:
        while not over.is_set():
            with contextlib.suppress(OSError, ValueError, asyncio.IncompleteReadError, TimeoutError):
                status = await stage.board_status(key)
                watch.looks[key].append(Look(time.time(), status))
            await asyncio.sleep(POLL_S)

    tasks = [asyncio.create_task(look(key)) for key in watch.looks]
    try:
        yield watch
    finally:
        over.set()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
