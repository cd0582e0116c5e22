"""The judge of the fault suite: what it calls equal, and what it never does."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.faults.compare import Said, compare

HELLO = Said("iki", 1.0, 3.0, "はい、よく聞こえます。")
AGREED = Said("iki", 4.0, 5.0, "賛成です。")
OTHER = Said("fukuoka", 4.2, 6.0, "私もそう思います。")
SCRIPT = [HELLO, AGREED, OTHER]


def test_a_transcript_equals_itself_in_any_order() -> None:
    assert compare(SCRIPT, SCRIPT[::-1]).equal


@pytest.mark.parametrize(
    ("found", "kinds"),
    [
        pytest.param([HELLO, OTHER], ["missing"], id="a line is gone"),
        pytest.param([], ["missing"] * 3, id="all are gone"),
        pytest.param([*SCRIPT, HELLO], ["twice"], id="a line is there again"),
        pytest.param([*SCRIPT, Said("iki", 2.0, 3.0, "聞こえます。")], ["twice"], id="half of a line is there again"),
        pytest.param([*SCRIPT, Said("iki", 8.0, 9.0, "賛成です。")], ["extra"], id="a line that nobody said then"),
        pytest.param([HELLO, AGREED, replace(OTHER, text="私も")], ["text"], id="other words"),
        pytest.param([HELLO, AGREED, replace(OTHER, site="iki")], ["missing", "twice"], id="another site"),
        pytest.param([replace(HELLO, start_s=1.06), AGREED, OTHER], ["time"], id="a late start"),
        pytest.param([replace(HELLO, end_s=2.94), AGREED, OTHER], ["time"], id="an early end"),
        pytest.param([replace(HELLO, start_s=3.0, end_s=5.0), OTHER, AGREED], ["missing", "twice"], id="far away"),
    ],
)
def test_a_difference_is_named(found: list[Said], kinds: list[str]) -> None:
    assert [one.kind for one in compare(SCRIPT, found).differences] == kinds


def test_fifty_milliseconds_are_no_difference_and_are_told() -> None:
    found = compare([HELLO], [replace(HELLO, start_s=1.04, end_s=2.96)])
    assert found.equal
    assert found.moved_s == pytest.approx(0.04)


@given(st.permutations(SCRIPT), st.integers(0, 2), st.floats(-0.5, 0.5))
def test_no_repeat_goes_unseen(said: list[Said], which: int, away_s: float) -> None:
    again = replace(said[which], start_s=said[which].start_s + away_s, end_s=said[which].end_s + away_s)
    found = compare(SCRIPT, [*said, again])
    assert [one.kind in ("twice", "extra") for one in found.differences].count(True) == 1


@given(st.lists(st.sampled_from(SCRIPT), unique=True))
def test_every_missing_line_is_counted(kept: list[Said]) -> None:
    found = compare(SCRIPT, kept)
    assert [one.kind for one in found.differences] == ["missing"] * (3 - len(kept))
