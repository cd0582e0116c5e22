"""The board's three devices, each kept open as long as a session lasts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace

from hardware.devices import open_camera, open_microphone, open_speaker
from hardware.ports import Camera, Microphone, Speaker
from room_agent.capture import Sight, Voice
from room_agent.config import BoardSettings
from room_agent.epochs import EpochCounter
from room_agent.keeper import RETRY_S, DeviceKeeper
from room_agent.playback import Playback
from room_agent.status import DeviceFacts


class Devices:
    """`start` and `stop` come in pairs, any number of times."""

    def __init__(
        self, settings: BoardSettings, epochs: EpochCounter, playback: Playback, retry_s: float = RETRY_S
    ) -> None:
        self._playback = playback
        self._changed: Callable[[], None] | None = None
        self.voice = Voice(epochs, settings.audio_kbps * 1000, self._tell)
        self.sight = Sight(settings.video, self._tell)
        wanted, video = settings.devices, settings.video
        self._microphone: DeviceKeeper[Microphone] = DeviceKeeper(
            "microphone", wanted.microphone, lambda: open_microphone(wanted.microphone), self.voice.use, retry_s=retry_s
        )
        self._camera: DeviceKeeper[Camera] = DeviceKeeper(
            "camera",
            wanted.camera,
            lambda: open_camera(wanted.camera, width=video.width, height=video.height, fps=video.fps),
            self.sight.use,
            retry_s=retry_s,
        )
        self._speaker: DeviceKeeper[Speaker] = DeviceKeeper(
            "speaker", wanted.speaker, lambda: open_speaker(wanted.speaker), self._play, retry_s=retry_s
        )
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        for keeper in (self._microphone, self._camera, self._speaker):
            keeper.tried.clear()
        self._tasks = [
            asyncio.create_task(self._microphone.run(), name="microphone"),
            asyncio.create_task(self._camera.run(), name="camera"),
            asyncio.create_task(self._speaker.run(), name="speaker"),
        ]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

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
    def any_to_send(self) -> bool:
        return self.voice.live or self.sight.live

    async def _play(self, speaker: Speaker) -> None:
        speaker.start(self._playback.render)
        await speaker.watch()

    def facts(self) -> tuple[DeviceFacts, ...]:
        microphone = replace(self._microphone.facts, muted=self.voice.muted)
        return microphone, self._camera.facts, self._speaker.facts
