"""My bookings in a real Chromium: what is refused is said in the words of the page, and names stay text."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from session_manager.booking_records import Booking, NewBooking, NewPlace, Rules, Wanted
from session_manager.opening import ALWAYS
from session_manager.pricing import Holder, PriceRule
from session_manager.schedule import Interval, wall
from session_manager.web.security import CSRF_COOKIE, LOGIN_COOKIE, csrf_token
from tests.session_manager.site import SECRET, opened, running_site

pytestmark = [pytest.mark.chromium, pytest.mark.asyncio(loop_scope="session")]
NASTY = "<img src=x onerror=alert(1)>"


async def test_staying_longer_that_costs_is_said_in_japanese(browser: Browser, tmp_path: Path) -> None:
    async with running_site(tmp_path) as site, opened(browser) as (context, page):
        store, now = site.store, int(time.time()) // 60 * 60
        house = store.add_facility("壱岐", "Asia/Tokyo").facility_id
        store.set_opening(house, ALWAYS)
        room = store.add_place(NewPlace(house, "room", NASTY, capacity=2), now).place_id
        store.set_rules("default", Rules(prices=(PriceRule(yen_per_hour=600),)))
        person = store.register_person("default", NASTY, now).person_id
        time_there = wall(Interval(now, now + 3600), "Asia/Tokyo")
        wish = NewBooking("席", "plain", time_there, (Wanted(room),), Holder(person), accepted_yen=600)
        made = store.book(wish, now)
        assert isinstance(made, Booking), made
        store.check_in(made.booking_id, person, now)
        login = store.open_person_login(person, now, 3600)
        cookies = {LOGIN_COOKIE: login, CSRF_COOKIE: csrf_token(SECRET, login)}
        await context.add_cookies([{"name": name, "value": value, "url": site.url} for name, value in cookies.items()])
        await page.goto(f"{site.url}/mine")
        await page.click("[data-deed=extend]")
        await expect(page.locator("#problem")).to_contain_text("のばすと、あと300円かかります")
        await expect(page.locator(".card.now")).to_contain_text(NASTY)
        await expect(page.locator("#my-name")).to_have_value(NASTY)
        await page.click("[data-deed=end]")
        await expect(page.locator("#said")).to_contain_text("終わりました")
        assert store.booking(made.booking_id).state == "done"
