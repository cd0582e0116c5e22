"""A thin cable with a browser at its end: what real WebRTC makes of what the hub lets through."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Page, async_playwright

from tests.e2e.test_browser import KEEP_CONNECTIONS
from tests.faults.cuts import FUKUOKA, HERE, IKI, THERE, Undisturbed
from tests.faults.lines import SETTLE_S
from tests.faults.network import HUB_ADDRESS, Network
from tests.faults.plays import Play, Scene
from tests.faults.rows import Row, at_most
from tests.faults.scene import HUB_PORT, ends_s, script
from tests.session_manager.site import CHROMIUM, FLAGS

GUEST = "guest"
GUEST_KBPS = 800
SOME_FRAMES = 2.0
"""A second, of all pictures together: what one still calls a picture that moves."""

COUNTED = """
async () => {
  const found = { lost: 0, received: 0, frames: 0, bytes: 0, concealed: 0, samples: 0 };
  for (const connection of window.connections) {
    for (const report of (await connection.getStats()).values()) {
      if (report.type !== "inbound-rtp") continue;
      if (report.kind === "audio") {
        found.lost += report.packetsLost;
        found.received += report.packetsReceived;
        found.concealed += report.concealedSamples - (report.silentConcealedSamples ?? 0);
        found.samples += report.totalSamplesReceived;
      } else {
        found.frames += report.framesDecoded ?? 0;
        found.bytes += report.bytesReceived;
      }
    }
  }
  return found;
}
"""


@dataclass(frozen=True, slots=True)
class Counted:
    """Since the page was opened: audio packets and samples, decoded frames and bytes of video."""

    lost: int
    received: int
    concealed: int
    samples: int
    frames: int
    bytes: int

    @classmethod
    async def of(cls, page: Page) -> Counted:
        return cls(**await page.evaluate(COUNTED))


@asynccontextmanager
async def chromium_at(network: Network, place: str, folder: Path) -> AsyncIterator[Page]:
    """Its processes live in that namespace; the hub's plain address counts as safe, so that it may use its devices."""
    starter = folder / "chromium"
    starter.write_text(f'#!/bin/sh\nexec {" ".join(network.command(place))} {CHROMIUM} "$@"\n', encoding="ascii")
    starter.chmod(0o700)
    safe = f"--unsafely-treat-insecure-origin-as-secure=http://{HUB_ADDRESS}:{HUB_PORT}"
    async with async_playwright() as playwright:
        flags = [*FLAGS, safe, "--autoplay-policy=no-user-gesture-required"]
        browser = await playwright.chromium.launch(executable_path=str(starter), args=flags)
        try:
            context = await browser.new_context(locale="ja-JP", viewport={"width": 1280, "height": 800})
            yield await context.new_page()
        finally:
            await browser.close()


async def cap_800_browser(folder: Path, undisturbed: Undisturbed, full: bool) -> list[Row]:
    """Three boards with 500 kb/s of video each, and a browser behind 800 kb/s."""
    length = 14 if full else 7
    third = "katsumoto"
    dialogue = script(
        (HERE, (IKI * 3)[:length], 6.5, 0.7),
        (THERE, (FUKUOKA * 3)[:length], 7.0, 0.7),
        (third, ((5, 17, 23) * 5)[:length], 7.5, 0.7),
    )
    looks: list[Counted] = []
    times: list[float] = []

    async def fault(scene: Scene) -> None:
        async with chromium_at(scene.network, GUEST, folder) as page:
            await page.add_init_script(KEEP_CONNECTIONS)
            await page.goto(scene.stage.join_link)
            await page.fill("#name", "見学")
            await page.click("#join")
            await page.wait_for_selector("main[data-view=session]:not([hidden])", timeout=20_000)
            scene.network.cap(GUEST, GUEST_KBPS)
            await asyncio.sleep(SETTLE_S)
            while True:
                times.append(scene.mark("look"))
                looks.append(await Counted.of(page))
                if times[-1] >= scene.starts_at + ends_s(dialogue):
                    return
                await asyncio.sleep(1.0)

    boards = ("--video-slots", "2")
    await Play(dialogue, folder, fault, board_arguments=boards, guests=(GUEST,)).run()
    first, last, length_s = looks[0], looks[-1], times[-1] - times[0]
    form = f"a browser's cable capped to {GUEST_KBPS} kb/s for {length_s:.0f} s, three boards with video"
    heard = last.samples - first.samples
    concealed = f"{100 * (last.concealed - first.concealed) / max(1, heard):.2f} % concealed"
    lost = at_most("cap_800_browser: sound", "packets lost after 3 s", 0, last.lost - first.lost, "packets", form)
    frames = (last.frames - first.frames) / length_s
    kbps = (last.bytes - first.bytes) * 8 / 1000 / length_s
    flowing = f"{frames:.1f} frames/s decoded, {kbps:.0f} kb/s"
    detail = tuple(
        f"{at - times[0]:.0f} s: {one.lost} lost, {one.frames} frames" for at, one in zip(times, looks, strict=True)
    )
    return [
        Row(lost.scenario, lost.budget, f"{lost.measured}, {concealed}", lost.ok, form, detail),
        Row("cap_800_browser: video", "some video flows", flowing, frames >= SOME_FRAMES, form, detail),
    ]
