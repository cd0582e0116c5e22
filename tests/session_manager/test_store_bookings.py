"""Bookings in the database, SQLite and PostgreSQL alike: never two in one place, whole or not at all."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from session_manager.booking import HOLDING, Attendance
from session_manager.booking_records import (
    Booking,
    BookingChange,
    NewSeries,
    Refused,
    Rules,
    Series,
    SeriesRefused,
    Wanted,
)
from session_manager.errors import NotFound, NotPossible, StoreFailed
from session_manager.opening import ALWAYS, Opening
from session_manager.pricing import Holder, Limits, PriceRule
from session_manager.schedule import Interval, Wall, clash, interval, merged
from session_manager.series import Change, SeriesDate, nth_weekday
from session_manager.store import Store
from tests.session_manager.hall import NOW
from tests.session_manager.house import MONDAY, ZONE, Databases, House, at, build
from tests.session_manager.kinds import postgresql

HOUR = 3600


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Databases]:
    folder = postgresql() if request.param == "postgresql" else None
    made = Databases(request.param, tmp_path, folder)
    yield made
    made.close()


@pytest.fixture
def house(databases: Databases) -> House:
    return build(databases.open(databases.new()))


def held(store: Store) -> list[tuple[str, int, Interval]]:
    with store._database.read() as connection:
        rows = connection.execute(text("SELECT place_id, unit, starts_at, ends_at FROM occupancies")).all()
    return [(row[0], row[1], Interval(row[2], row[3])) for row in rows]


def assert_nothing_overlaps(store: Store) -> None:
    rows = held(store)
    for number, (place, unit, time) in enumerate(rows):
        for other_place, other_unit, other in rows[number + 1 :]:
            assert (place, unit) != (other_place, other_unit) or not clash(time, other)


def test_a_taken_room_is_refused_with_what_would_do_instead(house: House) -> None:
    house.book(at(1, 2))
    refused = house.store.book(house.wish(at(2, 2)), NOW)
    assert isinstance(refused, Refused)
    assert refused.quote.problems == ("Somebody else has it then.",)
    assert [one.time for one in refused.quote.taken] == [interval(at(1, 2))]
    offers = {one.kind: one for one in refused.quote.suggestions}
    assert offers["shift"].time == interval(at(3, 2))
    assert offers["other_place"].place_id == house.small.place_id
    for offer in refused.quote.suggestions:
        places = house.small if offer.kind == "other_place" else house.big
        assert offer.time is not None
        assert house.store.conflicts([Wanted(places.place_id)], offer.time) == []


def test_touching_bookings_are_both_taken_and_buffers_keep_them_apart(house: House) -> None:
    house.book(at(1))
    house.book(at(2))
    cleaned = house.place("room", "調理室", buffer_after_s=600)
    house.book(at(1), cleaned)
    assert isinstance(house.store.book(house.wish(at(2), cleaned), NOW), Refused)
    house.book(at(2.25), cleaned)


def test_several_places_are_had_together_or_not_at_all(house: House) -> None:
    house.book(at(1), house.small)
    assert isinstance(house.store.book(house.wish(at(1), house.big, house.small), NOW), Refused)
    assert house.store.conflicts([Wanted(house.big.place_id)], interval(at(1))) == []
    both = house.book(at(3), house.big, house.small)
    assert [one.place_id for one in both.places] == [house.big.place_id, house.small.place_id]


def test_of_three_projectors_three_are_lent(house: House) -> None:
    projector = house.place("equipment", "プロジェクター", quantity=3)
    two = replace(house.wish(at(1)), places=(Wanted(projector.place_id, 2),))
    assert isinstance(house.store.book(two, NOW), Booking)
    assert isinstance(house.store.book(two, NOW), Refused)
    house.book(at(1), projector)
    assert isinstance(house.store.book(house.wish(at(1), projector), NOW), Refused)
    with pytest.raises(NotPossible, match="booked"):
        house.store.change_place(replace(projector, quantity=2))


def test_who_has_the_area_has_all_that_lies_in_it_also_what_is_added_later(house: House) -> None:
    area = house.place("area", "二階")
    seat = house.place("seat", "席1", part_of=area.place_id)
    house.book(at(1), area)
    assert isinstance(house.store.book(house.wish(at(1), seat), NOW), Refused)
    late = house.place("seat", "席2", part_of=area.place_id)
    assert isinstance(house.store.book(house.wish(at(1), late), NOW), Refused)
    house.book(at(3), seat)
    assert isinstance(house.store.book(house.wish(at(3), area), NOW), Refused)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO occupancies VALUES (:other, :place, 0, :mid, :end)",
        "UPDATE occupancies SET starts_at = :start WHERE booking_id = :other",
        "UPDATE occupancies SET place_id = :place, unit = 0 WHERE booking_id = :elsewhere",
    ],
)
def test_the_database_itself_refuses_an_overlap_by_any_statement(house: House, statement: str) -> None:
    first = house.book(at(1))
    other = house.book(at(2))
    elsewhere = house.book(at(1), house.small)
    with house.store._database.write() as connection:
        if statement.startswith("INSERT"):
            connection.execute(text("DELETE FROM occupancies WHERE booking_id = :b"), {"b": other.booking_id})
    values = {
        "other": other.booking_id,
        "elsewhere": elsewhere.booking_id,
        "place": house.big.place_id,
        "start": first.starts_at + 60,
        "mid": first.starts_at + 60,
        "end": first.ends_at + 60,
    }
    before = held(house.store)
    with pytest.raises(StoreFailed, match="no_overlap"), house.store._database.write() as connection:
        connection.execute(text(statement), values)
    assert sorted(held(house.store)) == sorted(before)


def test_fifty_clients_at_once_never_overlap(databases: Databases) -> None:
    """Several stores on one database, as several processes: none of them sees the others' lock."""
    address = databases.new()
    house = build(databases.open(address))
    stores = [house.store, *(databases.open(address) for _ in range(4))]
    projector = house.place("equipment", "プロジェクター", quantity=2)
    places = [house.big, house.small, projector]

    def client(number: int) -> list[str]:
        chance, store, mine, told = random.Random(number), stores[number % 5], [], []
        for _ in range(3):
            time = at(chance.randrange(8) / 2, chance.choice([0.5, 1, 2]))
            act = chance.choice(["book", "book", "wait", "change", "cancel"]) if mine else "book"
            try:
                if act in {"book", "wait"}:
                    wish = house.wish(time, *chance.sample(places, chance.choice([1, 2])))
                    made = store.book(wish, NOW, wait=act == "wait")
                elif act == "change":
                    made = store.change(chance.choice(mine), BookingChange(time=time), "x", NOW)
                else:
                    made = store.cancel(chance.choice(mine), "", "x", NOW)
            except NotPossible:
                continue
            told.append(type(made).__name__)
            mine += [made.booking_id] if isinstance(made, Booking) else []
        return told

    with ThreadPoolExecutor(50) as clients:
        answers = [one for told in clients.map(client, range(50)) for one in told]
    assert_nothing_overlaps(house.store)
    assert answers.count("Booking") > 5
    holding = house.store.bookings(int(NOW), int(NOW) + 10 * 86_400, states=sorted(HOLDING))
    rows = held(house.store)
    assert len(rows) == sum(len(one.places) for one in holding)
    for booking in holding:
        assert all((one.place_id, booking.interval) in [(row[0], row[2]) for row in rows] for one in booking.places)


def test_fifty_writers_who_never_look_are_refused_by_the_database_alone(databases: Databases) -> None:
    address = databases.new()
    house = build(databases.open(address))
    stores = [house.store, *(databases.open(address) for _ in range(4))]
    bookings = [house.book(at(0.25 * number, 0.25)) for number in range(40)]
    with house.store._database.write() as connection:
        connection.execute(text("DELETE FROM occupancies"))

    def write(number: int) -> bool:
        start = bookings[0].starts_at + number * 900
        values = {"b": bookings[number].booking_id, "p": house.big.place_id, "s": start, "e": start + 2700}
        try:
            with stores[number % 5]._database.write() as connection:
                connection.execute(text("INSERT INTO occupancies VALUES (:b, :p, 0, :s, :e)"), values)
        except StoreFailed:
            return False
        return True

    with ThreadPoolExecutor(50) as writers:
        taken = list(writers.map(write, range(40)))
    assert_nothing_overlaps(house.store)
    assert len(held(house.store)) == sum(taken) in range(1, 21)


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


def test_a_closed_day_is_named_and_a_full_house_counted(house: House) -> None:
    new_year = Wall(MONDAY.replace(year=2027, month=1, day=1), MONDAY.replace(year=2027, month=1, day=1, hour=10), ZONE)
    refused = house.store.quote_booking(house.wish(new_year), NOW)
    assert refused.problems[0] == "壱岐 is closed then: 元日."
    crowd = house.store.quote_booking(house.wish(at(1), people=21), NOW)
    assert crowd.problems == ("21 people do not fit: there is room for 20.",)
    house.store.set_opening(house.facility_id, Opening(closed={date(2026, 6, 1): "大掃除"}))
    assert house.store.quote_booking(house.wish(at(1)), NOW).problems == ("壱岐 is closed then: 大掃除.",)


def test_limits_and_fees_hold_for_a_class_and_the_fee_is_agreed_to_first(house: House) -> None:
    rules = Rules(
        limits={"": Limits(day_s=2 * HOUR)},
        prices=(PriceRule("partner", 1, free_hours_per_month=1, yen_per_hour_beyond=500), PriceRule(yen_per_hour=300)),
    )
    house.store.set_rules("default", rules)
    citizen, partner = Holder("c", "citizen"), Holder("p", "partner", 1)
    unpaid = house.store.book(house.wish(at(1), holder=citizen), NOW)
    assert isinstance(unpaid, Refused)
    assert unpaid.quote.problems == ("The fee is 300 yen. Confirm it to book.",)
    assert house.book(at(1), holder=citizen, accepted_yen=300).yen == 300
    assert house.book(at(2), holder=partner).yen == 0
    assert house.store.quote_booking(house.wish(at(3), holder=partner), NOW).yen == 500
    over = house.store.quote_booking(house.wish(at(5, 1.5), holder=citizen), NOW)
    assert over.problems == ("More than 2 hours a day.",)


def test_a_guest_pass_is_free_once_and_only_where_it_was_given(house: House) -> None:
    house.store.set_rules("default", Rules(prices=(PriceRule(yen_per_hour=300),)))
    code = house.store.add_guest_pass("default", 1, int(NOW) + 86_400)
    guest = house.book(at(1), pass_code=code, holder=Holder("g", "guest"))
    assert guest.yen == 0
    moved = house.store.change(guest.booking_id, BookingChange(time=at(5)), "g", NOW)
    assert isinstance(moved, Booking)
    assert moved.yen == 0
    for wrong in (code, "nonsense"):
        with pytest.raises(NotPossible, match="guest pass"):
            house.store.book(house.wish(at(2), pass_code=wrong), NOW)


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


def test_places_of_two_municipalities_are_not_booked_together(house: House) -> None:
    with house.store._database.write() as connection:
        connection.execute(text("INSERT INTO municipalities VALUES ('okazaki', '岡崎', 'Asia/Tokyo', 0)"))
    other = house.store.add_facility("岡崎", ZONE, "okazaki")
    room = house.store.add_room(other.facility_id, "会議室")
    with pytest.raises(NotPossible, match="two municipalities"):
        house.store.book(replace(house.wish(at(1)), places=(Wanted(house.big.place_id), Wanted(room.room_id))), NOW)
    assert [one.place_id for one in house.store.places("okazaki")] == [room.room_id]
    with pytest.raises(NotFound):
        house.store.add_facility("x", ZONE, "nowhere")


def test_bookings_and_free_times_tile_the_opening_hours_also_when_the_clocks_change(databases: Databases) -> None:
    store = databases.open(databases.new())
    facility = store.add_facility("Berlin", "Europe/Berlin")
    store.set_opening(facility.facility_id, ALWAYS)
    room = store.add_room(facility.facility_id, "Saal")
    house = House(store, facility.facility_id, *(one for one in store.places()), *store.places())
    night = MONDAY.replace(month=10, day=24, hour=23)
    for hours, length in ((0, 2), (5, 1), (26, 1)):
        starts = night + timedelta(hours=hours)
        house.book(Wall(starts, starts + timedelta(hours=length), "Europe/Berlin"))
    whole = Interval(*(int(one.timestamp()) for one in _berlin_days()))
    there = store.availability(room.room_id, whole)
    assert merged([*there.taken, *there.free()]) == merged(there.open)
    assert sum(one.length_s for one in there.open) == (24 + 25 + 24) * HOUR
    assert not any(clash(one, other) for one in there.taken for other in there.free())


def _berlin_days() -> tuple:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    zone = ZoneInfo("Europe/Berlin")
    return datetime(2026, 10, 24, 12, tzinfo=zone), datetime(2026, 10, 26, 12, tzinfo=zone)


def test_a_place_with_its_own_patience_releases_by_it(house: House) -> None:
    quick = house.place("seat", "席1", attendance=Attendance(late_s=300))
    never = house.place("seat", "席2", attendance=Attendance(late_s=None))
    booked = [house.book(at(1), quick), house.book(at(1), never)]
    house.store.tick(booked[0].starts_at + 300)
    assert [house.store.booking(one.booking_id).state for one in booked] == ["released", "confirmed"]
