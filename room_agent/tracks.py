"""The camera as aiortc wants it: a track that gives the newest picture, and a VP8 encoder with our limits."""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import av
from aiortc import MediaStreamTrack
from aiortc.codecs.base import Encoder
from aiortc.codecs.vpx import Vp8Encoder
from aiortc.mediastreams import MediaStreamError
from av.frame import Frame
from av.packet import Packet
from av.video.frame import PictureType

from room_agent.handover import PictureFeed
from room_agent.uplink import VIDEO_LEAST_BPS
from signaling.media.errors import SourceEnded

VIDEO_CLOCK = 90_000
FLOOR_BPS = 250_000
"""aiortc's encoder does not go lower."""
HYSTERESIS = 0.25
SLACK = 0.1
DWELL_S = 5.0


class CameraTrack(MediaStreamTrack):
    """One reader of the camera per publish connection; `pts` follows the capture clock, so gaps stay gaps."""

    kind = "video"

    def __init__(self, pictures: PictureFeed) -> None:
        super().__init__()
        self._pictures = pictures
        self._seen = 0
        self.frames = 0

    async def recv(self) -> av.VideoFrame:
        if self.readyState != "live":
            raise MediaStreamError
        try:
            self._seen, picture = await self._pictures.newer_than(self._seen)
        except SourceEnded:
            self.stop()
            raise MediaStreamError from None
        frame = av.VideoFrame.from_ndarray(picture.planes, format="yuv420p")
        # Pictures that were decoded from MJPEG say "I", and then every frame would become a key frame.
        frame.pict_type = PictureType.NONE
        frame.pts = round(picture.captured_at * VIDEO_CLOCK)
        frame.time_base = Fraction(1, VIDEO_CLOCK)
        self.frames += 1
        return frame


class RateEar(Encoder):
    """In the place of the voice's encoder, which is elsewhere: all it does is to hear what the hub allows (REMB)."""

    def __init__(self, told: Callable[[int], None]) -> None:
        self._told = told

    def encode(self, frame: Frame, force_keyframe: bool = False) -> tuple[list[bytes], int]:
        return [], 0

    def pack(self, packet: Packet[Any]) -> tuple[list[bytes], int]:
        return [], 0

    @property
    def target_bitrate(self) -> int:
        return 0

    @target_bitrate.setter
    def target_bitrate(self, estimate_bps: int) -> None:
        self._told(estimate_bps)


class LimitedVp8Encoder(Encoder):
    """aiortc's VP8 encoder under our ceiling, in coarse steps.

    Each new rate rebuilds the codec and costs a key frame of eight frames' size, so the receiver's estimate is followed
    upwards only when it differs by a quarter and the last change is 5 s ago; downwards it is followed at once. Below
    aiortc's floor pictures are left out, below 60 kb/s all of them. `share` makes the estimate of the whole line into
    this picture's part of it.
    """

    def __init__(
        self,
        limit_bps: int,
        clock: Callable[[], float] = time.monotonic,
        share: Callable[[int], int] = lambda estimate_bps: estimate_bps,
    ) -> None:
        self._vp8 = Vp8Encoder()
        self._vp8.target_bitrate = limit_bps
        self._limit_bps = limit_bps
        self._clock = clock
        self._share = share
        self._changed_at = clock()
        self._kept = 1.0
        self._due = 1.0
        self._fresh = False

    def encode(self, frame: Frame, force_keyframe: bool = False) -> tuple[list[bytes], int]:
        """Nothing for a picture that is left out; the next one then stands alone if this one had to."""
        self._due += self._kept
        self._fresh = self._fresh or force_keyframe
        if self._due < 1.0:
            return [], 0
        self._due = min(1.0, self._due - 1.0)
        fresh, self._fresh = self._fresh, False
        return self._vp8.encode(frame, fresh)

    def pack(self, packet: Packet[Any]) -> tuple[list[bytes], int]:
        return self._vp8.pack(packet)

    @property
    def target_bitrate(self) -> int:
        """Bits per second."""
        return self._vp8.target_bitrate

    @target_bitrate.setter
    def target_bitrate(self, estimate_bps: int) -> None:
        share_bps, now = self._share(estimate_bps), self._clock()
        kept = min(1.0, share_bps / FLOOR_BPS) if share_bps >= VIDEO_LEAST_BPS else 0.0
        rested = now - self._changed_at >= DWELL_S
        if kept < self._kept:
            self._kept, self._changed_at = kept, now
        elif rested:
            self._kept = kept
        wanted, before = max(FLOOR_BPS, min(share_bps, self._limit_bps)), self.target_bitrate
        up = wanted - before >= HYSTERESIS * before and rested
        if not up and before - wanted <= SLACK * before:
            return
        self._changed_at = now
        self._vp8.target_bitrate = wanted
