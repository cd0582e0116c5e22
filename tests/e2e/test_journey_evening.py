"""A facilitator's evening, before and after: a real hub process, real browsers, a real mail server, taps counted.

The year's series, the question, the tables, the door, the beginning; then the harvest, and a report approved and sent.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from aiosmtpd.smtp import SMTP
from playwright.async_api import Browser, BrowserContext, Locator, Page, async_playwright, expect

from session_manager.booking_records import NewBooking, NewPlace, Wanted
from session_manager.demo.children import Child
from session_manager.opening import ALWAYS
from session_manager.schedule import Wall
from session_manager.store import Store
from tests.session_manager.fresh import fresh
from tests.session_manager.hall import QUICK
from tests.session_manager.site import CHROMIUM, FLAGS
from tests.session_manager.test_sender import Box

pytestmark = [pytest.mark.e2e, pytest.mark.chromium, pytest.mark.timeout(300)]

TOWN, ZONE = "default", "Asia/Tokyo"
PEOPLE = ("世話人", "参加者1", "参加者2", "参加者3", "参加者4", "参加者5")
SLOW = 30_000


@dataclass
class Taps:
    """Counts what a person does with a finger; typing names is not a tap."""

    count: int = 0

    async def on(self, target: Locator) -> None:
        await target.click(timeout=SLOW)
        self.count += 1

    def taken(self) -> int:
        count, self.count = self.count, 0
        return count


@dataclass
class Evening:
    url: str
    box: Box
    browser: Browser
    folder: Path
    taps: Taps = field(default_factory=Taps)

    async def sign_in(self, number: int, **options: object) -> tuple[BrowserContext, Page]:
        """By the link in a letter, as people without a password do."""
        context = await self.browser.new_context(locale="ja-JP", **options)  # type: ignore[arg-type]
        context.set_default_timeout(SLOW)
        mail = f"p{number}@lab.example"
        await context.request.post(f"{self.url}/api/login/link", data={"mail": mail})
        letter = await self.letter(mail, "ログイン")
        found = re.search(r"#(\S+)", letter)
        assert found is not None, letter
        entered = await context.request.post(f"{self.url}/api/login/link/enter", data={"code": found[1]})
        assert entered.ok, await entered.text()
        return context, await context.new_page()

    async def letter(self, mail: str, subject: str) -> str:
        """Read once."""
        async with asyncio.timeout(60):
            while True:
                for one in self.box.letters:
                    if one["To"] == mail and subject in str(one["Subject"]):
                        self.box.letters.remove(one)
                        return str(one.get_body(("plain",)).get_content())  # type: ignore[union-attr]
                await asyncio.sleep(0.1)

    async def picture(self, page: Page, name: str) -> None:
        folder = Path(os.environ.get("SHIMAWA_PICTURES", self.folder))
        await page.screenshot(path=folder / f"{name}.png")


def furnish(store: Store) -> str:
    """Two venues, a group, its people; one venue is taken on the third second Wednesday. The taken day."""
    now = datetime.now(ZoneInfo(ZONE))
    rooms = []
    for house, room in (("港の館", "ホール"), ("港の館", "小ホール"), ("本土の館", "ホール")):
        known = {one.name: one.facility_id for one in store.facilities()}
        facility = known.get(house) or store.add_facility(house, ZONE).facility_id
        store.set_opening(facility, ALWAYS)
        place = NewPlace(facility, "room", room, capacity=30)
        rooms.append(store.add_place(place, now.timestamp()).place_id)
    group = store.add_group(TOWN, "対話の会", now.timestamp()).group_id
    for number, name in enumerate(PEOPLE):
        person = store.register_person(TOWN, name, now.timestamp(), mail=f"p{number}@lab.example").person_id
        role = "member" if number else "facilitator"
        store.put_in_group(TOWN, group, person, role, now.timestamp())
    tomorrow = now.replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    days = (tomorrow + timedelta(days=number) for number in range(200))
    third = [day for day in days if day.weekday() == 2 and 8 <= day.day <= 14][2]
    time = Wall(third.replace(hour=18), third.replace(hour=21), ZONE)
    store.book(NewBooking("先の予約", "plain", time, (Wanted(rooms[0]),)), now.timestamp())
    return third.date().isoformat()


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[tuple[Evening, str]]:
    data = folder / "hub"
    store = Store.open(fresh(data / "shimawa.db"), QUICK)
    taken = furnish(store)
    store.close()
    box = Box()
    mail = await asyncio.get_running_loop().create_server(lambda: SMTP(box), "127.0.0.1", 0)
    smtp = {
        "SHIMAWA_SMTP_HOST": "127.0.0.1",
        "SHIMAWA_SMTP_PORT": str(mail.sockets[0].getsockname()[1]),
        "SHIMAWA_SMTP_TLS": "none",
        "SHIMAWA_MAIL_FROM": "島話 <office@lab.example>",
    }
    arguments = ["-m", "session_manager", "serve", "--json", "--data", str(data), "--port", "0", "--media-port", "0"]
    try:
        hub = await Child.start("hub", [*arguments, "--model", "none"], folder, smtp)
        try:
            async with async_playwright() as play:
                browser = await play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
                yield Evening(hub.announced["url"], box, browser, folder), taken
                await browser.close()
        finally:
            await hub.stop()
    finally:
        mail.close()
        await mail.wait_closed()


async def test_an_evening_from_the_years_plan_to_the_report(tmp_path: Path) -> None:
    expect.set_options(timeout=SLOW)
    async with running(tmp_path) as (lab, taken):
        _, page = await lab.sign_in(0, viewport={"width": 1280, "height": 800})
        await the_year_is_planned(lab, page, taken)
        await the_first_evening_is_tonight(lab, page)
        evening = await the_question_is_checked_by_two(lab, page)
        await the_tables_are_proposed_and_moved(lab, page)
        await people_come_in(lab, evening)
        await it_begins(lab, page)
        await what_it_left_is_written_down(lab, page)
        await it_ends_and_the_report_is_approved(lab, page)


async def the_year_is_planned(lab: Evening, page: Page, taken: str) -> None:
    """Four taps and a name, one clash resolved."""
    await page.goto(f"{lab.url}/series")
    await lab.taps.on(page.locator("#templates button").first)
    await page.fill("#new-title", "島と本土の対話の夕べ")
    await lab.taps.on(page.locator("#new button.primary"))
    await expect(page.locator("#quoted-dates > li")).to_have_count(12)
    await expect(page.locator("#quoted-dates > li.clash")).to_have_count(1)
    clash = page.locator("#quoted-dates > li.clash")
    await expect(clash).to_contain_text(f"{int(taken[5:7])}月{int(taken[8:10])}日")
    await lab.picture(page, "series")
    await lab.taps.on(clash.locator("button:has-text('小ホール')"))
    await expect(page.locator("#quoted-dates > li.clash")).to_have_count(0)
    await lab.taps.on(page.locator("#quoted button.primary"))
    await page.wait_for_url(re.compile(r"/series/\w+$"))
    await expect(page.locator("#dates > li")).to_have_count(12)
    assert lab.taps.taken() == 4
    await expect(page.locator("#dates > li").nth(2)).to_contain_text("港の館 小ホール")
    await expect(page.locator("#dates > li").nth(3)).to_contain_text("港の館 ホール")


async def the_first_evening_is_tonight(lab: Evening, page: Page) -> None:
    """One date is moved and goes to one venue; what changes is shown before; the others stay."""
    starts = datetime.now(ZoneInfo(ZONE)) + timedelta(minutes=10)
    await page.locator("#dates > li").first.locator("button:has-text('変える')").click()
    await page.fill("dialog [name=day]", starts.date().isoformat())
    await page.fill("dialog [name=from]", f"{starts:%H:%M}")
    await page.fill("dialog [name=to]", f"{starts + timedelta(hours=2):%H:%M}")
    await page.locator("dialog .answers button.primary").click()
    await expect(page.locator("dialog .changes > li")).to_have_count(1)
    await lab.picture(page, "journey-c-change")
    await page.locator("dialog .stack button.primary").click()
    await expect(page.locator("#dates > li").first).to_contain_text(f"{starts:%H:%M}")
    await expect(page.locator("#dates > li").nth(1)).to_contain_text("18:30")
    await lab.letter("p3@lab.example", "変更")
    await page.locator("#dates > li").first.locator("a:has-text('準備と記録')").click()
    await page.wait_for_url(re.compile("/evening/"))


async def the_question_is_checked_by_two(lab: Evening, page: Page) -> str:
    await page.locator("#question summary").click()
    await page.fill("#q-words", "港は、だれのものだろうか")
    await page.fill("#q-why", "船が減り、港に来る人も減っています。")
    await page.fill("#q-known", "十年前は一日に三便ありました。")
    await page.select_option("#q-owner", label="参加者3")
    await page.locator("#question form button").click()
    await expect(page.locator("#question .asked")).to_have_text("港は、だれのものだろうか")
    await expect(page.locator("#question .notice")).to_contain_text("あと2人")
    for number in (1, 2):
        context, peer = await lab.sign_in(number, viewport={"width": 390, "height": 844})
        await peer.goto(page.url)
        await lab.taps.on(peer.locator("button:has-text('よい問いだと思います')"))
        await expect(peer.locator("button:has-text('よい問いだと思います')")).to_have_count(0)
        assert lab.taps.taken() == 1
        await expect(peer.locator("#harvest form")).to_have_count(0)
        await context.close()
    await page.reload()
    await expect(page.locator("#question .notice")).to_contain_text("参加者1、参加者2が確かめました")
    return page.url.rsplit("/", 1)[1]


async def the_tables_are_proposed_and_moved(lab: Evening, page: Page) -> None:
    await page.select_option("#per-table", "3")
    await lab.taps.on(page.locator("#propose"))
    await expect(page.locator(".table")).to_have_count(2)
    await expect(page.locator(".table .chip")).to_have_count(6)
    name = (await page.locator(".table").first.locator(".chip").first.inner_text()).split("\n")[0]
    await lab.taps.on(page.locator(".table").first.locator(".chip").first)
    await lab.taps.on(page.locator(".table").nth(1).locator("button.primary"))
    await expect(page.locator(".table").nth(1).locator(".chip")).to_have_count(4)
    await expect(page.locator(".table").nth(1).locator(".chip").filter(has_text=name)).to_have_count(1)
    assert lab.taps.taken() == 3
    await lab.picture(page, "journey-c-evening")


async def people_come_in(lab: Evening, evening: str) -> None:
    """On the wall's own page: a name and one of three answers; the room shows the least of them."""
    context, wall = await lab.sign_in(0, viewport={"width": 1920, "height": 1080})
    await wall.goto(f"{lab.url}/door/{evening}")
    await expect(wall.locator("#level")).to_contain_text("だれがいつ話したか")
    for name in ("世話人", "参加者1", "参加者2"):
        await lab.taps.on(wall.locator(f"#names button:has-text('{name}')"))
        if name == "世話人":
            await lab.picture(wall, "journey-c-door")
        await lab.taps.on(wall.locator("dialog .choice").first)
        await expect(wall.locator("#names .here").filter(has_text=name)).to_have_count(1)
        assert lab.taps.taken() == 2
    await expect(wall.locator("#level")).to_contain_text("だれがいつ話したか")
    await lab.taps.on(wall.locator("#names button:has-text('参加者4')"))
    await lab.taps.on(wall.locator("dialog .choice").nth(1))
    await expect(wall.locator("#level")).to_contain_text("だれがいたかだけ")
    await expect(wall.locator("body")).to_have_attribute("data-level", "1")
    lab.taps.taken()
    await lab.picture(wall, "door")
    await context.close()


async def it_begins(lab: Evening, page: Page) -> None:
    await page.reload()
    await lab.taps.on(page.locator("#act button.primary"))
    await expect(page.locator("#act")).to_contain_text("進行中")
    assert lab.taps.taken() == 1
    await expect(page.locator("#people .level")).to_contain_text("だれがいたかだけ")


async def what_it_left_is_written_down(lab: Evening, page: Page) -> None:
    await page.reload()
    rows = (
        ("quote", "参加者1", "港に灯りをともしたい", True),
        ("action", "参加者2", "参加者4と港の地図をつくる", True),
        ("quote", "参加者2", "これはここだけの話", False),
        ("quote", "参加者4", "名前は出さないでほしい", True),
    )
    for kind, name, words, yes in rows:
        await page.select_option("#item-kind", kind)
        await page.select_option("#item-person", label=name)
        await page.fill("#item-words", words)
        await page.set_checked("#item-yes", yes)
        await page.locator("#item-form button").click()
        await expect(page.locator("#harvest > .list")).to_contain_text(words)


async def it_ends_and_the_report_is_approved(lab: Evening, page: Page) -> None:
    await page.locator("#act button.ends").click()
    await page.locator("dialog button.ends").click()
    await expect(page.locator("#act button.ends")).to_have_count(0)
    await page.reload()
    await expect(page.locator("#report .list > li")).to_have_count(2)
    await page.fill("#report-opening", "港をめぐって話しました。")
    await lab.picture(page, "journey-c-report")
    await lab.taps.on(page.locator("#publish"))
    await lab.taps.on(page.locator("dialog button.ends"))
    await expect(page.locator("#report .notice")).to_contain_text("公開しています")
    assert lab.taps.taken() == 2
    await anybody_can_read_it(lab, str(await page.locator("#report .notice a").get_attribute("href")))


async def anybody_can_read_it(lab: Evening, path: str) -> None:
    context = await lab.browser.new_context(locale="ja-JP", viewport={"width": 1280, "height": 800})
    reader = await context.new_page()
    await reader.goto(lab.url + path)
    await lab.picture(reader, "journey-c-public")
    read = await reader.locator("main").inner_text()
    feed = await (await context.request.get(f"{lab.url}/reports/feed.atom")).text()
    assert f"{lab.url}{path}" in await lab.letter("p5@lab.example", "報告を公開しました")
    for text in (read, feed):
        assert "港に灯りをともしたい" in text
        assert "参加者と港の地図をつくる" in text
        assert "参加者1" in text
        for secret in ("参加者4", "ここだけの話", "名前は出さないで", "参加者5", "世話人"):
            assert secret not in text
    await reader.goto(f"{lab.url}/reports")
    await expect(reader.locator("main .list > li")).to_have_count(1)
    await context.close()
