"""The camera as a track, and the encoder's limits."""

from __future__ import annotations

import asyncio
from fractions import Fraction

import av
import numpy as np
import pytest
from aiortc.mediastreams import MediaStreamError

from room_agent.feeds import Picture420, PictureFeed
from room_agent.tracks import CameraTrack, LimitedVp8Encoder


async def test_time_stamps_follow_the_capture_clock() -> None:
    pictures = PictureFeed()
    track = CameraTrack(pictures)
    stamps = []
    for at in (1.0, 1.5):
        pictures.put(Picture420(np.zeros((270, 320), np.uint8), at))
        frame = await track.recv()
        stamps.append((frame.pts, frame.time_base))
    assert stamps == [(90_000, Fraction(1, 90_000)), (135_000, Fraction(1, 90_000))]


async def test_the_track_ends_with_the_camera() -> None:
    pictures = PictureFeed()
    track = CameraTrack(pictures)
    reader = asyncio.create_task(track.recv())
    await asyncio.sleep(0)
    pictures.close()
    with pytest.raises(MediaStreamError):
        await reader
    assert track.readyState == "ended"


async def test_only_the_first_frame_is_a_key_frame() -> None:
    """A key frame costs eight frames; bit 0 of VP8's first octet is 0 for one (RFC 6386, 9.1)."""
    pictures, encoder = PictureFeed(), LimitedVp8Encoder(500_000)
    track = CameraTrack(pictures)
    keys = []
    for number in range(10):
        decoded = av.VideoFrame.from_ndarray(np.full((270, 320), number, np.uint8), format="yuv420p")
        pictures.put(Picture420(decoded.to_ndarray(), number / 15))
        payloads, _ = encoder.encode(await track.recv())
        keys.append(payloads[0][4] & 1 == 0)
    assert keys == [True] + [False] * 9


def test_the_rate_follows_the_estimate_in_coarse_rare_steps_below_the_ceiling() -> None:
    now = [0.0]
    encoder = LimitedVp8Encoder(1_000_000, lambda: now[0])
    assert encoder.target_bitrate == 1_000_000
    encoder.target_bitrate = 400_000
    assert encoder.target_bitrate == 1_000_000, "too soon"
    now[0] = 5.0
    encoder.target_bitrate = 800_000
    assert encoder.target_bitrate == 1_000_000, "too small a step"
    encoder.target_bitrate = 400_000
    assert encoder.target_bitrate == 400_000
    now[0] = 10.0
    encoder.target_bitrate = 5_000_000
    assert encoder.target_bitrate == 1_000_000, "the ceiling"
    now[0] = 15.0
    encoder.target_bitrate = 1
    assert encoder.target_bitrate == 250_000, "the floor"
