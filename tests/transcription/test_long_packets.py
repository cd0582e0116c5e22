"""Packets of 20, 40 and 60 ms in one stream, as a board on a thin line sends them: same sound, nothing unaccounted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.transcription.opus_packets import encode, speech
from transcription.audio_log import AudioLog, Packet
from transcription.ear import Ear, Frame
from transcription.grid import WINDOW_16K
from transcription.opus import packet_duration
from transcription.vad import LevelVoiceActivity

SPEECH = np.tile(speech(), 2)[: 48_000 * 3]
PIECE = 5_760
"""120 ms hold a whole number of packets of each length."""
ENCODED = {ms: encode(SPEECH, 16_000, frame_ms=ms) for ms in (20, 40, 60)}


def mixed(lengths_ms: list[int]) -> list[Packet]:
    """A stream that changes its packet length every 120 ms."""
    packets: list[Packet] = []
    for piece, ms in enumerate(lengths_ms):
        count = 120 // ms
        for index in range(piece * count, (piece + 1) * count):
            packets.append(Packet(len(packets), index * ms * 48, ENCODED[ms][index]))
    return packets


def heard(packets: list[Packet]) -> NDArray[np.float32]:
    ear = Ear(0, LevelVoiceActivity())
    found = ear.hear((packet.sequence, packet.sample, packet.payload) for packet in packets) + ear.finish()
    return np.concatenate([item.audio for item in found if isinstance(item, Frame)])


lengths = st.lists(st.sampled_from([20, 40, 60]), min_size=2, max_size=20)


@settings(max_examples=25, deadline=None)
@given(lengths, st.data())
def test_the_log_accounts_for_every_sample_whatever_is_missing(
    tmp_path_factory: pytest.TempPathFactory, lengths_ms: list[int], data: st.DataObject
) -> None:
    packets = mixed(lengths_ms)
    lost = data.draw(st.sets(st.integers(0, len(packets) - 2)))
    stream = AudioLog(tmp_path_factory.mktemp("log")).stream("track", 1)
    for packet in packets:
        if packet.sequence not in lost:
            stream.append(packet)
    assert stream.end_sample == len(lengths_ms) * PIECE
    missing = sum(span.end_sample - span.start_sample for span in stream.spans() if not span.present)
    assert missing == sum(packet_duration(packets[number].payload) for number in lost)
    assert {number for hole in stream.missing_numbers() for number in hole} == lost
    assert [packet.sequence for packet in stream.packets(0)] == [p.sequence for p in packets if p.sequence not in lost]
    stream.close()


@pytest.mark.parametrize("ms", [20, 40, 60])
def test_the_ear_hears_the_same_sentence_at_any_packet_length(ms: int) -> None:
    packets = [Packet(number, number * ms * 48, payload) for number, payload in enumerate(ENCODED[ms])]
    sound, plain = heard(packets), heard([*mixed([20] * (len(SPEECH) // PIECE))])
    size = min(sound.size, plain.size)
    power = [np.sum(s[:size].reshape(-1, WINDOW_16K).astype(np.float64) ** 2, axis=1) for s in (sound, plain)]
    assert float(np.corrcoef(np.sqrt(power[0]), np.sqrt(power[1]))[0, 1]) > 0.97


@settings(max_examples=15, deadline=None)
@given(lengths)
def test_the_ear_keeps_its_place_when_the_length_changes(lengths_ms: list[int]) -> None:
    assert heard(mixed(lengths_ms)).size == -(-len(lengths_ms) * PIECE // 3 // WINDOW_16K) * WINDOW_16K


def test_a_lost_longer_packet_is_silence_of_its_own_length(tmp_path: Path) -> None:
    stream = AudioLog(tmp_path).stream("track", 1)
    for packet in mixed([20, 60, 60, 20]):
        if packet.sequence != 7:
            stream.append(packet)
    assert [(span.start_sample, span.end_sample) for span in stream.spans() if not span.present] == [(8_640, 11_520)]
    assert stream.pcm(0, 4 * PIECE).size == 4 * PIECE
    stream.close()
