"""Approvals in a real Chromium: rivals side by side, one tap for a yes, one on a reason for a no."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from session_manager.booking_records import BookingChange
from tests.session_manager.site import opened, running_site
from tests.session_manager.town import LONG_NAME, Town, holder, settle

pytestmark = [pytest.mark.chromium, pytest.mark.asyncio(loop_scope="session")]


@pytest_asyncio.fixture(loop_scope="session")
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with running_site(tmp_path) as site:
        yield settle(site)


def card(page: Page, title: str) -> Locator:
    return page.get_by_role("article", name=title)


async def test_rivals_stand_side_by_side_and_one_tap_approves(browser: Browser, town: Town) -> None:
    person, _ = town.citizen()
    first = town.book(10, town.hall, title="まちづくり協議会")
    second = town.book(10.5, town.hall, title="漁協の勉強会", holder=holder(person))
    town.book(15, town.hall, title="英語クラブ", day=1)
    async with opened(browser) as (context, page):
        await context.add_cookies(town.site.office_cookies())
        await page.goto(f"{town.site.url}/approvals")
        await expect(page.locator("#count")).to_contain_text("3 件")
        await expect(page.locator("h2")).to_have_text("同じ場所と時間に 2 件の申し込みがあります")
        one, other = card(page, "まちづくり協議会"), card(page, "漁協の勉強会")
        await expect(one).to_contain_text("承認すると、「漁協の勉強会」は空き待ちになります。")
        await expect(one).to_contain_text("までに返事がないと、自動で終わります")
        await expect(other).to_contain_text("参加者1")
        boxes = [await each.bounding_box() for each in (one, other)]
        assert boxes[0]
        assert boxes[1]
        assert boxes[0]["y"] == boxes[1]["y"]
        await one.get_by_role("button", name="承認する").click()
        await expect(page.locator("#sentences .well")).to_have_text("「まちづくり協議会」を承認しました。")
        await expect(page.get_by_role("article")).to_have_count(1)
        states = [town.site.store.booking(made.booking_id).state for made in (first, second)]
        assert states == ["confirmed", "waiting"]


async def test_a_no_is_one_tap_on_its_reason_and_is_said_where_it_stands(browser: Browser, town: Town) -> None:
    made, other = (town.book(hours, town.hall, title=f"会{hours}") for hours in (10, 15))
    async with opened(browser, viewport={"width": 320, "height": 640}) as (context, page):
        await page.add_init_script("window.taps = 0; addEventListener('pointerup', () => { taps += 1; }, true)")
        await context.add_cookies(town.site.office_cookies())
        await page.goto(f"{town.site.url}/approvals")
        reasons = card(page, "会10").get_by_role("group", name="お断りする理由")
        await reasons.get_by_role("button", name="用途が合わない").click()
        await expect(card(page, "会10")).to_contain_text("お断りしました（用途が合わない）")
        await expect(card(page, "会10").get_by_role("button")).to_have_count(0)
        await expect(page.locator("#told[role=status]")).to_have_text("「会10」：お断りしました（用途が合わない）")
        await expect(page.locator("#count")).to_contain_text("1 件")
        await expect(card(page, "会10")).to_be_focused()
        assert await page.evaluate("taps") == 1
        found = [town.site.store.booking(one.booking_id) for one in (made, other)]
        assert [(one.state, one.reason) for one in found] == [("declined", "用途が合わない"), ("requested", "")]
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_another_reason_is_written_and_outlives_what_changes_beside_it(browser: Browser, town: Town) -> None:
    first, made = (town.book(hours, town.hall, title=f"会{hours}") for hours in (10, 10.5))
    async with opened(browser) as (context, page):
        await context.add_cookies(town.site.office_cookies())
        await page.goto(f"{town.site.url}/approvals")
        await card(page, "会10.5").get_by_role("button", name="ほかの理由…").click()
        words = card(page, "会10.5").get_by_label("ほかの理由", exact=True)
        await expect(words).to_be_focused()
        await words.fill("避難所に")
        town.site.store.cancel(first.booking_id, "", "office", time.time())
        await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        await expect(page.get_by_role("article")).to_have_count(1)
        await expect(words).to_be_focused()
        await words.press_sequentially("なる")
        await page.keyboard.press("Enter")
        await expect(card(page, "会10.5")).to_contain_text("お断りしました（避難所になる）")
        await expect(page.locator("#none")).to_be_visible()
        assert town.site.store.booking(made.booking_id).reason == "避難所になる"


async def test_an_asked_change_shows_what_is_and_what_is_wished(browser: Browser, town: Town) -> None:
    made = town.book(10, town.hall, title=LONG_NAME)
    store = town.site.store
    store.approve(made.booking_id, "office", time.time())
    store.change(made.booking_id, BookingChange(time=town.wall(14)), "office", time.time())
    town.book(14, town.hall, title="<b>先に決まる会</b>")
    async with opened(browser, locale="en-GB") as (context, page):
        await context.add_cookies(town.site.office_cookies())
        await page.goto(f"{town.site.url}/approvals")
        asked = card(page, LONG_NAME)
        await expect(asked).to_contain_text("A change")
        await expect(asked).to_contain_text("10:00–11:00")
        await expect(asked).to_contain_text("14:00–15:00")
        await expect(page.locator("h3", has_text="<b>先に決まる会</b>")).to_be_visible()
        await card(page, "<b>先に決まる会</b>").get_by_role("button", name="Approve").click()
        await expect(asked).to_contain_text("Cannot be approved now")
        await expect(asked.get_by_role("button", name="Approve")).to_be_disabled()


async def test_what_ended_without_an_answer_is_shown_as_such(browser: Browser, town: Town) -> None:
    made = town.book(10, town.hall, title="返事のなかった会")
    assert made.expires_at is not None
    town.site.store.tick(made.expires_at)
    async with opened(browser) as (context, page):
        await context.add_cookies(town.site.office_cookies("staff"))
        await page.goto(f"{town.site.url}/approvals")
        await expect(page.locator("#none")).to_be_visible()
        await page.click("#over summary")
        await expect(page.locator("#over-list")).to_contain_text("返事のなかった会")


async def test_who_a_member_vouched_for_is_let_in_by_the_office(browser: Browser, town: Town) -> None:
    store = town.site.store
    member, _ = town.citizen("先生")
    guest, _ = town.citizen("参加者2")
    group = store.add_group("default", "事例の会", time.time(), referral_only=True, second_approval=True)
    store.put_in_group("default", group.group_id, member, "member", time.time())
    asked = store.ask_to_join("default", group.group_id, guest, member, "よろしくお願いします", time.time())
    store.vouch("default", group.group_id, asked.request_id, member, time.time())
    async with opened(browser) as (context, page):
        await context.add_cookies(town.site.office_cookies())
        await page.goto(f"{town.site.url}/approvals")
        await expect(card(page, "参加者2")).to_contain_text("先生さんの紹介です")
        await card(page, "参加者2").get_by_role("button", name="迎える").click()
        await expect(page.locator("#none")).to_be_visible()
        assert guest in {one.person_id for one in store.group_members("default", group.group_id)}


async def test_approvals_are_the_offices_alone(browser: Browser, town: Town) -> None:
    _, cookies = town.citizen()
    async with opened(browser) as (context, page):
        await context.add_cookies(cookies)
        answer = await page.goto(f"{town.site.url}/approvals")
        assert answer is not None
        assert answer.status == 403
