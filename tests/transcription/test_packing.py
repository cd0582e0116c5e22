"""The body in which a board brings packets to the hub."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcription.audio_log import Packet, pack_packets, unpack_packets

_U64 = st.integers(0, (1 << 64) - 1)
_PACKETS = st.lists(st.builds(Packet, _U64, _U64, st.binary(min_size=1, max_size=200)), max_size=20)


@given(_PACKETS)
def test_what_is_packed_is_unpacked(packets: list[Packet]) -> None:
    assert unpack_packets(pack_packets(packets)) == packets


@given(_PACKETS.filter(bool), st.data())
def test_a_body_cut_within_a_packet_is_refused(packets: list[Packet], data: st.DataObject) -> None:
    last = len(pack_packets(packets[-1:]))
    cut = data.draw(st.integers(1, last - 1))
    with pytest.raises(ValueError, match="packet"):
        unpack_packets(pack_packets(packets)[:-cut])


@given(st.binary(max_size=300))
def test_any_other_bytes_are_refused_or_read_whole(body: bytes) -> None:
    try:
        packets = unpack_packets(body)
    except ValueError:
        return
    assert pack_packets(packets) == body
