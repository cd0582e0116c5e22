"""Journey B: a school and a teacher far away. A timetable once a term, then two taps a lesson for the near teacher.

A real hub in its own process, a real mail server, a real Chromium as the office's computer and as the tablet in the
classroom. Boards speak by their tokens as boards do. The lesson begins some minutes from now by the hub's own clock.
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from playwright.async_api import Page, expect

from session_manager.demo.children import Child
from session_manager.opening import ALWAYS
from session_manager.store import Store
from tests.session_manager.fresh import fresh
from tests.session_manager.hall import PASSWORD, QUICK
from tests.session_manager.site import chromium, opened

pytestmark = [pytest.mark.e2e, pytest.mark.chromium, pytest.mark.timeout(180)]

PUPILS = ("参加者 一", "参加者 二", "参加者 三")
SCHOOL = "school@iki.example"
PATIENCE_MS = 60_000
PICTURES = os.environ.get("SHIMAWA_PICTURES")
"""A folder: then the journey leaves pictures of itself there."""


@dataclass
class School:
    """What the town has before the term begins."""

    zone: str
    home: str
    link_key: str
    boards: list[str]
    letters: list[EmailMessage] = field(default_factory=list)
    url: str = ""
    taps: int = 0

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        self.letters.append(email.message_from_bytes(envelope.content, policy=email.policy.default))  # type: ignore[arg-type]
        return "250 OK"


def daytime() -> str:
    """A zone where it is neither night nor near midnight: the lesson must lie within one day."""
    hour = datetime.now(ZoneInfo("Asia/Tokyo")).hour
    return "Asia/Tokyo" if 6 <= hour < 18 else "America/Sao_Paulo"


def settle(folder: Path) -> School:
    zone, now = daytime(), time.time()
    store = Store.open(fresh(folder / "hub" / "shimawa.db"), QUICK)
    home = store.add_home("壱岐市", zone, now).municipality_id
    rooms, boards = [], []
    for house, room in (("壱岐高校", "二年教室"), ("大村の遠隔授業センター", "第三ブース")):
        facility = store.add_facility(house, zone, home)
        store.set_opening(facility.facility_id, ALWAYS)
        rooms.append(store.add_room(facility.facility_id, room).room_id)
        boards.append(store.add_board(rooms[-1], f"{house}のボード", now - 1000).device_token)
    group = store.add_group(home, "二年一組", now).group_id
    for name in PUPILS:
        pupil = store.register_person(home, name, now).person_id
        store.put_in_group(home, group, pupil, "guest", now)
    account = store.add_account("office", PASSWORD, "administrator")
    store.bind_account(account.account_id, home)
    key = store.add_panel(home, rooms[0], "教室の入口", now).key
    store.close()
    return School(zone, home, key, boards)


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[School]:
    school = settle(folder)
    mail = await asyncio.get_running_loop().create_server(lambda: SMTP(school), "127.0.0.1", 0)
    port = mail.sockets[0].getsockname()[1]
    (folder / "hub.toml").write_text(
        f'smtp_host = "127.0.0.1"\nsmtp_port = {port}\nsmtp_tls = "none"\nmail_from = "office@iki.example"\n'
    )
    ports = ("--port", "0", "--media-port", "0", "--media-workers", "1")
    files = ("--config", str(folder / "hub.toml"), "--data", str(folder / "hub"))
    hub = await Child.start(
        "hub", ("-m", "session_manager", "serve", *files, *ports, "--model", "none", "--json"), folder
    )
    school.url = hub.announced["url"]
    try:
        yield school
    finally:
        await hub.stop()
        mail.close()
        await mail.wait_closed()


async def boards_find_everything(school: School) -> None:
    async with httpx.AsyncClient(base_url=school.url, trust_env=False) as http:
        for token in school.boards:
            found = {"microphone": True, "speaker": True, "camera": True}
            answer = await http.post("/api/board/devices", json=found, headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == 204, answer.text


async def picture(page: Page, name: str) -> None:
    if PICTURES:
        await page.screenshot(path=str(Path(PICTURES) / f"journey-b-{name}.png"), full_page=True)


async def import_timetable(school: School, page: Page, folder: Path) -> None:
    """The office, once a term."""
    zone = ZoneInfo(school.zone)
    starts = (datetime.now(zone) + timedelta(minutes=6)).replace(second=0, microsecond=0)
    ends = starts + timedelta(minutes=50)
    day = "月火水木金土日"[starts.weekday()]
    rows = [
        "subject,day,period,starts,ends",
        f"物理,{day},3,{starts:%H:%M},{ends:%H:%M}",
        f"化学,祝,3,{starts:%H:%M},{ends:%H:%M}",
    ]
    (folder / "timetable.csv").write_text("\n".join(rows), encoding="utf-8")
    who = {"name": "office", "password": PASSWORD}
    assert (await page.request.post(f"{school.url}/api/login", data=who)).ok
    await page.goto(f"{school.url}/class")
    await page.click("summary:has-text('時間割を取り込む')")
    await expect(page.locator("#group option")).to_have_count(1)
    await page.select_option("#near", label="二年教室")
    await page.select_option("#far", label="第三ブース")
    await page.fill("#mail", SCHOOL)
    await page.fill("#first", f"{starts:%Y-%m-%d}")
    await page.fill("#last", f"{starts + timedelta(days=20):%Y-%m-%d}")
    await page.set_input_files("#file", folder / "timetable.csv")
    await page.click("button:has-text('内容を確かめる')")
    await expect(page.locator("#preview tbody tr")).to_have_count(2)
    await expect(page.locator("#preview")).to_contain_text("3回")
    await expect(page.locator("#preview")).to_contain_text("曜日は")
    await picture(page, "timetable")
    await page.click("button:has-text('1行を取り込む')")
    await expect(page.locator("#preview")).to_contain_text("1つの授業、あわせて3回")


async def tap(school: School, page: Page, key: str) -> None:
    """The near teacher's finger."""
    school.taps += 1
    await page.click(f"[data-key={key}]")


async def test_two_taps_a_lesson(tmp_path: Path) -> None:
    async with running(tmp_path) as school, chromium() as browser:
        await boards_find_everything(school)
        async with opened(browser, viewport={"width": 1280, "height": 800}) as (_, office):
            await import_timetable(school, office, tmp_path)
            size = {"width": 1920, "height": 1080}
            async with opened(browser, viewport=size) as (context, panel):
                await panel.goto(f"{school.url}/panel#{school.link_key}")
                assert "#" not in panel.url
                await expect(panel.locator(".findings .well")).to_have_text("準備できました", timeout=PATIENCE_MS)
                await expect(panel.locator("main")).to_contain_text("3時限 物理")
                await expect(panel.locator("main")).to_contain_text("大村の遠隔授業センター")
                await picture(panel, "ready")

                await tap(school, panel, "start")
                await expect(panel.locator("[data-key=finish]")).to_be_visible(timeout=PATIENCE_MS)
                for name in PUPILS[:2]:
                    await panel.click(f"button.pupil:has-text('{name}')")
                    pressed = panel.locator(f"button.pupil:has-text('{name}')[aria-pressed=true]")
                    await expect(pressed).to_be_visible(timeout=PATIENCE_MS)
                await picture(panel, "names")
                [lesson] = await lessons(office, school)
                assert (lesson["lesson"]["state"], lesson["class_name"]) == ("live", "二年一組")

                await tap(school, panel, "finish")
                await expect(panel.locator(".sheet .question")).to_be_visible(timeout=PATIENCE_MS)
                await nothing_personal(context, panel)
                await picture(panel, "sheet")
                for face in ("1", "2", "1"):
                    await panel.click(f"[data-face='{face}']")
                await expect(panel.locator("section.sheet .hint")).to_contain_text(
                    "1 人が答えました", timeout=PATIENCE_MS
                )
                await panel.click("[data-key=sheet-close]")
                await expect(panel.locator("section.sheet")).to_have_count(0)
                await expect(panel.locator("#list li")).to_have_count(1, timeout=PATIENCE_MS)
                await nothing_personal(context, panel)

            assert school.taps == 2
            [lesson] = await lessons(office, school)
            assert lesson["sheet"] == [[1, 0, 0], [0, 1, 0], [1, 0, 0]]
            await office.goto(f"{school.url}/class")
            await expect(office.locator("#lessons")).to_contain_text("おわりました", timeout=PATIENCE_MS)
            await picture(office, "teacher")
        await the_school_hears(school)


async def lessons(office: Page, school: School) -> list[dict[str, dict[str, object]]]:
    answer = await office.request.get(f"{school.url}/api/municipalities/{school.home}/classes")
    found: list[dict[str, dict[str, object]]] = await answer.json()
    return found


async def nothing_personal(context: object, panel: Page) -> None:
    """Nothing of the class is left on the tablet: not on the page, not in any storage; its own cookies only."""
    cookies = {one["name"] for one in await context.cookies()}  # type: ignore[attr-defined]
    assert cookies == {"shimawa_panel", "shimawa_panel_csrf"}
    kept = await panel.evaluate(
        """async () => ({ local: {...localStorage}, session: {...sessionStorage}, caches: await caches.keys(),
          bases: (await indexedDB.databases()).length, page: document.body.textContent })"""
    )
    assert (kept["local"], kept["session"], kept["caches"], kept["bases"]) == ({}, {}, [], 0)
    assert not any(name in json.dumps(kept, ensure_ascii=False) for name in PUPILS)


async def the_school_hears(school: School) -> None:
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while not school.letters:
            await asyncio.sleep(0.2)
    [letter] = school.letters
    assert letter["to"] == SCHOOL
    assert "まだ来ていない生徒" in letter["subject"]
    text = letter.get_content()
    assert PUPILS[2] in text
    assert not any(name in text for name in PUPILS[:2])
