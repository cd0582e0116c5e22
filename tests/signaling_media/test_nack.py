from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from signaling.media.nack import MAX_MISSING, MAX_TRIES, RETRY_S, GapTracker, PacketRing


@given(st.sets(st.integers(1, 199)), st.randoms())
def test_what_is_asked_for_is_exactly_what_is_missing(lost: set[int], random: object) -> None:
    tracker = GapTracker()
    for number in range(201):
        if number not in lost:
            tracker.add(number, 0.0)
    assert tracker.due(0.0) == sorted(lost)
    for number in lost:
        tracker.add(number, 0.1)
    assert not tracker
    assert tracker.due(10.0) == []


def test_a_hole_is_asked_for_at_once_then_ever_more_rarely_and_at_most_five_times() -> None:
    tracker = GapTracker()
    tracker.add(0, 0.0)
    assert not tracker.add(2, 0.0)
    asked = [now for now in (step * 0.01 for step in range(150)) if tracker.due(now)]
    assert len(asked) == MAX_TRIES
    waits = [b - a for a, b in itertools.pairwise(asked)]
    assert all(wait >= RETRY_S * 2**place - 1e-9 for place, wait in enumerate(waits))
    assert tracker.given_up == 1
    assert not tracker


def asked_after_a_loss(tracker: GapTracker, at: int, began: float) -> list[float]:
    tracker.add(at, began)
    tracker.add(at + 2, began)
    return [now - began for now in (began + step * 0.01 for step in range(150)) if tracker.due(now)]


def test_sound_is_asked_for_steadily_while_the_line_answers_soon_and_rarely_when_it_does_not() -> None:
    tracker = GapTracker(sound=True)
    near = asked_after_a_loss(tracker, 0, 0.0)
    assert all(b - a < 1.5 * RETRY_S for a, b in itertools.pairwise(near))
    assert len(near) == MAX_TRIES
    for number in range(40):
        at = 10.0 + number
        tracker.add(10 * number + 10, at)
        tracker.add(10 * number + 12, at)
        tracker.due(at)
        tracker.add(10 * number + 11, at + 0.28)  # a queue of 200 ms on a line of 80 ms
        tracker.due(at + 0.5)
    far = asked_after_a_loss(tracker, 1000, 100.0)
    assert far[-1] > 2 * near[-1]


@given(st.lists(st.integers(0, 5000), max_size=200))
def test_memory_is_bounded_whatever_comes(arrivals: list[int]) -> None:
    tracker = GapTracker()
    for place, number in enumerate(arrivals):
        tracker.add(number, place * 0.001)
        assert len(tracker.due(1e9)) <= MAX_MISSING


def test_a_stall_is_not_asked_for() -> None:
    tracker = GapTracker()
    tracker.add(0, 0.0)
    tracker.add(MAX_MISSING + 2, 0.0)
    assert tracker.due(0.0) == []
    assert tracker.given_up == MAX_MISSING + 1


def test_late_packets_open_no_holes() -> None:
    tracker = GapTracker()
    tracker.add(10, 0.0)
    assert tracker.add(4, 0.0)
    assert not tracker


@given(st.lists(st.integers(0, 3000), max_size=300))
def test_the_ring_gives_the_newest_and_forgets_the_rest(puts: list[int]) -> None:
    ring: PacketRing[int] = PacketRing(64)
    latest: dict[int, int] = {}
    for number in puts:
        ring.put(number, -number)
        latest[number % 64] = number
    for number in set(puts):
        assert ring.get(number) == (-number if latest[number % 64] == number else None)
