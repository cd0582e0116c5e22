"""The microphone is encoded once and numbered; the camera is scaled once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from hardware.clock import SteppedClock
from hardware.drivers.simulated import SimulatedMicrophone, Tone
from hardware.errors import DeviceLost
from hardware.ports import AudioBlock, Frame
from room_agent.capture import Sight, Voice
from room_agent.config import VideoSettings
from room_agent.epochs import EpochCounter
from room_agent.handover import PacketFeed
from room_agent.hubclock import Exchange, HubClock
from signaling.media.aiortc_adapter import NumberedPacket
from signaling.media.errors import SourceEnded
from signaling.ports import Anchor


class Short:
    """A microphone that is unplugged after so many blocks; `at` is where its own clock begins."""

    name = "short"

    def __init__(self, blocks: int, at: int = 0) -> None:
        self._inner = SimulatedMicrophone(Tone(440), clock=SteppedClock())
        self._left = blocks
        self._at = at

    async def read(self) -> AudioBlock:
        if not self._left:
            raise DeviceLost("Unplugged.")
        self._left -= 1
        block = await self._inner.read()
        return AudioBlock(block.samples, block.sample + self._at, block.captured_at)

    def close(self) -> None: ...


async def speak(voice: Voice, blocks: int, at: int = 0) -> None:
    with pytest.raises(DeviceLost):
        await voice.use(Short(blocks, at))


async def drained(feed: PacketFeed) -> list[int]:
    """Sequences of what is left in a feed that was closed."""
    sequences = []
    try:
        while True:
            sequences.append((await feed.next_packet()).sequence)
    except SourceEnded:
        return sequences


async def test_every_connection_gets_the_same_packets_and_its_anchor_is_the_first(tmp_path: Path) -> None:
    changes = 0

    def changed() -> None:
        nonlocal changes
        changes += 1

    voice = Voice(EpochCounter(tmp_path), 32_000, changed)
    assert voice.offer() is None
    using = asyncio.create_task(speak(voice, 20, at=4711))
    while not voice.live:
        await asyncio.sleep(0)
    first = voice.offer()
    assert first is not None
    while voice.encoded < 4:
        await asyncio.sleep(0)
    second = voice.offer()
    assert second is not None
    await using
    early = [await first.feed.next_packet() for _ in range(10)]
    late = [await second.feed.next_packet() for _ in range(6)]
    assert [(each.sequence, each.sample) for each in early] == [(n, n * 960) for n in range(10)]
    assert late == early[4:]
    assert (first.anchor, second.anchor) == (Anchor(0, 0), Anchor(4, 4 * 960))
    assert (first.epoch, voice.live, changes) == (1, False, 2)


async def test_each_opening_of_a_microphone_is_an_epoch_of_its_own(tmp_path: Path) -> None:
    voice = Voice(EpochCounter(tmp_path), 32_000, lambda: None)
    epochs = []
    for _ in range(2):
        await speak(voice, 4)
        epochs.append(voice.epoch)
    assert epochs == [1, 2]
    assert EpochCounter(tmp_path).current == 3


async def test_a_connection_gets_no_packet_of_an_epoch_it_was_not_offered_with(tmp_path: Path) -> None:
    voice = Voice(EpochCounter(tmp_path), 32_000, lambda: None)
    using = asyncio.create_task(voice.use(SimulatedMicrophone(Tone(440))))
    while voice.encoded < 2:
        await asyncio.sleep(0.01)
    before = voice.offer()
    assert before is not None
    voice.leap()
    while voice.epoch == 1 or not voice.live:
        await asyncio.sleep(0.01)
    after = voice.offer()
    assert after is not None
    first = await after.feed.next_packet()
    assert (after.epoch, first.sequence) == (1001, after.anchor.sequence)
    sequences = await drained(before.feed)
    assert sequences == list(range(before.anchor.sequence, before.anchor.sequence + len(sequences)))
    using.cancel()
    await asyncio.gather(using, return_exceptions=True)


async def test_muted_it_sends_silence_and_keeps_counting(tmp_path: Path) -> None:
    voice = Voice(EpochCounter(tmp_path), 32_000, lambda: None)
    levels = []
    for muted in (False, True):
        voice.muted = muted
        using = asyncio.create_task(speak(voice, 20))
        while not voice.live:
            await asyncio.sleep(0)
        audio = voice.offer()
        assert audio is not None
        await using
        levels.append([(await audio.feed.next_packet()).level for _ in range(10)])
        voice.release(audio)
    assert max(levels[0]) < 30
    assert levels[1] == [127] * 10


class Flicker:
    name = "flicker"

    def __init__(self, frames: int) -> None:
        self._frames = [Frame(np.zeros((720, 1280, 3), np.uint8), n / 30) for n in range(frames)]

    async def read(self) -> Frame:
        await asyncio.sleep(0)
        if not self._frames:
            raise DeviceLost("Unplugged.")
        return self._frames.pop(0)

    def close(self) -> None: ...


async def test_pictures_are_within_the_limits_and_end_with_the_camera() -> None:
    offered = []
    sight = Sight(VideoSettings(width=320, height=180, fps=15, kbps=300), lambda: offered.append(sight.offer()))
    with pytest.raises(DeviceLost):
        await sight.use(Flicker(8))
    video, none = offered
    assert none is None
    assert video is not None
    assert video.limit_bps == 300_000


class Kept:
    def __init__(self) -> None:
        self.packets: list[tuple[int, NumberedPacket, float]] = []
        self.ended: list[int] = []

    def put(self, epoch: int, packet: NumberedPacket, captured_at: float) -> None:
        self.packets.append((epoch, packet, captured_at))

    def end(self, epoch: int) -> None:
        self.ended.append(epoch)


async def test_the_very_packets_of_the_wire_are_kept_and_those_that_no_connection_carries_too(tmp_path: Path) -> None:
    kept = Kept()
    voice = Voice(EpochCounter(tmp_path), 32_000, lambda: None, kept)
    using = asyncio.create_task(speak(voice, 20, at=4711))
    while not voice.live:
        await asyncio.sleep(0)
    audio = voice.offer()
    assert audio is not None
    await using
    assert [packet.sequence for _, packet, _ in kept.packets] == list(range(10))
    assert await audio.feed.next_packet() is kept.packets[audio.anchor.sequence][1]
    times = [captured_at for _, _, captured_at in kept.packets]
    assert times == sorted(times)
    assert (kept.packets[0][0], kept.ended) == (1, [1])
    await speak(voice, 4)
    assert (kept.packets[-1][0], kept.packets[-1][1].sequence, kept.ended) == (2, 1, [1, 2])


async def test_a_board_says_where_its_sound_lies_on_the_hubs_clock_as_soon_as_it_knows(tmp_path: Path) -> None:
    kept, clock = Kept(), HubClock()
    voice = Voice(EpochCounter(tmp_path), 32_000, lambda: None, kept, clock)
    await speak(voice, 20, at=4711)
    assert voice.placed() is None
    first_at = kept.packets[0][2]
    clock.heard(Exchange(first_at + 1.0, 5_000.0, 5_000.0, first_at + 1.01))
    placed = voice.placed()
    assert placed is not None
    assert placed.at == pytest.approx(4_998.995)
    assert placed.within_s == pytest.approx(0.005, abs=0.001)
