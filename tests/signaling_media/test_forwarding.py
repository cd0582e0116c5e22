"""Laws of the rewriting core, whatever a source does."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from signaling.media.forwarding import MAX_JUMP, SEGMENTS, Numbers, SlotStream, SourceClock


@dataclass(frozen=True)
class Run:
    """A stretch of one source: where it starts, and for each packet how many numbers and ticks it goes on."""

    sequence: int
    timestamp: int
    steps: tuple[tuple[int, int], ...]
    pause_s: float


runs = st.lists(
    st.builds(
        Run,
        sequence=st.integers(0, 0xFFFF),
        timestamp=st.integers(0, 0xFFFFFFFF),
        steps=st.lists(st.tuples(st.integers(1, 5), st.integers(0, 3000)), max_size=30).map(tuple),
        pause_s=st.floats(0, 100),
    ),
    min_size=1,
    max_size=6,
)


@dataclass(frozen=True)
class Sent:
    source: int
    sequence_in: int
    timestamp_in: int
    numbers: Numbers


def play(runs: list[Run], stream: SlotStream[int]) -> list[Sent]:
    """Feed the runs one after the other, each through its own clock, as the forwarder does."""
    sent: list[Sent] = []
    now = 0.0
    for source, run in enumerate(runs):
        clock = SourceClock()
        sequence, timestamp = run.sequence, run.timestamp
        for step, ticks in ((0, 0), *run.steps):
            sequence, timestamp, now = sequence + step, timestamp + ticks, now + 0.02
            placed = clock.place(sequence & 0xFFFF, timestamp & 0xFFFFFFFF)
            if not stream.segment_open:
                stream.begin(source, placed.sequence, placed.timestamp, now)
            numbers = stream.rewrite(placed.sequence, placed.timestamp)
            assert numbers is not None
            sent.append(Sent(source, placed.sequence, placed.timestamp, numbers))
        assert clock.highest_sequence is not None
        stream.hold(clock.highest_sequence, clock.highest_timestamp, now)
        now += run.pause_s
    return sent


def steps16(sent: list[Sent]) -> list[int]:
    return [(b.numbers.sequence - a.numbers.sequence) & 0xFFFF for a, b in itertools.pairwise(sent)]


@given(runs, st.integers(0, 0x7FFF), st.integers(0, 0xFFFFFFFF))
def test_a_slot_has_no_hole_that_its_source_did_not_have(runs: list[Run], first: int, time: int) -> None:
    sent = play(runs, SlotStream(48_000, first, time))
    expected = [b.sequence_in - a.sequence_in if a.source == b.source else 1 for a, b in itertools.pairwise(sent)]
    assert steps16(sent) == expected
    assert sent[0].numbers.sequence == first


@given(runs, st.integers(0, 0x7FFF), st.integers(0, 0xFFFFFFFF))
def test_time_never_goes_back_and_moves_on_between_sources(runs: list[Run], first: int, time: int) -> None:
    sent = play(runs, SlotStream(48_000, first, time))
    for a, b in itertools.pairwise(sent):
        step = (b.numbers.timestamp - a.numbers.timestamp) & 0xFFFFFFFF
        assert step < 1 << 31
        if a.source != b.source:
            assert step >= 960


@given(runs, st.integers(0, 0x7FFF))
def test_what_was_sent_is_found_under_its_number(runs: list[Run], first: int) -> None:
    stream: SlotStream[int] = SlotStream(90_000, first, 0)
    sent = play(runs, stream)
    remembered = range(max(0, len(runs) - SEGMENTS), len(runs))
    for packet in sent:
        if packet.source in remembered:
            origin = stream.origin(packet.numbers.sequence, 0)
            assert origin is not None
            assert (origin.source, origin.sequence) == (packet.source, packet.sequence_in)
            assert (packet.timestamp_in + origin.timestamp_offset) & 0xFFFFFFFF == packet.numbers.timestamp


def test_a_number_is_found_after_more_packets_than_a_lap_has() -> None:
    stream: SlotStream[str] = SlotStream(48_000, 7, 0)
    stream.begin("mic", 0, 0, 0.0)
    highest = 200_000
    wire = stream.rewrite(highest - 3, 0)
    assert wire is not None
    origin = stream.origin(wire.sequence, highest)
    assert origin is not None
    assert origin.sequence == highest - 3


def test_packets_older_than_the_segment_are_not_sent() -> None:
    stream: SlotStream[str] = SlotStream(48_000, 0, 0)
    stream.begin("mic", 100, 96_000, 0.0)
    assert stream.rewrite(99, 95_040) is None
    assert stream.rewrite(100, 96_000) == Numbers(0, 0)


@given(st.integers(0, 0xFFFF), st.integers(MAX_JUMP + 1, 0x7FFF), st.booleans())
def test_a_large_jump_is_a_source_that_started_anew(start: int, jump: int, forward: bool) -> None:
    clock = SourceClock()
    clock.place(start, 0)
    assert clock.place((start + (jump if forward else -jump)) & 0xFFFF, 960).restarted


@given(st.integers(0, 0xFFFF), st.integers(1, MAX_JUMP))
def test_loss_and_reordering_are_not_a_restart(start: int, step: int) -> None:
    clock = SourceClock()
    clock.place(start, 0)
    ahead = clock.place((start + step) & 0xFFFF, 960 * step)
    late = clock.place(start, 0)
    assert ahead.newest
    assert not ahead.restarted
    assert not late.newest
    assert not late.restarted
    assert ahead.sequence - late.sequence == step


@given(st.integers(0, 0xFFFF), st.integers(1, 2**31 - 1))
def test_a_timestamp_that_goes_back_is_a_source_that_started_anew(start: int, back: int) -> None:
    clock = SourceClock()
    clock.place(start, 5)
    assert clock.place((start + 1) & 0xFFFF, (5 - back) & 0xFFFFFFFF).restarted
