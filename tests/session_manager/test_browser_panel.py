"""The tablet at the door in a real Chromium: one touch each, a cut line, no way out."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from session_manager.web.version import version
from tests.session_manager.door import Door, hang
from tests.session_manager.site import Site, opened, running_site

pytestmark = [pytest.mark.chromium, pytest.mark.timeout(120)]
in_one_loop = pytest.mark.asyncio(loop_scope="session")
PATIENCE_MS = 40_000
DAY_S = 86_400


async def stand(page: Page, site: Site, door: Door) -> None:
    await page.goto(f"{site.url}/panel#{door.key}")
    await expect(page.locator("#room")).to_have_text("小会議室", timeout=PATIENCE_MS)
    assert "#" not in page.url


@in_one_loop
async def test_a_name_that_glows_is_touched_while_the_line_is_cut_and_counts_when_it_is_back(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_site(tmp_path) as site, opened(browser, viewport={"width": 1280, "height": 800}) as (c, page):
        door = hang(site.store, time.time())
        person = site.store.register_person("default", "参加者 <一>", time.time()).person_id
        booking = door.book(5, 60, "<b>祭り</b>の準備", person)
        door.book(90, 60, "極秘", confidential=True)
        await stand(page, site, door)
        await expect(page.locator(".initials")).to_have_text("参<", timeout=PATIENCE_MS)
        await expect(page.locator("main")).to_contain_text("<b>祭り</b>の準備")
        await expect(page.locator("#list")).to_contain_text("予約済")
        await expect(page.locator("#phone svg path")).to_have_attribute("d", re.compile("^M4 4h1v1h-1z"))
        sizes = await page.locator("button:visible").evaluate_all(
            "all => all.map(b => Math.min(b.offsetHeight, b.offsetWidth))"
        )
        assert min(sizes) >= 64
        small = "all => Math.min(...all.map(one => parseFloat(getComputedStyle(one).fontSize)))"
        assert await page.locator("body *:visible").evaluate_all(small) >= 19  # 2.4 % of the height

        await c.set_offline(True)
        await expect(page.locator("#line")).to_contain_text("回線が切れています")
        await page.click(".initials")
        await expect(page.locator("#said")).to_contain_text("回線がつながると送ります")
        [kept] = json.loads(await page.evaluate("localStorage['shimawa.panel.waiting']"))
        assert set(kept) == {"path", "body"}
        assert "参" not in json.dumps(kept, ensure_ascii=False)
        assert site.store.booking(booking.booking_id).state == "confirmed"
        await c.set_offline(False)
        await expect(page.locator(".word.used")).to_contain_text("使用中", timeout=PATIENCE_MS)
        assert site.store.booking(booking.booking_id).state == "in_use"
        assert await page.evaluate("localStorage.length") == 0

        await page.click("button:has-text('30分のばす')")
        await expect(page.locator("#said")).to_contain_text("のばせません", timeout=PATIENCE_MS)
        await page.click("button:has-text('15分のばす')")
        await expect(page.locator("#said")).to_contain_text("15分のばしました", timeout=PATIENCE_MS)


@in_one_loop
async def test_the_room_is_taken_and_given_back_and_a_fault_is_told(browser: Browser, tmp_path: Path) -> None:
    async with running_site(tmp_path) as site, opened(browser, viewport={"width": 800, "height": 1280}) as (_, page):
        door = hang(site.store, time.time())
        await page.clock.install()
        await stand(page, site, door)
        await expect(page.locator(".word.free")).to_contain_text("空いています", timeout=PATIENCE_MS)
        await page.click("[data-key=use30]")
        await expect(page.locator(".word.used")).to_be_visible(timeout=PATIENCE_MS)
        await page.click("button:has-text('いま終わる')")
        assert await page.evaluate("document.activeElement.textContent") == "続けて使う"
        await page.click("dialog button.ends")
        await expect(page.locator(".word.free")).to_be_visible(timeout=PATIENCE_MS)
        await page.click("#trouble")
        await page.click("dialog button:has-text('音')")
        await expect(page.locator("#said")).to_contain_text("事務室に知らせました", timeout=PATIENCE_MS)
        [fault] = site.store.faults("default")
        assert fault.kind == "sound"
        assert await page.locator("a:visible").count() == 0
        assert await page.locator("form").count() == 0

        site.store.revoke_panel("default", door.panel.panel_id, time.time())
        await page.clock.fast_forward(6000)  # it looks every five seconds
        await expect(page.locator("main")).to_contain_text("まだどの部屋のものでもありません", timeout=PATIENCE_MS)
        assert door.room_id not in await page.content()


@in_one_loop
async def test_a_link_that_was_used_up_says_so(browser: Browser, tmp_path: Path) -> None:
    async with running_site(tmp_path) as site, opened(browser, locale="en-GB") as (_, page):
        await page.goto(f"{site.url}/panel#nonsense")
        await expect(page.locator("#said")).to_contain_text("does not work any more", timeout=PATIENCE_MS)
        await expect(page.locator("main")).to_contain_text("does not belong to a room")


@in_one_loop
async def test_a_phone_that_saw_the_code_checks_in(browser: Browser, tmp_path: Path) -> None:
    async with running_site(tmp_path) as site, opened(browser, viewport={"width": 390, "height": 844}) as (_, page):
        from session_manager.panel import door_code
        from tests.session_manager.site import SECRET

        door = hang(site.store, time.time())
        person = site.store.register_person("default", "参加者 一", time.time()).person_id
        booking = door.book(5, 60, "祭りの準備", person)
        await page.goto(f"{site.url}/check-in#{door_code(SECRET, door.panel.panel_id, time.time())}")
        assert "#" not in page.url
        await page.click("button:has-text('参一')")
        await expect(page.locator("#said")).to_contain_text("小会議室にチェックインしました", timeout=PATIENCE_MS)
        assert site.store.booking(booking.booking_id).state == "in_use"
        await page.goto(f"{site.url}/check-in")
        await expect(page.locator("#said")).to_contain_text("カメラで読みとって", timeout=PATIENCE_MS)


def test_the_mark_of_the_pages_is_the_same_until_a_file_changes() -> None:
    assert re.fullmatch(r"[0-9a-f]{16}", version())
    assert version() == version()
