"""The join page in a real Chromium: from the invitation through every trouble to the goodbye."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.session_manager.site import Site, Wire, answer_politely, opened, polite, running_site

pytestmark = [pytest.mark.chromium, pytest.mark.asyncio(loop_scope="session")]

NASTY = "<img src=x onerror=document.body.remove()>"
ALLOWED = ["camera", "microphone"]


def peer(number: int, **more: object) -> dict[str, object]:
    name = f"会場{number}"
    facts = {"peer_id": f"p{number}", "site_id": f"s{number}", "site_name": name, "display_name": name, "role": "board"}
    return {**facts, **more}


def line(number: int, text: str, **more: object) -> dict[str, object]:
    facts = {"line_id": f"l{number}", "track_id": "t1", "site_id": "s1", "site_name": "会場1", "text": text}
    return {**facts, "language": "ja", "started_at": 1.0, "ended_at": 2.0, **more}


def snapshot(*peers: dict[str, object], **more: object) -> dict[str, object]:
    return {"session_id": "s", "title": "", "state": "live", "peers": list(peers), "tracks": [], **more}


async def open_lobby(page: Page, site: Site) -> None:
    await page.goto(f"{site.url}/join#{site.code(site.session())}")
    await expect(page.locator("#lobby-form")).to_be_visible()


async def go_in(page: Page, site: Site, name: str = "花子") -> None:
    await open_lobby(page, site)
    await page.fill("#name", name)
    await page.click("#join")
    await expect(page.locator("#leave")).to_be_visible()


async def test_the_lobby_says_what_is_recorded_before_it_opens_anything(browser: Browser, tmp_path: Path) -> None:
    async with running_site(tmp_path) as site, opened(browser) as (_, page):
        await page.add_init_script(
            "window.asked = 0; const d = navigator.mediaDevices; const g = d.getUserMedia.bind(d);"
            "d.getUserMedia = (c) => { asked += 1; return g(c); }"
        )
        await page.add_init_script("navigator.permissions.query = async () => ({ state: 'prompt' })")
        await open_lobby(page, site)
        assert "#" not in page.url
        await expect(page.locator(".before .notice")).to_contain_text("文字の記録として残ります")
        await expect(page.locator("#title")).to_have_text("島と本土の対話")
        assert await page.evaluate("asked") == 0
        await page.click("#try")
        await expect(page.locator("#self-video")).to_be_visible()
        await expect(page.locator("#mic option")).not_to_have_count(2)
        await page.wait_for_function("() => document.getElementById('level').value > 0")
        await page.click("#join")
        await expect(page.locator("#join-problem")).to_have_text("お名前を入れてください。")
        assert await page.evaluate("document.activeElement.id") == "name"


async def test_a_wrong_code_is_a_sentence_and_another_can_be_tried(browser: Browser, tmp_path: Path) -> None:
    async with running_site(tmp_path) as site, opened(browser) as (_, page):
        await page.goto(f"{site.url}/join#nothing")
        await expect(page.locator("#code-problem")).to_contain_text("この招待は使えません")
        await page.fill("#code", site.code(site.session()))
        await page.press("#code", "Enter")
        await expect(page.locator("#lobby-form")).to_be_visible()


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("NotAllowedError", "マイクの使用が許可されていません"),
        ("NotFoundError", "マイクが見つかりません"),
        ("NotReadableError", "マイクをほかのアプリが使っています"),
    ],
)
async def test_without_devices_one_is_told_why_and_joins_all_the_same(
    fault: str, sentence: str, browser: Browser, tmp_path: Path
) -> None:
    async with running_site(tmp_path) as site, opened(browser) as (_, page):
        refuse = f"navigator.mediaDevices.getUserMedia = async () => {{ throw new DOMException('', '{fault}'); }}"
        await page.add_init_script(refuse)
        await open_lobby(page, site)
        await page.evaluate("document.getElementById('try').click()")  # it may just be going: the page tries by itself
        await expect(page.locator("#device-problem")).to_contain_text(sentence)
        await page.fill("#name", "花子")
        await page.click("#join")
        await expect(page.locator("#toggle-mic")).to_have_attribute("aria-pressed", "false")
        await expect(page.locator("#mic-word")).to_have_text("マイク 切")


async def test_people_captions_and_record_are_shown_and_nothing_typed_is_markup(
    browser: Browser, tmp_path: Path
) -> None:
    async def hub(wire: Wire) -> None:
        await wire.welcome(snapshot=snapshot(peer(1), peer(2, role="participant", display_name=NASTY)))
        await wire.event("peer.changed", {"peer": peer(3)})
        track = {
            "track_id": "t1",
            "peer_id": "p1",
            "site_id": "s1",
            "name": "mic",
            "kind": "audio",
            "source": "room_mic",
        }
        await wire.event("track.changed", {"track": {**track, "epoch": 0}})
        await wire.event("line.committed", line(1, NASTY))
        partial = {"track_id": "t2", "site_id": "s2", "utterance": "u", "revision": 1, "text": "つぎ"}
        await wire.say("caption.partial", partial)
        await wire.event("session.changed", {"state": "live", "record": "gap"})
        for _ in range(3):
            await wire.say("levels", {"levels": {"t1": 20}})
        await answer_politely(wire)

    async with running_site(tmp_path, hub) as site, opened(browser, permissions=ALLOWED) as (_, page):
        await go_in(page, site)
        await expect(page.locator("#tiles .tile")).to_have_count(3)
        await expect(page.locator('[data-peer="p2"] .name')).to_have_text(NASTY)
        await expect(page.locator("#band-lines")).to_contain_text(NASTY)
        await expect(page.locator("#band-partials")).to_contain_text("つぎ")
        await expect(page.locator('[data-peer="p1"].speaking')).to_be_visible()
        await expect(page.locator("#record-state")).to_have_text("記録に欠けがあります")
        await expect(page.locator("#sentences")).to_contain_text("管理者に知らせてください")
        assert await page.locator("img").count() == 0
        await page.click("#toggle-captions")
        await expect(page.locator("#band")).to_be_hidden()


async def test_forty_people_fit_and_a_phone_of_320_px_does_not_scroll_sideways(
    browser: Browser, tmp_path: Path
) -> None:
    async def hub(wire: Wire) -> None:
        await wire.welcome(
            snapshot=snapshot(*(peer(number, site_name="とても長い名前の会場" * 4) for number in range(40)))
        )
        await answer_politely(wire)

    size = {"width": 320, "height": 568}
    async with running_site(tmp_path, hub) as site, opened(browser, permissions=ALLOWED, viewport=size) as (_, page):
        await go_in(page, site)
        await expect(page.locator("#strip li")).to_have_count(40)
        assert await page.evaluate("document.documentElement.scrollWidth") == 320
        for name in ("toggle-mic", "toggle-camera", "toggle-captions", "raise-hand", "leave"):
            box = await page.locator(f"#{name}").bounding_box()
            assert box is not None
            assert box["height"] >= 48
            assert box["width"] >= 48
            assert box["x"] + box["width"] <= 320


async def test_anybody_stops_the_record_and_sees_until_somebody_lets_it_go_on(browser: Browser, tmp_path: Path) -> None:
    asked: list[object] = []
    role = "participant"

    async def hub(wire: Wire) -> None:
        await wire.welcome(role=role, permissions=["record.set"], snapshot=snapshot(peer(1)))
        while True:
            message = await wire.hear()
            kind = str(message["t"])
            if kind == "record.set":
                asked.append(message["b"])
                await wire.say("done", {}, re=message["id"])
                on = message["b"]["on"]  # type: ignore[index]
                await wire.event("session.changed", {"state": "live", "record": "on" if on else "off"})
            elif kind.startswith("media."):
                await wire.say(
                    "refused", {"code": "no_media", "message": "", "retry_after_ms": 60_000}, re=message["id"]
                )
            else:
                await wire.say("done", {}, re=message["id"])

    async with running_site(tmp_path, hub) as site, opened(browser, permissions=ALLOWED) as (_, page):
        await go_in(page, site)
        await page.click("#toggle-record >> text=記録をとめる")
        await expect(page.locator("body")).to_have_class(re.compile("off-record"))
        await expect(page.locator("#record-state")).to_have_text("記録していません")
        await expect(page.locator("#sentences")).to_contain_text("記録をはじめられるのは")
        await expect(page.locator("#toggle-record")).to_be_hidden()
    role = "facilitator"
    async with running_site(tmp_path / "again", hub) as site, opened(browser, permissions=ALLOWED) as (_, page):
        await go_in(page, site)
        await page.click("#toggle-record >> text=記録をとめる")
        await page.click("#toggle-record >> text=記録をはじめる")
        await expect(page.locator("#record-state")).to_have_text("記録しています")
        await expect(page.locator("body")).not_to_have_class(re.compile("off-record"))
    assert asked == [{"on": False}, {"on": False}, {"on": True}]


async def test_a_line_that_is_lost_is_said_and_comes_back(browser: Browser, tmp_path: Path) -> None:
    count = 0

    async def hub(wire: Wire) -> None:
        nonlocal count
        count += 1
        if count == 1:
            await wire.welcome(snapshot=snapshot(peer(1)))
            await wire.hear_type("hand.raise")
            await wire.say(
                "dismissed", {"action": "resume", "code": "going_away", "message": "", "retry_after_ms": 1500}
            )
            await wire.close()
            return
        await wire.welcome(resumed=True, snapshot=None)
        await answer_politely(wire)

    async with running_site(tmp_path, hub) as site, opened(browser, permissions=ALLOWED) as (_, page):
        await go_in(page, site)
        await expect(page.locator("#line-state")).to_have_text("つながっています")
        await page.click("#raise-hand")
        await expect(page.locator("#sentences")).to_contain_text("回線が切れています")
        await expect(page.locator("#line-state")).to_have_text("つながっています")
        await expect(page.locator("#sentences")).not_to_contain_text("回線が切れています")
        await expect(page.locator("#raise-hand")).to_have_attribute("aria-pressed", "true")
        await expect(page.locator("#tiles .tile")).to_have_count(1)


async def test_a_reload_comes_back_to_the_same_seat_and_leaving_says_goodbye(browser: Browser, tmp_path: Path) -> None:
    async with running_site(tmp_path) as site, opened(browser, permissions=ALLOWED) as (_, page):
        await go_in(page, site)
        seats = len(site.store.seats(site.store.sessions()[0].session_id))
        await page.reload()
        await expect(page.locator("#leave")).to_be_visible()
        await expect(page.locator("#line-state")).to_have_text("つながっています")
        assert len(site.store.seats(site.store.sessions()[0].session_id)) == seats
        await page.click("#leave")
        await expect(page.locator("#over-text")).to_contain_text("ご参加ありがとうございました")
        await page.click("#over-again")
        await expect(page.locator("#leave")).to_be_visible()


async def test_the_hub_can_end_it(browser: Browser, tmp_path: Path) -> None:
    async def hub(wire: Wire) -> None:
        await wire.welcome()
        await wire.say("dismissed", {"action": "stop", "code": "session_over", "message": ""})
        await wire.close()

    async with running_site(tmp_path, hub) as site, opened(browser, permissions=ALLOWED) as (_, page):
        await open_lobby(page, site)
        await page.fill("#name", "花子")
        await page.press("#name", "Enter")
        await expect(page.locator("#over-text")).to_contain_text("この会は終わりました")
        await expect(page.locator("#over-again")).to_be_hidden()


async def test_a_link_to_read_goes_to_the_live_page(browser: Browser, tmp_path: Path) -> None:
    async with running_site(tmp_path) as site, opened(browser) as (_, page):
        session = site.session()
        await page.goto(f"{site.url}/join#{site.code(session, 'observer')}")
        await page.wait_for_url(f"{site.url}/live/{session.session_id}")


async def test_a_microphone_that_is_pulled_out_is_said(browser: Browser, tmp_path: Path) -> None:
    async with running_site(tmp_path) as site, opened(browser, permissions=ALLOWED) as (_, page):
        await page.add_init_script(
            "const d = navigator.mediaDevices; const g = d.getUserMedia.bind(d); window.given = [];"
            "d.getUserMedia = async (c) => { const s = await g(c); given.push(...s.getTracks()); return s; }"
        )
        await go_in(page, site)
        await page.evaluate(
            "for (const track of given) if (track.kind === 'audio') { track.stop(); track.onended?.(); }"
        )
        await expect(page.locator("#sentences")).to_contain_text("マイクが見つかりません")
        await expect(page.locator("#toggle-mic")).to_have_attribute("aria-pressed", "false")
        await page.click("#toggle-mic")
        await expect(page.locator("#toggle-mic")).to_have_attribute("aria-pressed", "true")


async def test_who_stands_at_the_door_is_told_so_and_let_in(browser: Browser, tmp_path: Path) -> None:
    said: list[object] = []

    async def hub(wire: Wire) -> None:
        await wire.welcome(role="lobby", permissions=["hello", "leave"], snapshot=snapshot(), heartbeat_ms=100)
        said.append((await wire.hear(beats=True))["t"])
        permissions = ["media.publish", "media.subscribe", "leave"]
        await wire.event("admitted", {"role": "participant", "permissions": permissions, "snapshot": snapshot(peer(1))})
        await answer_politely(wire)

    async with running_site(tmp_path, hub) as site, opened(browser, locale="en-GB", permissions=ALLOWED) as (_, page):
        await go_in(page, site, "John")
        await expect(page.locator("#sentences")).to_contain_text("at the door")
        await expect(page.locator("#tiles .tile")).to_have_count(1)
        await expect(page.locator("#sentences")).not_to_contain_text("at the door")
        assert said == ["beat"], "nothing but beats before being let in"
        await expect(page.locator("#leave")).to_have_text("Leave")


async def test_the_page_can_be_used_by_keyboard_alone(browser: Browser, tmp_path: Path) -> None:
    async with running_site(tmp_path, polite) as site, opened(browser, permissions=ALLOWED) as (_, page):
        await open_lobby(page, site)
        await page.keyboard.type("花子")
        await page.keyboard.press("Enter")
        await expect(page.locator("#leave")).to_be_visible()
        await page.locator("#toggle-mic").focus()
        await page.keyboard.press("Space")
        await expect(page.locator("#toggle-mic")).to_have_attribute("aria-pressed", "false")
