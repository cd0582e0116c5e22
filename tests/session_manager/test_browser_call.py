"""`call.js` against the real hub: two browsers see and hear each other, through mute, replacement and reconnection."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from session_manager.hub import Hub
from session_manager.settings import HubSettings
from session_manager.store.values import NewSite
from tests.session_manager.site import opened

pytestmark = [pytest.mark.chromium, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="session")]

ALLOWED = {"permissions": ["camera", "microphone"]}
RECEIVED = """
async () => {
  const { subscribe } = shimawa.connections();
  const seen = { frames: 0, energy: 0, codecs: [] };
  if (!subscribe) return seen;
  const stats = await subscribe.getStats();
  stats.forEach((report) => {
    if (report.type !== "inbound-rtp" || !report.packetsReceived) return;
    seen.frames += report.framesDecoded ?? 0;
    seen.energy += report.totalAudioEnergy ?? 0;
    seen.codecs.push(stats.get(report.codecId)?.mimeType);
  });
  return seen;
}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def hub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hub]:
    """One for all; each test has a session of its own."""
    folder = tmp_path_factory.mktemp("hub")
    hub = Hub(HubSettings(data=folder, port=0, media_port=0, model="none", test_door=True))
    up = asyncio.Event()
    running = asyncio.create_task(hub.run(lambda _: up.set()))
    coming = asyncio.create_task(up.wait())
    await asyncio.wait([running, coming], return_when=asyncio.FIRST_COMPLETED)
    coming.cancel()
    try:
        yield hub
    finally:
        hub.stopped.set()
        await running


async def join(page: Page, hub: Hub, code: str, name: str) -> None:
    await page.goto(f"{hub.settings.url}/join#{code}")
    await page.fill("#name", name)
    await page.click("#join")
    await expect(page.locator("#line-state")).to_have_text("つながっています", timeout=20_000)


async def hears_and_sees(page: Page, *, more_than: dict[str, float] | None = None) -> dict[str, float]:
    """Waits until new video frames and new sound have been decoded; gives the totals."""
    before = more_than or {"frames": 0, "energy": 0.0}
    deadline = time.monotonic() + 30
    while True:
        seen: dict[str, float] = await page.evaluate(RECEIVED)
        if seen["frames"] > before["frames"] + 5 and seen["energy"] > before["energy"]:
            return seen
        assert time.monotonic() < deadline, seen
        await asyncio.sleep(0.2)


async def begun(hub: Hub) -> tuple[str, str]:
    """A session that goes on, and a code to join it by."""
    now = time.time()
    session = hub.store.add_session("通話", now, now + 3600, "Asia/Tokyo", [NewSite("壱岐", None)])
    await hub.live.start_session(session.session_id)
    return session.session_id, hub.store.add_invitation(session.session_id, "participant", now + 3600, None).code


async def test_two_browsers_see_and_hear_each_other_through_what_happens(hub: Hub, browser: Browser) -> None:
    session_id, code = await begun(hub)
    async with opened(browser, **ALLOWED) as (_, one), opened(browser, **ALLOWED) as (_, other):
        await join(one, hub, code, "花子")
        await join(other, hub, code, "太郎")
        heard = await hears_and_sees(one)
        assert set(heard["codecs"]) == {"video/VP8", "audio/opus"}  # type: ignore[call-overload]
        await hears_and_sees(other)
        await expect(one.locator("#tiles .tile.speaking .name")).to_have_text("太郎")
        await expect(one.locator("#record-state")).to_have_text("記録しています")
        assert await one.evaluate("document.querySelector('#tiles video').videoWidth") > 0

        # The camera goes dark for everybody, and comes back on the same connection.
        await other.click("#toggle-camera")
        await expect(one.locator("#tiles .initial")).to_be_visible()
        await expect(other.locator("#me-video")).to_be_hidden()
        await other.click("#toggle-camera")
        await expect(one.locator("#tiles video")).to_be_visible()

        # A closed microphone is told, not guessed.
        await other.click("#toggle-mic")
        await expect(one.locator("#tiles .plate [title]")).to_contain_text(["マイクが切れています"])
        await other.click("#toggle-mic")

        # The hub gives up a connection: the next generation takes over.
        peer_id = (await one.evaluate("() => shimawa.me()"))["peer_id"]
        hub.signaling.connection_lost(session_id, peer_id, "subscribe", 0, "test")
        await one.wait_for_function("() => shimawa.me().generations.subscribe === 1")
        await hears_and_sees(one)
        publisher = (await other.evaluate("() => shimawa.me()"))["peer_id"]
        hub.signaling.connection_lost(session_id, publisher, "publish", 0, "test")
        await other.wait_for_function("() => shimawa.me().generations.publish === 1")
        await hears_and_sees(one, more_than=await one.evaluate(RECEIVED))

        # The socket is cut: the seat is kept and media never stops.
        before = await one.evaluate("() => shimawa.me()")
        await one.evaluate("() => shimawa.cut()")
        await one.wait_for_function("() => shimawa.link()")
        assert (await one.evaluate("() => shimawa.me()")) == before
        await hears_and_sees(one, more_than=await one.evaluate(RECEIVED))

        await other.click("#leave")
        await expect(one.locator("#alone")).to_be_visible()


async def test_without_devices_one_listens_and_can_open_the_microphone_later(hub: Hub, browser: Browser) -> None:
    _, code = await begun(hub)
    async with opened(browser, **ALLOWED) as (_, one), opened(browser, **ALLOWED) as (_, other):
        await join(one, hub, code, "花子")
        await other.add_init_script(
            "const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices); window.broken = true;"
            "navigator.mediaDevices.getUserMedia = async (wish) => {"
            " if (broken) throw new DOMException('', 'NotFoundError'); return real(wish); }"
        )
        await join(other, hub, code, "太郎")
        await hears_and_sees(other)
        await expect(one.locator("#tiles .initial")).to_be_visible()
        await other.evaluate("() => { broken = false; }")
        await other.click("#toggle-mic")
        await expect(one.locator("#tiles .tile.speaking .name")).to_have_text("太郎", timeout=20_000)
        await other.click("#toggle-camera")
        await hears_and_sees(one)


PULSES = """
async (wanted) => {
  const bytes = async (pc) => {
    for (const each of (await pc.getStats()).values()) if (each.type === "transport") return each.bytesReceived;
    return 0;
  };
  const { publish, subscribe } = shimawa.connections();
  const before = [await bytes(publish), await bytes(subscribe)];
  let changes = 0;
  let last = before[1];
  while (changes < wanted) {
    await new Promise((resolve) => { setTimeout(resolve, 100); });
    const now = await bytes(subscribe);
    if (now !== last) changes += 1;
    last = now;
  }
  const after = shimawa.connections();
  return after.publish === publish && after.subscribe === subscribe && await bytes(publish) > before[0];
}
"""


async def test_alone_in_a_session_both_connections_have_a_pulse_and_stay_what_they_are(
    hub: Hub, browser: Browser
) -> None:
    """Nobody else is there and nothing flows: without the hub's pulse both would be called dead after three seconds."""
    _, code = await begun(hub)
    async with opened(browser, **ALLOWED) as (_, page):
        await join(page, hub, code, "花子")
        await page.wait_for_function(
            "() => { const { publish, subscribe } = shimawa.connections();"
            " return [publish, subscribe].every((pc) => pc?.connectionState === 'connected'); }"
        )
        assert await page.evaluate(PULSES, 10)
