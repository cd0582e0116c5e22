"""What a door says of people, and the code that leads a phone to it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_manager.panel import SLOT_S, SLOTS, door_code, door_panel, initials
from session_manager.qr import modules

SECRET = bytes(range(32))
NOW = 1_780_000_000.0


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("先生", "先生"),
        ("参加者 一郎", "参一"),
        ("参加者　一郎", "参一"),
        ("ana maria lima", "AL"),
        ("Guest", "G"),
        ("", ""),
        ("  ", ""),
    ],
)
def test_initials_are_two_letters_at_most(name: str, short: str) -> None:
    assert initials(name) == short


@given(st.text(max_size=80))
def test_initials_never_give_a_longer_name_away(name: str) -> None:
    assert len(initials(name)) <= 4  # a letter may become two when it is made large
    assert len(name.split()) < 2 or name not in initials(name)


@given(st.floats(0, 2e9), st.floats(0, 1000))
def test_a_code_opens_its_own_door_for_two_to_three_minutes(shown: float, later: float) -> None:
    code = door_code(SECRET, "a1", shown)
    found = door_panel(SECRET, code, shown + later)
    if later <= SLOT_S * (SLOTS - 1):
        assert found == "a1"
    elif later >= SLOT_S * SLOTS:
        assert found is None


@given(st.text(max_size=80))
def test_no_other_text_opens_a_door(code: str) -> None:
    assert door_panel(SECRET, code, NOW) is None


def test_a_code_of_another_house_or_another_door_opens_nothing() -> None:
    code = door_code(SECRET, "a1", NOW)
    assert door_panel(bytes(32), code, NOW) is None
    assert door_panel(SECRET, code.replace("a1", "a2"), NOW) is None
    assert door_panel(SECRET, code, NOW - 3600) is None


def test_the_square_is_a_square_with_three_corners() -> None:
    rows = modules("https://hub.example/check-in#" + door_code(SECRET, "a" * 16, NOW))
    assert {len(row) for row in rows} == {len(rows)}
    assert all(corner.startswith("1111111") for corner in (rows[0], rows[-1], rows[0][::-1]))
    assert len(rows) <= 41  # still read from a small tablet
