"""Journey D: the administrator's half day. The morning, approvals, a partner, a board, no boats, the month.

A real hub and a real board's enrolment in their own processes, a real Chromium; taps are counted as a person makes
them.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Page, expect

from session_manager.booking_records import Booking, NewBooking, NewPlace, Place, Rules, Wanted
from session_manager.demo.children import Child
from session_manager.membership import Level
from session_manager.opening import ALWAYS
from session_manager.pricing import Holder, PriceRule
from session_manager.schedule import Wall
from session_manager.store import Store
from tests.session_manager.fresh import fresh
from tests.session_manager.hall import PASSWORD, QUICK
from tests.session_manager.site import chromium, opened

pytestmark = [pytest.mark.e2e, pytest.mark.chromium, pytest.mark.timeout(180)]

PATIENCE_MS = 60_000
PICTURES = os.environ.get("SHIMAWA_PICTURES")
"""A folder: then the journey leaves pictures of itself there."""


@dataclass
class Town:
    folder: Path
    zone: str
    home: str
    room: Place
    seat: Place
    guest: str
    url: str = ""
    taps: int = 0

    def at(self, hours: float) -> Wall:
        """A whole hour of today, from the next one."""
        now = datetime.now(ZoneInfo(self.zone)).replace(minute=0, second=0, microsecond=0, tzinfo=None)
        starts = now + timedelta(hours=1 + hours)
        return Wall(starts, starts + timedelta(hours=1), self.zone)

    def store(self) -> Store:
        return Store.open(self.folder / "hub" / "shimawa.db", QUICK)


def daytime() -> str:
    """A zone where it is neither night nor near midnight: what is on today must lie within one day."""
    hour = datetime.now(ZoneInfo("Asia/Tokyo")).hour
    return "Asia/Tokyo" if 6 <= hour < 18 else "America/Sao_Paulo"


def book(store: Store, title: str, time: Wall, place: Place, holder: str, user_class: str = "member") -> Booking:
    wish = NewBooking(title, "plain", time, (Wanted(place.place_id),), Holder(holder, user_class))
    made = store.book(wish, datetime.now().timestamp())
    assert isinstance(made, Booking), made
    return made


def settle(folder: Path) -> Town:
    zone, now = daytime(), time.time()
    store = Store.open(fresh(folder / "hub" / "shimawa.db"), QUICK)
    home = store.add_home("壱岐市", zone, now).municipality_id
    store.set_ladder(home, [Level(1, "知る"), Level(2, "つながる"), Level(3, "つくる"), Level(4, "ともに歩む")])
    house = store.add_facility("壱岐テレワークセンター", zone, home)
    store.set_opening(house.facility_id, ALWAYS)
    room = store.add_place(NewPlace(house.facility_id, "room", "会議室", capacity=8), now)
    hall = store.add_place(NewPlace(house.facility_id, "room", "ホール", capacity=40, needs_approval=True), now)
    seat = store.add_place(NewPlace(house.facility_id, "seat", "席", quantity=6), now)
    board = store.add_board(room.place_id, "ボード2", now - 90_000)
    store.board_by_token(board.device_token, now - 3600)
    guest = store.register_person(home, "参加者1", now).person_id
    other = store.register_person(home, "参加者2", now).person_id
    store.set_person_across(home, guest, True)
    account = store.add_account("office", PASSWORD, "administrator")
    store.bind_account(account.account_id, home)
    town = Town(folder, zone, home, room, seat, guest)
    book(store, "移住の相談", town.at(0), room, guest)
    book(store, "島で仕事", town.at(0), seat, guest)
    book(store, "漁協の打合せ", town.at(1), room, other)
    tomorrow = Wall(town.at(0).starts + timedelta(days=1), town.at(0).ends + timedelta(days=1), zone)
    book(store, "合唱の練習", tomorrow, hall, guest)
    book(store, "将棋の会", tomorrow, hall, other)
    later = Wall(tomorrow.starts + timedelta(days=1), tomorrow.ends + timedelta(days=1), zone)
    book(store, "商品の宣伝", later, hall, other)
    store.set_rules(home, Rules(prices=(PriceRule(yen_per_hour=300),)))
    store.close()
    return town


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Town]:
    town = settle(folder)
    ports = ("--port", "0", "--media-port", "0", "--media-workers", "1")
    arguments = ("-m", "session_manager", "serve", "--data", str(folder / "hub"), *ports, "--model", "none", "--json")
    hub = await Child.start("hub", arguments, folder)
    town.url = hub.announced["url"]
    try:
        yield town
    finally:
        await hub.stop()


async def tap(town: Town, page: Page, what: str) -> None:
    town.taps += 1
    await page.locator(what).first.click()


def counted(town: Town) -> int:
    """Taps since it was asked last."""
    taps, town.taps = town.taps, 0
    return taps


async def picture(page: Page, name: str) -> None:
    if PICTURES:
        await page.screenshot(path=str(Path(PICTURES) / f"{name}.png"))


async def test_the_administrator_s_half_day(tmp_path: Path) -> None:
    async with chromium() as browser, running(tmp_path) as town:
        view = {"width": 1280, "height": 800}
        async with opened(browser, viewport=view) as (_, page):
            page.set_default_timeout(PATIENCE_MS)
            await sign_in(town, page)
            await the_morning(town, page)
            await approvals(town, page)
            await a_partner(town, page)
            await a_board(town, page)
            await no_boats(town, page)
            await the_month(town, page)


async def sign_in(town: Town, page: Page) -> None:
    await page.goto(town.url)
    await page.fill("#name", "office")
    await page.fill("#password", PASSWORD)
    await page.press("#password", "Enter")
    await page.wait_for_url(f"{town.url}/today")


async def the_morning(town: Town, page: Page) -> None:
    """At most five lines; the red one is a sentence and one button."""
    red = page.locator("#lines li.fault", has_text="ボード2（会議室）から連絡がありません")
    await expect(red).to_be_visible(timeout=PATIENCE_MS)
    assert await page.locator("#lines li").count() <= 5
    await expect(page.locator("#lines")).to_contain_text("承認を待つ予約が3件あります")
    await expect(page.locator("#on li")).to_have_count(3)
    await picture(page, "today")
    await tap(town, page, "#lines li.fault:has-text('ボード2') a")
    await expect(page.locator("#boards")).to_contain_text("ボード2")
    assert counted(town) == 1


async def approvals(town: Town, page: Page) -> None:
    """Rivals side by side; a yes is one tap and sends the other to the waiting list, a no is one tap on its reason."""
    await page.goto(f"{town.url}/today")
    await tap(town, page, "#lines a[href='/approvals']")
    await page.locator("article.asked").first.wait_for()
    await picture(page, "journey-d-approvals")
    counted(town)
    await tap(town, page, "article.asked:has-text('合唱の練習') button.primary")
    await expect(page.locator("article.asked")).to_have_count(1, timeout=PATIENCE_MS)
    assert counted(town) == 1
    await tap(town, page, "article.asked:has-text('商品の宣伝') .reasons button")
    await expect(page.locator("article.answered")).to_contain_text("お断りしました（空きがない）", timeout=PATIENCE_MS)
    await expect(page.locator("article.asked")).to_have_count(0)
    assert counted(town) == 1


async def a_partner(town: Town, page: Page) -> None:
    """Six answers, and its people pay nothing from that minute."""
    await page.goto(f"{town.url}/people")
    await page.click("#new summary")
    await page.select_option("#partner-level", "2")
    fields = {
        "name": "福岡システム",
        "to": f"{date.today().year + 1}-03-31",
        "seats": "3",
        "mail": "partner@example.jp",
    }
    for name, value in fields.items():
        await page.fill(f"#partner-{name}", value)
    await page.check("#partner-across")
    await picture(page, "people")
    await page.click("#partner button.primary")
    await expect(page.locator("#sentences .well")).to_be_visible(timeout=PATIENCE_MS)
    await expect(page.locator("#ladder li.reached")).to_have_count(2)
    await picture(page, "journey-d-partner")
    assert await page.locator("#partner > div:not([role=alert]):not(:last-child), #partner > fieldset").count() == 6
    store = town.store()
    [contact] = [one for one in store.people(town.home) if one.mail == "partner@example.jp"]
    held = store.holding(town.home, contact.person_id, town.at(2).starts.date(), time.time()).holder
    wish = NewBooking("仕事", "plain", town.at(2), (Wanted(town.seat.place_id),), held)
    stranger = NewBooking("仕事", "plain", town.at(2), (Wanted(town.seat.place_id),), Holder("x", "citizen"))
    assert (store.quote_booking(wish, time.time()).yen, store.quote_booking(stranger, time.time()).yen) == (0, 300)
    store.close()


async def a_board(town: Town, page: Page) -> None:
    """The board shows a code; the administrator types it, chooses the room, adds it: three taps."""
    command = (sys.executable, "-m", "room_agent", "enrol", "--hub", town.url, "--state", str(town.folder / "board"))
    board = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert board.stdout is not None
    code = ""
    async with asyncio.timeout(60):
        while not (found := re.fullmatch(r"[2-9A-Z]{4}-[2-9A-Z]{4}", code)):
            code = (await board.stdout.readline()).decode().strip()
    await page.goto(f"{town.url}/setup")
    await tap(town, page, "#code")
    await page.keyboard.type(found[0].lower())
    await tap(town, page, "#board-rooms label:has-text('ホール')")
    await picture(page, "setup")
    await tap(town, page, "#take-in button.primary")
    await expect(page.locator("#sentences .well")).to_contain_text("を加えました", timeout=PATIENCE_MS)
    assert counted(town) == 3
    async with asyncio.timeout(60):
        assert await board.wait() == 0
    store = town.store()
    key = (town.folder / "board" / "device.token").read_text().strip()
    assert store.board_by_token(key, time.time()) is not None
    store.close()


async def no_boats(town: Town, page: Page) -> None:
    """Two taps send everybody who comes by boat remote; two more put them back."""
    await page.goto(f"{town.url}/today")
    await expect(page.locator("#boats-said")).to_contain_text("2件", timeout=PATIENCE_MS)
    await tap(town, page, "#stop")
    await picture(page, "journey-d-boats")
    await tap(town, page, "#boats-dialog button:has-text('オンラインに切り替える')")
    await expect(page.locator("#boats-said")).to_contain_text("2件を扱いました", timeout=PATIENCE_MS)
    assert counted(town) == 2
    await expect(page.locator("#boats-done")).to_contain_text("移住の相談")
    assert modes(town) == {"移住の相談": "online", "島で仕事": "online", "漁協の打合せ": "in_person"}
    await picture(page, "journey-d-remote")
    await tap(town, page, "#resume")
    await tap(town, page, "dialog button:has-text('もとに戻す')")
    await expect(page.locator("#boats-done")).to_contain_text("もとに戻しました", timeout=PATIENCE_MS)
    assert counted(town) == 2
    assert set(modes(town).values()) == {"in_person"}


def modes(town: Town) -> dict[str, str]:
    store = town.store()
    day = town.at(0)
    from_at = int(time.time()) - 60
    found = store.bookings(from_at, from_at + 5 * 3600, municipality_id=town.home, states=("confirmed",))
    store.close()
    return {one.title: one.mode for one in found if one.starts.date() == day.starts.date()}


async def the_month(town: Town, page: Page) -> None:
    await page.goto(f"{town.url}/month")
    await expect(page.locator("[data-sum=boat_days]")).to_have_text("1日", timeout=PATIENCE_MS)
    await picture(page, "journey-d-month")
    async with page.expect_download() as waiting:
        await tap(town, page, "#sheet")
    download = await waiting.value
    text = Path(await download.path()).read_text(encoding="utf-8-sig")
    assert text.startswith("what,name,bookings,hours,no_shows,yen")
    assert "sum,boat_days,1" in text
    assert counted(town) == 1
