from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transcription.opus_packets import encode, speech
from transcription import opus

# RFC 6716, table 2: configuration numbers and the durations of their frames in ms
TABLE_2 = {
    **{config: (10, 20, 40, 60)[config % 4] for config in range(12)},
    **{config: (10, 20)[config % 2] for config in range(12, 16)},
    **{config: (2.5, 5, 10, 20)[config % 4] for config in range(16, 32)},
}


@pytest.mark.parametrize("config", range(32))
def test_duration_of_one_frame_is_that_of_table_2(config: int) -> None:
    assert opus.packet_duration(bytes((config << 3,)) + b"x") == TABLE_2[config] * 48


@pytest.mark.parametrize(
    "payload, samples",
    [
        (b"", 0),
        (bytes((0x78,)), 960),
        (bytes((0x79,)) + b"ab", 1920),
        (bytes((0x7A,)) + b"\x01ab", 1920),
        (bytes((0x7B,)), 0),
        (bytes((0x7B, 0)), 0),
        (bytes((0x7B, 3)), 2880),
        (bytes((0x7B, 0xC3)), 2880),
        (bytes((0x7B, 6)), 5760),
        (bytes((0x7B, 7)), 0),
        (bytes((0x1B, 2)), 5760),
        (bytes((0x83, 48)), 5760),
        (bytes((0x83, 49)), 0),
    ],
)
def test_duration_counts_frames_up_to_120_ms(payload: bytes, samples: int) -> None:
    assert opus.packet_duration(payload) == samples


@pytest.mark.parametrize("layout, count", [("mono", 1), ("stereo", 2)])
@pytest.mark.parametrize("frame_ms", [10, 20, 40, 60])
def test_real_packets_say_what_the_encoder_was_told(layout: str, count: int, frame_ms: int) -> None:
    packets = encode(speech()[: 48_000 // 2], 64_000, layout, frame_ms)
    assert {opus.packet_duration(packet) for packet in packets} == {48 * frame_ms}
    assert {opus.channels(packet) for packet in packets[3:]} == {count}
    decoder = opus.OpusDecoder()
    sound = np.concatenate([decoder.decode(packet) for packet in packets])
    said = speech()[: len(sound)]
    assert decoder.damaged == 0
    assert np.corrcoef(sound[312:], said[:-312])[0, 1] > 0.8
    assert 0.5 < np.abs(sound).max() / np.abs(said).max() < 1.5


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_decode_to_their_duration(payload: bytes) -> None:
    sound = DECODER.decode(payload)
    assert sound.dtype == np.float32
    assert len(sound) == opus.packet_duration(payload)
    assert np.isfinite(sound).all()


DECODER = opus.OpusDecoder()


def test_a_damaged_packet_is_counted_silence_and_the_next_one_is_heard() -> None:
    packets = encode(speech())
    decoder = opus.OpusDecoder()
    for packet in packets[:40]:
        decoder.decode(packet)
    wrong = bytes((0x7A, 252)) + b"abc"  # says that its first frame is longer than all of it
    assert not decoder.decode(wrong).any()
    assert len(decoder.decode(wrong)) == 1920
    assert len(decoder.decode(b"")) == 0
    assert decoder.damaged == 3
    assert np.abs(np.concatenate([decoder.decode(packet) for packet in packets[40:60]])).max() > 0.01
    assert decoder.damaged == 3


def test_counting_packets_does_not_load_the_decoder() -> None:
    code = "import sys, transcription.audio_log; assert not {'av', 'soxr', 'ctranslate2'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
