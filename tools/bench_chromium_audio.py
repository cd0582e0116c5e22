"""The baseline of mouth to ear: two Chromiums on the same machine: `python -m tools.bench_chromium_audio`.

One sends clicks from a file as its microphone (getUserMedia with the fake device), the other hears them. In each, an
audio worklet beside the stream notes when a click passes, by the wall clock. So the figure holds encoding, network,
NetEq and decoding, but neither the device's capture buffer nor the loudspeaker's: it flatters Chromium by the 20 to
30 ms that ours contains for blocks and framing. Echo cancelling, noise suppression and gain control are off, which
flatters too.
"""

from __future__ import annotations

import asyncio
import json
import wave
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from playwright.async_api import Browser, BrowserType, Page, async_playwright

from hardware.ports import SAMPLE_RATE
from tools.clicks import PERIOD, THRESHOLD, Clicks, Heard, heard_against, share

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
]
PAGE = "https://bench.invalid/"
PERIODS = 20

WORKLET = f"""
class Listener extends AudioWorkletProcessor {{
  quietUntil = 0;
  process(inputs) {{
    const samples = inputs[0][0] || [];
    const at = Date.now() / 1000;
    const first = samples.findIndex((sample) => Math.abs(sample) > {THRESHOLD});
    if (first >= 0 && at > this.quietUntil) {{
      this.quietUntil = at + {PERIOD / SAMPLE_RATE / 3};
      this.port.postMessage(at + first / sampleRate);
    }}
    return true;
  }}
}}
registerProcessor("listener", Listener);
"""

SCRIPT = """
window.clicks = [];
async function listen(stream) {
  const context = new AudioContext({ sampleRate: 48000, latencyHint: "interactive" });
  await context.audioWorklet.addModule(URL.createObjectURL(new Blob([WORKLET], { type: "text/javascript" })));
  const node = new AudioWorkletNode(context, "listener");
  node.port.onmessage = (message) => window.clicks.push(message.data);
  context.createMediaStreamSource(stream).connect(node).connect(context.destination);
  await context.resume();
}
async function gathered(connection) {
  while (connection.iceGatheringState !== "complete") await new Promise((done) => setTimeout(done, 20));
  return connection.localDescription.sdp;
}
async function say() {
  const plain = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  const stream = await navigator.mediaDevices.getUserMedia({ audio: plain });
  await listen(stream);
  window.connection = new RTCPeerConnection();
  for (const track of stream.getTracks()) window.connection.addTrack(track, stream);
  await window.connection.setLocalDescription();
  return gathered(window.connection);
}
async function hear(offer) {
  window.connection = new RTCPeerConnection();
  window.connection.ontrack = async (event) => {
    const player = new Audio();   // Chromium decodes a remote track only when something plays it
    player.srcObject = event.streams[0];
    player.muted = true;
    await player.play();
    await listen(event.streams[0]);
  };
  await window.connection.setRemoteDescription({ type: "offer", sdp: offer });
  await window.connection.setLocalDescription();
  return gathered(window.connection);
}
"""


def click_file(folder: Path) -> Path:
    """Clicks as a WAV file that Chromium's fake microphone plays for ever."""
    path = folder / "clicks.wav"
    sound = Clicks().render(0, PERIOD * PERIODS)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", "not compressed"))
        file.writeframes((sound * 32_767).astype("<i2").tobytes())
    return path


async def _answer(route: Any) -> None:
    await route.fulfill(body="<!doctype html><title>bench</title>", content_type="text/html")


async def _page(kind: BrowserType, clicks: Path) -> tuple[Browser, Page]:
    flags = [*FLAGS, f"--use-file-for-fake-audio-capture={clicks}"]
    browser = await kind.launch(executable_path=CHROMIUM, args=flags)
    page = await browser.new_page()
    await page.route("**/*", _answer)
    await page.goto(PAGE)
    await page.add_script_tag(content=f"const WORKLET = {json.dumps(WORKLET)};{SCRIPT}")
    return browser, page


async def measure(seconds: float = 20.0, settle_s: float = 4.0) -> list[Heard]:
    """Every click after `settle_s`; NetEq has found its delay by then."""
    with TemporaryDirectory(prefix="shimawa-bench-") as folder:
        clicks = click_file(Path(folder))
        async with async_playwright() as playwright:
            (mouth_browser, mouth), (ear_browser, ear) = [await _page(playwright.chromium, clicks) for _ in range(2)]
            offer = await mouth.evaluate("() => window.say()")
            answer = await ear.evaluate("(offer) => window.hear(offer)", offer)
            await mouth.evaluate("(sdp) => window.connection.setRemoteDescription({ type: 'answer', sdp })", answer)
            await asyncio.sleep(settle_s + seconds)
            said, heard = [await page.evaluate("() => window.clicks") for page in (mouth, ear)]
            for browser in (mouth_browser, ear_browser):
                await browser.close()
    found = heard_against(said, heard)
    start = found[0].at + settle_s if found else 0.0
    return [click for click in found if click.at > start]


def main() -> None:
    heard = asyncio.run(measure())
    delays = np.array([click.delay_ms for click in heard])
    p50, p95 = share(heard, 0.5), share(heard, 0.95)
    print(f"{len(heard)} clicks; p50 {p50:.1f} ms, p95 {p95:.1f} ms, least {delays.min():.1f}")


if __name__ == "__main__":
    main()
