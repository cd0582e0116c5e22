"""What is held, sent and given up always adds up, and sound that the hub lacks never goes silently."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from room_agent.spool import (
    Limits,
    Run,
    Segment,
    SpoolIndex,
    Stream,
    count,
    duration_s,
    merged,
    without,
)

numbers = st.integers(0, 60)
runs = st.lists(st.builds(lambda a, b: Run(min(a, b), max(a, b)), numbers, numbers), max_size=8)


def members(some: object) -> set[int]:
    return {number for run in some for number in range(*run)}  # type: ignore[attr-defined]


@given(runs, runs)
def test_runs_are_sets_of_numbers(some: list[Run], others: list[Run]) -> None:
    one, other = merged(some), merged(others)
    assert members(one) == members(some)
    assert members(without(one, other)) == members(one) - members(other)
    assert count(one) == len(members(one))
    assert all(before.end < after.first for before, after in pairwise(one))


@pytest.mark.parametrize(
    ("payload", "ms"),
    [(b"\xf8\xff", 20), (b"\x78", 20), (b"\x10", 40), (b"\x18", 60),
     (b"\x08", 20), (b"\x7b\x03", 60), (b"\x79", 40), (b"", 0)],
)  # fmt: skip
def test_a_packet_says_how_long_it_is(payload: bytes, ms: float) -> None:
    assert duration_s(payload) == pytest.approx(ms / 1000)


def stream(epoch: int, session: str = "one", *, closed: bool = True) -> Stream:
    return Stream(epoch, session, 1000.0, closed=closed)


def segment(number: int, first: int, end: int, began_at: float = 0.0, size: int = 100) -> Segment:
    return Segment(number, began_at, (Run(first, end),), end * 960, size)


def test_the_hub_is_told_the_newest_first_and_what_is_missing_within() -> None:
    index = SpoolIndex()
    index.add(stream(1), [segment(0, 0, 50), segment(1, 60, 100)])
    index.add(stream(2, closed=False), [segment(0, 0, 10)])
    newest, oldest = index.holdings()
    assert (newest.epoch, newest.closed, newest.next_sequence) == (2, False, 10)
    assert (oldest.first_sequence, oldest.next_sequence, oldest.missing) == (0, 100, (Run(50, 60),))
    assert oldest.end_sample == 100 * 960
    assert index.unsent_s(1) == pytest.approx(90 * 0.02)


def test_what_the_hub_has_is_not_offered_again_and_what_it_does_not_know_neither() -> None:
    index = SpoolIndex()
    index.add(stream(1), [segment(0, 0, 50)])
    index.add(stream(2, "two"), [segment(0, 0, 50)])
    assert index.acknowledge(1, [Run(0, 20), Run(20, 50)])
    assert not index.acknowledge(1, [Run(3, 9)]), "no news"
    assert [each.epoch for each in index.holdings()] == [2]
    index.change(2, forsaken=True)
    assert (index.holdings(), index.busy()) == ([], False)


def test_unreadable_sound_is_not_offered() -> None:
    index = SpoolIndex()
    index.add(stream(1), [segment(0, 0, 50)])
    index.lose(1, (Run(10, 20),))
    assert index.holdings()[0].missing == (Run(10, 20),)
    assert count(index.unsent(1)) == 40


LIMITS = Limits(hours=1.0, min_free_bytes=1000, min_free_share=0.5)
TOTAL = 1_000_000


def shelf() -> SpoolIndex:
    """Epochs 1 and 3 are with the hub, 2 and 4 are not; 3 and 4 are young."""
    index = SpoolIndex()
    for epoch, began_at in ((1, 0.0), (2, 0.0), (3, 9000.0), (4, 9000.0)):
        index.add(stream(epoch), [segment(0, 0, 50, began_at)])
        if epoch in (1, 3):
            index.acknowledge(epoch, [Run(0, 50)])
    return index


@pytest.mark.parametrize(
    ("free", "gone", "level"),
    [(100_000, [1], "near"), (999, [1], "near"), (850, [1, 3], "near"),
     (750, [1, 3, 2], "near"), (500, [1, 3, 2], "full")],
)  # fmt: skip
def test_what_goes_first_is_old_and_sent_and_what_is_unsent_and_young_never_goes(
    free: int, gone: list[int], level: str
) -> None:
    verdict = shelf().judge(10_000.0, free, TOTAL, LIMITS)
    assert [each.epoch for each in verdict.evict] == gone
    assert [each.lost for each in verdict.evict] == [() if each in (1, 3) else (Run(0, 50),) for each in gone]
    assert verdict.level == level


def test_with_room_for_hours_all_is_well_and_the_file_being_written_stays() -> None:
    index = shelf()
    writing = index.segments[1][0]
    verdict = index.judge(10_000.0, 10**9, 10**9, replace(LIMITS, min_free_share=0.01), writing)
    assert (verdict.level, verdict.evict) == ("ok", ())


files = st.tuples(st.integers(0, 10_000), st.booleans(), st.integers(1, 5000))


@given(st.lists(files, max_size=12), st.integers(0, 9000))
def test_nothing_unsent_goes_unless_it_is_old_and_all_that_is_sent_has_gone(
    parts: list[tuple[int, bool, int]], free: int
) -> None:
    index = SpoolIndex()
    for epoch, (began_at, sent, size) in enumerate(parts, 1):
        index.add(stream(epoch), [segment(0, 0, 50, float(began_at), size)])
        if sent:
            index.acknowledge(epoch, [Run(0, 50)])
    verdict = index.judge(10_000.0, free, TOTAL, LIMITS)
    gone = {each.epoch for each in verdict.evict}
    for epoch in gone:
        began_at, sent, _ = parts[epoch - 1]
        assert sent or began_at < 10_000 - 3600
        assert sent or all(other in gone for other, (_, safe, _) in enumerate(parts, 1) if safe)
    for each in verdict.evict:
        assert index.evicted(each.epoch, each.number), "a closed stream goes with its last file"
    assert set(index.streams) == set(range(1, len(parts) + 1)) - gone
