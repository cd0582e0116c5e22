"""The table of a session's states."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_manager.lifecycle import STATES, TABLE, Event, Move, Refused, Stay, decide, leads
from session_manager.records import SessionState


def test_every_state_answers_every_event() -> None:
    assert set(TABLE) == set(product(STATES, Event))


@pytest.mark.parametrize("event", Event)
def test_nothing_leaves_ended(event: Event) -> None:
    assert not isinstance(decide("ended", event), Move)


@given(st.lists(st.sampled_from(Event)))
def test_any_row_of_events_only_goes_forward(events: list[Event]) -> None:
    state: SessionState = "planned"
    for event in events:
        outcome = decide(state, event)
        if isinstance(outcome, Move):
            assert STATES.index(outcome.to) == STATES.index(state) + 1
            state = outcome.to


def test_asking_twice_is_not_an_error_and_coming_back_is() -> None:
    assert decide("live", Event.START) == Stay()
    assert decide("ended", Event.END) == Stay()
    assert isinstance(decide("ended", Event.START), Refused)
    assert isinstance(decide("planned", Event.END), Refused)


def test_the_moves_are_these_three() -> None:
    moves = {(old, new) for old, new in product(STATES, STATES) if leads(old, new)}
    assert moves == {("planned", "live"), ("live", "ending"), ("ending", "ended")}
