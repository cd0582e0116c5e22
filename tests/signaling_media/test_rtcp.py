from __future__ import annotations

import pytest
from aiortc import rtp as reference
from hypothesis import given
from hypothesis import strategies as st

from signaling.media import rtcp

u32 = st.integers(0, 2**32 - 1)
u16 = st.integers(0, 2**16 - 1)


@given(st.binary(max_size=300))
def test_rubbish_never_raises(data: bytes) -> None:
    rtcp.parse_rtcp(data)


@given(st.binary(max_size=60), st.sampled_from([200, 201, 205, 206]), st.integers(0, 31))
def test_rubbish_behind_a_good_header_never_raises(body: bytes, kind: int, count: int) -> None:
    body += bytes(-len(body) % 4)
    rtcp.parse_rtcp(bytes([0x80 | count, kind]) + (len(body) // 4).to_bytes(2, "big") + body)


@given(u32, u32, st.integers(0, 2**20), st.lists(st.integers(0, 300), max_size=60, unique=True))
def test_a_nack_is_read_as_it_was_written_also_over_a_wrap(own: int, media: int, start: int, steps: list[int]) -> None:
    asked = [start + step for step in sorted(steps)]
    data = rtcp.nack(own, media, asked)
    expected = [rtcp.Nack(media, tuple(number & 0xFFFF for number in asked))] if asked else []
    assert rtcp.parse_rtcp(data) == expected
    (theirs,) = reference.RtcpPacket.parse(data)
    assert sorted(number & 0xFFFF for number in theirs.lost) == sorted(number & 0xFFFF for number in asked)


@given(u32, st.integers(0, 2**64 - 1), u32, u32, u32)
def test_a_sender_report_is_read_by_us_and_by_aiortc(ssrc: int, ntp: int, time: int, packets: int, octets: int) -> None:
    data = rtcp.sender_report(ssrc, ntp, time, packets=packets, octets=octets, cname="slot3")
    assert rtcp.parse_rtcp(data) == [rtcp.SenderReport(ssrc, ntp, time)]
    report, names = reference.RtcpPacket.parse(data)
    assert report.sender_info == reference.RtcpSenderInfo(ntp, time, packets, octets)
    assert names.chunks[0].items == [(1, b"slot3")]


blocks = st.builds(
    rtcp.ReportBlock,
    ssrc=u32,
    fraction_lost=st.integers(0, 255),
    cumulative_lost=st.integers(-(2**23), 2**23 - 1),
    highest_sequence=u32,
    jitter=u32,
    last_sr=u32,
    delay_since_last_sr=u32,
)


@given(u32, st.lists(blocks, max_size=31))
def test_a_receiver_report_is_read_as_it_was_written(own: int, reports: list[rtcp.ReportBlock]) -> None:
    data = rtcp.receiver_report(own, reports)
    assert rtcp.parse_rtcp(data) == reports
    (theirs,) = reference.RtcpPacket.parse(data)
    assert [block.packets_lost for block in theirs.reports] == [block.cumulative_lost for block in reports]


@given(u32, u32)
def test_a_key_frame_request_is_read_in_both_forms(own: int, media: int) -> None:
    assert rtcp.parse_rtcp(rtcp.pli(own, media)) == [rtcp.KeyframeRequest(media)]
    fir = reference.RtcpPsfbPacket(fmt=4, ssrc=own, media_ssrc=0, fci=media.to_bytes(4, "big") + b"\1\0\0\0")
    assert rtcp.parse_rtcp(bytes(fir)) == [rtcp.KeyframeRequest(media)]


@pytest.mark.parametrize("bits", [1, 250_000, 1_200_000, 2_500_000, 10_000_000_000])
def test_a_ceiling_is_read_by_aiortc(bits: int) -> None:
    (packet,) = reference.RtcpPacket.parse(rtcp.remb(1, bits, [5, 6]))
    found, ssrcs = reference.unpack_remb_fci(packet.fci)
    assert abs(found - bits) <= bits / 2**17
    assert ssrcs == [5, 6]


def test_too_long_a_wish_list_is_cut() -> None:
    (asked,) = rtcp.parse_rtcp(rtcp.nack(1, 2, range(0, 40_000, 20)))
    assert isinstance(asked, rtcp.Nack)
    assert len(asked.sequences) == rtcp.MAX_NACKED


def test_statistics_report_the_loss_of_the_interval_and_of_all() -> None:
    statistics = rtcp.ReceptionStatistics(48_000)
    for number in range(100):
        if number % 4:
            statistics.add(number, number * 960, number * 0.02)
    first = statistics.block(9, 99, 0, 0)
    assert (first.cumulative_lost, first.jitter) == (24, 0)
    assert first.fraction_lost == 24 * 256 // 99
    for number in range(100, 110):
        statistics.add(number, number * 960, number * 0.02)
    assert statistics.block(9, 109, 0, 0).fraction_lost == 0
