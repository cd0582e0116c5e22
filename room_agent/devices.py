"""The board's three devices, each kept open as long as a session lasts, with the echo canceller between two of them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import hardware.devices
from hardware.echo import EchoCanceller, EchoFreeMicrophone, echo_wanted, heard_by
from hardware.errors import HardwareError
from hardware.ports import Camera, Microphone, Render, Speaker
from hardware.specs import Kind
from room_agent.capture import PacketKeeper, Sight, Voice
from room_agent.config import BoardSettings
from room_agent.epochs import EpochCounter
from room_agent.hubclock import HubClock
from room_agent.keeper import RETRY_S, Device, DeviceKeeper
from room_agent.playback import Playback
from room_agent.status import DeviceFacts, EchoFacts

logger = logging.getLogger(__name__)


class OpenCamera(Protocol):
    def __call__(self, spec: str, *, width: int, height: int, fps: int) -> Awaitable[Camera | None]: ...


@dataclass(frozen=True, slots=True)
class Openers:
    """How a specification becomes a device; None stands for "none wanted". Raise `HardwareError`."""

    microphone: Callable[[str], Awaitable[Microphone | None]] = hardware.devices.open_microphone
    camera: OpenCamera = hardware.devices.open_camera
    speaker: Callable[[str], Awaitable[Speaker | None]] = hardware.devices.open_speaker
    there: Callable[[Kind, str], bool | None] = hardware.devices.is_there
    """Whether it is connected, without opening it; in a thread. None: nobody can tell."""


class Devices:
    """`start` and `stop` come in pairs, any number of times."""

    def __init__(
        self,
        settings: BoardSettings,
        epochs: EpochCounter,
        playback: Playback,
        openers: Openers | None = None,
        retry_s: float = RETRY_S,
        keeper: PacketKeeper | None = None,
        hub_clock: HubClock | None = None,
    ) -> None:
        self._settings = settings
        self._playback = playback
        self._openers = openers or Openers()
        self._changed: Callable[[], None] | None = None
        self._canceller: EchoCanceller | None = None
        self._echo = EchoFacts(settings.echo)
        self.voice = Voice(epochs, settings.audio_kbps * 1000, self._tell, keeper, hub_clock)
        self.sight = Sight(settings.video, self._tell)
        wanted = settings.devices
        self._microphone: DeviceKeeper[Microphone] = DeviceKeeper(
            "microphone", wanted.microphone, self._open_microphone, self.voice.use, retry_s=retry_s
        )
        self._camera: DeviceKeeper[Camera] = DeviceKeeper(
            "camera", wanted.camera, self._open_camera, self.sight.use, retry_s=retry_s
        )
        self._speaker: DeviceKeeper[Speaker] = DeviceKeeper(
            "speaker", wanted.speaker, lambda: self._openers.speaker(wanted.speaker), self._play, retry_s=retry_s
        )
        self._tasks: list[asyncio.Task[object]] = []
        self._cancelling: asyncio.Task[None] | None = None

    def start(self) -> None:
        # Loading the library takes a fifth of a second: not on the loop.
        self._cancelling = asyncio.create_task(asyncio.to_thread(self._make_canceller), name="echo canceller")
        for keeper in (self._microphone, self._camera, self._speaker):
            keeper.tried.clear()
        self._tasks = [
            self._cancelling,
            asyncio.create_task(self._microphone.run(), name="microphone"),
            asyncio.create_task(self._camera.run(), name="camera"),
            asyncio.create_task(self._speaker.run(), name="speaker"),
        ]
        for task in self._tasks:
            task.add_done_callback(say_what_broke)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        self._canceller = None
        self._echo = replace(self._echo, active=False, reduction_db=None)

    def on_change(self, changed: Callable[[], None] | None) -> None:
        """Called whenever microphone or camera came or went."""
        self._changed = changed

    def _tell(self) -> None:
        if self._changed is not None:
            self._changed()

    async def tried(self, patience_s: float) -> None:
        """Until microphone and camera were opened or not, at most so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                await self._microphone.tried.wait()
                await self._camera.tried.wait()

    @property
    def running(self) -> bool:
        """Between `start` and `stop`."""
        return bool(self._tasks)

    async def there(self, facts: DeviceFacts) -> bool | None:
        """Between sessions: whether that device can be had. It is looked for in the system's lists and not opened;
        only one that failed in the last session is, for an instant, because lists may have it all the same.
        """
        found = await asyncio.to_thread(self._openers.there, facts.kind, facts.wanted)
        if found is False or facts.error is None or self.running:
            return found
        ways: dict[Kind, tuple[Callable[[], Awaitable[Device | None]], Callable[[], None]]] = {
            "microphone": (lambda: self._openers.microphone(facts.wanted), self._microphone.forgive),
            "camera": (self._open_camera, self._camera.forgive),
            "speaker": (lambda: self._openers.speaker(facts.wanted), self._speaker.forgive),
        }
        opens, forgive = ways[facts.kind]
        try:
            device = await opens()
        except HardwareError:
            return False
        if device is None:
            return found
        device.close()
        forgive()
        return True

    @property
    def any_to_send(self) -> bool:
        return self.voice.live or self.sight.live

    def facts(self) -> tuple[DeviceFacts, ...]:
        microphone = replace(self._microphone.facts, muted=self.voice.muted)
        return microphone, self._camera.facts, self._speaker.facts

    def echo(self) -> EchoFacts:
        if self._canceller is None:
            return self._echo
        return replace(self._echo, active=True, reduction_db=round(self._canceller.erle_db, 1))

    # ---- each device

    def _make_canceller(self) -> None:
        """There is none when it is not wanted, and when it cannot be had: an echo is better than no voice."""
        wanted = self._settings.devices
        if not echo_wanted(self._settings.echo, wanted.microphone, wanted.speaker):
            return
        try:
            self._canceller = EchoCanceller()
        except HardwareError as error:
            if self._echo.error is None:
                logger.warning("echo canceller: %s", error)
            self._echo = replace(self._echo, error=str(error))

    async def _echo_canceller(self) -> EchoCanceller | None:
        if self._cancelling is not None:
            await asyncio.shield(self._cancelling)
        return self._canceller

    async def _open_microphone(self) -> Microphone | None:
        canceller = await self._echo_canceller()
        microphone = await self._openers.microphone(self._settings.devices.microphone)
        if microphone is None or canceller is None:
            return microphone
        return EchoFreeMicrophone(microphone, canceller)

    async def _open_camera(self) -> Camera | None:
        video = self._settings.video
        return await self._openers.camera(
            self._settings.devices.camera, width=video.width, height=video.height, fps=video.fps
        )

    async def _play(self, speaker: Speaker) -> None:
        render: Render = self._playback.render
        canceller = await self._echo_canceller()
        if canceller is not None:
            canceller.set_delay(speaker.latency_s)
            render = heard_by(canceller, render)
        speaker.start(render)
        await speaker.watch()


def say_what_broke(task: asyncio.Task[Any]) -> None:
    if not task.cancelled() and task.exception() is not None:
        logger.error("%s broke", task.get_name(), exc_info=task.exception())
