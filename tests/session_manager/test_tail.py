"""The tail of a stream: newest packets by running index."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from session_manager.tail import Tail
from transcription.audio_log import Packet


def packet(number: int) -> Packet:
    return Packet(number, number * 960, b"x")


def filled(count: int, capacity: int = 10) -> Tail:
    tail = Tail(capacity)
    for number in range(count):
        tail.push(packet(number))
    return tail


def test_a_reader_gets_what_follows_its_index() -> None:
    assert [one.sequence for one in filled(5).read(3) or []] == [3, 4]


def test_a_reader_at_the_end_gets_nothing_and_not_the_log() -> None:
    assert filled(5).read(5) == []


def test_a_reader_that_fell_off_is_told() -> None:
    assert filled(25).read(3) is None


def test_the_beginning_of_a_young_stream_is_found_in_the_tail() -> None:
    assert filled(5).index_from(0) == 0


def test_a_position_before_the_tail_is_not_found() -> None:
    assert filled(25).index_from(0) is None


def test_a_tail_that_is_still_empty_begins_at_its_first_packet() -> None:
    assert Tail().index_from(0) == 0


@given(st.integers(0, 400), st.integers(1, 200), st.integers(0, 400))
def test_beginning_where_the_tail_says_misses_nothing_from_that_sample_on(
    count: int, capacity: int, wanted: int
) -> None:
    tail = filled(count, capacity)
    index = tail.index_from(wanted * 960)
    if index is None:
        return
    got = {one.sequence for one in tail.read(index, 1_000) or []}
    assert got >= set(range(wanted, count))
