"""A device that is opened, used, lost and opened again, for as long as the board is in a session."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Generic, Literal, Protocol, TypeVar

from hardware.errors import HardwareError
from room_agent.errors import AgentError
from room_agent.status import DeviceFacts

logger = logging.getLogger(__name__)

RETRY_S = 5.0


class Device(Protocol):
    name: str

    def close(self) -> None: ...


D = TypeVar("D", bound=Device)


class DeviceKeeper(Generic[D]):
    """Runs `use(device)` whenever the device can be had. `use` ends by raising `HardwareError` when the device is gone.

    `open_device` gives None for "not wanted". Trouble is said once, and recovery once.
    """

    def __init__(
        self,
        kind: Literal["microphone", "camera", "speaker"],
        spec: str,
        open_device: Callable[[], Awaitable[D | None]],
        use: Callable[[D], Awaitable[None]],
        *,
        retry_s: float = RETRY_S,
    ) -> None:
        self._kind = kind
        self._open = open_device
        self._use = use
        self._retry_s = retry_s
        self.facts = DeviceFacts(kind, spec)
        self.tried = asyncio.Event()
        """Set when the first attempt to open is decided, well or badly."""

    async def run(self) -> None:
        """Until cancelled; the device is closed then."""
        while True:
            try:
                if not await self._once():
                    return
            except (HardwareError, AgentError) as error:
                self._say(name=None, error=str(error))
            finally:
                self.tried.set()
            await asyncio.sleep(self._retry_s)

    async def _once(self) -> bool:
        device = await self._open()
        if device is None:
            return False
        try:
            self._say(name=device.name, error=None)
            self.tried.set()
            await self._use(device)
        finally:
            device.close()
            self.facts = replace(self.facts, name=None)
        return True

    def forgive(self) -> None:
        """It could be opened between two sessions: what was wrong with it is over."""
        self.facts = replace(self.facts, error=None)

    def _say(self, name: str | None, error: str | None) -> None:
        before = self.facts
        self.facts = DeviceFacts(self._kind, before.wanted, name, error)
        if error is not None and error != before.error:
            logger.warning("%s: %s", self._kind, error)
        elif error is None and before.error is not None:
            logger.info("%s is in use again", self._kind)
