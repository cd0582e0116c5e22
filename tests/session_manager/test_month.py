"""The month in figures: sums only, and a sheet that no spreadsheet takes for formulas."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

from session_manager.booking_records import Booking, NewBooking, NewPlace, Rules, Wanted
from session_manager.directories import NewPartner
from session_manager.month import Used, month_of, worth
from session_manager.opening import ALWAYS
from session_manager.pricing import Holder, PriceRule
from session_manager.schedule import Wall
from session_manager.web.routes_month import rows
from tests.session_manager.hall import NOW, Web
from tests.session_manager.test_web_people import Towns

PRICES = (PriceRule(user_class="partner"), PriceRule(yen_per_hour=300))
SEAT = Used("plain", "done", "in_person", 1, (("席", "seat"),), 7200, 3600, 0, "partner", "会社", True, False)


def test_free_use_is_worth_what_others_pay() -> None:
    assert worth(SEAT, PRICES) == 600
    assert worth(replace(SEAT, user_class="citizen"), PRICES) == 0
    assert worth(SEAT, ()) == 0


def test_who_did_not_come_used_nothing() -> None:
    found = month_of("2026-06", [SEAT, replace(SEAT, state="released")], PRICES, 1, 2)
    assert (found.bookings, found.no_shows, found.worth_yen, found.across) == (1, 1, 600, 1)
    [place] = found.places
    assert (place.bookings, place.hours, place.no_shows) == (1, 1.0, 1)
    [house] = found.houses
    assert (house.bookings, house.worth_yen) == (1, 600)


def test_an_evening_of_both_shores_is_counted_as_that() -> None:
    evening = replace(SEAT, kind="dialogue", people=20, organisation="", user_class="office", stays=True)
    found = month_of("2026-06", [evening, replace(evening, crosses=False)], PRICES, 0, 0)
    assert (found.evenings, found.evenings_across, found.guests) == (2, 1, 40)


async def test_the_sheet_has_the_same_figures_and_no_formula(web: Web) -> None:
    towns = Towns(web)
    store, home = web.store, towns.iki.municipality_id
    store.set_rules(home, Rules(prices=(PriceRule(yen_per_hour=300),)))
    partner = NewPartner("=1+1 会社", 0, date(2026, 1, 1), None, None, "x@iki.example", "", across_sea=True)
    person = store.add_partner(home, partner, "office", NOW).staff[0]
    house = store.add_facility("港の家", "Asia/Tokyo", home)
    store.set_opening(house.facility_id, ALWAYS)
    seat = store.add_place(NewPlace(house.facility_id, "seat", "席", quantity=4), NOW)
    time = Wall(datetime(2026, 5, 29, 14), datetime(2026, 5, 29, 16), "Asia/Tokyo")
    wish = NewBooking("仕事", "plain", time, (Wanted(seat.place_id),), Holder(person.person_id, "partner"))
    made = store.book(wish, NOW)
    assert isinstance(made, Booking)
    store.check_in(made.booking_id, "x", made.starts_at)
    store.end_booking(made.booking_id, "x", made.ends_at)
    async with towns.office() as office, towns.office("fukuoka-office") as other:
        found = (await office.get(f"{towns.here}/months/2026-05")).json()
        assert (found["bookings"], found["worth_yen"], found["across"]) == (1, 600, 1)
        text = (await office.get(f"{towns.here}/months/2026-05/sheet.csv")).text
        assert "'=1+1 会社" in text
        assert "x@iki" not in text
        assert (await office.get(f"{towns.here}/months/2026-13")).status_code == 422
        assert (await other.get(f"{towns.here}/months/2026-05")).status_code == 404
    assert rows(store.month(home, "2026-04"))[0][0] == "sum"
