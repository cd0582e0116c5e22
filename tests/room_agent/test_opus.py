"""Opus, the real codec: one encoder, two decoders, concealment and the in-band copy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hardware.drivers.simulated import load_sound
from hardware.ports import AudioBlock, Samples
from room_agent.opus import (
    FRAME_SAMPLES,
    EncodedPacket,
    LibOpusDecoder,
    OpusEncoder,
    OpusUnusable,
    PlainDecoder,
    open_decoder,
)
from room_agent.playout import Decoder, PlayoutBuffer

SPEECH = Path(__file__).resolve().parents[2] / "transcription" / "fixture" / "samples" / "en_several.wav"
LOOK_AHEAD = 312


@pytest.fixture(scope="module")
def speech() -> Samples:
    return load_sound(SPEECH)[: 8 * 48_000]


def encode(samples: Samples, encoder: OpusEncoder) -> list[EncodedPacket]:
    starts = range(0, samples.size - FRAME_SAMPLES + 1, FRAME_SAMPLES)
    return [encoder.encode(AudioBlock(samples[start : start + FRAME_SAMPLES], start, 0.0)) for start in starts]


def decode(packets: list[EncodedPacket], decoder: Decoder) -> Samples:
    pieces = [decoder.decode(packet.payload) for packet in packets]
    return np.concatenate([piece for piece in pieces if piece is not None])


def spectrum_db(samples: Samples) -> Samples:
    """Mean power in 16 bands up to 8 kHz."""
    frames = samples[: samples.size // 960 * 960].reshape(-1, 960)
    power = np.mean(np.abs(np.fft.rfft(frames, axis=1)) ** 2, axis=0)[:160]
    return np.asarray(10 * np.log10(power.reshape(16, 10).sum(axis=1) + 1e-9), np.float32)


def test_each_frame_is_one_packet_numbered_and_placed(speech: Samples) -> None:
    encoder = OpusEncoder(first_sequence=7)
    packets = encode(speech[: 5 * FRAME_SAMPLES], encoder)
    assert [packet.sequence for packet in packets] == [7, 8, 9, 10, 11]
    assert [packet.sample for packet in packets] == [0, 960, 1920, 2880, 3840]


@pytest.mark.parametrize("bit_rate", [24_000, 32_000])
def test_the_bit_rate_is_kept(speech: Samples, bit_rate: int) -> None:
    packets = encode(speech, OpusEncoder(bit_rate))
    rate = sum(len(packet.payload) for packet in packets) * 8 / (len(packets) * 0.02)
    assert 0.6 * bit_rate < rate < 1.1 * bit_rate


def test_the_bit_rate_changes_while_speaking_and_the_numbers_go_on(speech: Samples) -> None:
    encoder = OpusEncoder(32_000)
    before = encode(speech, encoder)
    encoder.set_bit_rate(12_000)
    after = encode(speech, encoder)
    assert sum(len(p.payload) for p in after) < 0.6 * sum(len(p.payload) for p in before)
    assert after[0].sequence == before[-1].sequence + 1
    assert encoder.bit_rate == 12_000
    assert decode(before + after, open_decoder()).size == (len(before) + len(after)) * FRAME_SAMPLES


@pytest.mark.parametrize("decoder", [LibOpusDecoder, PlainDecoder])
def test_what_was_said_comes_back(speech: Samples, decoder: type[LibOpusDecoder] | type[PlainDecoder]) -> None:
    decoded = decode(encode(speech, OpusEncoder()), decoder())
    assert decoded.dtype == np.float32
    assert decoded.size == speech.size // FRAME_SAMPLES * FRAME_SAMPLES
    loud = spectrum_db(speech) > spectrum_db(speech).max() - 40
    assert np.max(np.abs(spectrum_db(decoded) - spectrum_db(speech))[loud]) < 6.0


def test_both_decoders_agree(speech: Samples) -> None:
    packets = encode(speech, OpusEncoder())
    assert np.max(np.abs(decode(packets, LibOpusDecoder()) - decode(packets, PlainDecoder()))) < 1e-3


@pytest.mark.parametrize(("amplitude", "level"), [(1.0, 0), (0.1, 20), (0.0, 127)])
def test_the_packet_carries_its_level(amplitude: float, level: int) -> None:
    square = np.full(FRAME_SAMPLES, amplitude, np.float32)
    assert OpusEncoder().encode(AudioBlock(square, 0, 0.0)).level_dbov == level


def test_a_frame_of_another_length_is_refused() -> None:
    with pytest.raises(OpusUnusable, match="960"):
        OpusEncoder().encode(AudioBlock(np.zeros(480, np.float32), 0, 0.0))


@pytest.mark.parametrize("decoder", [LibOpusDecoder, PlainDecoder])
@pytest.mark.parametrize("payload", [b"", b"\xff" * 5])
def test_bytes_that_are_not_opus_are_no_samples(
    decoder: type[LibOpusDecoder] | type[PlainDecoder], payload: bytes
) -> None:
    assert decoder().decode(payload) is None


def test_the_wheel_has_the_library_that_conceals() -> None:
    assert isinstance(open_decoder(), LibOpusDecoder)
    assert PlainDecoder().conceal(960) is None


@pytest.mark.parametrize("count", [1, 100, 480, 960, 5760])
def test_concealment_gives_as_many_samples_as_asked(speech: Samples, count: int) -> None:
    decoder = LibOpusDecoder()
    decode(encode(speech[: 20 * FRAME_SAMPLES], OpusEncoder()), decoder)
    concealed = decoder.conceal(count)
    assert concealed is not None
    assert concealed.shape == (count,)


@pytest.mark.parametrize("bit_rate", [24_000, 32_000])
def test_the_in_band_copy_is_nearer_to_what_was_lost_than_concealment(speech: Samples, bit_rate: int) -> None:
    packets = encode(speech, OpusEncoder(bit_rate))
    whole = decode(packets, LibOpusDecoder()).reshape(-1, FRAME_SAMPLES)
    lost = set(range(20, len(packets) - 1, 7))
    error = {}
    for with_copy in (True, False):
        decoder, total = LibOpusDecoder(), 0.0
        for index, packet in enumerate(packets):
            if index not in lost:
                decoder.decode(packet.payload)
                continue
            guess = decoder.conceal(FRAME_SAMPLES, packets[index + 1].payload if with_copy else None)
            assert guess is not None
            total += float(np.sum((guess - whole[index]) ** 2))
        error[with_copy] = total
    assert error[True] < 0.5 * error[False]


@pytest.mark.parametrize("frame_samples", [960, 1920, 2880])
def test_longer_packets_are_one_packet_each_and_whole_after_a_change(speech: Samples, frame_samples: int) -> None:
    encoder, packets = OpusEncoder(32_000), list[EncodedPacket]()
    for bit_rate, size in ((32_000, 960), (12_000, frame_samples), (24_000, 960)):
        encoder.set_bit_rate(bit_rate, size)
        start = packets[-1].sample + 2880 if packets else 0
        for at in range(start, start + 5760 * 4, size):
            packets.append(encoder.encode(AudioBlock(speech[at : at + size], at, 0.0)))
    decoder = LibOpusDecoder()
    durations = [decoded.size for packet in packets if (decoded := decoder.decode(packet.payload)) is not None]
    assert durations == [960] * 24 + [frame_samples] * (24 * 960 // frame_samples) + [960] * 24
    assert [packet.sequence for packet in packets] == list(range(len(packets)))


def test_speech_through_loss_and_play_out_is_speech(speech: Samples) -> None:
    packets = encode(speech, OpusEncoder())
    buffer, heard = PlayoutBuffer(open_decoder()), []
    for index, packet in enumerate(packets):
        now = index * 0.02
        if index % 20 != 10:
            buffer.push(packet.sequence, packet.sample, packet.payload, now)
        heard += [buffer.pull(480, now), buffer.pull(480, now + 0.01)]
    stats = buffer.stats()
    assert stats.lost == len(packets) // 20
    assert stats.concealed_ms == 20.0 * stats.lost
    out = np.concatenate(heard)
    loud = spectrum_db(speech) > spectrum_db(speech).max() - 40
    assert np.max(np.abs(spectrum_db(out) - spectrum_db(speech))[loud]) < 6.0
