from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transcription.opus_packets import bare, encode, speech
from transcription import opus
from transcription.errors import NotSound
from transcription.log_format import Packet
from transcription.ogg import read_ogg, write_ogg

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


# ---- Ogg -------------------------------------------------------------------------------------------------------------


def said(lost: range = range(0), first: int = 500) -> list[Packet]:
    packets = [Packet(first + n, (first + n) * 960, payload) for n, payload in enumerate(encode(speech()))]
    return [packet for n, packet in enumerate(packets) if n not in lost]


def test_two_independent_readers_hear_the_packets_of_an_ogg_file(tmp_path: Path) -> None:
    packets = said()
    samples = write_ogg(tmp_path / "span.ogg", packets)
    assert samples == len(packets) * 960
    sound, rate = soundfile.read(tmp_path / "span.ogg", dtype="float32")
    assert (rate, len(sound)) == (48_000, samples)
    ours = opus.decode_span(packets, packets[0].sample, packets[0].sample + samples)
    assert np.abs(sound - ours).max() < 0.001
    with av.open(str(tmp_path / "span.ogg")) as file:
        assert file.streams.audio[0].codec_context.name == "opus"
        assert sum(frame.samples for frame in file.decode(audio=0)) == samples


def test_a_hole_keeps_its_length_in_an_ogg_file(tmp_path: Path) -> None:
    packets = said(lost=range(30, 70))
    samples = write_ogg(tmp_path / "span.ogg", packets)
    assert samples == packets[-1].sample + 960 - packets[0].sample
    sound, _ = soundfile.read(tmp_path / "span.ogg", dtype="float32")
    ours = opus.decode_span(packets, packets[0].sample, packets[0].sample + samples)
    assert len(sound) == samples
    assert np.abs(sound[: 30 * 960] - ours[: 30 * 960]).max() < 0.001
    assert np.abs(sound[50 * 960 : 70 * 960]).max() < 0.1 * np.abs(ours).max()
    assert np.corrcoef(sound[75 * 960 :], ours[75 * 960 :])[0, 1] > 0.99


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 30_000), st.sampled_from([0x78, 0x08, 0x18, 0x80, 0x7C]), st.integers(1, 1_500)),
        min_size=1,
        max_size=80,
    )
)
def test_ogg_keeps_packets_as_they_are_and_time_within_2_5_ms(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, int, int]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "law.ogg"
    sample, packets = 0, []
    for number, (hole, toc, size) in enumerate(steps):
        packets.append(Packet(number, sample + hole, bare(number, toc, size)))
        sample = packets[-1].sample + opus.packet_duration(packets[-1].payload)
    samples = write_ogg(path, packets)
    assert 0 <= sample - packets[0].sample - samples < 120
    back = read_ogg(path)
    kept = [packet for packet in back.packets if len(packet.payload) > 2]
    assert [packet.payload for packet in kept] == [packet.payload for packet in packets]
    start = packets[0].sample
    assert all(0 <= was.sample - start - now.sample < 120 for was, now in zip(packets, kept, strict=True))


def test_an_ogg_file_of_nothing_is_still_one(tmp_path: Path) -> None:
    assert write_ogg(tmp_path / "empty.ogg", [Packet(0, 0, b"")]) == 0
    assert read_ogg(tmp_path / "empty.ogg").packets == ()


def test_what_another_program_wrote_is_read(tmp_path: Path) -> None:
    path = tmp_path / "other.ogg"
    with av.open(str(path), "w", format="ogg") as file:
        stream = file.add_stream("libopus", rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray((speech()[None] * 32_767).astype("<i2"), format="s16", layout="mono")
        frame.sample_rate = 48_000
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            file.mux(packet)
    back = read_ogg(path)
    assert (back.channels, back.preskip) == (1, 312)
    length = back.packets[-1].sample
    sound = opus.decode_span(back.packets, 0, length)
    assert np.corrcoef(sound[312:], speech()[: length - 312])[0, 1] > 0.8


def test_a_damaged_page_is_left_out(tmp_path: Path) -> None:
    packets = said()
    write_ogg(tmp_path / "span.ogg", packets)
    content = bytearray((tmp_path / "span.ogg").read_bytes())
    first_of_sound = content.find(b"OggS", content.find(b"OpusTags"))
    content[first_of_sound + 200] ^= 1
    (tmp_path / "span.ogg").write_bytes(content)
    left = [packet.payload for packet in read_ogg(tmp_path / "span.ogg").packets]
    assert 0 < len(left) < len(packets)
    assert set(left) <= {packet.payload for packet in packets}


@pytest.mark.parametrize("content", [b"", b"OggS", b"RIFF....WAVEfmt ", b"OggS" + bytes(200)])
def test_what_is_no_ogg_opus_file_is_said_so(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.ogg").write_bytes(content)
    with pytest.raises(NotSound, match="not an Ogg file"):
        read_ogg(tmp_path / "x.ogg")
    with pytest.raises(NotSound, match="cannot be read"):
        read_ogg(tmp_path / "missing.ogg")
