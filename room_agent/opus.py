"""Opus at the edge of the board: one encoder whose packets go everywhere, one decoder per site that is heard.

Encoding runs through PyAV's libopus. Decoding calls the libopus inside PyAV's wheel directly, because FFmpeg's wrapper
offers neither concealment (RFC 6716, 4.4) nor the in-band copy of a lost frame (2.1.7); where that library cannot be
loaded, PyAV decodes and `conceal` answers None, which the play-out buffer fills by a faded repeat.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError

from hardware.level import level_dbov
from hardware.ports import SAMPLE_RATE, AudioBlock, Samples
from room_agent.errors import AgentError
from room_agent.playout import Decoder

FRAME_SAMPLES = 960
MAX_FRAME_SAMPLES = 5760
"""120 ms, the longest packet of RFC 6716."""


class OpusUnusable(AgentError):
    """The codec is missing or refuses what it is given."""


@dataclass(frozen=True, slots=True)
class EncodedPacket:
    """One packet of 20 ms (40 or 60 on a thin line): the same object goes to the call and to the spool.

    `sequence` counts from 0 in this epoch, `sample` is the position of its first sample at 48 kHz, `level_dbov` is
    0 (loudest) to 127 (silence) as RFC 6464 carries it.
    """

    sequence: int
    sample: int
    payload: bytes
    level_dbov: int


class OpusEncoder:
    """Mono, voice; `frame_samples` 960, 1920 or 2880. `expected_loss` in percent: above 5, packets from 24 kb/s up have
    a coarse copy of the packet before (libopus leaves it out at 5 and less, and at 16 kb/s and less).
    """

    def __init__(
        self,
        bit_rate: int = 32_000,
        *,
        expected_loss: int = 10,
        first_sequence: int = 0,
        frame_samples: int = FRAME_SAMPLES,
    ) -> None:
        self._bit_rate = bit_rate
        self._expected_loss = expected_loss
        self._frame_samples = frame_samples
        self._sequence = first_sequence
        self._codec = self._open()

    @property
    def bit_rate(self) -> int:
        return self._bit_rate

    @property
    def frame_samples(self) -> int:
        return self._frame_samples

    def set_bit_rate(self, bit_rate: int, frame_samples: int | None = None) -> None:
        """Takes effect with the next packet. The codec is opened anew: change it in coarse, rare steps."""
        wanted = (bit_rate, frame_samples or self._frame_samples)
        if wanted != (self._bit_rate, self._frame_samples):
            self._bit_rate, self._frame_samples = wanted
            self._codec = self._open()

    def encode(self, frame: AudioBlock) -> EncodedPacket:
        """`frame.samples` has shape (frame_samples,); louder than full scale is clipped. Raises OpusUnusable."""
        if frame.samples.shape != (self._frame_samples,):
            raise OpusUnusable(
                f"A frame of {frame.samples.shape} cannot be encoded: give {self._frame_samples} samples."
            )
        samples = np.clip(frame.samples, -1.0, 1.0)
        packet = EncodedPacket(self._sequence, frame.sample, self._payload(samples), level_dbov(samples))
        self._sequence += 1
        return packet

    def _payload(self, samples: Samples) -> bytes:
        audio = av.AudioFrame.from_ndarray(samples[np.newaxis, :], format="flt", layout="mono")
        audio.sample_rate = SAMPLE_RATE
        audio.pts = None
        try:
            packets = self._codec.encode(audio)
        except FFmpegError as error:
            raise OpusUnusable(f"The microphone cannot be encoded: {error}.") from error
        if len(packets) != 1:
            raise OpusUnusable(f"The Opus encoder gave {len(packets)} packets for one frame.")
        return bytes(packets[0])

    def _open(self) -> av.AudioCodecContext:
        try:
            codec = av.CodecContext.create("libopus", "w")
        except (FFmpegError, ValueError) as error:
            raise OpusUnusable("This PyAV has no Opus encoder: install the `av` wheel from PyPI.") from error
        assert isinstance(codec, av.AudioCodecContext)
        codec.sample_rate, codec.layout, codec.format = SAMPLE_RATE, "mono", "flt"
        codec.bit_rate = self._bit_rate
        codec.options = {
            "application": "voip",
            "frame_duration": str(self._frame_samples * 1000 // SAMPLE_RATE),
            "vbr": "on",
            "packet_loss": str(self._expected_loss),
            "fec": "1" if self._expected_loss else "0",
        }
        return codec


def open_decoder() -> Decoder:
    """The decoder with concealment where libopus can be loaded, else the plain one."""
    return LibOpusDecoder() if _libopus() is not None else PlainDecoder()


class LibOpusDecoder:
    """libopus by its C interface (opus_decoder_create, opus_decode_float)."""

    def __init__(self) -> None:
        library = _libopus()
        if library is None:
            raise OpusUnusable("libopus was not found beside PyAV: install the `av` wheel from PyPI.")
        self._library = library
        error = ctypes.c_int()
        self._state = library.opus_decoder_create(SAMPLE_RATE, 1, ctypes.byref(error))
        if error.value or not self._state:
            raise OpusUnusable(f"libopus refuses to decode (error {error.value}).")
        self._room = np.empty(MAX_FRAME_SAMPLES, np.float32)
        self._target = self._room.ctypes.data_as(ctypes.c_void_p)

    def decode(self, payload: bytes) -> Samples | None:
        """Shape (n,), n the packet's duration; None for what is not Opus."""
        if not payload:  # which libopus would take for "conceal"
            return None
        return self._run(payload, MAX_FRAME_SAMPLES, in_band=False)

    def conceal(self, count: int, following: bytes | None = None) -> Samples | None:
        """libopus conceals multiples of 2.5 ms: `count` is rounded up and the rest is cut off."""
        whole = min(MAX_FRAME_SAMPLES, -(-count // 120) * 120)
        samples = self._run(following, whole, in_band=following is not None)
        return None if samples is None else samples[:count]

    def _run(self, payload: bytes | None, room: int, *, in_band: bool) -> Samples | None:
        size = len(payload) if payload is not None else 0
        count = self._library.opus_decode_float(self._state, payload, size, self._target, room, int(in_band))
        return self._room[:count].copy() if count >= 0 else None

    def __del__(self) -> None:
        if getattr(self, "_state", None):
            self._library.opus_decoder_destroy(self._state)


class PlainDecoder:
    """PyAV's decoder: no concealment."""

    def __init__(self) -> None:
        codec = av.CodecContext.create("libopus", "r")
        assert isinstance(codec, av.AudioCodecContext)
        codec.sample_rate, codec.layout = SAMPLE_RATE, "mono"
        self._codec = codec

    def decode(self, payload: bytes) -> Samples | None:
        if not payload:  # which PyAV would take for "no more packets"
            return None
        try:
            frames = self._codec.decode(av.Packet(payload))
        except FFmpegError:
            return None
        return np.concatenate([_mono(frame) for frame in frames] or [np.zeros(0, np.float32)])

    def conceal(self, count: int, following: bytes | None = None) -> Samples | None:
        return None


def _mono(frame: av.AudioFrame) -> Samples:
    samples = frame.to_ndarray()
    scale = 1.0 if samples.dtype.kind == "f" else 1.0 / 32768.0
    channels = len(frame.layout.channels)
    mono: Samples = (samples.reshape(-1, channels).mean(axis=1) * scale).astype(np.float32)
    return mono


@cache
def _libopus() -> ctypes.CDLL | None:
    for path in _libopus_paths():
        try:
            library = ctypes.CDLL(path)
        except OSError:
            continue
        library.opus_decoder_create.argtypes = [ctypes.c_int32, ctypes.c_int, ctypes.POINTER(ctypes.c_int)]
        library.opus_decoder_create.restype = ctypes.c_void_p
        library.opus_decoder_destroy.argtypes = [ctypes.c_void_p]
        library.opus_decoder_destroy.restype = None
        library.opus_decode_float.argtypes = [
            ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int32, ctypes.c_void_p, ctypes.c_int, ctypes.c_int,
        ]  # fmt: skip
        library.opus_decode_float.restype = ctypes.c_int
        return library
    return None


def _libopus_paths() -> Iterator[str]:
    """Wheels keep it in `av.libs` (Linux, Windows) or `av/.dylibs` (macOS); else the system's own."""
    package = Path(av.__file__).parent
    for folder in (package.parent / "av.libs", package / ".dylibs"):
        yield from (str(path) for path in sorted(folder.glob("libopus*")))
    system = ctypes.util.find_library("opus")
    if system:
        yield system
