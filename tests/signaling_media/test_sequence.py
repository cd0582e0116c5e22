from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from signaling.media.sequence import LogNumbering, LogNumbers, Seen, Unwrapper, wire_offset
from signaling.ports import Anchor

numbers = st.integers(0, 2**40)


@given(numbers, st.lists(st.integers(-1000, 1000), max_size=50), st.sampled_from([16, 32]))
def test_an_anchor_makes_unwrapping_exact(anchor: int, steps: list[int], bits: int) -> None:
    unwrapper = Unwrapper(bits, anchor)
    number = anchor
    for step in steps:
        number += step
        assert unwrapper.unwrap(number & ((1 << bits) - 1)) == number


@given(st.integers(0, 0xFFFF), st.lists(st.integers(1, 3000), max_size=100))
def test_without_an_anchor_counting_goes_on_over_any_number_of_laps(start: int, steps: list[int]) -> None:
    unwrapper = Unwrapper(16)
    number = unwrapper.unwrap(start)
    assert number == start
    for step in steps:
        number += step
        assert unwrapper.unwrap(number & 0xFFFF) == number


@given(st.lists(st.integers(0, 300), max_size=200))
def test_a_number_is_new_once(arrivals: list[int]) -> None:
    seen, known = Seen(512), set[int]()
    for number in arrivals:
        assert seen.add(number) == (number not in known)
        known.add(number)


def test_what_is_too_old_to_tell_counts_as_seen() -> None:
    seen = Seen(8)
    assert seen.add(100)
    assert not seen.add(92)
    assert seen.add(93)


@given(st.integers(0, 2**34), st.integers(0, 5000), st.integers(0, 400))
def test_an_anchored_board_gets_its_own_numbers_back(sequence: int, behind: int, lead: int) -> None:
    anchor = Anchor(sequence, sequence * 960)
    numbering = LogNumbering(anchor)
    first = sequence + lead
    for number in (first, first + behind, first + 1):
        wire = (number - wire_offset(anchor.sequence)) & 0xFFFF
        assert numbering.number(wire, number * 960 & 0xFFFFFFFF) == LogNumbers(number, number * 960)


@given(numbers)
def test_an_anchored_stream_starts_in_the_lower_half(sequence: int) -> None:
    assert (sequence - wire_offset(sequence)) & 0xFFFF < 0x8000


def test_a_browser_counts_from_its_first_packet_and_nothing_lies_before_it() -> None:
    numbering = LogNumbering(None)
    assert numbering.number(65_535, 4_294_967_295) == LogNumbers(0, 0)
    assert numbering.number(1, 1919) == LogNumbers(2, 1920)
    assert numbering.number(65_534, 4_294_966_335) is None
