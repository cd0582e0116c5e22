"""Opus packets: what their first bytes say (RFC 6716, section 3) and their sound.

Durations and positions are samples at 48 kHz. Sound is mono float32 in [-1, 1]. The decoder is libopus by way of PyAV,
imported when the first decoder is made: a process that only counts packets does not load it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from transcription.log_format import Packet

SAMPLE_RATE = 48_000
MAX_DURATION = 5_760
PREROLL = 19_200
"""Samples decoded and thrown away before a span. RFC 7845 (4.2) asks for 3,840, after which errors of a tenth of full
scale were seen; after 19,200 speech at 16 to 64 kb/s was within 0.7 % of full scale of decoding from the beginning.
SILK's comfort noise never repeats exactly."""

_SILK = (480, 960, 1_920, 2_880)
_HYBRID = (480, 960)
_CELT = (120, 240, 480, 960)

_log = logging.getLogger(__name__)


def frame_duration(toc: int) -> int:
    """Samples in one frame, by the configuration in the upper five bits of the first byte (RFC 6716, table 2)."""
    config = toc >> 3
    if config < 12:
        return _SILK[config % 4]
    if config < 16:
        return _HYBRID[config % 2]
    return _CELT[config % 4]


def frame_count(payload: bytes) -> int:
    """Frames in a packet: one for code 0, two for 1 and 2, a count byte for 3. 0: no packet."""
    if not payload:
        return 0
    code = payload[0] & 3
    if code == 3:
        return payload[1] & 63 if len(payload) > 1 else 0
    return 1 if code == 0 else 2


def packet_duration(payload: bytes) -> int:
    """Samples of sound in a packet; 0 when it cannot be an Opus packet (empty, no frames, more than 120 ms)."""
    if not payload:
        return 0
    samples = frame_count(payload) * frame_duration(payload[0])
    return samples if samples <= MAX_DURATION else 0


def channels(payload: bytes) -> int:
    """1 or 2, as this packet was coded; 0 for an empty one."""
    return (2 if payload[0] & 4 else 1) if payload else 0


class OpusDecoder:
    """One stream's decoder. Stereo is mixed down. `damaged` counts packets that became silence.

    The sound is what libopus gives: delayed against the encoder's input by its look-ahead (312 samples, 6.5 ms, for
    libopus), which is not taken away.
    """

    def __init__(self) -> None:
        self.damaged = 0
        self._context: Any = _context()

    def reset(self) -> None:
        """Forget what was heard: after every hole, or for another stream.

        A decoder that is not told of a loss goes on from a state that is no longer true: over the five packets after a
        lost one a fresh one is 1 to 6 dB nearer to the sound, at 16 to 32 kb/s.
        """
        self._context = _context()

    def decode(self, payload: bytes) -> NDArray[np.float32]:
        """Exactly `packet_duration(payload)` samples: silence when the packet is damaged. Never raises for bytes."""
        import av

        expected = packet_duration(payload)
        if not expected:
            self.damaged += 1
            return np.zeros(0, np.float32)
        try:
            frames = self._context.decode(av.Packet(payload))
        except av.FFmpegError:
            frames = []
        sound = np.concatenate([_mono(frame) for frame in frames]) if frames else np.zeros(0, np.float32)
        if len(sound) != expected:
            self.damaged += 1
            _log.debug("packet of %d bytes gave %d of %d samples", len(payload), len(sound), expected)
            sound = np.zeros(expected, np.float32)
        return sound


def _context() -> Any:
    import av

    context = av.CodecContext.create("libopus", "r")
    context.sample_rate = SAMPLE_RATE
    context.layout = "mono"
    context.open()
    return context


def _mono(frame: Any) -> NDArray[np.float32]:
    sound: NDArray[np.float32] = frame.to_ndarray().reshape(-1).astype(np.float32) / 32_768
    return sound


def decode_span(
    packets: Iterable[Packet], start_sample: int, end_sample: int, rate: int = SAMPLE_RATE
) -> NDArray[np.float32]:
    """Sound of [start_sample, end_sample), silence where no packet is.

    `packets` in order of samples, from `PREROLL` before the start on. The result has
    `(end_sample - start_sample) * rate / 48000` samples, rounded; another rate than 48000 needs the package soxr.
    """
    sound = np.zeros(max(0, end_sample - start_sample), np.float32)
    decoder = OpusDecoder()
    last: int | None = None
    for packet in packets:
        if packet.sample >= end_sample:
            break
        if last is not None and packet.sequence != last + 1:
            decoder.reset()
        last = packet.sequence
        _place(sound, decoder.decode(packet.payload), packet.sample - start_sample)
    return sound if rate == SAMPLE_RATE else _resampled(sound, rate)


def _place(sound: NDArray[np.float32], piece: NDArray[np.float32], at: int) -> None:
    if at < 0:
        piece, at = piece[-at:], 0
    piece = piece[: max(0, len(sound) - at)]
    sound[at : at + len(piece)] = piece


def _resampled(sound: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    import soxr

    wanted = round(len(sound) * rate / SAMPLE_RATE)
    result = np.zeros(wanted, np.float32)
    given = soxr.resample(sound, SAMPLE_RATE, rate)[:wanted] if len(sound) else result
    result[: len(given)] = given
    return result
