"""Journey A: telework. In by the organisation's code; one tap a time, one tap yes; the boat does not sail; at the door
one touch; leaving early makes room for who waits, with ten minutes.

A real hub in its own process, a real Chromium as two telephones and as the panel at the door. Every tap goes through
`Finger`, so the counts of the journey are counted, not claimed.
"""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from playwright.async_api import Page, expect

from session_manager.booking_records import NewPlace, Rules
from session_manager.demo.children import Child
from session_manager.opening import ALWAYS
from session_manager.pricing import PriceRule
from session_manager.store import Store
from tests.session_manager.fresh import fresh
from tests.session_manager.hall import PASSWORD, QUICK
from tests.session_manager.site import chromium, opened

pytestmark = [pytest.mark.e2e, pytest.mark.chromium, pytest.mark.timeout(180)]

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
PATIENCE_MS = 60_000
PICTURES = os.environ.get("SHIMAWA_PICTURES")
"""A folder: then the journey leaves pictures of itself there."""


@dataclass
class Centre:
    """The telework centre before anybody comes."""

    home: str
    organisation_id: str
    room_id: str
    panel_key: str
    url: str = ""

    @property
    def api(self) -> str:
        return f"{self.url}/api/municipalities/{self.home}"


@dataclass
class Finger:
    """Taps on one screen, counted."""

    page: Page
    taps: int = 0

    async def tap(self, selector: str) -> None:
        self.taps += 1
        await self.page.locator(selector).first.click(timeout=PATIENCE_MS)

    def lift(self) -> int:
        """How many taps since the last time."""
        taps, self.taps = self.taps, 0
        return taps


def daytime() -> str:
    """A zone where it is neither night nor near midnight: slots of two hours must lie within one day."""
    hour = datetime.now(ZoneInfo("Asia/Tokyo")).hour
    return "Asia/Tokyo" if 6 <= hour < 18 else "America/Sao_Paulo"


def settle(folder: Path) -> Centre:
    now = time.time()
    store = Store.open(fresh(folder / "hub" / "shimawa.db"), QUICK)
    home = store.add_home("壱岐市", daytime(), now).municipality_id
    house = store.add_facility("壱岐テレワークセンター", daytime(), home).facility_id
    store.set_opening(house, ALWAYS)
    store.add_place(NewPlace(house, "seat", "窓ぎわの席", quantity=3), now)
    room = store.add_place(NewPlace(house, "room", "静かな部屋", capacity=2), now).place_id
    store.set_rules(home, Rules(prices=(PriceRule("partner"), PriceRule(yen_per_hour=300))))
    notes = {
        "door": "正面の入口から。18時からは右の通用口です。",
        "network": "来客用：iki-guest\n合言葉は受付の札にあります。",
    }
    store.set_facility_notes(house, {"ja": notes})
    firm = store.add_organisation(home, "渡海商会", now).organisation_id
    store.add_agreement(home, firm, "提携協定", date(2020, 4, 1), None)
    store.set_organisation_across(home, firm, True)
    account = store.add_account("office", PASSWORD, "administrator")
    store.bind_account(account.account_id, home)
    key = store.add_panel(home, room, "静かな部屋の入口", now).key
    store.close()
    return Centre(home, firm, room, key)


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Centre]:
    centre = settle(folder)
    ports = ("--port", "0", "--media-port", "0", "--media-workers", "1")
    data = ("--data", str(folder / "hub"), "--model", "none", "--json")
    hub = await Child.start("hub", ("-m", "session_manager", "serve", *data, *ports), folder)
    centre.url = hub.announced["url"]
    try:
        yield centre
    finally:
        await hub.stop()


@asynccontextmanager
async def at_the_office(centre: Centre) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
        answer = await http.post(f"{centre.url}/api/login", json={"name": "office", "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        http.headers["X-CSRF-Token"] = http.cookies["shimawa_csrf"]
        yield http


async def picture(page: Page, name: str) -> None:
    if PICTURES:
        await page.screenshot(path=str(Path(PICTURES) / f"journey-a-{name}.png"))


async def come_in(centre: Centre, finger: Finger, code: str, name: str) -> None:
    """From the organisation's own notice: its code is behind `#`, the name is all there is to type."""
    page = finger.page
    await page.goto(f"{centre.url}/login#organisation={code}")
    await expect(page.locator("#organisation-code")).to_have_value(code)
    assert "#" not in page.url
    await page.fill("#organisation-name", name)
    await finger.tap("#organisation-form button")
    await page.wait_for_url(f"{centre.url}/home", timeout=PATIENCE_MS)
    assert finger.lift() == 1


def offer(centre: Centre, more: str) -> str:
    return f'.offer[data-place="{centre.room_id}"]{more}'


async def mine(page: Page, centre: Centre) -> list[dict[str, Any]]:
    answer = await page.request.get(f"{centre.api}/me/bookings")
    found: list[dict[str, Any]] = await answer.json()
    return found


async def book_a_time(centre: Centre, finger: Finger) -> str:
    """Steps 1 and 2: the first booking of somebody who was never here."""
    page = finger.page
    await expect(page.locator("#today")).to_contain_text("空き 3（全 3）", timeout=PATIENCE_MS)
    await expect(page.locator("#today")).to_contain_text("0円（提携団体：渡海商会）")
    await expect(page.locator(offer(centre, ".again"))).to_have_count(0)
    await picture(page, "1-today")
    later = page.locator(offer(centre, "")).nth(1)
    finger.taps += 1
    await later.click()
    await expect(page.locator("dialog .facts")).to_contain_text("0円（提携団体：渡海商会）")
    await picture(page, "2-confirm")
    await finger.tap("dialog .primary")
    shown = page.locator("dialog[data-booking]")
    await expect(shown).to_contain_text("予約しました", timeout=PATIENCE_MS)
    await expect(shown).to_contain_text("正面の入口から")
    await expect(shown).to_contain_text("iki-guest")
    assert finger.lift() == 2
    await picture(page, "3-booked")
    booking_id = await shown.get_attribute("data-booking")
    entry = await page.request.get(f"{centre.url}{await shown.locator('a[download]').get_attribute('href')}")
    assert f"UID:{booking_id}@shimawa.invalid" in await entry.text()
    await page.click("dialog .primary")
    return str(booking_id)


async def no_boat_sails(centre: Centre, finger: Finger, booking_id: str) -> None:
    """Step 3: one choice."""
    async with at_the_office(centre) as office:
        stopped = await office.post(f"{centre.api}/sailing/stop", json={"choice": "ask"})
        assert [one["booking_id"] for one in stopped.json()["sailing"]["bookings"]] == [booking_id], stopped.text
    page = finger.page
    [before] = await mine(page, centre)
    await page.goto(f"{centre.url}/mine")
    asked = page.locator(f'[data-booking="{booking_id}"]')
    await expect(asked).to_contain_text("きょうは船が出ません", timeout=PATIENCE_MS)
    await expect(asked.locator("[data-choice]")).to_have_count(3)
    await picture(page, "4-no-boat")
    await finger.tap("[data-choice=tomorrow]")
    await expect(asked).to_contain_text("船が出ない日の選択", timeout=PATIENCE_MS)
    assert finger.lift() == 1
    [after] = await mine(page, centre)
    assert after["starts_at"] == before["starts_at"] + 86_400
    assert (after["state"], after["sailing"]["answer"]) == ("confirmed", "tomorrow")


async def as_last_time(centre: Centre, finger: Finger) -> None:
    """A repeat booking: three taps at most."""
    page = finger.page
    await page.goto(f"{centre.url}/home")
    await finger.tap(offer(centre, ".again"))
    await finger.tap("dialog .primary")
    await expect(page.locator("dialog[data-booking]")).to_contain_text("予約しました", timeout=PATIENCE_MS)
    assert finger.lift() <= 3
    await page.click("dialog .primary")


async def book_for_now(centre: Centre, finger: Finger) -> str:
    page = finger.page
    now = page.locator(offer(centre, ":has-text('今から')"))
    await expect(now).to_be_visible(timeout=PATIENCE_MS)
    finger.taps += 1
    await now.click()
    await finger.tap("dialog .primary")
    shown = page.locator("dialog[data-booking]")
    await expect(shown).to_contain_text("予約しました", timeout=PATIENCE_MS)
    booking_id = str(await shown.get_attribute("data-booking"))
    await page.click("dialog .primary")
    assert finger.lift() == 2
    return booking_id


async def at_the_door(centre: Centre, panel: Page) -> None:
    """Step 4: the panel knows who is expected; their initials are touched."""
    door = Finger(panel)
    await panel.goto(f"{centre.url}/panel#{centre.panel_key}")
    await expect(panel.locator("button.initials")).to_have_count(1, timeout=PATIENCE_MS)
    await picture(panel, "5-door")
    await door.tap("button.initials")
    await expect(panel.locator("button.initials")).to_have_count(0, timeout=PATIENCE_MS)
    assert door.lift() == 1


async def wait_for_it(centre: Centre, finger: Finger) -> None:
    page = finger.page
    await finger.tap(offer(centre, ".taken"))
    await expect(page.locator("dialog")).to_contain_text("10分間")
    await finger.tap("dialog .primary")
    await expect(page.locator("dialog[data-booking]")).to_contain_text("順番待ち", timeout=PATIENCE_MS)
    assert finger.lift() == 2


async def leave_early(centre: Centre, finger: Finger, booking_id: str) -> None:
    """Step 5: one tap."""
    page = finger.page
    await page.goto(f"{centre.url}/mine")
    here = f'[data-booking="{booking_id}"]'
    await expect(page.locator(here)).to_contain_text("お使いの時間です", timeout=PATIENCE_MS)
    await picture(page, "6-in-use")
    await finger.tap(f"{here} [data-deed=end]")
    await expect(page.locator("#said")).to_contain_text("終わりました", timeout=PATIENCE_MS)
    assert finger.lift() == 1


async def be_told_and_take_it(centre: Centre, finger: Finger) -> None:
    page = finger.page
    told_at = time.time()
    await page.goto(f"{centre.url}/mine")
    await expect(page.locator(".card.asks")).to_contain_text("あなたのために取ってあります", timeout=PATIENCE_MS)
    [offered] = await mine(page, centre)
    assert offered["state"] == "offered"
    assert 0 < offered["expires_at"] - told_at <= 600
    await picture(page, "7-offered")
    await finger.tap("[data-deed=accept]")
    await expect(page.locator(".card.now")).to_contain_text("お使いの時間です", timeout=PATIENCE_MS)
    assert finger.lift() == 1


async def test_from_the_boat_to_the_seat_and_home_early(tmp_path: Path) -> None:
    async with running(tmp_path) as centre, chromium(devices=False) as browser:
        async with at_the_office(centre) as office:
            given = await office.post(f"{centre.api}/organisations/{centre.organisation_id}/code", json={"uses": 2})
            code = given.json()["code"]
        async with opened(browser, **PHONE) as (_, phone), opened(browser, **PHONE) as (_, other):
            first, second = Finger(phone), Finger(other)
            await come_in(centre, first, code, "参加者1")
            booked = await book_a_time(centre, first)
            await no_boat_sails(centre, first, booked)
            await as_last_time(centre, first)
            today = await book_for_now(centre, first)
            size = {"width": 1920, "height": 1080}
            async with opened(browser, viewport=size) as (_, panel):
                await at_the_door(centre, panel)
            await come_in(centre, second, code, "参加者2")
            await wait_for_it(centre, second)
            await leave_early(centre, first, today)
            await be_told_and_take_it(centre, second)
        async with at_the_office(centre) as office:
            devices = await office.get(f"{centre.api}/organisations/{centre.organisation_id}/logins")
            assert sorted(one["name"] for one in devices.json()) == ["参加者1", "参加者2"]
