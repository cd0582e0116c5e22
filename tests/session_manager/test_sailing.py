"""Whom a day without boats concerns."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from session_manager.booking_records import Booking, Wanted
from session_manager.sailing import Handled, Travel, back_again, concerned, crosses, settled, tomorrow
from session_manager.schedule import Wall

BOOKING = Booking(
    booking_id="b", municipality_id="m", series_id=None, position=0, title="打合せ", kind="plain", state="confirmed",
    starts=datetime(2026, 6, 1, 14), ends=datetime(2026, 6, 1, 16), zone="Asia/Tokyo", starts_at=1000, ends_at=2000,
    places=(Wanted("room"),), holder="p", user_class="partner", level=1, made_by="p", people=1, mode="in_person",
    languages=("ja",), confidential=False, link="", yen=0, price_reason="", created_at=0, expires_at=None,
    checked_in_at=None, ended_at=None, reason="", proposal=None, session_id=None, by_pass=False,
)  # fmt: skip
CROSSES = Travel(on_island=True, holder_crosses=True)


@pytest.mark.parametrize(
    ("booking", "travel", "expected"),
    [
        (BOOKING, CROSSES, True),
        (BOOKING, Travel(True, False, guests_cross=True), True),
        (replace(BOOKING, mode="hybrid"), CROSSES, True),
        (BOOKING, Travel(True, False, guests_stay=True), False),
        (BOOKING, Travel(False, True), False),
        (replace(BOOKING, mode="online", places=()), CROSSES, False),
        (replace(BOOKING, state="in_use"), CROSSES, False),
        (replace(BOOKING, state="cancelled"), CROSSES, False),
        (replace(BOOKING, ends_at=1500), CROSSES, False),
    ],
)
def test_who_is_concerned(booking: Booking, travel: Travel, expected: bool) -> None:
    assert concerned(booking, travel, now=1500) is expected


def test_the_room_stays_where_somebody_does() -> None:
    assert not CROSSES.somebody_stays
    assert Travel(True, True, guests_stay=True).somebody_stays
    assert Travel(True, False, guests_cross=True).somebody_stays


@pytest.mark.parametrize(
    ("own", "organisations", "expected"),
    [(None, True, True), (None, False, False), (False, True, False), (True, False, True)],
)
def test_a_person_s_own_word_beats_the_organisation_s(own: bool | None, organisations: bool, expected: bool) -> None:
    assert crosses(own, organisations) is expected


def test_tomorrow_is_the_same_hours_also_when_clocks_change() -> None:
    moved = tomorrow(Wall(datetime(2026, 3, 28, 14), datetime(2026, 3, 28, 16), "Europe/Berlin"))
    assert (moved.starts, moved.ends) == (datetime(2026, 3, 29, 14), datetime(2026, 3, 29, 16))


def test_who_was_asked_can_still_be_sent_remote_but_nobody_twice() -> None:
    asked = Handled("b", "", "ask", 5, None)
    assert not settled({"b": asked}, "b", "remote")
    assert settled({"b": asked}, "b", "ask")
    assert settled({"b": replace(asked, answer="tomorrow")}, "b", "release")
    assert settled({"b": Handled("b", "", "remote", None, None)}, "b", "release")
    assert not settled({}, "b", "ask")


@pytest.mark.parametrize(
    ("handled", "booking", "expected"),
    [
        (Handled("b", "", "ask", 5, None), BOOKING, "kept"),
        (Handled("b", "", "ask", 5, "remote"), BOOKING, "own_choice"),
        (Handled("b", "", "remote", None, None), replace(BOOKING, ends_at=10), "over"),
        (Handled("b", "", "remote", None, None), replace(BOOKING, mode="online", places=()), None),
        (Handled("b", "", "remote", None, None), replace(BOOKING, state="cancelled"), "changed"),
        (Handled("b", "", "remote", None, None), BOOKING, "changed"),
        (Handled("b", "", "release", None, None), replace(BOOKING, state="cancelled"), None),
    ],
)
def test_what_taking_it_back_means(handled: Handled, booking: Booking, expected: str | None) -> None:
    assert back_again(handled, booking, now=1500) == expected
