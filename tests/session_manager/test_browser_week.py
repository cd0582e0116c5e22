"""The week of rooms and booking in three taps, in a real Chromium against the real API and store."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, Route, expect

from session_manager.opening import Hours, Opening
from session_manager.pricing import PriceRule
from tests.session_manager.site import opened, running_site
from tests.session_manager.town import LONG_NAME, Town, holder, settle

pytestmark = [pytest.mark.chromium, pytest.mark.asyncio(loop_scope="session")]
PHONE = {"width": 390, "height": 844}
NARROW = {"width": 320, "height": 640}
COUNT_TAPS = "window.taps = 0; addEventListener('pointerup', () => { taps += 1; }, true)"
SMALL = "[...document.querySelectorAll('main button')].map((b) => b.offsetHeight).filter((high) => high && high < 44)"


@pytest_asyncio.fixture(loop_scope="session")
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with running_site(tmp_path) as site:
        yield settle(site)


def cell(page: Page, place: str, time: str, day: int = 0) -> Locator:
    row = page.locator(f"[data-day='{day}'] tr", has=page.locator("th", has_text=place))
    return row.locator(f"td[aria-label^='{time}']")


async def office(context: Any, town: Town) -> None:
    await context.add_cookies(town.site.office_cookies())


async def test_a_page_that_waits_for_the_hub_says_so_and_moves_nothing_until_it_has_come(
    browser: Browser, town: Town
) -> None:
    answer = asyncio.Event()

    async def hold(route: Route) -> None:
        await answer.wait()
        await route.continue_()

    async with opened(browser) as (context, page):
        await office(context, town)
        await page.route("**/api/**/week?*", hold)
        await page.goto(town.week)
        await expect(page.get_by_text("読みこんでいます")).to_be_visible()
        await expect(page.get_by_role("button", name="今日", exact=True)).to_be_disabled()
        answer.set()
        await expect(page.get_by_role("button", name="今日", exact=True)).to_be_enabled()
        await expect(page.get_by_text("読みこんでいます")).to_have_count(0)


async def test_a_free_half_hour_is_booked_in_two_taps(browser: Browser, town: Town) -> None:
    async with opened(browser) as (context, page):
        await office(context, town)
        await page.add_init_script(COUNT_TAPS)
        await page.goto(town.week)
        await cell(page, "大会議室", "10:00 空き").click()
        await expect(page.locator("dialog.booking h2")).to_have_text("大会議室")
        await page.locator("dialog.booking button.primary").click()
        await expect(page.locator("#sentences .well")).to_contain_text("10:00〜11:00")
        await expect(cell(page, "大会議室", "10:00〜11:00 予約 打合せ")).to_be_visible()
        assert await page.evaluate("taps") == 2
        (made,) = town.all()
        assert (made.starts, made.places[0].place_id) == (town.wall(10).starts, town.big.place_id)


async def test_a_free_place_is_found_and_booked_in_three_taps(browser: Browser, town: Town) -> None:
    town.site.store.add_board(town.small.place_id, "ボード", 0)
    async with opened(browser) as (context, page):
        await office(context, town)
        await page.add_init_script(COUNT_TAPS)
        await page.goto(f"{town.site.url}/book")
        await page.locator("#when label", has_text="明日の午前").click()
        offers = page.locator("#offers button")
        await expect(offers.first).to_contain_text("小会議室")  # the smallest that fits
        await expect(offers.first).to_contain_text("09:00〜10:00")
        await offers.first.click()
        await page.locator("dialog.booking button.primary").click()
        await expect(page.locator("#sentences .well")).to_contain_text("予約しました")
        assert await page.evaluate("taps") == 3
        await page.fill("#people", "15")
        await page.press("#people", "Tab")
        await expect(offers).to_have_count(2)
        await page.check("#board")
        await expect(page.locator("#verdict")).to_contain_text("見つかりません")
        (made,) = town.all()
        assert made.people == 2


async def test_a_clash_is_a_sentence_with_three_ways_out(browser: Browser, town: Town) -> None:
    """Somebody is faster while the dialog is open."""
    async with opened(browser) as (context, page):
        await office(context, town)
        await page.goto(town.week)
        async with page.expect_response(re.compile("/quote")):
            await cell(page, "大会議室", "10:00 空き").click()
        town.book(10.5)
        await page.locator("dialog.booking button.primary").click()
        verdict = page.locator("dialog.booking .verdict")
        await expect(verdict).to_contain_text("その時間は、ほかの予約が入っています。")
        await expect(verdict.locator("[data-offer]")).to_have_count(4)
        kinds = [await one.get_attribute("data-offer") for one in await verdict.locator("[data-offer]").all()]
        assert kinds[0] == "shift"
        assert set(kinds) == {"shift", "other_place", "wait"}
        await verdict.locator("[data-offer=other_place]").first.click()
        await expect(page.locator("dialog.booking h2")).to_have_text("小会議室")
        await page.locator("dialog.booking button.primary").click()
        await expect(cell(page, "小会議室", "10:00〜11:00 予約")).to_be_visible()
        assert {one.places[0].place_id for one in town.all()} == {town.big.place_id, town.small.place_id}
        async with page.expect_response(re.compile("/quote")):
            await cell(page, "大会議室", "09:30 空き").click()
        town.book(9.5)
        await page.locator("dialog.booking button.primary").click()
        await verdict.locator("[data-offer=wait]").click()
        await expect(page.locator("#sentences")).to_contain_text("空くのを待っています")
        assert [one.state for one in town.all()].count("waiting") == 1


async def test_keys_move_over_the_grid_and_enter_books(browser: Browser, town: Town) -> None:
    town.book(11)
    async with opened(browser) as (context, page):
        await office(context, town)
        await page.goto(town.week)
        grid = page.get_by_role("grid").first
        await expect(grid).to_be_visible()
        await expect(page.get_by_role("grid")).to_have_count(7)
        await expect(grid.get_by_role("rowheader", name=re.compile("大会議室"))).to_have_count(1)
        assert await page.locator("td[role=gridcell][tabindex='0']").count() == 1
        await cell(page, "大会議室", "10:00 空き").focus()
        focused = page.locator("td:focus")
        for key, label in (
            ("ArrowRight", "10:30 空き"),
            ("ArrowRight", "11:00〜12:00 予約 朝の打合せ"),
            ("ArrowRight", "12:00 空き"),
            ("ArrowLeft", "11:00〜12:00"),
            ("ArrowDown", "11:00 空き"),
            ("End", "20:30 空き"),
            ("Home", "09:00 空き"),
            ("PageDown", "09:00 空き"),
        ):
            await page.keyboard.press(key)
            await expect(focused).to_have_attribute("aria-label", re.compile("^" + label))
        assert await focused.evaluate("(td) => [td.place.name, td.closest('section').dataset.day]") == ["小会議室", "1"]
        await page.keyboard.press("Enter")
        await expect(page.locator("dialog.booking")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.locator("dialog.booking")).to_have_count(0)
        await page.keyboard.press("Enter")
        await page.fill("dialog.booking input[type=text]", "鍵だけの会")
        await page.keyboard.press("Enter")
        await expect(cell(page, "小会議室", "09:00〜10:00 予約 鍵だけの会", 1)).to_be_visible()
        await expect(focused).to_have_attribute("aria-label", re.compile("鍵だけの会"))


async def test_what_is_new_comes_without_losing_the_place(browser: Browser, town: Town) -> None:
    async with opened(browser) as (context, page):
        await office(context, town)
        await page.goto(town.week)
        await cell(page, "小会議室", "15:00 空き", 3).focus()
        at = await page.evaluate("scrollY")
        town.book(14, town.small, day=3, title="新しい会")
        answers: list[int] = []
        page.on("response", lambda answer: answers.append(answer.status) if "/week?" in answer.url else None)
        await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        await expect(cell(page, "小会議室", "14:00〜15:00 予約 新しい会", 3)).to_be_visible()
        await expect(page.locator("td:focus")).to_have_attribute("aria-label", re.compile("^15:00 空き"))
        assert await page.evaluate("scrollY") == at
        async with page.expect_response(lambda answer: "/week?" in answer.url) as same:
            await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        assert [*answers, (await same.value).status][-1] == 304


async def test_states_are_told_by_word_and_closed_days_by_their_reason(browser: Browser, town: Town) -> None:
    store = town.site.store
    closed = {town.monday + timedelta(days=2): "台風のため"}
    store.set_opening(town.facility_id, Opening(((Hours(540, 1260),),) * 7, None, closed))
    store.change_place(replace(town.big, buffer_after_s=1800))
    town.book(10)
    town.book(10, town.hall, title="申し込んだ会")
    town.book(10.5, town.hall, title="あとの会")
    async with opened(browser) as (context, page):
        await office(context, town)
        await page.goto(town.week)
        await expect(page.locator("[data-day='2'] h2")).to_contain_text("休み（台風のため）")
        await expect(page.locator("[data-day='2'] table")).to_have_count(0)
        asked = cell(page, "ホール", "10:00〜11:00 申請中 申し込んだ会")
        await expect(asked).to_contain_text("申請中")
        await expect(cell(page, "大会議室", "11:00 準備・片付け")).to_be_visible()
        await page.goto(f"{town.week}&lang=en")
        await expect(cell(page, "ホール", "10:00–11:00 Requested")).to_be_visible()


async def test_one_day_one_kind_one_place_and_other_weeks_can_be_chosen(browser: Browser, town: Town) -> None:
    town.book(10, title="来週の会")
    async with opened(browser) as (context, page):
        await office(context, town)
        await page.goto(town.week)
        await page.click("text=一日")
        await expect(page.get_by_role("grid")).to_have_count(1)
        await page.click("#on")
        await expect(page.locator("td.booked")).to_have_count(0)
        await page.click("#back")
        await page.click("text=一週間")
        await expect(page.get_by_role("grid")).to_have_count(7)
        await expect(page.locator("td.booked")).to_have_count(1)
        await page.click("#back")
        await expect(page.locator("td.booked")).to_have_count(0)
        await page.click("#on")
        await expect(page.locator("td.booked")).to_have_count(1)
        await page.locator("th button", has_text="大会議室").first.click()
        await expect(page.locator("th[scope=row]")).to_have_count(7)
        await page.reload()
        await expect(page.locator("th[scope=row]")).to_have_count(7)  # the address remembers
        await page.click("text=すべての場所を見る")
        await expect(page.get_by_role("grid")).to_have_count(7)


@pytest.mark.parametrize("size", [PHONE, NARROW])
async def test_a_phone_shows_a_list_of_one_day_and_books_from_it(
    browser: Browser, town: Town, size: dict[str, int]
) -> None:
    town.site.store.change_place(replace(town.small, name=LONG_NAME))
    town.book(13, title="とても長い名前の会" * 5)
    async with opened(browser, viewport=size, has_touch=True) as (context, page):
        await office(context, town)
        await page.goto(town.week)
        await expect(page.locator(".place h3").first).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert await page.evaluate(SMALL) == []
        await page.locator(".place", has_text="ホール").locator(".stretch.free").tap()
        await page.select_option("dialog.booking select >> nth=0", label="17:30")
        await expect(page.locator("dialog.booking .when")).to_contain_text("17:30〜18:30")
        await expect(page.locator("dialog.booking .verdict")).to_contain_text("承認がいります")
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        button = page.locator("dialog.booking button.primary")
        await expect(button).to_have_text("申し込む")
        await button.tap()
        await expect(page.locator(".stretch.s-r")).to_contain_text("申請中")
        assert [one.state for one in town.all()] == ["confirmed", "requested"]


async def test_a_citizen_sees_what_is_taken_and_books_for_themselves(browser: Browser, town: Town) -> None:
    store = town.site.store
    store.set_rules("default", replace(store.rules("default"), prices=(PriceRule(yen_per_hour=500),)))
    me, cookies = town.citizen()
    town.book(10, title="役場の秘密", accepted_yen=500)
    town.book(13, title="わたしの会", holder=holder(me), accepted_yen=500)
    async with opened(browser) as (context, page):
        await context.add_cookies(cookies)
        await page.goto(town.week)
        await expect(cell(page, "大会議室", "10:00〜11:00 予約 予約あり")).to_have_attribute("aria-disabled", "true")
        await expect(cell(page, "大会議室", "13:00〜14:00 予約 わたしの会")).to_be_visible()
        assert "役場の秘密" not in await page.content()
        await cell(page, "小会議室", "10:00 空き").click()
        await expect(page.locator("dialog.booking .price")).to_contain_text("500 円")
        await expect(page.locator("dialog.booking button.primary")).to_have_text("500 円で予約する")
        await page.locator("dialog.booking button.primary").click()
        await expect(page.locator("#sentences .well")).to_be_visible()
        assert [one.yen for one in town.all() if one.holder == me] == [500, 500] or len(town.all()) == 3


async def test_a_booking_is_changed_and_cancelled_where_it_stands(browser: Browser, town: Town) -> None:
    made = town.book(10)
    async with opened(browser) as (context, page):
        await office(context, town)
        await page.goto(town.week)
        await cell(page, "大会議室", "10:00〜11:00").click()
        detail = page.locator("dialog.detail")
        await expect(detail).to_contain_text("予約が決まっています")
        await detail.get_by_role("button", name="変更する").click()
        sheet = page.locator("dialog.booking")
        await sheet.locator("input[type=time]").fill("14:00")
        await sheet.get_by_role("button", name="変更する").click()
        await expect(detail).to_contain_text("14:00〜15:00")
        await detail.locator("summary").click()
        await expect(detail.locator("ol li")).to_have_count(2)
        await expect(detail.locator("ol li").last).to_contain_text("変更しました administrator")
        await detail.get_by_role("button", name="取り消す").click()
        await expect(page.locator("dialog").last.locator("button").first).to_be_focused()  # the safe answer
        await page.get_by_role("button", name="船が欠航のため").click()
        await expect(detail).to_contain_text("取り消されました")
        await detail.get_by_role("button", name="閉じる").click()
        await expect(page.locator("td.booked")).to_have_count(0)
        gone = town.site.store.booking(made.booking_id)
        assert (gone.state, gone.reason) == ("cancelled", "船が欠航のため")


async def test_a_change_says_what_it_costs_and_what_is_in_its_way_before_its_button(
    browser: Browser, town: Town
) -> None:
    store = town.site.store
    store.set_rules("default", replace(store.rules("default"), prices=(PriceRule(yen_per_hour=500),)))
    person, _ = town.citizen()
    made = town.book(10, holder=holder(person), accepted_yen=500)
    town.book(14, accepted_yen=500)
    async with opened(browser) as (context, page):
        await office(context, town)
        await page.goto(town.week)
        await cell(page, "大会議室", "10:00〜11:00").click()
        await page.locator("dialog.detail").get_by_role("button", name="変更する").click()
        sheet = page.locator("dialog.booking")
        button = sheet.locator("button.primary")
        await expect(sheet.locator(".price")).to_contain_text("500 円")
        await expect(button).to_have_text("変更する")
        await sheet.locator("input[type=time]").fill("10:30")  # over itself
        await sheet.get_by_label("2 時間").check()
        await expect(button).to_have_text("1,000 円で変更する")
        await sheet.locator("input[type=time]").fill("13:30")
        await sheet.locator("input[type=time]").press("Tab")
        await expect(sheet.locator(".verdict .notice")).to_be_in_viewport()
        await expect(button).to_be_disabled()
        await sheet.locator("[data-offer=shorten], [data-offer=shift]").first.click()
        await expect(button).to_be_enabled()
        await expect(sheet.locator(".price")).to_be_visible()
        await button.click()
        await expect(sheet).to_have_count(0)
        moved = store.booking(made.booking_id)
        assert (moved.holder, moved.time != made.time) == (person, True)
        assert moved.yen == moved.interval.length_s * 500 // 3600


async def test_a_session_of_two_rooms_is_booked_at_once(browser: Browser, town: Town) -> None:
    async with opened(browser) as (context, page):
        await office(context, town)
        await page.goto(town.week)
        await cell(page, "大会議室", "18:30 空き").click()
        sheet = page.locator("dialog.booking")
        await sheet.locator("summary").click()
        await sheet.get_by_label("小会議室").check()
        await sheet.get_by_label("何に使いますか").select_option("dialogue")
        await sheet.get_by_label("部屋と画面の両方").check()
        await sheet.get_by_label("2 時間").check()
        await sheet.locator("button.primary").click()
        await expect(page.locator("#sentences .well")).to_be_visible()
        (made,) = town.all()
        assert (len(made.places), made.kind, made.mode) == (2, "dialogue", "hybrid")
        assert made.session_id is not None
        assert len(town.site.store.session(made.session_id).sites) == 2
        await cell(page, "小会議室", "18:30〜20:30").click()
        await expect(page.locator("dialog.detail a")).to_have_attribute("href", f"/evening/{made.booking_id}")


async def test_names_are_shown_as_they_were_typed_and_faults_as_sentences(browser: Browser, town: Town) -> None:
    town.book(10, title="<img src=x onerror=alert(1)>")
    async with opened(browser) as (context, page):
        await office(context, town)
        await page.goto(town.week)
        await expect(cell(page, "大会議室", "10:00〜11:00")).to_contain_text("<img src=x")
        assert await page.locator("#grid img").count() == 0
        await context.set_offline(True)
        await page.click("#on")
        await expect(page.locator("#sentences .fault")).to_contain_text("つながりません。回線を")
        await context.set_offline(False)
        await page.click("#on")
        await expect(page.locator("#sentences .fault")).to_have_count(0)


SENTENCES = [
    "Somebody else has it then.",
    "Somebody else was faster. Look again for what is free.",
    "壱岐 is closed then: 台風.",
    "30 people do not fit: there is room for 8.",
    "This can be booked 180 days ahead.",
    "A booking lasts 12 hours or less.",
    "More than 2.5 hours a week.",
    "No more than 3 bookings at once. End or cancel one first.",
    "The fee is 500 yen. Confirm it to book.",
    "Free: 7.5 hours of this month are left after it.",
    "2 hours free, then 300 yen an hour.",
]


async def test_the_hubs_sentences_are_said_in_the_pages_language(browser: Browser, town: Town) -> None:
    async with opened(browser) as (context, page):
        await office(context, town)
        await page.goto(town.week)
        words = "(list) => import('/static/sentences.js').then(({ said }) => list.map(said))"
        for one, other in zip(SENTENCES, await page.evaluate(words, SENTENCES), strict=True):
            assert one != other
            assert not re.search(r"[a-z]{3}|said\.|[{}]", other), other
        await page.goto(f"{town.week}&lang=en")
        assert await page.evaluate(words, SENTENCES) == SENTENCES
