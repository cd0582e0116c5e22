"""Booking for oneself over HTTP: the holder is who asks, prices and limits hold, others are not to be seen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import httpx
import pytest

from session_manager.booking_records import NewPlace, Place, Rules
from session_manager.opening import ALWAYS, Opening
from session_manager.pricing import Limits, PriceRule
from session_manager.web.ratelimit import Rule
from session_manager.web.security import CSRF_COOKIE, LOGIN_COOKIE, csrf_token
from tests.session_manager.hall import NOW, SECRET, Web

ME = "/api/municipalities/default/me"
TEN, ELEVEN, NOON = "2026-06-01T10:00", "2026-06-01T11:00", "2026-06-01T12:00"
MONDAY_TEN = 1_780_275_600.0
RULES = Rules(
    prices=(
        PriceRule("partner", free_hours_per_month=10, beyond="charge", yen_per_hour_beyond=300),
        PriceRule(yen_per_hour=500),
    )
)


@dataclass
class Island:
    web: Web
    room: Place
    seat: Place

    def person(self, name: str, *, partner: bool = False, role: str = "", home: str = "default") -> str:
        store = self.web.store
        person = store.register_person(home, name, NOW).person_id
        if partner:
            firm = store.add_organisation(home, f"{name}の会社", NOW).organisation_id
            store.affiliate(home, person, firm, NOW)
            store.add_agreement(home, firm, "協定", date(2026, 4, 1), date(2026, 6, 30))
        if role:
            store.grant(home, person, role, NOW)
        return person

    @asynccontextmanager
    async def signed_in(self, person_id: str) -> AsyncIterator[httpx.AsyncClient]:
        cookie = self.web.store.open_person_login(person_id, NOW, 40 * 86_400)
        async with self.web.browser() as browser:
            browser.cookies.set(LOGIN_COOKIE, cookie)
            browser.cookies.set(CSRF_COOKIE, csrf_token(SECRET, cookie))
            browser.headers["X-CSRF-Token"] = csrf_token(SECRET, cookie)
            yield browser

    def wish(self, starts: str = TEN, ends: str = ELEVEN, place: Place | None = None, **more: Any) -> dict[str, Any]:
        places = [{"place_id": (place or self.room).place_id}]
        return {"title": "テレワーク", "starts": starts, "ends": ends, "places": places, **more}


@pytest.fixture
def island(web: Web) -> Island:
    store = web.store
    house = store.facilities()[0].facility_id
    store.set_opening(house, ALWAYS)
    room = next(one for one in store.places("default") if one.facility_id == house)
    seat = store.add_place(NewPlace(house, "seat", "窓の席", quantity=3), NOW)
    store.set_rules("default", RULES)
    return Island(web, room, seat)


async def booked(browser: httpx.AsyncClient, form: dict[str, Any]) -> dict[str, Any]:
    answer = await browser.post(f"{ME}/bookings", json=form)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def test_a_partner_books_free_and_another_pays_what_was_shown(island: Island) -> None:
    async with island.signed_in(island.person("甲", partner=True)) as browser:
        shown = (await browser.post(f"{ME}/bookings/quote", json=island.wish())).json()
        assert (shown["yen"], shown["problems"]) == (0, [])
        made = await booked(browser, island.wish())
        assert (made["state"], made["user_class"], made["yen"]) == ("confirmed", "partner", 0)
        assert [(one["name"], one["facility"]) for one in made["places"]] == [(island.room.name, "壱岐")]
    async with island.signed_in(island.person("乙")) as browser:
        form = island.wish(NOON, "2026-06-01T14:00")
        assert (await browser.post(f"{ME}/bookings/quote", json=form)).json()["yen"] == 1000
        refused = await browser.post(f"{ME}/bookings", json=form)
        assert (refused.status_code, refused.json()["quote"]["yen"]) == (409, 1000)
        assert "1000 yen" in refused.json()["message"]
        made = await booked(browser, {**form, "accepted_yen": 1000})
        assert (made["user_class"], made["yen"]) == ("citizen", 1000)


async def test_nobody_says_who_they_are(island: Island) -> None:
    """The holder, its class and its level cannot be sent."""
    me = island.person("丙")
    async with island.signed_in(me) as browser:
        for sly in (
            {"holder": {"subject": "office", "user_class": "partner"}},
            {"user_class": "partner"},
            {"confidential": True},
        ):
            assert (await browser.post(f"{ME}/bookings", json=island.wish(**sly))).status_code == 422
        made = await booked(browser, island.wish(accepted_yen=500))
    stored = island.web.store.booking(made["booking_id"])
    assert (stored.holder, stored.user_class, stored.made_by) == (me, "citizen", me)


async def test_terms_follow_the_day_of_the_booking(island: Island) -> None:
    """The agreement ends in June: July costs, and a free booking cannot be carried there."""
    async with island.signed_in(island.person("甲", partner=True)) as browser:
        july = island.wish("2026-07-06T10:00", "2026-07-06T11:00")
        assert (await browser.post(f"{ME}/bookings/quote", json=july)).json()["yen"] == 500
        made = await booked(browser, island.wish())
        moved = await browser.patch(
            f"{ME}/bookings/{made['booking_id']}", json={"starts": july["starts"], "ends": july["ends"]}
        )
        assert (moved.status_code, "Other terms" in moved.json()["message"]) == (409, True)


async def test_a_change_shows_its_fee_and_its_terms_before_it_is_made_and_only_for_one_s_own(island: Island) -> None:
    async with island.signed_in(island.person("乙")) as browser:
        made = await booked(browser, island.wish(accepted_yen=500))
        but = {"but": made["booking_id"]}
        longer = island.wish(TEN, NOON, **but)
        shown = (await browser.post(f"{ME}/bookings/quote", json=longer)).json()
        assert (shown["yen"], shown["problems"]) == (1000, [])
        island.web.store.set_rules("default", Rules(prices=(PriceRule(yen_per_hour=700),)))
        same = (await browser.post(f"{ME}/bookings/quote", json=island.wish(**but))).json()
        assert same["yen"] == 500  # what stands is not paid anew
    async with island.signed_in(island.person("丙")) as other:
        assert (await other.post(f"{ME}/bookings/quote", json=longer)).status_code == 404
    island.web.store.set_rules("default", RULES)
    async with island.signed_in(island.person("甲", partner=True)) as browser:
        mine = await booked(browser, island.wish(NOON, "2026-06-01T13:00"))
        july = island.wish("2026-07-06T10:00", "2026-07-06T11:00", but=mine["booking_id"])
        refused = await browser.post(f"{ME}/bookings/quote", json=july)
        assert (refused.status_code, "Other terms" in refused.json()["message"]) == (409, True)


async def test_the_free_hours_of_a_month_are_counted_and_what_is_beyond_is_shown(island: Island) -> None:
    async with island.signed_in(island.person("甲", partner=True)) as browser:
        await booked(browser, island.wish("2026-06-02T09:00", "2026-06-02T18:00"))
        form = island.wish("2026-06-03T09:00", "2026-06-03T12:00")
        assert (await browser.post(f"{ME}/bookings/quote", json=form)).json()["yen"] == 600
        assert (await browser.post(f"{ME}/bookings", json=form)).status_code == 409
        made = await booked(browser, {**form, "accepted_yen": 600})
        assert made["yen"] == 600


async def test_limits_and_quotas_of_ones_class_hold(island: Island) -> None:
    limits = {"": Limits(day_s=7200, open_bookings=2), "office": Limits()}
    island.web.store.set_rules("default", replace(RULES, limits=limits))
    async with island.signed_in(island.person("乙")) as browser:
        await booked(browser, island.wish(accepted_yen=500))
        long = await browser.post(f"{ME}/bookings", json=island.wish(NOON, "2026-06-01T14:00", accepted_yen=1000))
        assert (long.status_code, "2 hours a day" in long.json()["message"]) == (409, True)
        await booked(browser, island.wish("2026-06-02T10:00", "2026-06-02T11:00", accepted_yen=500))
        third = await browser.post(
            f"{ME}/bookings", json=island.wish("2026-06-03T10:00", "2026-06-03T11:00", accepted_yen=500)
        )
        assert "No more than 2 bookings" in third.json()["message"]


async def test_a_guest_pass_stands_in_once(island: Island) -> None:
    code = island.web.store.add_guest_pass("default", 1, int(NOW) + 9_000_000)
    async with island.signed_in(island.person("客")) as browser:
        made = await booked(browser, island.wish(pass_code=code))
        assert made["yen"] == 0
        again = await browser.post(f"{ME}/bookings", json=island.wish(NOON, "2026-06-01T13:00", pass_code=code))
        assert "guest pass" in again.json()["message"]


async def test_kinds_are_for_those_who_hold_them(island: Island) -> None:
    """A citizen's evening would never be released: so it is not a citizen's to book."""
    rows = (("", "dialogue", 403), ("", "telework", 201), ("facilitator", "dialogue", 201))
    for number, (role, kind, status) in enumerate(rows):
        async with island.signed_in(island.person(f"人{number}", role=role)) as browser:
            form = island.wish(f"2026-06-0{number + 1}T10:00", f"2026-06-0{number + 1}T11:00", kind=kind)
            answer = await browser.post(f"{ME}/bookings", json={**form, "accepted_yen": 500})
            assert answer.status_code == status, (role, kind, answer.text)


async def test_another_persons_booking_is_as_one_that_does_not_exist(island: Island) -> None:
    async with island.signed_in(island.person("甲", partner=True)) as browser:
        made = await booked(browser, island.wish(title="秘密の打合せ"))
    here = f"{ME}/bookings/{made['booking_id']}"
    async with island.signed_in(island.person("乙")) as browser:
        nothing = await browser.get(f"{ME}/bookings/aaaaaaaaaaaaaaaa")
        tries = [
            await browser.get(here),
            await browser.get(f"{here}/calendar.ics"),
            await browser.patch(here, json={"title": "x"}),
            *[
                await browser.post(f"{here}/{deed}", json=body)
                for deed, body in (
                    ("cancel", {}),
                    ("accept", None),
                    ("check-in", None),
                    ("end", None),
                    ("extend", {"minutes": 30}),
                    ("late", {"minutes": 30}),
                    ("link", None),
                    ("sailing", {"choice": "release"}),
                )
            ],
        ]
        assert [(one.status_code, one.json()["code"]) for one in tries] == [(404, "not_found")] * len(tries)
        assert nothing.json() == tries[0].json()
        assert (await browser.get(f"{ME}/bookings")).json() == []
        free = await browser.get(
            f"{ME}/free", params={"first": "2026-06-01", "last": "2026-06-01", "place_id": island.room.place_id}
        )
        home = await browser.get(f"{ME}/home", params={"day": "2026-06-01"})
        for answer in (free, home):
            assert answer.status_code == 200
            assert "秘密" not in answer.text
            assert made["booking_id"] not in answer.text
        [there] = free.json()
        assert [one["starts"] for one in there["taken"]] == ["2026-06-01T10:00:00"]
        assert [one["starts"] for one in there["free"]] == ["2026-06-01T00:00:00", "2026-06-01T11:00:00"]


async def test_who_leaves_early_makes_room_for_who_waits_with_ten_minutes(island: Island) -> None:
    async with (
        island.signed_in(island.person("甲", partner=True)) as first,
        island.signed_in(island.person("乙", partner=True)) as second,
    ):
        made = await booked(first, island.wish())
        waiting = await booked(second, island.wish(wait=True))
        assert (waiting["state"], waiting["can"]) == ("waiting", ["change", "cancel"])
        here = f"{ME}/bookings/{made['booking_id']}"
        island.web.at[0] = MONDAY_TEN - 600
        assert (await first.get(here)).json()["can"] == ["check_in", "late", "change", "cancel"]
        assert (await first.post(f"{here}/check-in")).json()["state"] == "in_use"
        island.web.at[0] = MONDAY_TEN + 1200
        ended = (await first.post(f"{here}/end")).json()
        assert (ended["state"], ended["can"]) == ("done", [])
        offered = (await second.get(f"{ME}/bookings/{waiting['booking_id']}")).json()
        assert (offered["state"], offered["expires_at"]) == ("offered", int(MONDAY_TEN) + 1800)
        assert offered["can"] == ["accept", "cancel"]
        taken = (await second.post(f"{ME}/bookings/{waiting['booking_id']}/accept")).json()
        assert taken["state"] == "in_use"


async def test_who_comes_late_says_so_and_is_not_given_away(island: Island) -> None:
    store = island.web.store
    async with island.signed_in(island.person("甲", partner=True)) as browser:
        made = await booked(browser, island.wish())
        assert made["release_at"] == int(MONDAY_TEN) + 900
        here = f"{ME}/bookings/{made['booking_id']}"
        island.web.at[0] = MONDAY_TEN + 600
        later = (await browser.post(f"{here}/late", json={"minutes": 20})).json()
        assert (later["starts"], later["ends"]) == ("2026-06-01T10:30:00", "2026-06-01T11:00:00")
        store.tick(MONDAY_TEN + 1500)
        assert store.booking(made["booking_id"]).state == "confirmed"
        too_late = await browser.post(f"{here}/late", json={"minutes": 30})
        assert (too_late.status_code, "too late" in too_late.json()["message"]) == (409, True)
        store.tick(MONDAY_TEN + 3600 - 60)
        assert store.booking(made["booking_id"]).state == "released"


async def test_a_longer_stay_that_costs_is_not_slipped_in(island: Island) -> None:
    async with island.signed_in(island.person("乙")) as browser:
        made = await booked(browser, island.wish(accepted_yen=500))
        here = f"{ME}/bookings/{made['booking_id']}"
        island.web.at[0] = MONDAY_TEN
        await browser.post(f"{here}/check-in")
        longer = await browser.post(f"{here}/extend", json={"minutes": 60})
        assert (longer.status_code, "500 yen more" in longer.json()["message"]) == (409, True)
    async with island.signed_in(island.person("甲", partner=True)) as browser:
        made = await booked(browser, island.wish("2026-06-01T11:00", NOON))
        here = f"{ME}/bookings/{made['booking_id']}"
        island.web.at[0] = MONDAY_TEN + 3600
        await browser.post(f"{here}/check-in")
        assert (await browser.post(f"{here}/extend", json={"minutes": 60})).json()["ends"] == "2026-06-01T13:00:00"


async def test_a_changed_fee_must_be_agreed_to(island: Island) -> None:
    async with island.signed_in(island.person("乙")) as browser:
        made = await booked(browser, island.wish(accepted_yen=500))
        here = f"{ME}/bookings/{made['booking_id']}"
        longer = {"starts": TEN, "ends": NOON}
        assert (await browser.patch(here, json=longer)).status_code == 409
        assert (await browser.patch(here, json={**longer, "accepted_yen": 1000})).json()["yen"] == 1000


async def test_one_calendar_entry_for_ones_own_calendar(island: Island) -> None:
    async with island.signed_in(island.person("甲", partner=True)) as browser:
        made = await booked(browser, island.wish())
        entry = await browser.get(f"{ME}/bookings/{made['booking_id']}/calendar.ics")
    assert entry.headers["content-type"].startswith("text/calendar")
    assert f"UID:{made['booking_id']}@shimawa.invalid" in entry.text
    assert "DTSTART;TZID=Asia/Tokyo:20260601T100000" in entry.text


async def test_the_front_page_offers_what_is_free_with_its_price(island: Island) -> None:
    store = island.web.store
    store.set_facility_notes(island.room.facility_id, {"ja": {"door": "暗証番号は窓口で", "network": "SSID guest"}})
    island.web.at[0] = MONDAY_TEN + 240
    async with island.signed_in(island.person("甲", partner=True)) as browser:
        home = (await browser.get(f"{ME}/home")).json()
        front = home["front"]
        assert (front["facility"], front["seats"], front["seats_free"]) == ("壱岐", 3, 3)
        assert home["notes"] == {"boats": "", "door": "暗証番号は窓口で", "network": "SSID guest"}
        assert (home["next"], front["again"]) == (None, None)
        first = next(one for one in front["offers"] if one["kind"] == "room")
        assert (first["now"], first["starts"], first["ends"]) == (True, "2026-06-01T10:04:00", "2026-06-01T12:00:00")
        assert {one["yen"] for one in front["offers"] if one["ends_at"] - one["starts_at"] < 36_000} == {0}
        form = island.wish(first["starts"][:16], first["ends"][:16])
        made = await booked(browser, form)
        after = (await browser.get(f"{ME}/home")).json()
        assert after["next"]["booking_id"] == made["booking_id"]
        again = after["front"]["again"]
        assert (again["place_id"], again["starts"], again["ends"]) == (
            island.room.place_id,
            "2026-06-02T10:00:00",
            "2026-06-02T11:56:00",
        )
    async with island.signed_in(island.person("乙")) as browser:
        offers = (await browser.get(f"{ME}/home")).json()["front"]["offers"]
        rooms = [(one["taken"], one["starts"][11:16], one["yen"]) for one in offers if one["kind"] == "room"]
        assert rooms[:2] == [(True, "10:04", 967), (False, "12:00", 1000)]


async def test_a_day_that_is_over_gives_way_to_the_next(island: Island) -> None:
    island.web.store.set_opening(island.room.facility_id, Opening())
    island.web.at[0] = MONDAY_TEN + 12 * 3600
    async with island.signed_in(island.person("甲", partner=True)) as browser:
        front = (await browser.get(f"{ME}/home")).json()["front"]
        assert (front["today"], front["day"]) == ("2026-06-01", "2026-06-02")
        assert front["offers"][0]["starts"] == "2026-06-02T09:00:00"
        today = (await browser.get(f"{ME}/home", params={"day": "2026-06-01"})).json()["front"]
        assert today["offers"] == []


async def test_a_house_of_another_town_is_not_shown(island: Island) -> None:
    store = island.web.store
    town = store.add_home("那覇", "Asia/Tokyo", NOW).municipality_id
    theirs = store.add_facility("那覇館", "Asia/Tokyo", town)
    async with island.signed_in(island.person("甲")) as browser:
        answer = await browser.get(f"{ME}/home", params={"facility_id": theirs.facility_id})
        assert answer.status_code == 404
        assert "那覇" not in (await browser.get(f"{ME}/home")).text
        assert (await browser.get(f"/api/municipalities/{town}/me/home")).status_code == 404


async def test_an_office_account_books_as_the_office(island: Island) -> None:
    async with island.web.signed_in() as browser:
        made = await booked(browser, island.wish(kind="ceremony", accepted_yen=500))
        assert (made["user_class"], made["kind"]) == ("office", "ceremony")


async def test_whoever_hammers_is_slowed(island: Island) -> None:
    async with island.signed_in(island.person("甲")) as browser:
        burst = Rule.SELF_CHANGE.value.burst
        answers = [await browser.post(f"{ME}/bookings/none/end") for _ in range(burst + 1)]
    assert {one.status_code for one in answers[:-1]} == {404}
    assert answers[-1].status_code == 429
