"""A name is text, whoever gave it and wherever it is shown: no page of ours runs it. In a real Chromium."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Dialog, Page, Request, Route

from session_manager.web.app import create_app
from session_manager.web.security import CSRF_COOKIE, LOGIN_COOKIE, csrf_token
from session_manager.web.settings import WebSettings
from tests.session_manager.hall import Web
from tests.session_manager.house import ZONE
from tests.session_manager.site import PASSWORD, SECRET, Site, opened, running_site
from tests.session_manager.test_route_matrix import Door, doors
from tests.session_manager.two_towns import Town, settle

pytestmark = [pytest.mark.chromium, pytest.mark.asyncio(loop_scope="session")]

EVIL = "<img src=x onerror=\"hit('i')\">\"'><svg onload=hit(1)></script><script>hit('s')</script>{{7*7}}${7*7}"
HIT = "window.hits = []; window.hit = (what) => window.hits.push(what);"


@pytest_asyncio.fixture(loop_scope="session")
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with running_site(tmp_path) as site:
        yield site


def bad_town(site: Site) -> Town:
    """Its dialogue runs now, so that pages of the day have it; it was booked two hours ago."""
    now = time.time()
    soon = datetime.fromtimestamp(now, ZoneInfo(ZONE)).replace(tzinfo=None, minute=0, second=0, microsecond=0)
    town = settle(site.store, EVIL, "evil", soon - timedelta(hours=1), now - 7200)
    site.store.set_state(town.ids["session_id"], "planned", "live", now)
    return town


def logins(site: Site, town: Town) -> dict[str, str]:
    now = time.time()
    return {
        "office": site.store.open_login(town.ids["account_id"], now, 3600),
        "person": site.store.open_person_login(town.ids["person_id"], now, 3600),
        "pupil": town.keys["pupil"],
    }


def pages(site: Site) -> list[Door]:
    app = create_app(site.store, site.live, WebSettings(secret=SECRET, worker_token="w" * 32))
    web = Web(None, site.live, app, [])  # type: ignore[arg-type]
    return [
        one
        for one in [*doors(web), Door("GET", "/join"), Door("GET", "/login")]
        if one.method == "GET" and not one.path.startswith("/api/") and not one.path.endswith((".ics", ".csv"))
    ]


STREAMS = ("eventsource", "websocket")
"""Answers that have no end."""
DRAWN = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


class Quiet:
    """What a page has asked for and not been told yet."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._asked: set[Request] = set()
        self._heard = asyncio.Event()
        page.on("request", self._ask)
        page.on("requestfinished", self._told)
        page.on("requestfailed", self._told)

    def _ask(self, request: Request) -> None:
        if request.resource_type not in STREAMS:
            self._asked.add(request)

    def _told(self, request: Request) -> None:
        self._asked.discard(request)
        self._heard.set()

    async def settled(self) -> None:
        """Until all that it asked for has come, is drawn, and it asked for nothing more because of it."""
        while True:
            while self._asked:
                self._heard.clear()
                await self._heard.wait()
            await self._page.evaluate(DRAWN)
            if not self._asked:
                return


async def test_no_name_runs_on_any_page(site: Site, browser: Browser) -> None:
    town = bad_town(site)
    shown: dict[str, set[str]] = {}
    for who, login in logins(site, town).items():
        async with opened(browser, viewport={"width": 1280, "height": 800}) as (context, page):
            await context.add_init_script(HIT)
            proof = csrf_token(SECRET, login)
            cookies = [{"name": name, "value": value, "url": site.url} for name, value in
                       ((LOGIN_COOKIE, login), (CSRF_COOKIE, proof))]  # fmt: skip
            await context.add_cookies(cookies)  # type: ignore[arg-type]
            asked: list[str] = []
            quiet = Quiet(page)

            async def dismissed(dialog: Dialog, asked: list[str] = asked) -> None:
                asked.append(dialog.message)
                await dialog.dismiss()

            page.on("dialog", dismissed)
            for door in pages(site):
                answer = await page.goto(site.url + door.of(town))
                assert answer is not None
                if answer.status != 200:
                    continue
                await quiet.settled()
                if await page.get_by_text("onerror=").count():
                    shown.setdefault(who, set()).add(door.path)
                assert await page.evaluate("window.hits") == [], (who, door)
                assert await page.locator("img[src=x], svg[onload]").count() == 0, (who, door)
            assert asked == []
    assert len(shown["office"]) >= 3, shown


LEADS = ("//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:hit('n')", "\t//evil.example")


@pytest.mark.parametrize("wanted", LEADS)
async def test_signing_in_leads_to_a_page_of_ours(site: Site, browser: Browser, wanted: str) -> None:
    site.store.add_account("office", PASSWORD, "administrator")
    away: list[str] = []
    async with opened(browser) as (context, page):
        await context.add_init_script(HIT)

        async def watched(route: Route) -> None:
            if urlsplit(route.request.url).netloc != urlsplit(site.url).netloc:
                away.append(route.request.url)
                await route.abort()
            else:
                await route.continue_()

        await context.route("**/*", watched)
        await page.goto(f"{site.url}/login")
        await page.evaluate("(to) => history.replaceState(null, '', '/login?next=' + encodeURIComponent(to))", wanted)
        await page.fill("#name", "office")
        await page.fill("#password", PASSWORD)
        await page.press("#password", "Enter")
        await page.wait_for_url(lambda url: not urlsplit(url).path.startswith("/login"))
        assert urlsplit(page.url).netloc == urlsplit(site.url).netloc
        assert await page.evaluate("window.hits") == []
    assert away == []
