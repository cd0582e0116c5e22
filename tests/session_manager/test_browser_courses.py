"""Applying for a series in a real Chromium: see what follows, apply, see one's turn, give up with one question."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from session_manager.enrolment import NewCircle
from session_manager.web.security import CSRF_COOKIE, LOGIN_COOKIE, csrf_token
from tests.session_manager.hall import NOW
from tests.session_manager.lab import TOWN, Lab
from tests.session_manager.site import SECRET, opened, running_site

pytestmark = [pytest.mark.chromium, pytest.mark.asyncio(loop_scope="session")]
NASTY = "<img src=x onerror=alert(1)>"


async def test_a_person_applies_sees_their_turn_and_gives_it_up(browser: Browser, tmp_path: Path) -> None:
    async with (
        running_site(tmp_path, clock=lambda: NOW) as site,
        opened(browser) as (context, page),
    ):
        store, now = site.store, NOW
        lab = Lab(store, guests=1)
        its = lab.series.series_id
        store.set_circle(its, NewCircle(lab.group_id, 1, "order", int(now) + 86_400), now)
        me, other = (store.register_person(TOWN, name, now).person_id for name in ("参加者1", NASTY))
        login = store.open_person_login(me, now, 3600)
        cookies = {LOGIN_COOKIE: login, CSRF_COOKIE: csrf_token(SECRET, login)}
        await context.add_cookies([{"name": name, "value": value, "url": site.url} for name, value in cookies.items()])
        await page.goto(f"{site.url}/mine")
        await page.click("main a[href='/courses']")
        card = page.locator(f"[data-series='{its}']")
        await expect(card).to_contain_text("残り1席（定員1名）")
        store.apply(its, other, now)
        await page.click("[data-deed=apply]")
        await expect(page.locator("dialog")).to_contain_text("申込み順です")
        await page.click("dialog .primary")
        await expect(page.locator("#said")).to_contain_text("順番待ちに入りました")
        await expect(card.locator(".state")).to_have_text("順番待ち 1番目です。")
        store.give_up(its, other, now)
        await page.reload()
        await expect(card.locator(".state")).to_have_text("参加が決まりました。")
        await page.click("[data-deed=give-up]")
        await page.click("dialog .primary")
        await expect(page.locator("dialog")).to_have_count(0)
        assert me in {one.person_id for one in store.group_members(TOWN, lab.group_id)}
        await page.click("[data-deed=give-up]")
        await page.click("dialog .ends")
        await expect(page.locator("#said")).to_contain_text("辞退しました")
        await expect(card.locator(".state")).to_have_text("参加をやめました。")
        assert me not in {one.person_id for one in store.group_members(TOWN, lab.group_id)}
