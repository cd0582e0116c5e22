"""The camera as a track, and the encoder's limits."""

from __future__ import annotations

import asyncio
from fractions import Fraction

import av
import numpy as np
import pytest
from aiortc.mediastreams import MediaStreamError

from room_agent.handover import Picture420, PictureFeed
from room_agent.tracks import CameraTrack, LimitedVp8Encoder, RateEar


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
    encoder.target_bitrate = 950_000
    assert encoder.target_bitrate == 1_000_000, "too small a step"
    encoder.target_bitrate = 400_000
    assert encoder.target_bitrate == 400_000, "down at once"
    encoder.target_bitrate = 5_000_000
    assert encoder.target_bitrate == 400_000, "up too soon"
    now[0] = 10.0
    encoder.target_bitrate = 5_000_000
    assert encoder.target_bitrate == 1_000_000, "the ceiling"
    now[0] = 15.0
    encoder.target_bitrate = 1
    assert encoder.target_bitrate == 250_000, "the floor"


def test_below_the_floor_pictures_are_left_out_and_the_next_one_stands_alone_when_one_had_to() -> None:
    now = [0.0]
    encoder = LimitedVp8Encoder(500_000, lambda: now[0], share=lambda estimate_bps: estimate_bps - 65_000)

    def sent(count: int, *, key_at: int | None = None) -> list[bool | None]:
        """For each picture: None left out, else whether it is a key frame."""
        found: list[bool | None] = []
        for number in range(count):
            picture = av.VideoFrame.from_ndarray(np.full((270, 320), 7 * number, np.uint8), format="yuv420p")
            picture.pts, picture.time_base = round(now[0] * 90_000), Fraction(1, 90_000)
            now[0] += 1 / 15
            payloads, _ = encoder.encode(picture, number == key_at)
            found.append(payloads[0][4] & 1 == 0 if payloads else None)
        return found

    assert None not in sent(10)
    encoder.target_bitrate = 65_000 + 125_000
    half = sent(20)
    assert 9 <= sum(each is not None for each in half) <= 11
    encoder.target_bitrate = 100_000
    assert set(sent(10, key_at=3)[1:]) == {None}
    now[0] += 6.0
    encoder.target_bitrate = 500_000
    assert sent(1) == [True]


def test_the_ear_in_the_place_of_the_voices_encoder_hears_the_estimate_and_encodes_nothing() -> None:
    told: list[int] = []
    ear = RateEar(told.append)
    ear.target_bitrate = 64_000
    assert told == [64_000]
