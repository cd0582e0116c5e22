"""Signing in, the day's sessions and the boards, in a real Chromium against the real API."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from session_manager.store import NewSite
from tests.session_manager.site import PASSWORD, opened, running_site

pytestmark = [pytest.mark.chromium, pytest.mark.asyncio(loop_scope="session")]


async def test_a_day_at_the_office(browser: Browser, tmp_path: Path) -> None:
    """Sign in, add a board with its room, plan a session, start it, give a link away, end it, sign out."""
    async with running_site(tmp_path) as site, opened(browser) as (_, page):
        site.store.add_account("役場", PASSWORD, "administrator")
        await page.goto(site.url)
        await page.wait_for_url(re.compile("/login"))
        await page.fill("#name", "役場")
        await page.fill("#password", "wrong")
        await page.press("#password", "Enter")
        await expect(page.locator("#problem")).to_have_text("名前かパスワードが違います。")
        await page.fill("#password", PASSWORD)
        await page.press("#password", "Enter")
        await page.wait_for_url(f"{site.url}/today")
        await page.goto(f"{site.url}/sessions")
        await expect(page.locator("#nothing")).to_be_visible()

        await page.click("summary:has-text('ボードを加える')")
        await page.fill("#board-name", "壱岐のボード")
        await page.fill("#room-name", "大会議室")
        await page.click("#board-form button")
        await expect(page.locator("#board-token .secret")).to_have_text(re.compile(r"\S{20,}"))
        await expect(page.locator("#boards")).to_contain_text("大会議室・まだ連絡がありません")

        await page.click("summary:has-text('会をつくる')")
        await page.fill("#new-title", "港の<b>会</b>")
        await page.check("input[name=room]")
        await page.click("#new-form button")
        await expect(page.locator("#now h3")).to_have_text("港の<b>会</b>")
        [planned] = site.store.sessions()
        assert [place.name for place in planned.sites] == ["大会議室"]
        assert planned.ends_at - planned.starts_at == 7200

        await page.click("#now button:has-text('はじめる')")
        await expect(page.locator("#now")).to_contain_text("進行中")
        await page.click("#now button:has-text('参加のリンク')")
        link = await page.locator("#sentences .secret").inner_text()
        assert re.fullmatch(rf"{re.escape(site.url)}/join#\S+", link)
        code = link.partition("#")[2]
        assert site.store.look_invitation(code, planned.starts_at) is not None

        await page.click("#now button:has-text('おわる')")
        assert await page.evaluate("document.activeElement.textContent") == "続ける"
        await page.keyboard.press("Enter")
        assert site.store.session(planned.session_id).state == "live"
        await page.click("#now button:has-text('おわる')")
        await page.click("dialog button:has-text('おわる')")
        await expect(page.locator("#past h3")).to_have_text("港の<b>会</b>")
        await page.click("#past a")
        await page.wait_for_url(re.compile("/transcript$"))
        await page.goto(site.url)
        await page.click("#logout")
        await page.wait_for_url(re.compile("/login"))
        await page.goto(site.url)
        await page.wait_for_url(re.compile("/login"))


async def test_what_is_refused_is_said_and_nothing_is_lost(browser: Browser, tmp_path: Path) -> None:
    async with running_site(tmp_path) as site, opened(browser, locale="en-GB") as (context, page):
        await context.add_cookies(site.office_cookies())  # type: ignore[arg-type]
        facility = site.store.add_facility("Iki", "Asia/Tokyo")
        site.store.add_room(facility.facility_id, "Hall")
        session = site.session(state="planned")
        await page.goto(f"{site.url}/sessions")
        await page.click("summary:has-text('New session')")
        await page.fill("#new-title", "Harbour")
        await page.fill("#new-end", "2020-01-01T10:00")
        await page.click("#new-form button")
        await expect(page.locator("#new-problem")).to_contain_text("after the beginning")
        await page.fill("#new-end", "2099-01-01T10:00")
        await page.uncheck("input[name=room]")
        await page.click("#new-form button")
        await expect(page.locator("#new-problem")).to_contain_text("at least one room")
        await expect(page.locator("#new-title")).to_have_value("Harbour")
        await context.clear_cookies(name="shimawa_csrf")
        await page.click("#now button:has-text('Start')")
        await expect(page.locator("#sentences .fault")).to_be_visible()
        assert site.store.session(session.session_id).state == "planned"


async def test_the_next_address_after_signing_in_is_always_ours(browser: Browser, tmp_path: Path) -> None:
    async with running_site(tmp_path) as site, opened(browser) as (_, page):
        site.store.add_account("a", PASSWORD, "staff")
        await page.goto(f"{site.url}/login?next=//evil.example/x")
        await page.fill("#name", "a")
        await page.fill("#password", PASSWORD)
        await page.press("#password", "Enter")
        await page.wait_for_url(f"{site.url}/today")


async def test_a_link_to_a_session_brings_it_into_view_and_marks_it(browser: Browser, tmp_path: Path) -> None:
    async with (
        running_site(tmp_path) as site,
        opened(browser, viewport={"width": 390, "height": 844}) as (context, page),
    ):
        now = time.time()
        made = [site.store.add_session(f"会{n}", now + n * 60, now + 7200, "Asia/Tokyo", []) for n in range(12)]
        await context.add_cookies(site.office_cookies())
        for one in (made[9], made[2]):
            await page.goto(f"{site.url}/sessions#{one.session_id}")
            row = page.locator("#now [aria-current=true]")
            await expect(row).to_have_count(1)
            await expect(row).to_contain_text(one.title)
            await expect(row).to_be_in_viewport()
            await expect(row).to_be_focused()
        await page.goto(f"{site.url}/today")
        await page.goto(f"{site.url}/sessions")
        await expect(page.locator("#now li")).to_have_count(12)
        await expect(page.locator("#now .named")).to_have_count(0)


async def test_today_s_list_leads_to_a_session_that_nobody_booked(browser: Browser, tmp_path: Path) -> None:
    async with running_site(tmp_path) as site, opened(browser) as (context, page):
        house = site.store.add_facility("壱岐", "Asia/Tokyo").facility_id
        place = [NewSite("大会議室", site.store.add_room(house, "大会議室").room_id)]
        now = time.time()
        site.store.add_session("港の<b>会</b>", now - 60, now + 60, "Asia/Tokyo", place)
        await context.add_cookies(site.office_cookies())
        await page.goto(f"{site.url}/today")
        row = page.locator("#on li")
        await expect(row).to_contain_text("港の<b>会</b>")
        await expect(row).to_contain_text("大会議室・会")
        await row.get_by_role("link", name="会のページへ").click()
        await expect(page.locator("#now [aria-current=true] h3")).to_have_text("港の<b>会</b>")
