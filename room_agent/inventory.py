"""Tells the hub which of its devices this board finds, so that a missing microphone is known before anybody speaks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence

from room_agent.config import NONE
from room_agent.devices import Devices
from room_agent.errors import AgentError
from room_agent.hub import HubClient
from room_agent.status import DeviceFacts

GLANCE_S = 2.0
"""What a session knows of its devices costs nothing to read."""
LOOK_S = 60.0
"""Between sessions the system's lists are read so often."""
AGAIN_S = 180.0
"""What did not change is said again so often: the hub may have been set up anew."""
RETRY_S = 15.0
KINDS = 3

Found = Mapping[str, bool | None]
"""By kind. True: it can be had, False: it cannot, None: none is wanted, or nobody can tell."""


def in_use(facts: Sequence[DeviceFacts], before: Found) -> Found:
    """In a session. A device that is still being opened is as it was `before`, or left out."""
    found: dict[str, bool | None] = {}
    for one in facts:
        if one.wanted == NONE:
            found[one.kind] = None
        elif one.name is not None or one.error is not None:
            found[one.kind] = one.name is not None
        elif one.kind in before:
            found[one.kind] = before[one.kind]
    return found


class Inventory:
    """One per board. A hub that does not answer is asked again later, without a word: whoever joins says it once."""

    def __init__(
        self,
        hub: HubClient,
        devices: Devices,
        clock: Callable[[], float] = time.monotonic,
        glance_s: float = GLANCE_S,
        look_s: float = LOOK_S,
        again_s: float = AGAIN_S,
    ) -> None:
        self._hub, self._devices, self._clock = hub, devices, clock
        self._glance_s, self._look_s, self._again_s = glance_s, look_s, again_s
        self._looked_at: float | None = None
        self._found: Found = {}
        self._told: Found = {}
        self._tell_at = 0.0

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._see()
            decided = len(self._found) == KINDS
            if decided and (self._found != self._told or self._clock() >= self._tell_at):
                await self._tell()
            await asyncio.sleep(self._glance_s)

    async def _see(self) -> None:
        if self._devices.running:
            self._looked_at = None
            self._found = in_use(self._devices.facts(), self._found)
        elif self._looked_at is None or self._clock() - self._looked_at >= self._look_s:
            found: dict[str, bool | None] = {one.kind: await self._devices.there(one) for one in self._devices.facts()}
            if not self._devices.running:
                self._looked_at, self._found = self._clock(), found

    async def _tell(self) -> None:
        self._told, asked_at = self._found, self._clock()
        try:
            await self._hub.devices(self._told)
        except AgentError:
            self._tell_at = asked_at + RETRY_S
        else:
            self._tell_at = asked_at + self._again_s
