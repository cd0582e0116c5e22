"""Repair takes at most half of the line while somebody speaks on it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from room_agent.pace import LEAST_BYTES, MOST_BYTES, Pace


def share(pace: Pace, line: float, posts: int, *, live: bool, strained: bool = False) -> float:
    """Bytes sent in `posts` against what the line could have carried."""
    now, sent = 0.0, 0
    for _ in range(posts):
        size = pace.size(live)
        began, now = now, now + size / line
        pace.sent(size, began, now, live=live, strained=strained)
        sent += size
        now += pace.wait_s(now)
    return sent / line / now


@given(st.floats(2_000, 1e8), st.booleans())
def test_beside_live_sound_half_of_the_line_stays_free(line: float, strained: bool) -> None:
    assert share(Pace(), line, 50, live=True, strained=strained) <= (0.126 if strained else 0.501)


@given(st.floats(2_000, 1e8), st.floats(2_000, 1e8))
def test_also_when_the_line_changes(before: float, after: float) -> None:
    pace = Pace()
    share(pace, before, 20, live=True)
    assert share(pace, after, 50, live=True) <= 0.501


def test_alone_it_takes_the_whole_line() -> None:
    assert share(Pace(), 100_000, 20, live=False) == pytest.approx(1.0)


def test_a_post_beside_live_sound_is_short() -> None:
    pace = Pace()
    share(pace, 100_000, 20, live=True)
    assert pace.size(live=True) / 100_000 <= 0.051
    assert pace.size(live=False) == pytest.approx(100_000, rel=0.01)


@given(st.floats(1, 1e12), st.booleans())
def test_a_post_is_never_larger_than_the_hub_takes_nor_empty(rate: float, live: bool) -> None:
    assert LEAST_BYTES <= Pace(rate).size(live) <= MOST_BYTES
