"""Make the pictures of the facility's day: week, booking, approvals, on a desk and on a phone.

    .venv/bin/python tools/pictures_rooms.py        writes docs/pictures/{week,book,approvals}*.png

A hub of its own with a town that is busy; nothing in it is real.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from pictures import running_hub, save
from playwright.async_api import Browser, Page, async_playwright

from session_manager.booking_records import NewBooking, NewPlace, Place, Wanted
from session_manager.hub import Hub
from session_manager.opening import Hours, Opening
from session_manager.pricing import Holder
from session_manager.schedule import Wall
from session_manager.store import Store

ZONE = "Asia/Tokyo"
PASSWORD = "a long enough password"
DESK, PHONE = (1280, 800), (390, 844)


@dataclass
class Town:
    store: Store
    monday: date
    facility_id: str

    def place(self, kind: str, name: str, **more: object) -> Place:
        return self.store.add_place(NewPlace(self.facility_id, kind, name, **more), time.time())  # type: ignore[arg-type]

    def book(self, place: Place, day: int, hour: float, length: float, title: str, **more: object) -> None:
        starts = datetime.combine(self.monday, datetime.min.time()) + timedelta(days=day, hours=hour)
        time_ = Wall(starts, starts + timedelta(hours=length), ZONE)
        values = {"kind": "plain", "time": time_, "places": (Wanted(place.place_id),), **more}
        self.store.book(NewBooking(title, **values), time.time())  # type: ignore[arg-type]


def settle(store: Store) -> date:
    facility = store.add_facility("壱岐テレワークセンター", ZONE)
    monday = date.today() + timedelta(days=7 - date.today().weekday())
    town = Town(store, monday, facility.facility_id)
    closed = {monday + timedelta(days=3): "設備点検のため"}
    store.set_opening(facility.facility_id, Opening(((Hours(540, 1260),),) * 7, None, closed))
    big = town.place("room", "大会議室", capacity=30, buffer_after_s=1800)
    small, quiet = town.place("room", "小会議室", capacity=8), town.place("room", "静かな個室", capacity=2)
    hall = town.place("room", "ふれあいホール", capacity=120, needs_approval=True)
    seats = town.place("seat", "作業席", quantity=4)
    town.place("free_use", "住民の広場")
    store.add_board(big.place_id, "大会議室のボード", time.time())
    guest = Holder(store.register_person("default", "参加者1", time.time()).person_id, "member")
    for day in range(5):
        town.book(big, day, 9, 1.5, "朝の打合せ")
        town.book(small, day, 13, 2, "遠隔授業 国語 三年生", kind="remote_class")
        town.book(quiet, day, 10, 1, "面談")
        town.book(seats, day, 9, 8, "作業")
        town.book(seats, day, 10, 3, "作業")
    town.book(big, 0, 13, 3, "島と本土の対話 準備会", kind="telework")
    town.book(big, 1, 18.5, 2, "対話の夕べ", kind="dialogue", people=20)
    town.book(hall, 0, 10, 2, "まちづくり協議会", people=40)
    town.book(hall, 0, 11, 2, "漁協の勉強会", people=25, holder=guest)
    town.book(hall, 4, 18, 2, "英語クラブ", people=6, holder=guest)
    return monday


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with running_hub(Path(folder) / "hub") as hub, async_playwright() as play:
            monday = settle(hub.store)
            hub.store.add_account("役場", PASSWORD, "administrator")
            browser = await play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
            for size, end in ((DESK, ""), (PHONE, "_phone")):
                page = await signed_in(browser, hub, size)
                await page.goto(f"{hub.settings.url}/week?first={monday}")
                await page.wait_for_selector("#grid h2")
                await save(page, f"week{end}")
                if end:
                    await page.locator(".place", has_text="大会議室").locator(".stretch.free").first.click()
                else:
                    await page.locator("tr", has_text="大会議室").first.locator("td[aria-label^='12:00']").click()
                    await page.get_by_label("2 時間").check()
                    await page.wait_for_selector(".verdict [data-offer]")
                await page.wait_for_timeout(500)
                await save(page, f"book{end}")
                await page.goto(f"{hub.settings.url}/approvals")
                await page.wait_for_selector("article")
                if not end:
                    await page.locator("article", has_text="英語クラブ").locator(".reasons button").first.click()
                    await page.wait_for_selector("article.answered")
                    await page.mouse.move(0, 0)
                await save(page, f"approvals{end}")
            await browser.close()


async def signed_in(browser: Browser, hub: Hub, size: tuple[int, int]) -> Page:
    context = await browser.new_context(viewport={"width": size[0], "height": size[1]}, locale="ja-JP")
    page = await context.new_page()
    await page.goto(f"{hub.settings.url}/login")
    await page.fill("#name", "役場")
    await page.fill("#password", PASSWORD)
    await page.press("#password", "Enter")
    await page.wait_for_url(lambda url: "/login" not in url)
    return page


if __name__ == "__main__":
    asyncio.run(main())
