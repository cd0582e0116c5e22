"""Laws of the pacer: everything in order or thrown away whole, and never more in front of sound than it promises."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from signaling.media.pacing import BURST_S, LONGEST_S, Pacer

SIZES = st.integers(1, 1_400)
MOVES = st.lists(st.tuples(st.lists(SIZES, max_size=30), st.floats(0.0, 0.1)), max_size=30)


@given(st.floats(50, 5_000), MOVES)
def test_what_goes_out_never_exceeds_the_rate_by_more_than_a_burst_and_a_packet(
    kbps: float, moves: list[tuple[list[int], float]]
) -> None:
    pacer: Pacer[int] = Pacer(kbps)
    now, began, sent = 0.0, None, 0
    for sizes, passed in moves:
        now += passed
        for size in sizes:
            pacer.put(size, size)
        gone = sum(pacer.due(now))
        began = now if began is None else began
        sent += gone
        assert sent <= (now - began) * kbps * 125 + kbps * 125 * BURST_S + 1_400 + 1e-3


@given(st.floats(50, 5_000), MOVES)
def test_packets_come_in_order_each_at_most_once_and_all_are_accounted_for(
    kbps: float, moves: list[tuple[list[int], float]]
) -> None:
    pacer: Pacer[int] = Pacer(kbps)
    now, number, out = 0.0, 0, []
    for sizes, passed in moves:
        now += passed
        for size in sizes:
            pacer.put(size, number)
            number += 1
        out += pacer.due(now)
    assert out == sorted(set(out))
    assert len(out) + len(pacer.clear()) + pacer.dropped == number
    assert not pacer


def test_a_queue_longer_than_half_a_second_is_thrown_away_whole() -> None:
    pacer: Pacer[int] = Pacer(100)
    fits = int(100 * 125 * LONGEST_S / 1000)
    assert all(pacer.put(1000, number) for number in range(fits))
    assert not pacer.put(1000, fits)
    assert pacer.dropped == fits + 1
    assert not pacer


def test_a_single_packet_larger_than_the_burst_goes_at_once() -> None:
    pacer: Pacer[str] = Pacer(64)
    assert pacer.put(1_200, "packet")
    assert pacer.due(0.0) == ["packet"]
    assert pacer.put(1_200, "next")
    assert pacer.due(0.01) == []
    assert pacer.due(0.2) == ["next"]
