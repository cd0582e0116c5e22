"""A real Chromium with fake devices against a worker: publishes, subscribes, decodes."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, async_playwright

from signaling.media.plane import WorkerPlane
from tests.signaling_media.clients import Publisher, Recorder, Subscriber, spec, until

pytestmark = pytest.mark.chromium

ARGUMENTS = [
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--no-sandbox",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--allow-loopback-in-peer-connection",
    "--autoplay-policy=no-user-gesture-required",
]

PUBLISH = """async () => {
  const media = await navigator.mediaDevices.getUserMedia({audio: true, video: {width: 320, height: 240}});
  const pc = window.publishing = new RTCPeerConnection({iceServers: [], bundlePolicy: 'max-bundle'});
  for (const track of media.getTracks()) pc.addTransceiver(track, {direction: 'sendonly', streams: [media]});
  await pc.setLocalDescription();
  return {sdp: pc.localDescription.sdp, mids: pc.getTransceivers().map(t => [t.sender.track.kind, t.mid])};
}"""
TAKE_ANSWER = "sdp => window.publishing.setRemoteDescription({type: 'answer', sdp})"
SUBSCRIBE = """async sdp => {
  const pc = window.receiving = new RTCPeerConnection({iceServers: [], bundlePolicy: 'max-bundle'});
  pc.ontrack = event => {
    const element = document.createElement(event.track.kind);
    element.autoplay = true; element.muted = event.track.kind === 'video';
    element.srcObject = new MediaStream([event.track]);
    document.body.append(element);
  };
  await pc.setRemoteDescription({type: 'offer', sdp});
  await pc.setLocalDescription();
  return pc.localDescription.sdp;
}"""
RECEIVED = """async () => {
  const found = {frames: 0, samples: 0, concealed: 0, energy: 0};
  (await window.receiving.getStats()).forEach(s => {
    if (s.type !== 'inbound-rtp') return;
    if (s.kind === 'video') found.frames += s.framesDecoded || 0;
    else {
      found.samples += s.totalSamplesReceived || 0;
      found.concealed += s.concealedSamples || 0;
      found.energy += s.totalAudioEnergy || 0;
    }
  });
  return found;
}"""


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        page = await browser.new_page()

        async def blank(route: object) -> None:
            await route.fulfill(body="<!doctype html><body>", content_type="text/html")  # type: ignore[attr-defined]

        await page.route("**/*", blank)
        await page.goto("https://shimawa.test/")
        yield page
        await browser.close()


async def publish(plane: WorkerPlane, page: Page, generation: int = 0) -> None:
    offer = await page.evaluate(PUBLISH)
    tracks = [spec(f"web-{kind[0]}", mid, kind=kind) for kind, mid in offer["mids"]]
    answer = await plane.publish("s1", "web", generation, offer["sdp"], tracks)
    await page.evaluate(TAKE_ANSWER, answer)


async def test_chromium_and_a_board_hear_and_see_each_other(plane: WorkerPlane, events: Recorder, page: Page) -> None:
    board, ears = Publisher(plane, "board", video=True), Subscriber(plane, "board")
    await board.publish()
    await ears.subscribe(audio=2, video=2)
    await publish(plane, page)
    offer = await plane.subscribe("s1", "web", 0, 2, 2)
    await plane.answer("s1", "web", 0, await page.evaluate(SUBSCRIBE, offer.sdp))
    await events.until(lambda: events.count("live", "s1", "web-a") > 0 and events.count("live", "s1", "web-v") > 0)
    await until(lambda: ears.payloads() > 20 and sum(ears.frames.values()) > 5)
    await events.until(lambda: any(packet.track_id == "web-a" for packet in events.packets))
    await events.until(lambda: any(report.get("web-a", 127) < 60 for report in events.level_reports))
    while (found := await page.evaluate(RECEIVED))["frames"] < 5 or found["energy"] <= 0:
        pass
    assert found["samples"] > 0
    await board.close()
    await ears.close()


async def test_chromium_sees_a_replacement_in_the_same_slot_without_another_offer(
    plane: WorkerPlane, events: Recorder, page: Page
) -> None:
    offer = await plane.subscribe("s1", "web", 0, 1, 1)
    await plane.answer("s1", "web", 0, await page.evaluate(SUBSCRIBE, offer.sdp))
    seen = 0
    for name in ("first", "second", "third"):
        board = Publisher(plane, name, video=True)
        await board.publish()
        while (found := await page.evaluate(RECEIVED))["frames"] < seen + 10:
            pass
        seen = found["frames"]
        await plane.close("s1", name, None, None)
        await board.close()


async def test_chromium_survives_the_death_of_the_worker_with_a_new_generation(
    plane: WorkerPlane, events: Recorder, page: Page
) -> None:
    board = Publisher(plane, "board", video=True)
    await board.publish()
    offer = await plane.subscribe("s1", "web", 0, 1, 1)
    await plane.answer("s1", "web", 0, await page.evaluate(SUBSCRIBE, offer.sdp))
    while (await page.evaluate(RECEIVED))["frames"] < 3:
        pass
    os.kill(plane.pids()[0], signal.SIGKILL)
    await events.until(lambda: events.count("lost", "s1", "web", "subscribe", 0, "worker_died") == 1)
    await until(lambda: bool(plane.pids()))
    again = Publisher(plane, "board", video=True)
    await again.publish(1)
    offer = await plane.subscribe("s1", "web", 1, 1, 1)
    await plane.answer("s1", "web", 1, await page.evaluate(SUBSCRIBE, offer.sdp))
    while (await page.evaluate(RECEIVED))["frames"] < 3:
        pass
    await board.close()
    await again.close()
