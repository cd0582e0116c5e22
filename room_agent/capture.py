"""What this room sends: the microphone encoded once, the camera scaled once, each for any number of connections."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import numpy as np

from hardware.framing import Framer
from hardware.ports import AudioBlock, Camera, Microphone
from room_agent.call import AudioOut, VideoOut
from room_agent.config import VideoSettings
from room_agent.epochs import EpochCounter
from room_agent.handover import PacketFeed, PictureFeed
from room_agent.hubclock import HubClock, Instant
from room_agent.opus import OpusEncoder
from room_agent.uplink import Uplink
from room_agent.video import FramePacer, to_i420
from signaling.media.aiortc_adapter import NumberedPacket
from signaling.ports import Anchor


class PacketKeeper(Protocol):
    """Gets every packet that was encoded, whether or not a connection carries it. Must return at once."""

    def put(self, epoch: int, packet: NumberedPacket, captured_at: float) -> None:
        """`captured_at`: when its first sample was heard, on `time.monotonic`'s clock."""

    def end(self, epoch: int) -> None: ...


LEAP = 1000
"""Epochs; more than a board can have used up in a session."""


class Voice:
    """The microphone's packets, numbered once per epoch; each opening of a microphone is an epoch of its own.

    `changed` is called when there is a microphone to publish, and when there is none any more. Muted, it sends encoded
    silence: the record needs the clock to go on.
    """

    def __init__(
        self,
        epochs: EpochCounter,
        bit_rate: int,
        changed: Callable[[], None],
        keeper: PacketKeeper | None = None,
        hub: HubClock | None = None,
    ) -> None:
        self._epochs = epochs
        self._keeper = keeper
        self._hub = hub or HubClock()
        self._began_at: float | None = None
        self._bit_rate = bit_rate
        self.uplink = Uplink(bit_rate)
        self._changed = changed
        self._first_use = True
        self._leap = False
        self._feeds: list[PacketFeed] = []
        self._next = Anchor(0, 0)
        self.epoch: int | None = None
        self.live = False
        self.muted = False
        self.encoded = 0

    async def use(self, microphone: Microphone) -> None:
        """Encode until the microphone is lost. Raises what it raises."""
        try:
            while True:
                await self._begin_epoch()
                await self._encode(microphone)
        finally:
            self._end_epoch()
            self._changed()

    def leap(self) -> None:
        """The hub knows higher epochs of this board: go on in one that is surely above them."""
        self._leap = True

    def _end_epoch(self) -> None:
        """No connection may carry packets of an epoch that it was not offered with."""
        if self.live and self.epoch is not None and self._keeper is not None:
            self._keeper.end(self.epoch)
        self.live = False
        for feed in self._feeds:
            feed.close()
        self._feeds.clear()

    async def _begin_epoch(self) -> None:
        self._end_epoch()
        if self._leap or not self._first_use:
            await asyncio.to_thread(self._epochs.next, LEAP if self._leap else 1)
        self._first_use = self._leap = False
        self.epoch, self.encoded, self._next = self._epochs.current, 0, Anchor(0, 0)
        self._began_at = None
        self.live = True
        self._changed()

    async def _encode(self, microphone: Microphone) -> None:
        encoder, framer, origin = OpusEncoder(self._bit_rate), Framer(), None
        gathered: list[AudioBlock] = []
        while not self._leap:
            for piece in framer.push(await microphone.read()):
                origin = piece.sample if origin is None else origin
                if not gathered:
                    step = self.uplink.voice
                    encoder.set_bit_rate(step.bit_rate, step.frame_samples)
                samples = np.zeros_like(piece.samples) if self.muted else piece.samples
                gathered.append(AudioBlock(samples, piece.sample - origin, piece.captured_at))
                if len(gathered) * samples.size < encoder.frame_samples:
                    continue
                frame, gathered = _joined(gathered), []
                packet = encoder.encode(frame)
                if self._began_at is None:
                    self._began_at = frame.captured_at - packet.sample / 48_000
                self._next = Anchor(packet.sequence + 1, packet.sample + frame.samples.size)
                self.encoded += 1
                numbered = NumberedPacket(packet.sequence, packet.sample, packet.payload, packet.level_dbov)
                for feed in self._feeds:
                    feed.put(numbered)
                if self._keeper is not None and self.epoch is not None:
                    self._keeper.put(self.epoch, numbered, frame.captured_at)

    def offer(self) -> AudioOut | None:
        """A feed of its own from the next packet on; `release` it. None: there is no microphone now."""
        if not self.live or self.epoch is None:
            return None
        feed = PacketFeed()
        self._feeds.append(feed)
        return AudioOut(feed, self.epoch, self._next, self.uplink, self.placed)

    def placed(self) -> Instant | None:
        """When sample 0 of this epoch was heard, by the hub's clock; None while that is not known."""
        return None if self._began_at is None else self._hub.instant(self._began_at)

    def release(self, audio: AudioOut) -> None:
        if audio.feed in self._feeds:
            self._feeds.remove(audio.feed)


def _joined(pieces: Sequence[AudioBlock]) -> AudioBlock:
    """Pieces that follow each other, as one."""
    first = pieces[0]
    return AudioBlock(np.concatenate([piece.samples for piece in pieces]), first.sample, first.captured_at)


class Sight:
    """The camera's pictures within the limits of the settings."""

    def __init__(self, settings: VideoSettings, changed: Callable[[], None]) -> None:
        self._settings = settings
        self._changed = changed
        self._pictures: PictureFeed | None = None

    async def use(self, camera: Camera) -> None:
        """Scale and hand on until the camera is lost. Raises what it raises."""
        pacer, pictures = FramePacer(self._settings.fps), PictureFeed()
        # A thread of its own: aiortc encodes in the default pool and must not wait behind it.
        pool = ThreadPoolExecutor(1, "camera")
        loop = asyncio.get_running_loop()
        self._pictures = pictures
        self._changed()
        try:
            while True:
                frame = await camera.read()
                if pacer.take(frame.captured_at):
                    limit = self._settings
                    pictures.put(await loop.run_in_executor(pool, to_i420, frame, limit.width, limit.height))
        finally:
            self._pictures = None
            pictures.close()
            pool.shutdown(wait=False)
            self._changed()

    @property
    def live(self) -> bool:
        return self._pictures is not None

    def offer(self) -> VideoOut | None:
        """None: there is no camera now."""
        return None if self._pictures is None else VideoOut(self._pictures, self._settings.kbps * 1000)
