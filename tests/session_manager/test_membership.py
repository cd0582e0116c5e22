"""The ladder: both sides climb, nothing falls by itself."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_manager.errors import NotPossible
from session_manager.membership import (
    Agreement,
    Level,
    Step,
    benefits,
    check_ladder,
    check_step,
    confirm,
    in_force,
    level_after,
)

STEP = Step("s", "m", 1, 2, "", 0.0)
moves = st.lists(st.tuples(st.integers(0, 4), st.lists(st.sampled_from(["city", "party"]), max_size=4)), max_size=12)


@given(moves)
def test_a_level_is_where_the_last_step_that_both_sides_took_led(history: list[tuple[int, list[str]]]) -> None:
    taken, steps, level = [], [], 0
    for number, (to_level, sides) in enumerate(history):
        step = Step(str(number), "m", level, to_level, "", float(number))
        for side in sides:
            if step.open:
                step = confirm(step, side, f"{side}'s person", float(number))  # type: ignore[arg-type]
        steps.append(step)
        if {"city", "party"} <= set(sides):
            assert step.taken_at is not None
            taken.append(to_level)
            level = to_level
        else:
            assert step.taken_at is None
        assert level_after(steps) == (taken[-1] if taken else 0)


def test_the_same_person_cannot_speak_for_both_sides() -> None:
    with pytest.raises(NotPossible, match="both"):
        confirm(confirm(STEP, "city", "p", 1.0), "party", "p", 2.0)


def test_a_step_that_was_taken_is_history() -> None:
    taken = confirm(confirm(STEP, "city", "c", 1.0), "party", "p", 2.0)
    assert taken.taken_at == 2.0
    with pytest.raises(NotPossible, match="no longer open"):
        confirm(taken, "city", "c", 3.0)


@pytest.mark.parametrize(
    ("level", "to", "fine"), [(0, 1, True), (1, 3, False), (3, 1, True), (2, 2, False), (4, 5, False), (0, -1, False)]
)
def test_one_rung_at_a_time_upwards(level: int, to: int, fine: bool) -> None:
    if fine:
        check_step(level, to, 4)
    else:
        with pytest.raises(NotPossible):
            check_step(level, to, 4)


@pytest.mark.parametrize(
    "ladder", [[], [Level(2, "a")], [Level(1, "a"), Level(2, "a")], [Level(n, str(n)) for n in range(1, 14)]]
)
def test_a_ladder_without_order_is_refused(ladder: list[Level]) -> None:
    with pytest.raises(NotPossible):
        check_ladder(ladder)


def test_benefits_come_from_every_level_below_and_agreements_of_today() -> None:
    ladder = [Level(1, "知る", "", ("wifi",)), Level(2, "組む", "", ("seat",)), Level(3, "共に", "", ("room",))]
    deal = Agreement("a", "o", "協定", date(2026, 4, 1), date(2027, 3, 31), ("telework_free",))
    assert benefits(ladder, 2) == {"wifi", "seat"}
    assert benefits(ladder, 1, [deal], date(2027, 3, 31)) == {"wifi", "telework_free"}
    assert benefits(ladder, 1, [deal], date(2027, 4, 1)) == {"wifi"}
    assert not in_force(deal, date(2026, 3, 31))
