"""Make the pictures of the README: a real hub, real browsers, drawn cameras, spoken dialogue from the demo.

    .venv/bin/python tools/pictures.py        writes docs/pictures/*.png

Chromium stands in for each site: its camera shows a drawn coast, its microphone plays that site's part of the demo.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import soundfile
from playwright.async_api import Browser, Page, async_playwright

from session_manager.hub import Hub
from session_manager.settings import HubSettings

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "docs" / "pictures"
DIALOGUE = ROOT / "session_manager" / "demo" / "dialogue"
WIDTH, HEIGHT, FPS = 640, 360, 15
SITES = {
    "iki": ("壱岐テレワークセンター", ((214, 232, 240), (120, 170, 196), (62, 92, 82))),
    "fukuoka": ("福岡本土オフィス", ((246, 224, 196), (196, 150, 128), (74, 66, 84))),
    "katsumoto": ("勝本小学校", ((226, 238, 226), (128, 186, 178), (52, 96, 84))),
}
FLAGS = ["--no-sandbox", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", "--disable-gpu"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]


def coast(colours: tuple[tuple[int, int, int], ...], seed: int) -> np.ndarray:
    """An RGB picture: sky, an island, the sea."""
    sky, sea, land = (np.array(colour, float) for colour in colours)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(float)
    horizon = HEIGHT * 0.58
    fade = np.clip(y / horizon, 0, 1)[..., None]
    picture = sky * (1 - 0.25 * fade) + 255 * 0.25 * fade
    water = y >= horizon
    depth = ((y - horizon) / (HEIGHT - horizon))[..., None]
    picture = np.where(water[..., None], sea * (1.12 - 0.45 * depth), picture)
    for at, wide, high in ((0.3 + 0.1 * seed, 0.26, 0.20), (0.62 - 0.12 * seed, 0.16, 0.11), (0.86, 0.10, 0.06)):
        hill = horizon - high * HEIGHT * np.exp(-(((x / WIDTH - at) / wide) ** 2) * 4)
        picture = np.where(
            ((y > hill) & ~water)[..., None], land * (0.9 + 0.25 * (horizon - y) / HEIGHT)[..., None], picture
        )
    return np.clip(picture, 0, 255)


def write_camera(path: Path, picture: np.ndarray) -> None:
    """Y4M (4:2:0, BT.601), which Chromium's simulated camera plays in a loop."""
    red, green, blue = picture[..., 0], picture[..., 1], picture[..., 2]
    luma = 16 + 0.257 * red + 0.504 * green + 0.098 * blue
    chroma = (
        128 - 0.148 * red - 0.291 * green + 0.439 * blue,
        128 + 0.439 * red - 0.368 * green - 0.071 * blue,
    )
    planes = [luma, *(plane.reshape(HEIGHT // 2, 2, WIDTH // 2, 2).mean(axis=(1, 3)) for plane in chroma)]
    frame = b"FRAME\n" + b"".join(plane.astype(np.uint8).tobytes() for plane in planes)
    path.write_bytes(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F{FPS}:1 Ip A1:1 C420mpeg2\n".encode() + frame * FPS)


def write_microphone(path: Path, site: str, before_s: float) -> None:
    """What this site says in the demo, each in its turn, with silence while the others speak."""
    rate, sounds = 0, [np.zeros(0)]
    for number, file in enumerate(sorted(DIALOGUE.glob("*.flac"))[:9]):
        sound, rate = soundfile.read(file)
        mine = file.stem.endswith(site)
        sounds += [sound if mine else np.zeros_like(sound), np.zeros(rate // 2 * (2 if number % 3 else 1))]
    soundfile.write(path, np.concatenate([np.zeros(int(rate * before_s)), *sounds]), rate)


@contextlib.asynccontextmanager
async def running_hub(folder: Path):
    hub = Hub(HubSettings(data=folder, port=0, media_port=0, model="fixture"))
    up = asyncio.Event()
    running = asyncio.create_task(hub.run(lambda _: up.set()))
    await up.wait()
    try:
        yield hub
    finally:
        hub.stopped.set()
        await running


async def save(page: Page, name: str) -> None:
    picture = cv2.imdecode(np.frombuffer(await page.screenshot(), np.uint8), cv2.IMREAD_COLOR)
    calm = (picture & 0xFC) | (picture >> 6)  # 64 steps per colour: fewer bytes, and nobody sees it
    cv2.imwrite(str(OUT / f"{name}.png"), calm, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    print(f"{name}.png {(OUT / f'{name}.png').stat().st_size // 1000} kB", json.dumps(page.viewport_size))


async def join(browser: Browser, url: str, name: str, size: tuple[int, int]) -> Page:
    context = await browser.new_context(
        viewport={"width": size[0], "height": size[1]}, locale="ja-JP", permissions=["camera", "microphone"]
    )
    page = await context.new_page()
    await page.goto(url)
    await page.fill("#name", name)
    return page


async def main() -> None:
    OUT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        async with running_hub(Path(folder) / "hub") as hub, async_playwright() as play:
            now = time.time()
            session = hub.store.add_session("島と本土の対話の夕べ", now, now + 7200, "Asia/Tokyo", [])
            await hub.live.start_session(session.session_id)
            link = (
                f"{hub.settings.url}/join#"
                + hub.store.add_invitation(session.session_id, "participant", now + 900, None).code
            )
            browsers = {}
            for number, (site, (_, colours)) in enumerate(SITES.items()):
                camera, microphone = Path(folder) / f"{site}.y4m", Path(folder) / f"{site}.wav"
                write_camera(camera, coast(colours, number))
                write_microphone(microphone, site, 4.0)
                files = [
                    f"--use-file-for-fake-video-capture={camera}",
                    f"--use-file-for-fake-audio-capture={microphone}",
                ]
                browsers[site] = await play.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS + files)
            guest_camera = Path(folder) / "guest.y4m"
            write_camera(guest_camera, coast(((238, 230, 240), (150, 150, 190), (84, 80, 110)), 1))
            guest_flags = [f"--use-file-for-fake-video-capture={guest_camera}"]
            guest_browser = await play.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS + guest_flags)
            guest = await join(guest_browser, link, "田中", (1280, 800))
            await guest.wait_for_function("() => !document.getElementById('self-video').hidden")
            await asyncio.sleep(1.5)
            await save(guest, "join")
            await guest.select_option("#mic", "off")
            await guest.click("#join")
            for site, (name, _) in SITES.items():
                page = await join(browsers[site], link, name, (640, 360))
                await page.click("#join")
            await guest.wait_for_function(
                "() => document.querySelectorAll('#band-lines p').length >= 3", timeout=60_000
            )
            await save(guest, "call")
            live = await (
                await guest_browser.new_context(viewport={"width": 1280, "height": 800}, locale="ja-JP")
            ).new_page()
            code = hub.store.add_invitation(session.session_id, "observer", now + 900, None).code
            await live.goto(f"{hub.settings.url}/live#{code}")
            await live.wait_for_function("() => document.querySelectorAll('#lines .said').length >= 7", timeout=90_000)
            await save(live, "live")
            for browser in browsers.values():
                await browser.close()
            await hub.live.end_session(session.session_id)
            await live.goto(f"{hub.settings.url}/sessions/{session.session_id}/transcript")
            await live.wait_for_selector("#lines .said")
            await asyncio.sleep(0.5)
            await save(live, "transcript")


if __name__ == "__main__":
    asyncio.run(main())
