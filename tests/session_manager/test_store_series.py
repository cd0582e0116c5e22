"""Series in the database: every date checked, changed by one, the later or all; and the session that each date is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from session_manager.booking_records import (
    Booking,
    BookingChange,
    NewSeries,
    Refused,
    Series,
    SeriesRefused,
    Wanted,
)
from session_manager.errors import NotFound
from session_manager.schedule import Wall, interval
from session_manager.series import Change, SeriesDate, nth_weekday
from tests.session_manager.hall import NOW
from tests.session_manager.house import MONDAY, ZONE, Databases, House, assert_nothing_overlaps, at, build, held

HOUR = 3600


@pytest.fixture
def house(databases: Databases) -> House:
    return build(databases.open(databases.new()))


def test_a_year_of_evenings_is_made_at_once_with_the_clashing_date_kept_as_wanted(house: House) -> None:
    evening = Wall(MONDAY.replace(day=10, hour=18, minute=30), MONDAY.replace(day=10, hour=20, minute=30), ZONE)
    august = evening.starts.replace(month=8, day=12)
    other = house.book(Wall(august, august + timedelta(hours=1), ZONE))
    new = NewSeries(house.wish(evening, kind="dialogue"), nth_weekday(2, 2, 12))
    shown = house.store.quote_series(new, NOW)
    assert [one.position for one in shown if not one.quote.possible] == [2]
    assert "skip" in [one.kind for one in shown[2].quote.suggestions]
    assert house.store.bookings(int(NOW), int(NOW) + 400 * 86_400) == [other]
    assert isinstance(house.store.book_series(new, NOW), SeriesRefused)
    made = house.store.book_series(replace(new, skip=frozenset({2})), NOW)
    assert isinstance(made, Series)
    assert [one.state for one in made.dates] == ["confirmed"] * 2 + ["wanted"] + ["confirmed"] * 9
    assert {one.starts.weekday() for one in made.dates} == {2}
    wanted = made.dates[2]
    assert isinstance(house.store.readd(wanted.booking_id, "me", NOW), Refused)
    house.store.cancel(other.booking_id, "", "me", NOW)
    again = house.store.readd(wanted.booking_id, "me", NOW)
    assert isinstance(again, Booking)
    assert (again.state, again.session_id is not None) == ("confirmed", True)


def test_one_date_this_and_later_or_all_are_changed_together_or_not_at_all(house: House) -> None:
    made = house.store.book_series(NewSeries(house.wish(at(1)), "FREQ=WEEKLY;COUNT=4"), NOW)
    assert isinstance(made, Series)
    later = house.store.change_series(made.series_id, 2, "this_and_later", Change(clock=(14, 0)), "me", NOW)
    assert isinstance(later, Series)
    assert [one.starts.hour for one in later.dates] == [10, 10, 14, 14]
    house.book(at(6, day=7))
    refused = house.store.change_series(made.series_id, 0, "all", Change(clock=(15, 0)), "me", NOW)
    assert isinstance(refused, SeriesRefused)
    assert [one.quote.possible for one in refused.dates] == [True, False, True, True]
    assert house.store.series(made.series_id) == later
    stepped = house.store.change_series(made.series_id, 0, "all", Change(days=7), "me", NOW)
    assert isinstance(stepped, Series)
    assert stepped.dates[0].starts == made.dates[1].starts
    gone = house.store.cancel_series(made.series_id, 1, "this_and_later", "", "me", NOW)
    assert [one.state for one in gone.dates] == ["confirmed"] + ["cancelled"] * 3
    assert_nothing_overlaps(house.store)


def test_the_course_of_seven_has_its_own_dates_and_a_switch_to_online_frees_one_room(house: House) -> None:
    days = [at(1.5, 6.5, day) for day in (5, 12, 20)] + [at(9, 3, day) for day in (1, 8, 15, 22)]
    dates = [SeriesDate(time, "in_person" if time.starts.hour == 10 else "online") for time in days]
    made = house.store.book_series(NewSeries(house.wish(days[0], kind="seminar"), dates=tuple(dates)), NOW)
    assert isinstance(made, Series)
    assert [one.mode for one in made.dates].count("online") == 4
    assert len(held(house.store)) == 3
    assert len({one.session_id for one in made.dates}) == 7
    assert [len(one.places) for one in made.dates if one.mode == "online"] == [0] * 4
    room = next(one for one in made.dates if one.mode == "in_person")
    switched = house.store.change(room.booking_id, BookingChange(mode="online"), "me", NOW)
    assert isinstance(switched, Booking)
    assert len(held(house.store)) == 2
    assert switched.session_id == room.session_id
    assert house.store.session(str(room.session_id)).sites == ()
    assert [one for one in house.store.series(made.series_id).dates if one.booking_id != room.booking_id] == [
        one for one in made.dates if one.booking_id != room.booking_id
    ]


def test_the_evening_that_was_booked_is_the_session_that_runs(house: House) -> None:
    house.store.add_board(house.big.place_id, "ボード", NOW)
    booking = house.book(at(1, 2), kind="dialogue", title="対話の夕べ", languages=("ja", "en"))
    session = house.store.session(str(booking.session_id))
    assert (session.title, session.starts_at, session.timezone) == ("対話の夕べ", booking.starts_at, ZONE)
    assert [(one.name, one.room_id, one.languages) for one in session.sites] == [
        ("壱岐", house.big.place_id, ("ja", "en"))
    ]
    assert len(house.store.seats(session.session_id)) == 1
    change = BookingChange(time=at(3, 2), places=(Wanted(house.small.place_id),), title="別の夕べ")
    assert isinstance(house.store.change(booking.booking_id, change, "me", NOW), Booking)
    moved = house.store.session(session.session_id)
    assert (moved.title, moved.starts_at) == ("別の夕べ", interval(at(3, 2)).starts_at)
    assert [one.room_id for one in moved.sites] == [house.small.place_id]
    assert house.store.seats(session.session_id) == []
    house.store.add_invitation(session.session_id, "participant", NOW + 60, None)
    assert house.store.cancel(booking.booking_id, "欠航", "me", NOW).session_id is None
    with pytest.raises(NotFound):
        house.store.session(session.session_id)
    assert house.book(at(5)).session_id is None
