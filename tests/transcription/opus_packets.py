"""Opus packets for tests: made by the real encoder, or just bytes with a true first byte."""

from __future__ import annotations

import wave
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

FIXTURE = Path(__file__).parents[2] / "transcription" / "fixture"


def bare(number: int, toc: int = 0x78, size: int = 20) -> bytes:
    """A payload of 20 ms (unless `toc` says otherwise) that is different for every number."""
    return bytes((toc,)) + number.to_bytes(8, "big") + bytes(max(0, size - 9))


def speech(name: str = "ja_1.wav") -> NDArray[np.float32]:
    """A fixture sentence at 48 kHz (each of its 16 kHz samples three times: enough for a codec test)."""
    with wave.open(str(FIXTURE / "samples" / name)) as file:
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32_768
    return np.repeat(sound, 3)


def encode(sound: NDArray[np.float32], bit_rate: int = 24_000, layout: str = "mono", frame_ms: int = 20) -> list[bytes]:
    """libopus, constant frames; what does not fill a frame is left out."""
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format, encoder.bit_rate = 48_000, layout, "s16", bit_rate
    encoder.options = {"frame_duration": str(frame_ms)}
    encoder.open()
    size, count = 48 * frame_ms, 2 if layout == "stereo" else 1
    whole = (np.clip(sound, -1, 1) * 32_767).astype("<i2")
    packets: list[bytes] = []
    for at in range(0, len(whole) - size + 1, size):
        frame = av.AudioFrame.from_ndarray(np.repeat(whole[at : at + size], count)[None], format="s16", layout=layout)
        frame.sample_rate, frame.pts = 48_000, at
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    return packets
