"""The lean answer of a week: minutes on the wall, numbers for texts, and who sees what."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_manager.booking import State
from session_manager.booking_records import Place
from session_manager.opening import OFFICE_DAY, OpenDay
from session_manager.records import Facility
from session_manager.schedule import instant
from session_manager.week import Eyes, Spot, WeekFacts, week_answer

ZONE = "Asia/Tokyo"
HOME = Facility("f", "壱岐", ZONE)
FIRST = date(2026, 6, 1)
TEN = datetime(2026, 6, 1, 10)
OFFICE, ADMINISTRATOR, CITIZEN = Eyes(True), Eyes(True, True), Eyes(False, False, "p")


def spot(
    number: int = 0,
    place: str = "a",
    state: State = "confirmed",
    holder: str = "office",
    title: str = "打合せ",
    confidential: bool = False,
    amount: int = 1,
) -> Spot:
    starts_at = instant(TEN + timedelta(hours=number), ZONE)
    return Spot(f"b{number}", place, title, state, starts_at, starts_at + 3600, holder, confidential, amount)


def facts(*spots: Spot, zone: str = ZONE, first: date = FIRST) -> WeekFacts:
    places = [
        Place("f", "room", "大会議室", 20, buffer_after_s=601, place_id="a"),
        Place("f", "area", "二階", place_id="b"),
        Place("f", "seat", "席", quantity=4, part_of="b", place_id="c"),
    ]
    days = [OpenDay(first, OFFICE_DAY), OpenDay(first + timedelta(days=1), (), "台風")]
    return WeekFacts(Facility("f", "壱岐", zone), [HOME], first, places, {"a": 1}, days, spots)


def test_a_week_is_places_days_and_bookings_by_number() -> None:
    answer = week_answer(facts(spot(), spot(1, "c"), spot(2, "a"), spot(2, "c", amount=2)), OFFICE)
    assert answer["booked"] == [
        ["b0", 600, 660, "c", 1, 0],
        ["b1", 660, 720, "c", 1, 2],
        ["b2", 720, 780, "c", 1, 0, 2, 2],
    ]
    assert answer["titles"] == ["", "打合せ"]
    places = [(one["in"], one["after"], one["boards"]) for one in answer["places"]]
    assert places == [(-1, 11, 1), (-1, 0, 0), (1, 0, 0)]
    assert answer["days"][1] == {"day": "2026-06-02", "hours": [], "note": "台風"}
    json.dumps(answer)


def test_a_municipality_without_a_facility_has_an_empty_week() -> None:
    answer = week_answer(WeekFacts(None, (), FIRST), OFFICE)
    assert (answer["facility_id"], answer["places"], answer["booked"]) == (None, [], [])


@pytest.mark.parametrize(
    ("eyes", "found", "seen"),
    [
        (OFFICE, spot(), ("b0", 1)),
        (OFFICE, spot(confidential=True), ("", 0)),
        (ADMINISTRATOR, spot(confidential=True), ("b0", 1)),
        (CITIZEN, spot(), ("", 0)),
        (CITIZEN, spot(holder="p"), ("b0", 1)),
        (CITIZEN, spot(holder="p", confidential=True), ("b0", 1)),
        (CITIZEN, spot(state="requested"), ("", 0)),
        (CITIZEN, spot(state="waiting"), None),
        (CITIZEN, spot(state="waiting", holder="p"), ("b0", 1)),
        (Eyes(False), spot(holder=""), ("", 0)),
    ],
)
def test_everybody_sees_that_it_is_taken_and_few_see_by_what(
    eyes: Eyes, found: Spot, seen: tuple[str, int] | None
) -> None:
    booked = week_answer(facts(found), eyes)["booked"]
    assert [(one[0], one[4]) for one in booked] == ([seen] if seen else [])


def test_a_citizens_answer_holds_no_word_of_others() -> None:
    text = json.dumps(week_answer(facts(spot(title="秘密の相談"), spot(1, holder="p")), CITIZEN), ensure_ascii=False)
    assert "秘密" not in text
    assert "打合せ" in text


@given(st.integers(0, 6), st.integers(0, 47), st.sampled_from(["Asia/Tokyo", "Europe/Berlin", "America/New_York"]))
def test_minutes_are_those_of_the_wall_also_when_the_clocks_change(day: int, half: int, zone: str) -> None:
    first = date(2027, 3, 22) if zone != "America/New_York" else date(2027, 3, 8)
    wall = datetime.combine(first, datetime.min.time()) + timedelta(days=day, minutes=30 * half)
    at = instant(wall, zone)
    one = Spot("b", "a", "x", "confirmed", at, at + 1800, "h", False)
    (booked,) = week_answer(facts(one, zone=zone, first=first), OFFICE)["booked"]
    skipped = booked[1] - (day * 1440 + 30 * half)
    assert skipped in (0, 60)  # an hour that the clocks leave out is shown as the next
