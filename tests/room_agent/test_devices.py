"""Three devices, and the echo canceller between two of them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from hardware.errors import DeviceBusy, DeviceLost
from hardware.ports import AudioBlock, Microphone, Render, Samples, Speaker
from room_agent.config import BoardSettings, DeviceSettings
from room_agent.devices import Devices, Openers
from room_agent.epochs import EpochCounter
from room_agent.opus import OpusEncoder
from room_agent.playback import Playback
from signaling.media.aiortc_adapter import EncodedAudio
from signaling.messages import SlotInfo


@dataclass
class Room:
    """A loudspeaker and a microphone in one hall: the microphone hears the loudspeaker 40 ms later, half as loud."""

    name: str = "hall"
    latency_s: float = 0.04
    render: Render | None = None
    air: asyncio.Queue[AudioBlock | None] = field(default_factory=asyncio.Queue)
    delayed: list[Samples] = field(default_factory=lambda: [np.zeros(480, np.float32)] * 4)
    position: int = 0

    def start(self, render: Render) -> None:
        self.render = render

    async def watch(self) -> None:
        await asyncio.get_running_loop().create_future()

    async def read(self) -> AudioBlock:
        block = await self.air.get()
        if block is None:
            raise DeviceLost("The microphone was unplugged.")
        return block

    def close(self) -> None: ...

    def pass_10_ms(self) -> None:
        assert self.render is not None
        self.delayed.append(self.render(480))
        self.air.put_nowait(AudioBlock(0.5 * self.delayed.pop(0), self.position, self.position / 48_000))
        self.position += 480

    async def open_microphone(self, spec: str) -> Microphone | None:
        return self

    async def open_speaker(self, spec: str) -> Speaker | None:
        return self


def settings(echo: str, folder: Path) -> BoardSettings:
    devices = DeviceSettings(camera="none")
    return BoardSettings.model_validate({"token": "t", "state": folder, "devices": devices, "echo": echo})


async def settle(devices: Devices, room: Room) -> None:
    devices.start()
    await devices.tried(30)
    async with asyncio.timeout(30):
        while room.render is None:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(("echo", "active"), [("on", True), ("off", False), ("auto", True)])
async def test_what_the_loudspeaker_plays_does_not_go_back_through_the_microphone(
    echo: str, active: bool, tmp_path: Path
) -> None:
    room, now = Room(), [0.0]
    playback = Playback(lambda: now[0], lambda: now[0])
    openers = Openers(microphone=room.open_microphone, speaker=room.open_speaker)
    devices = Devices(settings(echo, tmp_path), EpochCounter(tmp_path), playback, openers)
    await settle(devices, room)
    audio = devices.voice.offer()
    assert audio is not None
    playback.route(1, [SlotInfo(mid="a", kind="audio", track_id="t")])
    encoder, noise, levels = OpusEncoder(expected_loss=0), np.random.default_rng(1), list[int]()
    for number in range(200):
        far = (0.2 * noise.standard_normal(960)).astype(np.float32)
        packet = encoder.encode(AudioBlock(far, number * 960, 0.0))
        playback.push(1, "a", EncodedAudio(1, packet.sequence, packet.sample, False, packet.payload, now[0]))
        for _ in range(2):
            room.pass_10_ms()
            now[0] += 0.01
        levels.append((await audio.feed.next_packet()).level)
    facts = devices.echo()
    await devices.stop()
    assert facts.active is active
    assert bool(np.median(levels[-50:]) > 40) is active, f"-dBov of the microphone: {levels[-50:]}"
    assert devices.echo().active is False


async def test_an_unplugged_microphone_is_said_and_taken_again(tmp_path: Path) -> None:
    room, attempts = Room(), list[str]()

    async def open_microphone(spec: str) -> Microphone | None:
        attempts.append(spec)
        if len(attempts) == 2:
            raise DeviceBusy("Another program holds the microphone.")
        return room

    changes: list[bool] = []
    openers = Openers(microphone=open_microphone, speaker=room.open_speaker)
    devices = Devices(settings("off", tmp_path), EpochCounter(tmp_path), Playback(), openers, retry_s=0.01)
    devices.on_change(lambda: changes.append(devices.any_to_send))
    await settle(devices, room)
    room.air.put_nowait(None)
    async with asyncio.timeout(30):
        while len(changes) < 3:
            await asyncio.sleep(0.01)
    facts = devices.facts()[0]
    await devices.stop()
    assert changes[:3] == [True, False, True]
    assert (len(attempts), facts.name, facts.error) == (3, "hall", None)
    assert devices.voice.epoch == 2
