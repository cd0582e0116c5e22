"""A board tells the hub which devices it finds: at once when that changes, and seldom when it does not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.errors import DeviceBusy
from hardware.ports import Microphone
from room_agent.config import BoardSettings, DeviceSettings
from room_agent.devices import Devices, Openers
from room_agent.epochs import EpochCounter
from room_agent.fakes import ScriptedHub, scripted_hub
from room_agent.hub import HubClient
from room_agent.inventory import Inventory, in_use
from room_agent.playback import Playback
from room_agent.status import DeviceFacts
from tests.room_agent.test_devices import Room

WELL = {"microphone": True, "camera": None, "speaker": True}
DEAF = {**WELL, "microphone": False}


@dataclass
class Cupboard:
    """What is plugged in. `busy`: it is listed and cannot be opened."""

    lists: dict[str, bool | None] = field(default_factory=lambda: dict(WELL))
    busy: bool = False
    opened: int = 0
    room: Room = field(default_factory=Room)

    def there(self, kind: str, spec: str) -> bool | None:
        return self.lists[kind]

    async def open_microphone(self, spec: str) -> Microphone | None:
        self.opened += 1
        if self.busy or not self.lists["microphone"]:
            raise DeviceBusy("It cannot be opened.")
        return self.room


@asynccontextmanager
async def telling(
    cupboard: Cupboard, url: str, folder: Path, clock: Callable[[], float] | None = None
) -> AsyncIterator[Devices]:
    wanted = DeviceSettings(camera="none")
    settings = BoardSettings.model_validate({"token": "t", "state": folder, "devices": wanted, "echo": "off"})
    openers = Openers(microphone=cupboard.open_microphone, speaker=cupboard.room.open_speaker, there=cupboard.there)
    devices = Devices(settings, EpochCounter(folder), Playback(), openers, retry_s=0.01)
    hub = HubClient(url, "t")
    inventory = Inventory(hub, devices, clock or asyncio.get_running_loop().time, glance_s=0.01, look_s=0.01)
    running = asyncio.create_task(inventory.run())
    try:
        yield devices
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await devices.stop()
        await hub.close()


@pytest.fixture
async def hub() -> AsyncIterator[ScriptedHub]:
    async with scripted_hub() as scripted:
        scripted.answers["t"] = None
        yield scripted


async def until(so: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not so():
            await asyncio.sleep(0.01)


async def test_between_sessions_it_is_told_at_start_and_on_every_change_and_nothing_is_opened(
    hub: ScriptedHub, tmp_path: Path
) -> None:
    cupboard = Cupboard()
    async with telling(cupboard, hub.url, tmp_path):
        await until(lambda: hub.found)
        cupboard.lists["microphone"] = False
        await until(lambda: len(hub.found) == 2)
        cupboard.lists["microphone"] = True
        await until(lambda: len(hub.found) == 3)
    assert hub.found == [WELL, DEAF, WELL]
    assert cupboard.opened == 0, "nobody is heard between sessions"


async def test_a_device_that_fails_in_a_session_is_told_until_it_opens_again(hub: ScriptedHub, tmp_path: Path) -> None:
    cupboard = Cupboard()
    async with telling(cupboard, hub.url, tmp_path) as devices:
        await until(lambda: hub.found == [WELL])
        devices.start()
        await until(lambda: devices.facts()[0].name)
        cupboard.busy = True
        cupboard.room.air.put_nowait(None)
        await until(lambda: hub.found == [WELL, DEAF])
        await devices.stop()
        before = cupboard.opened
        await until(lambda: cupboard.opened > before + 1)
        assert hub.found == [WELL, DEAF], "it stands in the list and still does not open"
        cupboard.busy = False
        await until(lambda: hub.found == [WELL, DEAF, WELL])
        assert devices.facts()[0].error is None


async def test_what_did_not_change_is_said_again_after_some_minutes(hub: ScriptedHub, tmp_path: Path) -> None:
    now = [0.0]
    async with telling(Cupboard(), hub.url, tmp_path, lambda: now[0]):
        await until(lambda: len(hub.found) == 1)
        now[0] += 181
        await until(lambda: len(hub.found) == 2)
    assert hub.found == [WELL, WELL]


async def test_a_hub_that_is_away_or_knows_nothing_of_this_is_no_noise(
    hub: ScriptedHub, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    now, asked = [0.0], list[int]()
    hub.answers.clear()  # an older hub: 404

    def clock() -> float:
        asked.append(1)
        return now[0]

    async def some_rounds() -> None:
        before = len(asked)
        await until(lambda: len(asked) > before + 8)

    with caplog.at_level(logging.INFO, "room_agent"):
        async with telling(Cupboard(), hub.url, tmp_path, clock):
            for _ in range(3):
                now[0] += 20
                await some_rounds()
            port = hub.port
            await hub.stop()
            now[0] += 20
            await some_rounds()
            hub.answers["t"] = None
            await hub.start(port)
            now[0] += 20
            await until(lambda: hub.found == [WELL])
    assert not [each for each in caplog.records if each.name.startswith("room_agent")]


TRUTHS = st.none() | st.booleans()
KINDS = st.sampled_from(["microphone", "camera", "speaker"])


@given(KINDS, st.none() | st.text(min_size=1), st.none() | st.text(min_size=1), TRUTHS)
def test_what_is_still_being_opened_stays_as_it_was(kind: str, name: str | None, error: str | None, was: bool) -> None:
    facts = DeviceFacts(kind, "default", name, error)  # type: ignore[arg-type]
    found = in_use([facts], {kind: was})[kind]
    assert found is (True if name else False if error else was)
    assert in_use([DeviceFacts("camera", "none", name, error)], {}) == {"camera": None}
    assert in_use([DeviceFacts("camera", "default")], {}) == {}
