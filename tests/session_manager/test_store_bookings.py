"""Bookings in the database, SQLite and PostgreSQL alike: never two in one place, whole or not at all."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from session_manager.booking import HOLDING
from session_manager.booking_records import (
    Booking,
    BookingChange,
    Refused,
    Rules,
    Wanted,
)
from session_manager.errors import NotFound, NotPossible, StoreFailed
from session_manager.opening import ALWAYS, Opening
from session_manager.pricing import Holder, Limits, PriceRule
from session_manager.schedule import Interval, Wall, clash, interval, merged
from tests.session_manager.hall import NOW
from tests.session_manager.house import MONDAY, ZONE, Databases, House, assert_nothing_overlaps, at, build, held

HOUR = 3600


@pytest.fixture
def house(databases: Databases) -> House:
    return build(databases.open(databases.new()))


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
