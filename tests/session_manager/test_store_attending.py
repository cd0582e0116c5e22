"""What becomes of a booking by people's word and by time alone: approved, offered, come to, released."""

from __future__ import annotations

import pytest

from session_manager.booking import Attendance
from session_manager.booking_records import (
    Booking,
    BookingChange,
    NewSeries,
    Refused,
    Series,
)
from session_manager.errors import NotPossible
from session_manager.schedule import interval
from tests.session_manager.hall import NOW
from tests.session_manager.house import Databases, House, at, build, held

HOUR = 3600


@pytest.fixture
def house(databases: Databases) -> House:
    return build(databases.open(databases.new()))


def test_a_request_waits_for_approval_shows_its_rivals_and_sends_losers_to_the_waiting_list(house: House) -> None:
    hall = house.place("room", "ホール", capacity=100, needs_approval=True)
    first, second = house.book(at(1), hall), house.book(at(1.5), hall, now=NOW + 5)
    assert (first.state, second.state) == ("requested", "requested")
    assert [one.booking_id for one in house.store.rivals(first.booking_id)] == [second.booking_id]
    approved = house.store.approve(second.booking_id, "office", NOW + 10)
    assert isinstance(approved, Booking)
    assert approved.state == "confirmed"
    assert house.store.booking(first.booking_id).state == "waiting"
    house.store.cancel(second.booking_id, "", "office", NOW + 20)
    assert house.store.booking(first.booking_id).state == "requested"
    assert house.store.decline(first.booking_id, "満室", "office", NOW + 30).reason == "満室"


def test_an_unanswered_request_ends_by_itself(house: House) -> None:
    hall = house.place("room", "ホール", capacity=100, needs_approval=True)
    asked = house.book(at(1, day=14), hall)
    assert asked.expires_at == int(NOW) + 3 * 86_400
    assert house.store.tick(NOW + 3 * 86_400 - 1) == 0
    assert house.store.tick(NOW + 3 * 86_400) == 1
    assert house.store.booking(asked.booking_id).state == "expired"


def test_a_new_time_is_approved_again_and_the_old_one_is_kept_till_then(house: House) -> None:
    hall = house.place("room", "ホール", capacity=100, needs_approval=True)
    booking = house.book(at(1), hall)
    house.store.approve(booking.booking_id, "office", NOW)
    moved = house.store.change(booking.booking_id, BookingChange(time=at(3)), "me", NOW)
    assert isinstance(moved, Booking)
    assert (moved.state, moved.time, moved.proposal is not None) == ("confirmed", at(1), True)
    assert [one[2] for one in held(house.store)] == [interval(at(1))]
    done = house.store.approve(booking.booking_id, "office", NOW)
    assert isinstance(done, Booking)
    assert (done.time, done.proposal) == (at(3), None)
    assert [one[2] for one in held(house.store)] == [interval(at(3))]


def test_what_becomes_free_is_offered_to_who_waits_longest_and_held_for_a_while(house: House) -> None:
    taken = house.book(at(1))
    waiting = [house.book(at(1), wait=True, now=NOW + number) for number in (1, 2)]
    house.store.cancel(taken.booking_id, "", "me", NOW + 10)
    offered = house.store.booking(waiting[0].booking_id)
    assert (offered.state, offered.expires_at) == ("offered", int(NOW) + 10 + 12 * HOUR)
    assert isinstance(house.store.book(house.wish(at(1)), NOW + 11), Refused)
    house.store.tick(NOW + 10 + 12 * HOUR)
    assert [house.store.booking(one.booking_id).state for one in waiting] == ["expired", "offered"]
    accepted = house.store.accept(waiting[1].booking_id, "me", NOW + 13 * HOUR)
    assert accepted.state == "confirmed"


def test_ending_early_offers_the_rest_to_who_waits(house: House) -> None:
    here = house.book(at(1, 3))
    waiting = house.book(at(1, 3), wait=True, now=NOW + 1)
    house.store.check_in(here.booking_id, "me", here.starts_at)
    house.store.end_booking(here.booking_id, "me", here.starts_at + HOUR)
    offered = house.store.booking(waiting.booking_id)
    assert (offered.state, offered.expires_at) == ("offered", here.starts_at + HOUR + 600)
    assert house.store.accept(waiting.booking_id, "me", here.starts_at + HOUR + 60).state == "in_use"


def test_nobody_came_so_the_room_is_free_and_three_times_in_a_row_is_a_strike(house: House) -> None:
    made = house.store.book_series(NewSeries(house.wish(at(1)), "FREQ=DAILY;COUNT=4"), NOW)
    assert isinstance(made, Series)
    for number, booking in enumerate(made.dates[:3]):
        assert house.store.tick(booking.starts_at + 899) == 0
        assert house.store.tick(booking.starts_at + 900) == 1
        assert house.store.booking(booking.booking_id).state == "released"
        assert house.store.series(made.series_id).strikes == number + 1
        assert house.store.conflicts(booking.places, booking.interval) == []
    assert house.store.series(made.series_id).struck_at == made.dates[2].starts_at + 900
    assert [one.what for one in house.store.booking_events(0)].count("series_struck") == 1
    last = made.dates[3]
    house.store.check_in(last.booking_id, "panel", last.starts_at - 900)
    assert house.store.series(made.series_id).strikes == 0
    house.store.tick(last.ends_at)
    assert house.store.booking(last.booking_id).state == "done"


def test_classes_evenings_whole_days_and_the_freshly_made_are_not_released(house: House) -> None:
    kept = [
        house.book(at(0), house.big, kind="dialogue"),
        house.book(at(0, 8), house.small),
        house.book(at(2), house.big, now=interval(at(2)).starts_at - HOUR),
    ]
    house.store.tick(interval(at(2.5)).starts_at)
    assert [house.store.booking(one.booking_id).state for one in kept] == ["done", "confirmed", "confirmed"]


def test_the_session_that_runs_counts_as_checking_in(house: House) -> None:
    booking = house.book(at(1), kind="telework")
    assert booking.session_id is not None
    house.store.set_state(booking.session_id, "planned", "live", booking.starts_at)
    house.store.tick(booking.starts_at + 1000)
    assert house.store.booking(booking.booking_id).state == "in_use"


def test_a_longer_meeting_stops_where_the_next_one_begins(house: House) -> None:
    first, _ = house.book(at(1)), house.book(at(3))
    assert house.store.extend(first.booking_id, HOUR, "me", first.starts_at).time == at(1, 2)
    with pytest.raises(NotPossible, match="after you"):
        house.store.extend(first.booking_id, 900, "me", first.starts_at)
    assert house.store.booking(first.booking_id).time == at(1, 2)
    evening = house.book(at(12))
    with pytest.raises(NotPossible, match="closed"):
        house.store.extend(evening.booking_id, HOUR, "me", evening.starts_at)


def test_a_place_with_its_own_patience_releases_by_it(house: House) -> None:
    quick = house.place("seat", "席1", attendance=Attendance(late_s=300))
    never = house.place("seat", "席2", attendance=Attendance(late_s=None))
    booked = [house.book(at(1), quick), house.book(at(1), never)]
    house.store.tick(booked[0].starts_at + 300)
    assert [house.store.booking(one.booking_id).state for one in booked] == ["released", "confirmed"]
