from __future__ import annotations

import pytest
from aiortc import rtp as reference
from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters, RTCRtpParameters
from hypothesis import given
from hypothesis import strategies as st

from signaling.media.rtp import (
    HEADER,
    URI_ABS_SEND_TIME,
    URI_AUDIO_LEVEL,
    URI_MID,
    ExtensionIds,
    RtpPacket,
    build_body,
    parse_rtp,
    starts_keyframe,
    unwrap_rtx,
    wrap_rtx,
)

IDS = ExtensionIds(audio_level=2, mid=1)


def extension_map(ids: dict[str, int]) -> reference.HeaderExtensionsMap:
    made = reference.HeaderExtensionsMap()
    parameters = RTCRtpParameters(
        headerExtensions=[RTCRtpHeaderExtensionParameters(id=number, uri=uri) for uri, number in ids.items()]
    )
    made.configure(parameters)
    return made


@given(st.binary(max_size=100))
def test_rubbish_never_raises(data: bytes) -> None:
    parse_rtp(data, IDS)


@given(st.integers(0, 15), st.booleans(), st.binary(max_size=80))
def test_rubbish_behind_a_good_header_never_raises(sources: int, padded: bool, rest: bytes) -> None:
    parse_rtp(HEADER.pack(0x90 | padded << 5 | sources, 111, 1, 2, 3) + rest, IDS)


@given(
    st.integers(0, 65_535),
    st.integers(0, 2**32 - 1),
    st.binary(min_size=1, max_size=50),
    st.integers(0, 127),
    st.booleans(),
    st.sampled_from(["0", "audio-1", "a-mid-of-16-byte"]),
    st.integers(0, 20),
)
def test_what_aiortc_writes_is_read(
    sequence: int, timestamp: int, payload: bytes, level: int, voice: bool, mid: str, padding: int
) -> None:
    packet = reference.RtpPacket(111, 1, sequence, timestamp, 7, payload)
    packet.csrc, packet.padding_size = [1, 2], padding
    packet.extensions.mid, packet.extensions.audio_level = mid, (voice, level)
    data = packet.serialize(extension_map({URI_MID: 1, URI_AUDIO_LEVEL: 2}))
    assert parse_rtp(data, IDS) == RtpPacket(
        0x80, 111, sequence, timestamp, 7, payload, level | (0x80 if voice else 0), mid
    )


@given(st.binary(max_size=50), st.one_of(st.none(), st.integers(0, 255)), st.integers(0, 2**24 - 1), st.booleans())
def test_what_we_write_is_read_by_aiortc(payload: bytes, level: int | None, stamp: int, audio: bool) -> None:
    data = HEADER.pack(0x90, 111, 1, 2, 3) + build_body(audio, level, payload, stamp)
    packet = reference.RtpPacket.parse(data, extension_map({URI_AUDIO_LEVEL: 2, URI_ABS_SEND_TIME: 3}))
    assert packet.payload == payload
    assert packet.extensions.abs_send_time == stamp
    assert packet.extensions.mid is None
    expected = (bool(level & 0x80), level & 0x7F) if audio and level is not None else None
    assert packet.extensions.audio_level == expected


@given(st.integers(0, 2**20), st.binary(max_size=40))
def test_a_retransmission_gives_the_original_back(sequence: int, payload: bytes) -> None:
    rtx = RtpPacket(0x80, 97, 5, 6, 8, wrap_rtx(sequence, payload))
    assert unwrap_rtx(rtx, 96, 7) == RtpPacket(0x80, 96, sequence & 0xFFFF, 6, 7, payload)
    assert unwrap_rtx(RtpPacket(0, 97, 5, 6, 8, b""), 96, 7) is None


@pytest.mark.parametrize(
    ("codec", "payload", "starts"),
    [
        ("VP8", b"\x10\x00\x9d", True),
        ("VP8", b"\x10\x01\x9d", False),
        ("VP8", b"\x00\x00", False),
        ("VP8", b"\x90\x80\x11\x00", True),
        ("VP8", b"\x90\x80\x91\x11\x00", True),
        ("VP8", b"\x90\xe0\x11\x22\x33\x01", False),
        ("VP8", b"\x90\xe0\x11\x22\x33\x00", True),
        ("VP8", b"", False),
        ("VP8", b"\x90", False),
        ("H264", b"\x67\x42", True),
        ("H264", b"\x65", True),
        ("H264", b"\x41", False),
        ("H264", b"\x78\x00\x10\x67", True),
        ("H264", b"\x7c\x85", True),
        ("H264", b"\x7c\x05", False),
        ("H264", b"", False),
        ("OPUS", b"anything", True),
    ],
)
def test_a_decoder_can_start_where_it_can(codec: str, payload: bytes, starts: bool) -> None:
    assert starts_keyframe(codec, payload) is starts


@given(st.sampled_from(["VP8", "H264"]), st.binary(max_size=10))
def test_looking_for_a_key_frame_never_raises(codec: str, payload: bytes) -> None:
    starts_keyframe(codec, payload)
