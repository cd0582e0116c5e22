"""The table of a booking's states, and what the clock makes due."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_manager.booking import (
    HOLDING,
    MOVES,
    OVER,
    PENDING,
    Attendance,
    Event,
    Facts,
    State,
    after,
    due,
    exempt,
    may_check_in,
    offer_until,
    refusal,
    request_until,
)

STATES: list[State] = sorted(HOLDING | PENDING | OVER)
START, END = 1_000_000, 1_003_600


def facts(state: State = "confirmed", **more: object) -> Facts:
    return Facts(**{"state": state, "kind": "plain", "starts_at": START, "ends_at": END, "created_at": 0, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(("state", "event"), list(product(sorted(OVER), Event)))
def test_nothing_leaves_what_is_over(state: State, event: Event) -> None:
    assert after(state, event) is None
    assert refusal(state).endswith(".")


def test_only_an_approval_an_offer_or_a_second_try_takes_a_place() -> None:
    taking = {event for (old, event), new in MOVES.items() if old not in HOLDING and new in HOLDING}
    assert taking == {Event.APPROVE, Event.OFFER, Event.TAKE}


def test_everything_that_is_not_over_can_be_cancelled_and_ends_with_time() -> None:
    for state in HOLDING | PENDING:
        assert after(state, Event.CANCEL) == "cancelled"
        event = due(facts(state), Attendance(), END)
        assert event is not None
        assert after(state, event) in OVER


@given(st.sampled_from(STATES), st.integers(START - 5000, END + 5000), st.booleans(), st.integers(0, END))
def test_the_clock_only_makes_moves_that_the_table_has_and_comes_to_rest(
    state: State, now: int, met: bool, created_at: int
) -> None:
    for _ in range(5):
        event = due(facts(state, met=met, created_at=created_at), Attendance(), now)
        if event is None:
            return
        moved = after(state, event)
        assert moved is not None
        state = moved
    raise AssertionError("it never rests")


@given(st.sampled_from(sorted(HOLDING)), st.integers(START - 5000, START))
def test_what_is_held_is_not_taken_away_before_it_begins(state: State, now: int) -> None:
    assert due(facts(state), Attendance(), now) is None


def test_nobody_came_by_a_quarter_past() -> None:
    assert due(facts(), Attendance(), START + 899) is None
    assert due(facts(), Attendance(), START + 900) is Event.RELEASE
    assert due(facts(met=True), Attendance(), START + 900) is Event.CHECK_IN
    assert due(facts("in_use"), Attendance(), START + 900) is None


@pytest.mark.parametrize(
    ("more", "spared"),
    [
        ({}, False),
        ({"kind": "remote_class"}, True),
        ({"kind": "dialogue"}, True),
        ({"ends_at": START + 8 * 3600}, True),
        ({"created_at": START - 7200}, True),
        ({"created_at": START - 7201}, False),
    ],
)
def test_who_is_spared(more: dict[str, object], spared: bool) -> None:
    assert exempt(facts(**more), Attendance()) is spared
    assert exempt(facts(**more), Attendance(late_s=None))


def test_checking_in_opens_a_quarter_before_and_closes_at_the_end() -> None:
    allowed = [may_check_in(facts(), Attendance(), now) for now in (START - 901, START - 900, END - 1, END)]
    assert allowed == [False, True, True, False]


def test_how_long_offers_and_requests_stand() -> None:
    assert offer_until(START, START - 3600) == START - 3000
    assert offer_until(START, START - 2 * 86_400) == START - 2 * 86_400 + 12 * 3600
    assert request_until(START, START - 100, 3600) == START
    assert due(facts("requested", expires_at=START - 50), Attendance(), START - 50) is Event.EXPIRE
    assert due(facts("waiting"), Attendance(), START) is None
    assert due(facts("offered", expires_at=START + 5), Attendance(), START + 5) is Event.EXPIRE
