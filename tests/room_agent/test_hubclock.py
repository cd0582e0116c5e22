from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from room_agent.hubclock import DRIFT, KEPT, Exchange, HubClock

HUB_AT = 1_800_000_000.0
"""By the hub's clock, when ours reads nought."""
ROUNDING_S = 5e-6


@dataclass(frozen=True)
class Way:
    """One question: how long after the last, and how long there, at the hub, and back."""

    after_s: float
    there_s: float
    stay_s: float
    back_s: float


delays = st.floats(0.0, 5.0)
ways = st.builds(Way, st.floats(0.0, 60.0), delays, delays, delays)


def ask(clock: HubClock, now: float, way: Way, ahead_s: float, drift: float = 0.0) -> float:
    """Ask over `way`; the hub's clock is at `ahead_s` when ours is at nought. Ours when the answer is back."""

    def hub(ours: float) -> float:
        return ahead_s + ours * (1 + drift)

    came, left = now + way.there_s, now + way.there_s + way.stay_s
    clock.heard(Exchange(now, hub(came), hub(left), left + way.back_s))
    return left + way.back_s


@given(st.lists(ways, min_size=1, max_size=30), st.floats(-1e6, 1e6), st.floats(-DRIFT / 2, DRIFT / 2))
def test_no_estimate_is_wrong_by_more_than_half_the_best_round_trip_and_the_drift_since(
    asked: list[Way], ahead_s: float, drift: float
) -> None:
    clock, now = HubClock(), 0.0
    taken: list[tuple[float, float]] = []
    for way in asked:
        now = ask(clock, now + way.after_s, way, HUB_AT + ahead_s, drift)
        lasted_s = way.there_s + way.stay_s + way.back_s
        taken.append(((way.there_s + way.back_s + DRIFT * way.stay_s) / 2 + DRIFT * lasted_s, now))
        found = clock.instant(now)
        assert found is not None
        assert abs(found.at - (HUB_AT + ahead_s + now * (1 + drift))) <= found.within_s + ROUNDING_S
        best = min(half + DRIFT * (now - at) for half, at in taken[-KEPT:])
        assert found.within_s <= best + ROUNDING_S


@given(st.lists(ways, min_size=1, max_size=12), st.floats(-1e5, 1e5), ways)
def test_a_hub_whose_clock_is_set_is_believed_with_its_next_answer(asked: list[Way], step_s: float, last: Way) -> None:
    clock, now = HubClock(), 0.0
    for way in asked:
        now = ask(clock, now + way.after_s, way, HUB_AT)
    now = ask(clock, now, last, HUB_AT + step_s)
    found = clock.instant(now)
    assert found is not None
    hidden_s = 5.0 + (last.there_s + last.back_s) / 2  # smaller than a round trip, nobody can see it
    slack_s = (last.there_s + last.back_s) / 2 if abs(step_s) > 2 * hidden_s else abs(step_s) + hidden_s
    assert abs(found.at - (HUB_AT + step_s + now)) <= slack_s + 0.1


def test_an_answer_that_took_long_does_not_spoil_what_a_quick_one_said() -> None:
    clock = HubClock()
    now = ask(clock, 0.0, Way(0.0, 0.004, 0.1, 0.004), HUB_AT)
    now = ask(clock, now, Way(0.0, 0.0, 0.1, 3.0), HUB_AT)
    found = clock.instant(now)
    assert found is not None
    assert found.at == pytest.approx(HUB_AT + now, abs=1e-5)
    assert found.within_s < 0.005


def test_before_the_first_answer_nothing_is_known() -> None:
    assert HubClock().instant(1.0) is None


def test_an_answer_during_which_a_clock_was_set_tells_nothing() -> None:
    clock = HubClock()
    clock.heard(Exchange(0.0, HUB_AT, HUB_AT - 90.0, 1.0))
    clock.heard(Exchange(0.0, HUB_AT, HUB_AT + 90.0, 1.0))
    assert clock.instant(1.0) is None
