"""A real Chromium joins two boards by its link: it sees and hears both, both hear it, its speech bears its name."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr
from playwright.async_api import Page, async_playwright

from session_manager.demo.dialogue import load_dialogue
from session_manager.demo.stage import Stage
from tests.e2e.scene import audience, excerpt, staged
from tests.session_manager.site import CHROMIUM, FLAGS

pytestmark = [pytest.mark.e2e, pytest.mark.chromium, pytest.mark.timeout(120)]

SAYS = 18
"""賛成です。 in the demo's dialogue."""

KEEP_CONNECTIONS = """
window.connections = [];
const Real = window.RTCPeerConnection;
window.RTCPeerConnection = class extends Real {
  constructor(...given) { super(...given); window.connections.push(this); }
};
"""

RECEIVED = """
async () => {
  const found = { video: 0, audio: 0 };
  for (const connection of window.connections) {
    for (const report of (await connection.getStats()).values()) {
      if (report.type !== "inbound-rtp") continue;
      if (report.kind === "video" && report.framesDecoded > 5) found.video += 1;
      if (report.kind === "audio" && report.totalAudioEnergy > 0.00001) found.audio += 1;
    }
  }
  return found;
}
"""


def spoken(folder: Path) -> Path:
    """The sentence, four seconds of silence, for ever."""
    sound, rate = soundfile.read(load_dialogue().utterances[SAYS - 1].path, dtype="float32")
    loop = np.concatenate([soxr.resample(sound, rate, 48_000), np.zeros(4 * 48_000, np.float32)])
    path = folder / "says.wav"
    soundfile.write(path, loop, 48_000, subtype="PCM_16")
    return path


@asynccontextmanager
async def chromium(says: Path) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        flags = [*FLAGS, f"--use-file-for-fake-audio-capture={says}", "--autoplay-policy=no-user-gesture-required"]
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        try:
            context = await browser.new_context(locale="ja-JP", viewport={"width": 1280, "height": 800})
            yield await context.new_page()
        finally:
            await browser.close()


async def join(page: Page, link: str, name: str) -> None:
    await page.add_init_script(KEEP_CONNECTIONS)
    await page.goto(link)
    await page.fill("#name", name)
    await page.click("#join")
    await page.wait_for_selector("main[data-view=session]:not([hidden])", timeout=20_000)


async def eventually(ask: Any, seconds: float = 30.0) -> None:
    async with asyncio.timeout(seconds):
        while not await ask():
            await asyncio.sleep(0.2)


async def heard_at(stage: Stage, board: str) -> set[str]:
    return {one["site_name"] for one in (await stage.board_status(board))["heard"].values()}


async def test_a_browser_takes_part_like_a_site(tmp_path: Path) -> None:
    dialogue = excerpt(1, 4, 6, 8)
    async with staged(dialogue, tmp_path) as stage, audience(stage) as at, chromium(spoken(tmp_path)) as page:
        await join(page, stage.join_link, "田中")
        stage.speak(time.time() + 0.5)

        async def sees_and_hears_both() -> bool:
            found = await page.evaluate(RECEIVED)
            return bool(found["video"] >= 2 and found["audio"] >= 2)

        async def heard_by_both() -> bool:
            return all(["田中" in await heard_at(stage, board) for board in stage.boards])

        await eventually(sees_and_hears_both)
        await eventually(heard_by_both)
        await at.until(lambda seen: any(line["site_name"] == "田中" for line in seen.lines()))
        line = next(line for line in at.lines() if line["site_name"] == "田中")
        assert line["text"] == load_dialogue().utterances[SAYS - 1].text
        await page.wait_for_selector("#band-lines >> text=対話の会を始めます。", timeout=20_000)
        names = await page.locator("#tiles, #strip").all_inner_texts()
        assert all(site.name in " ".join(names) for site in dialogue.sites)

        await page.click("#leave")
        await page.wait_for_selector("main[data-view=over]:not([hidden])", timeout=10_000)


async def test_the_media_worker_dies_and_the_browser_comes_back_by_itself(tmp_path: Path) -> None:
    from tests.e2e.scene import hub_child, kill

    async with staged(excerpt(1, 4), tmp_path) as stage, chromium(spoken(tmp_path)) as page:
        await join(page, stage.join_link, "田中")

        async def sees_both() -> bool:
            return bool((await page.evaluate(RECEIVED))["video"] >= 2)

        await eventually(sees_both)
        await page.evaluate("() => { window.connections.length = 0; }")
        kill(hub_child(stage, "signaling.media.worker").pid)
        await eventually(sees_both, 15)
