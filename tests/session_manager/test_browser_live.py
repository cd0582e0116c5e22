"""The live page and the transcript in a real Chromium."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from session_manager.records import Session, SiteRisk, Spool
from tests.session_manager.site import BEGAN_AT, Site, opened, running_site

pytestmark = [pytest.mark.chromium, pytest.mark.asyncio(loop_scope="session")]

NASTY = "<script>document.body.remove()</script><b>太字</b>"
LONG = "長崎県壱岐市郷ノ浦町テレワークセンター第二会議室（本土側と合同）"


def line(session: Session, number: int, text: str, site: int = 0, **more: object) -> dict[str, object]:
    here = session.sites[site]
    facts = {"line_id": f"l{number}", "revision": 1, "track_id": f"t{site}", "site_id": here.site_id, "text": text}
    times = {"started_at": BEGAN_AT + number, "ended_at": BEGAN_AT + number + 1}
    return {**facts, "site_name": here.name, "speaker": "", "language": "ja", **times, **more}


async def read(page: Page, site: Site, session: Session) -> None:
    await page.context.add_cookies([site.view_cookie(session)])  # type: ignore[list-item]
    await page.goto(f"{site.url}/live/{session.session_id}")
    await page.wait_for_function("() => document.getElementById('record-state').textContent !== ''")


async def test_the_code_opens_the_page_and_leaves_the_address(browser: Browser, tmp_path: Path) -> None:
    async with running_site(tmp_path) as site, opened(browser) as (_, page):
        session = site.session()
        await page.goto(f"{site.url}/live#wrong")
        await expect(page.locator("#code-problem")).to_contain_text("この招待は使えません")
        await page.goto("about:blank")
        await page.goto(f"{site.url}/live#{site.code(session, 'observer')}")
        await page.wait_for_url(f"{site.url}/live/{session.session_id}")
        await expect(page.locator("h1")).to_have_text(session.title)


async def test_lines_partials_corrections_and_voices_are_shown_as_text(browser: Browser, tmp_path: Path) -> None:
    async with running_site(tmp_path) as site, opened(browser) as (_, page):
        session = site.session(names=(LONG, NASTY))
        sid = session.session_id
        await site.live.tell(sid, "line.committed", line(session, 1, "はじめのことば"))
        await site.live.tell(sid, "line.committed", line(session, 2, NASTY, site=1))
        await read(page, site, session)
        await expect(page.locator("#lines .said")).to_have_count(2)
        await expect(page.locator("#lines")).to_contain_text(NASTY)
        assert await page.locator("#lines script, #sites b").count() == 0
        partial = {"track_id": "t0", "site_id": session.sites[0].site_id, "utterance": "u"}
        site.live.show(sid, "caption.partial", {**partial, "revision": 2, "text": "つぎの"})
        await expect(page.locator("#partials .partial")).to_have_text(f"{LONG}つぎの")
        site.live.show(sid, "caption.partial", {**partial, "revision": 1, "text": "古い"})
        for _ in range(3):
            site.live.show(sid, "levels", {"levels": {"t0": 20}})
        await expect(page.locator("#sites .speaking .name")).to_have_text(LONG)
        await expect(page.locator("#partials")).not_to_contain_text("古い")
        await site.live.tell(sid, "line.committed", line(session, 3, "つぎのことば"))
        await expect(page.locator("#partials .partial")).to_have_count(0)
        await site.live.tell(sid, "line.committed", line(session, 1, "なおしたことば", revision=2))
        await expect(page.locator('[data-line="l1"] .text')).to_have_text("なおしたことば")
        await expect(page.locator("#lines .said")).to_have_count(3)


async def test_who_scrolled_up_is_left_alone_and_can_come_back(browser: Browser, tmp_path: Path) -> None:
    size = {"width": 320, "height": 568}
    async with running_site(tmp_path) as site, opened(browser, viewport=size) as (_, page):
        session = site.session(names=(LONG, "福岡", "勝本"))
        for number in range(40):
            await site.live.tell(session.session_id, "line.committed", line(session, number, LONG, site=number % 3))
        await read(page, site, session)
        await expect(page.locator("#lines .said")).to_have_count(40)
        await expect(page.locator("#latest")).to_be_hidden()
        assert await page.evaluate("document.documentElement.scrollWidth") == 320
        while not await page.locator("#latest").is_visible():  # the page may still be following the fortieth line
            await page.evaluate("scrollTo(0, 200)")
            await page.wait_for_timeout(50)
        before = await page.evaluate("scrollY")
        await site.live.tell(session.session_id, "line.committed", line(session, 41, "新しい"))
        await expect(page.locator("#lines .said")).to_have_count(41)
        assert await page.evaluate("scrollY") == before
        await page.click("#latest")
        await expect(page.locator('[data-line="l41"]')).to_be_in_viewport()
        await expect(page.locator("#latest")).to_be_hidden()


async def test_size_is_kept_and_record_and_captions_are_said(browser: Browser, tmp_path: Path) -> None:
    async with running_site(tmp_path) as site, opened(browser) as (_, page):
        session = site.session()
        await site.live.tell(session.session_id, "line.committed", line(session, 1, "ことば"))
        await read(page, site, session)
        await page.locator("#size").fill("60")
        await page.reload()
        await expect(page.locator("#lines .text")).to_have_css("font-size", "60px")
        changed = {"state": "live", "record": "gap", "captions": "delayed", "message": "The disk is full."}
        await site.live.tell(session.session_id, "session.changed", changed)
        await expect(page.locator("#record-state")).to_have_text("記録に欠けがあります")
        await expect(page.locator("#sentences")).to_contain_text("字幕がおくれています")
        await site.live.tell(session.session_id, "session.changed", {"state": "ended"})
        await page.click("#sentences a")
        await page.wait_for_url(re.compile("/transcript$"))


async def test_a_board_without_room_is_said_on_the_live_page_and_in_the_office_until_it_has_some(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_site(tmp_path) as site, opened(browser) as (_, page):
        session = site.session(names=(LONG, "福岡"))
        here = session.sites[0]
        await read(page, site, session)
        risk = {"site_id": here.site_id, "site_name": here.name, "disk": "full"}
        await site.live.tell(session.session_id, "session.changed", {"state": "live", "at_risk": [risk]})
        await expect(page.locator("#sentences")).to_contain_text(f"{LONG}のボードは、保存する場所がいっぱいです")
        await site.live.tell(session.session_id, "session.changed", {"state": "live", "at_risk": []})
        await expect(page.locator("#sentences")).to_have_text("")
        await site.live.tell(session.session_id, "session.changed", {"state": "live", "record": "off"})
        await expect(page.locator("#sentences")).to_contain_text("いまは記録していません")
        await expect(page.locator("body")).to_have_class(re.compile("off-record"))
        site.live.risks = [SiteRisk(here.site_id, here.name, "near", 0.0, 600.0, 0.0)]
        await page.context.add_cookies(site.office_cookies())  # type: ignore[arg-type]
        await page.goto(f"{site.url}/sessions")
        await expect(page.locator("#now")).to_contain_text("保存する場所が残りわずかです")
        await page.click("#now >> text=記録をとめる")
        await expect(page.locator("#now")).to_contain_text("記録していません")
        await page.click("#now >> text=記録をはじめる")
        await expect(page.locator("#now")).not_to_contain_text("記録していません")


async def test_after_a_cut_the_page_goes_on_where_it_was(browser: Browser, tmp_path: Path) -> None:
    """The browser comes back with the last event's number: nothing twice, nothing lost."""
    async with running_site(tmp_path) as site, opened(browser) as (_, page):
        session = site.session()
        await site.live.tell(session.session_id, "line.committed", line(session, 1, "前"))
        await read(page, site, session)
        await expect(page.locator("#lines .said")).to_have_count(1)
        for _, queue in site.live.listeners:
            queue.put_nowait(None)
        await expect(page.locator("#sentences")).to_contain_text("回線が切れています")
        await site.live.tell(session.session_id, "line.committed", line(session, 2, "間"))
        await expect(page.locator("#lines .said")).to_have_count(2)
        await expect(page.locator("#sentences")).not_to_contain_text("回線が切れています")
        assert await page.locator("#lines .text").all_inner_texts() == ["前", "間"]


async def test_the_transcript_names_its_gaps_and_can_be_searched(browser: Browser, tmp_path: Path) -> None:
    async with running_site(tmp_path) as site, opened(browser) as (_, page):
        session = site.session(names=(LONG, "福岡", "勝本"))
        site.told(
            session, [f"これは{number}番目の発言です。" for number in range(30)] + [NASTY, "ＡＢＣ港"], gap_after=7
        )
        site.end(session)
        await page.context.add_cookies([site.view_cookie(session)])  # type: ignore[list-item]
        await page.goto(f"{site.url}/sessions/{session.session_id}/transcript")
        await expect(page.locator("#lines .said")).to_have_count(32)
        await expect(page.locator(".hole")).to_have_text(
            re.compile("福岡：.*5秒、記録がありません。回線が切れていました。")
        )
        await expect(page.locator("#sentences")).to_contain_text("記録に欠けがあります")
        assert await page.locator("#lines script").count() == 0
        await page.locator('rect[data-kind="gap"]').focus()
        await page.keyboard.press("Enter")
        await expect(page.locator(".here")).to_have_class(re.compile("hole"))
        await expect(page.locator(".hole")).to_be_in_viewport()
        await page.locator("rect[data-kind=line]").nth(2).click()
        await expect(page.locator(".here .text")).to_contain_text("番目の発言です")
        await page.fill("#search", "abc")
        await expect(page.locator("#found")).to_have_text("1 件")
        await expect(page.locator("#lines .said:visible .text")).to_have_text("ＡＢＣ港")
        await page.fill("#search", "7番目")
        await expect(page.locator("#lines mark")).to_have_text(["7番目", "7番目", "7番目"])
        await page.click(".menu summary")
        async with page.expect_download() as download:
            await page.click(".menu a >> nth=2")
        saved = (await (await download.value).path()).read_text(encoding="utf-8")
        assert saved.startswith("WEBVTT")
        await page.keyboard.press("Escape")
        await expect(page.locator(".menu ul")).to_be_hidden()


async def test_a_complete_transcript_says_so_and_an_empty_one_too(browser: Browser, tmp_path: Path) -> None:
    async with running_site(tmp_path) as site, opened(browser, locale="en-GB") as (_, page):
        whole, empty = site.session(), site.session(state="ended")
        site.told(whole, ["one", "two"])
        site.end(whole)
        await page.context.add_cookies([site.view_cookie(whole), site.view_cookie(empty)])  # type: ignore[list-item]
        await page.goto(f"{site.url}/sessions/{whole.session_id}/transcript")
        await expect(page.locator("#sentences")).to_contain_text("Nothing is missing")
        await page.goto(f"{site.url}/sessions/{empty.session_id}/transcript")
        await expect(page.locator("#empty")).to_contain_text("Nothing was said")


async def test_what_comes_later_stands_where_it_was_said_and_can_be_taken_back(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_site(tmp_path) as site, opened(browser) as (_, page):
        session = site.session()
        sid = session.session_id
        await read(page, site, session)
        await site.live.tell(sid, "line.committed", line(session, 1, "はじめ"))
        await site.live.tell(sid, "line.committed", line(session, 9, "おわり"))
        await site.live.tell(sid, "line.committed", line(session, 5, "とちゅう", repaired=True))
        texts = page.locator("#lines .said .text")
        await expect(texts).to_have_text(["はじめ", "とちゅう", "おわり"])
        await site.live.tell(sid, "line.committed", line(session, 1, "", revision=2, repaired=True))
        await expect(texts).to_have_text(["とちゅう", "おわり"])
        await site.live.tell(sid, "line.committed", line(session, 1, "はじめ"))
        await site.live.tell(sid, "line.committed", line(session, 11, "つぎ"))
        await expect(texts).to_have_text(["とちゅう", "おわり", "つぎ"])


async def test_the_transcript_says_what_is_still_coming_and_from_where(browser: Browser, tmp_path: Path) -> None:
    async with running_site(tmp_path) as site, opened(browser) as (_, page):
        session = site.session()
        site.told(session, ["こんにちは。", "はい。"])
        site.end(session)
        track = site.store.streams(session.session_id)[0]
        spool = Spool(track.track_id, track.epoch, 0, 100, 96_000, closed=False, coming_s=125.0, told_at=BEGAN_AT)
        site.store.note_spool(spool)
        await page.context.add_cookies([site.view_cookie(session)])  # type: ignore[list-item]
        await page.goto(f"{site.url}/sessions/{session.session_id}/transcript")
        await expect(page.locator("#sentences")).to_contain_text("2分5秒ぶん届いていません")
        places = site.store.session(session.session_id).sites
        name = next(one.name for one in places if one.site_id == track.site_id)
        await expect(page.locator("#sentences")).to_contain_text(name)
