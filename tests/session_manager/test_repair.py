"""The laws of repair: what is wanted, what is heard again, how lines meet what was heard."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_manager import repair
from session_manager.repair import GUARD, QUIET, RATE, Changes, Heard, Samples, StreamState

S = RATE


@dataclass(frozen=True)
class Line:
    line_id: str
    start_sample: int
    end_sample: int
    text: str
    suppressed: str | None = None
    edited_by: str | None = None


def heard(start: int, end: int, text: str, suppressed: str | None = None) -> Heard:
    return Heard(start, end, text, "ja", 0.9, suppressed)


# ---- numbers ---------------------------------------------------------------------------------------------------------

runs = st.lists(st.integers(1, 30), max_size=12).map(
    lambda steps: [
        range(sum(steps[: 2 * i + 1]), sum(steps[: 2 * i + 2])) for i in range(len(steps) // 2) if steps[2 * i + 1]
    ]
)


@given(runs, st.integers(0, 100), st.integers(0, 300))
def test_what_is_absent_and_what_is_there_is_everything_once(present: list[range], first: int, length: int) -> None:
    missing = repair.absent(present, first, first + length)
    numbers = {number for one in missing for number in one}
    assert len(numbers) == sum(map(len, missing))
    assert numbers == {number for number in range(first, first + length) if not any(number in one for one in present)}
    assert all(repair.lacks(present, number) for number in numbers)


def test_the_newest_is_wanted_first_and_not_more_than_two_hundred_ranges() -> None:
    present = [range(2 * n, 2 * n + 1) for n in range(500)]
    wanted = repair.wanted(present, 0, 999, live=False)
    assert wanted[0] == range(997, 998)
    assert len(wanted) == repair.MAX_RANGES


def test_what_the_board_has_lost_is_not_asked_for() -> None:
    present = [range(0, 10), range(20, 30)]
    lost = ((12, 15), (18, 35))
    assert repair.wanted(present, 0, 50, False, lost) == [range(35, 50), range(15, 18), range(10, 12)]
    assert repair.absent(repair.known(present, ((10, 20), (30, 50))), 0, 50) == []


def test_what_may_still_be_on_its_way_is_not_wanted_while_the_stream_is_live() -> None:
    present = [range(10), range(20, 1000)]
    assert repair.wanted(present, 0, 1005, live=True) == [range(10, 20)]
    assert repair.wanted(present, 0, 1005, live=False) == [range(1000, 1005), range(10, 20)]


@pytest.mark.parametrize(
    ("told", "end_s", "closed", "origin"),
    [
        (1000.0, 99.0, False, 1000.0),  # its clock is a second behind: trusted
        (1000.0, 40.0, True, 1000.0),  # an old stream
        (1000.0, 90.0, False, 1010.0),  # open, so it ends now
        (1050.0, 100.0, True, 1000.0),  # nothing ends in the future
    ],
)
def test_the_boards_clock_is_taken_unless_it_is_wrong(told: float, end_s: float, closed: bool, origin: float) -> None:
    assert repair.origin(told, round(end_s * S), closed, now=1100.0) == origin


@pytest.mark.parametrize(
    ("told", "placed", "end_s", "origin"),
    [
        (4600.0, (1000.0, 0.01), 90.0, 1000.0),  # an hour wrong, and the board has seen our clock
        (1000.02, (1000.0, 1.5), 90.0, 1000.02),  # what was asked was late; the two clocks agree as far as one can see
        (1000.2, (1000.0, 0.1), 90.0, 1000.0),  # its own clock cannot be right
        (1000.0, (1000.0, 1.5), 40.0, 1000.0),  # and what it told of its end is old: no cause to move anything
        (4600.0, (1000.0, 60.0), 90.0, 1010.0),  # nobody knows: it ends now
        (4600.0, (1400.0, 0.01), 90.0, 1010.0),  # what cannot be is not believed
    ],
)
def test_where_a_board_puts_its_sound_on_our_clock_counts_as_far_as_it_can_be_sure(
    told: float, placed: tuple[float, float], end_s: float, origin: float
) -> None:
    assert repair.origin(told, round(end_s * S), False, 1100.0, placed) == origin


@given(
    st.floats(0, 1e4), st.floats(0, 1e3), st.none() | st.floats(0, 1e4), st.none() | st.floats(0, 1e4), st.floats(0, 1)
)
def test_a_stream_is_moved_only_out_of_the_way_of_its_neighbours(
    began: float, length_s: float, after: float | None, gap_s: float | None, share: float
) -> None:
    before = None if gap_s is None else (after or 0.0) + length_s + gap_s
    found = repair.between(began, length_s, after, before)
    assert after is None or found >= after
    assert before is None or found + length_s <= before + 1e-6
    if (after is None or began >= after) and (before is None or began + length_s <= before):
        assert found == pytest.approx(began)


@pytest.mark.parametrize(
    ("holes", "refused", "rested", "worth"),
    [
        ([], [], False, True),
        ([(0, 5)], [], False, False),
        ([(0, 5)], [], True, True),
        ([(0, 5)], [(4, 9)], True, False),  # the live run has heard it, the disk did not take it
        ([(0, 5)], [(5, 9)], True, True),
        ([], [(0, 5)], True, True),  # the board has brought it
    ],
)
def test_a_stretch_is_heard_again_when_that_can_only_make_it_better(
    holes: list[tuple[int, int]], refused: list[tuple[int, int]], rested: bool, worth: bool
) -> None:
    assert repair.is_worth_hearing(holes, refused, rested) is worth


# ---- regions ---------------------------------------------------------------------------------------------------------

spans = st.lists(
    st.tuples(st.integers(0, 120 * S), st.integers(1, 8 * S)).map(lambda one: (one[0], one[0] + one[1])), max_size=12
)


@given(spans, spans.filter(bool), st.integers(0, 140 * S), st.booleans())
def test_a_region_holds_its_holes_and_ends_in_silence(
    lines: list[tuple[int, int]], touched: list[tuple[int, int]], limit: int, live: bool
) -> None:
    found = repair.regions(touched, lines, limit, live=live)
    assert found == sorted(found)
    assert all(before.end < after.start for before, after in pairwise(found))
    for start, end in found:
        assert 0 <= start < end <= limit
        for one in lines:  # the grid moves the beginning by less than a window
            assert start == 0 or not one[0] - QUIET < start < one[1] + QUIET - 1536
            assert end == limit or not one[0] - QUIET < end < one[1] + QUIET
    for hole in touched:
        inside = [one for one in found if one.start <= hole[0] < one.end]
        assert len(inside) <= 1
        if not live and hole[0] < limit:
            assert inside
        if inside:
            assert inside[0].start <= max(0, hole[0] - GUARD)
            assert inside[0].end >= min(limit, hole[1] + GUARD)


def test_what_the_live_run_has_not_decided_is_left_to_it() -> None:
    assert repair.regions([(10 * S, 11 * S)], [], 12 * S, live=True) == []
    assert len(repair.regions([(10 * S, 11 * S)], [], 13 * S, live=True)) == 1


def test_a_sentence_that_left_no_line_when_its_sound_ended_is_heard_from_its_beginning() -> None:
    [found] = repair.regions([(204 * S, 209 * S)], [(199 * S, 201 * S), (212 * S, 214 * S)], 300 * S, live=True)
    assert 0 <= 201 * S + QUIET - found.start < 1536
    [alone] = repair.regions([(204 * S, 209 * S)], [(100 * S, 102 * S)], 300 * S, live=True)
    assert 0 <= 204 * S - GUARD - repair.REACH - alone.start < 1536


def test_a_line_across_the_mark_keeps_a_part_from_ending() -> None:
    assert repair.part_ends(0, 61 * S, [(10 * S, 20 * S)])
    assert not repair.part_ends(0, 61 * S, [(60 * S, 62 * S)])
    assert not repair.part_ends(0, 59 * S, [])


@given(spans, spans)
def test_common_is_what_lies_in_both(some: list[tuple[int, int]], others: list[tuple[int, int]]) -> None:
    one, two = repair.merged(some), repair.merged(others)
    both = repair.common(one, two)
    for start, end in both:
        assert any(a <= start and end <= b for a, b in one)
        assert any(a <= start and end <= b for a, b in two)
    whole = sum(b - a for a, b in one)
    assert (
        sum(b - a for a, b in both) + sum(part.end - part.start for span in one for part in _outside(span, two))
        == whole
    )


def _outside(span: Samples, taken: list[Samples]) -> list[Samples]:
    left = [span]
    for one in taken:
        left = [part for rest in left for part in repair.subtracted(rest, one)]
    return left


# ---- reconciling -----------------------------------------------------------------------------------------------------


def test_the_same_text_at_the_same_time_is_left_alone() -> None:
    lines = [Line("a", 0, 2 * S, "はい"), Line("b", 3 * S, 4 * S, "", "no_speech")]
    assert (
        repair.reconcile(lines, [heard(2000, 2 * S - 2000, "はい"), heard(3 * S, 4 * S, "", "no_speech")]) == Changes()
    )


def test_a_line_goes_on_as_what_was_heard_in_its_place() -> None:
    new = heard(0, 5 * S, "来月の交流会は勝本で開きます。")
    lines = [Line("a", 0, 2 * S, "来月の"), Line("b", 3 * S, 5 * S - 100, "勝本で開きます。")]
    changes = repair.reconcile(lines, [new])
    assert changes == Changes(revise=(("a", new),), retract=("b",)) or changes.revise == (("b", new),)
    assert len(changes.retract) == 1


def test_what_nobody_said_is_taken_back_and_what_was_missing_is_added() -> None:
    new = heard(10 * S, 12 * S, "勝本です。")
    assert repair.reconcile([Line("a", 0, S, "ん")], [new]) == Changes(retract=("a",), add=(new,))


def test_what_a_person_edited_is_never_touched_nor_said_twice() -> None:
    edited = Line("a", 0, 2 * S, "壱岐の島", edited_by="staff")
    assert repair.reconcile([edited], [heard(0, 2 * S, "いきの島")]) == Changes()
    assert repair.reconcile([edited], []) == Changes()


facts = st.lists(
    st.tuples(st.integers(0, 20), st.integers(1, 5), st.sampled_from("あいう"), st.sampled_from([None, "loop"])),
    max_size=6,
    unique_by=lambda one: one[0],
).map(lambda many: [heard(a * S, (a + length) * S, text, why) for a, length, text, why in many])


@given(facts, facts, st.sets(st.integers(0, 5)))
def test_doing_it_twice_changes_nothing(before: list[Heard], now: list[Heard], edited: set[int]) -> None:
    lines = [_line(str(n), one, "staff" if n in edited else None) for n, one in enumerate(before)]
    changes = repair.reconcile(lines, now)
    revised = dict(changes.revise)
    assert not {one.line_id for one in lines if one.edited_by} & {*revised, *changes.retract}
    after = [
        replace(_line(one.line_id, revised[one.line_id], None)) if one.line_id in revised else one
        for one in lines
        if one.line_id not in changes.retract
    ]
    after += [_line(f"new{n}", one, None) for n, one in enumerate(changes.add)]
    if not edited:
        assert sorted(map(_key, after)) == sorted(map(_key, now))
        assert repair.reconcile(after, now) == Changes()


def _line(line_id: str, one: Heard, edited_by: str | None) -> Line:
    return Line(line_id, one.start_sample, one.end_sample, one.text, one.suppressed, edited_by)


def _key(one: Line | Heard) -> tuple[int, int, str, str]:
    return one.start_sample, one.end_sample, one.text, one.suppressed or ""


# ---- completeness ----------------------------------------------------------------------------------------------------

GOOD = StreamState(board=True, decided=True, touched=False, closed=True, coming_s=0.0)


@pytest.mark.parametrize(
    ("streams", "silent", "complete"),
    [
        ([GOOD], [], True),
        ([], [], True),
        ([GOOD, replace(GOOD, coming_s=0.02)], [], False),
        ([replace(GOOD, closed=False)], [], False),
        ([replace(GOOD, closed=None)], [], False),
        ([replace(GOOD, board=False, closed=None)], [], True),
        ([replace(GOOD, touched=True)], [], False),
        ([replace(GOOD, decided=False)], [], False),
        ([GOOD], [999.0], False),
        ([GOOD], [1001.0, None], True),
    ],
)
def test_a_session_is_complete_when_nothing_more_will_come(
    streams: list[StreamState], silent: list[float | None], complete: bool
) -> None:
    assert repair.complete(streams, silent, ended_at=1000.0, now=2000.0) is complete
    assert repair.complete(streams, silent, ended_at=1000.0, now=1000.0 + repair.GIVE_UP_S)
