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

from room_agent.feeds import PictureFeed
from signaling.media.errors import SourceEnded

VIDEO_CLOCK = 90_000
FLOOR_BPS = 250_000
"""aiortc's encoder does not go lower."""
HYSTERESIS = 0.25
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


class LimitedVp8Encoder(Encoder):
    """aiortc's VP8 encoder under our ceiling, in coarse steps.

    Each new rate rebuilds the codec and costs a key frame of eight frames' size, so the receiver's estimate is followed
    only when it differs by a quarter and the last change is 5 s ago.
    """

    def __init__(self, limit_bps: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._vp8 = Vp8Encoder()
        self._vp8.target_bitrate = limit_bps
        self._limit_bps = limit_bps
        self._clock = clock
        self._changed_at = clock()

    def encode(self, frame: Frame, force_keyframe: bool = False) -> tuple[list[bytes], int]:
        return self._vp8.encode(frame, force_keyframe)

    def pack(self, packet: Packet[Any]) -> tuple[list[bytes], int]:
        return self._vp8.pack(packet)

    @property
    def target_bitrate(self) -> int:
        """Bits per second."""
        return self._vp8.target_bitrate

    @target_bitrate.setter
    def target_bitrate(self, estimate_bps: int) -> None:
        wanted = max(FLOOR_BPS, min(estimate_bps, self._limit_bps))
        now = self._clock()
        if abs(wanted - self.target_bitrate) < HYSTERESIS * self.target_bitrate or now - self._changed_at < DWELL_S:
            return
        self._changed_at = now
        self._vp8.target_bitrate = wanted
