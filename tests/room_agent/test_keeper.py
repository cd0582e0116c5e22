"""A device is opened, used, lost and opened again."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field

import pytest

from hardware.errors import DeviceBusy, DeviceLost
from room_agent.keeper import DeviceKeeper


@dataclass
class Gadget:
    """Lives until `gone` is set."""

    name: str = "gadget"
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    closed: int = 0

    def close(self) -> None:
        self.closed += 1


@dataclass
class Shelf:
    """What opening gives, one after another; then nothing but busy."""

    stock: list[Gadget | Exception | None]
    used: asyncio.Queue[Gadget] = field(default_factory=asyncio.Queue)

    async def open(self) -> Gadget | None:
        item = self.stock.pop(0) if self.stock else DeviceBusy("Busy.")
        if isinstance(item, Exception):
            raise item
        return item

    async def use(self, gadget: Gadget) -> None:
        self.used.put_nowait(gadget)
        await gadget.gone.wait()
        raise DeviceLost("The gadget is gone.")


async def test_a_busy_device_is_tried_again_and_trouble_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    first, second = Gadget("one"), Gadget("two")
    busy = DeviceBusy("Another program holds the camera.")
    shelf = Shelf([busy, busy, busy, first, second])
    keeper = DeviceKeeper("camera", "spec", shelf.open, shelf.use, retry_s=0.001)
    task = asyncio.create_task(keeper.run())
    await keeper.tried.wait()
    assert keeper.facts.error == str(busy)
    assert await asyncio.wait_for(shelf.used.get(), 10) is first
    assert (keeper.facts.name, keeper.facts.error) == ("one", None)
    first.gone.set()
    assert await asyncio.wait_for(shelf.used.get(), 10) is second
    task.cancel()
    await asyncio.wait([task])
    assert (first.closed, second.closed) == (1, 1)
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        "camera: Another program holds the camera.",
        "camera is in use again",
        "camera: The gadget is gone.",
        "camera is in use again",
    ]


async def test_a_device_that_is_not_wanted_is_not_missed() -> None:
    shelf = Shelf([None])
    keeper = DeviceKeeper("camera", "none", shelf.open, shelf.use)
    await asyncio.wait_for(keeper.run(), 10)
    assert (keeper.tried.is_set(), keeper.facts.error) == (True, None)
