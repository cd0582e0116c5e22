"""How many rooms a recogniser carries, and which one is taken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_manager.capacity import (
    EASE,
    FIXTURE,
    PUBLISHED,
    Candidate,
    Cost,
    at_ease,
    estimate,
    largest,
    largest_estimated,
    lines_only,
    nearest,
)

SECONDS = st.floats(0.001, 50)
COSTS = st.builds(Cost, st.just(20.0), SECONDS, SECONDS, SECONDS, st.integers(0, 1 << 33))
CANDIDATES = st.lists(st.builds(Candidate, st.text(min_size=1), st.integers(1, 1 << 31), COSTS), max_size=6)


@given(COSTS)
def test_rooms_at_ease_leave_the_margin_and_one_more_would_not(cost: Cost) -> None:
    count = at_ease(cost)
    assert count * cost.load <= EASE * (1 + 1e-9)
    assert count == 999 or (count + 1) * cost.load > EASE * (1 - 1e-9)


@given(COSTS)
def test_lines_alone_are_never_carried_for_fewer(cost: Cost) -> None:
    assert lines_only(cost) >= at_ease(cost)


@given(CANDIDATES, st.integers(1, 20))
def test_the_largest_that_carries_enough_is_taken(candidates: list[Candidate], tracks: int) -> None:
    best = largest(candidates, tracks)
    fitting = [one for one in candidates if at_ease(one.cost) >= tracks]
    assert (best is None) == (not fitting)
    assert best is None or (best in fitting and best.size == max(one.size for one in fitting))


@given(CANDIDATES)
def test_when_none_carries_enough_the_quickest_is_nearest(candidates: list[Candidate]) -> None:
    near = nearest(candidates)
    assert (near is None) == (not candidates)
    assert near is None or near.cost.load == min(one.cost.load for one in candidates)


@given(COSTS)
def test_a_published_size_costs_more_the_more_it_multiplies(fixture: Cost) -> None:
    loads = [estimate(fixture, shape).load for shape in PUBLISHED]
    by_name = dict(zip((shape.name for shape in PUBLISHED), loads, strict=True))
    assert by_name["tiny"] < by_name["base"] < by_name["small"] < by_name["large-v3-turbo"] < by_name["medium"]
    assert fixture.load < by_name["tiny"]


@given(COSTS, st.integers(1, 10), st.integers(1, 10), st.integers(0, 1 << 34))
def test_more_rooms_or_less_memory_never_allow_a_larger_one(fixture: Cost, few: int, more: int, memory: int) -> None:
    few, many = sorted((few, few + more))
    places = [
        -1 if found is None else PUBLISHED.index(found)
        for found in (
            largest_estimated(fixture, few, memory),
            largest_estimated(fixture, many, memory),
            largest_estimated(fixture, few, memory // 2),
        )
    ]
    assert places[0] >= max(places[1:])


@given(COSTS)
def test_what_does_not_depend_on_the_model_is_not_scaled(fixture: Cost) -> None:
    assert all(estimate(fixture, shape).hearing_s == fixture.hearing_s for shape in PUBLISHED)
    same = estimate(fixture, FIXTURE)
    assert same.load == pytest.approx(fixture.load)


def test_the_estimate_is_near_what_was_timed_with_random_weights() -> None:
    """Seconds of work for a second of talk, two cores, int8 (decision 0037)."""
    timed = {"tiny": 0.0881, "base": 0.2273, "small": 0.5605, "medium": 1.7093, "large-v3-turbo": 1.3988}
    fixture = Cost(1.0, 0.0, 0.0162, 0.0058)
    for shape in PUBLISHED:
        assert 1 / 1.5 < estimate(fixture, shape).load / timed[shape.name] < 1.5
