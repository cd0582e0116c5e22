"""The board's two connections against an ordinary aiortc peer over loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack

from hardware.ports import AudioBlock
from room_agent.call import AudioOut, IcePlan, Publishing, Receiving, VideoOut
from room_agent.errors import MediaFailed
from room_agent.handover import PacketFeed, Picture420, PictureFeed
from room_agent.opus import OpusEncoder
from room_agent.uplink import Uplink
from signaling.media.aiortc_adapter import EncodedAudio, NumberedPacket, encoded_audio_sink
from signaling.messages import (
    Body,
    Done,
    ErrorCode,
    MediaAnswer,
    MediaOffer,
    MediaPublish,
    MediaPublished,
    MediaSubscribe,
    Refused,
    SlotInfo,
    TrackInfo,
)
from signaling.ports import Anchor


@dataclass
class Watched:
    """Remembers what was told."""

    causes: list[str] = field(default_factory=list)
    down: asyncio.Event = field(default_factory=asyncio.Event)

    def __call__(self, cause: str) -> None:
        self.causes.append(cause)
        self.down.set()


class PlainHub:
    """Answers publish and offers subscribe with a stock peer connection."""

    def __init__(self) -> None:
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.packets: asyncio.Queue[EncodedAudio] = asyncio.Queue()
        self.video: asyncio.Queue[MediaStreamTrack] = asyncio.Queue()
        self.offered: MediaPublish | None = None
        self.pc.on("track", self._track)

    def _track(self, track: MediaStreamTrack) -> None:
        if track.kind == "audio":
            receiver = next(each.receiver for each in self.pc.getTransceivers() if each.receiver.track is track)
            encoded_audio_sink(receiver, self.packets.put_nowait)
        else:
            self.video.put_nowait(track)

    async def request(self, body: Body) -> Body:
        match body:
            case MediaPublish():
                return await self._answer(body)
            case MediaSubscribe():
                return await self._offer(body)
            case MediaAnswer():
                await self.pc.setRemoteDescription(RTCSessionDescription(body.sdp, "answer"))
                return Done()
        raise AssertionError(body)

    async def _answer(self, body: MediaPublish) -> MediaPublished:
        self.offered = body
        await self.pc.setRemoteDescription(RTCSessionDescription(body.sdp, "offer"))
        await self.pc.setLocalDescription(await self.pc.createAnswer())
        tracks = [
            TrackInfo(
                track_id=f"t-{each.name}", peer_id="p", site_id="s", name=each.name, kind=each.kind, source=each.source,
                epoch=each.epoch or 0,
            )
            for each in body.tracks
        ]  # fmt: skip
        return MediaPublished(generation=body.generation, sdp=self.pc.localDescription.sdp, tracks=tracks)

    async def _offer(self, body: MediaSubscribe) -> MediaOffer:
        for track in [AudioStreamTrack() for _ in range(body.audio)] + [VideoStreamTrack() for _ in range(body.video)]:
            self.pc.addTransceiver(track, direction="sendonly")
        await self.pc.setLocalDescription(await self.pc.createOffer())
        slots = [SlotInfo(mid=each.mid, kind=each.kind) for each in self.pc.getTransceivers()]
        return MediaOffer(generation=body.generation, sdp=self.pc.localDescription.sdp, slots=slots)


@pytest.fixture
async def hub() -> AsyncIterator[PlainHub]:
    hub = PlainHub()
    yield hub
    await hub.pc.close()


def packets(first: int, count: int) -> list[NumberedPacket]:
    encoder = OpusEncoder(first_sequence=first)
    frames = [AudioBlock(np.zeros(960, np.float32), (first + n) * 960, 0.0) for n in range(count)]
    encoded = [encoder.encode(frame) for frame in frames]
    return [NumberedPacket(each.sequence, each.sample, each.payload, each.level_dbov) for each in encoded]


async def test_audio_goes_out_with_the_boards_own_numbers(hub: PlainHub) -> None:
    feed, watch = PacketFeed(), Watched()
    publishing = Publishing(1, IcePlan(), watch, AudioOut(feed, 7, Anchor(100, 96_000), Uplink(32_000)), None)
    try:
        await publishing.open(hub.request)
        sent = packets(100, 20)
        for packet in sent:
            feed.put(packet)
        got = [await asyncio.wait_for(hub.packets.get(), 10) for _ in sent]
    finally:
        await publishing.close()
    assert [each.payload for each in got] == [each.payload for each in sent]
    assert [(each.sequence, each.timestamp) for each in got] == [(each.sequence, each.sample) for each in sent]
    assert hub.offered is not None
    (track,) = hub.offered.tracks
    assert (track.epoch, track.anchor and track.anchor.sample) == (7, 96_000)
    assert "127.0.0.1" in hub.offered.sdp or "a=candidate" in hub.offered.sdp
    assert publishing.tracks[0].track_id == "t-microphone"
    assert watch.causes == []


async def test_video_goes_out_as_vp8_and_nothing_else_is_offered(hub: PlainHub) -> None:
    pictures = PictureFeed()
    publishing = Publishing(1, IcePlan(), Watched(), None, VideoOut(pictures, 500_000))
    try:
        await publishing.open(hub.request)
        track = await hub.video.get()
        received = asyncio.create_task(track.recv())
        async with asyncio.timeout(10):
            while not received.done():
                pictures.put(Picture420(np.full((270, 320), 128, np.uint8), asyncio.get_running_loop().time()))
                await asyncio.sleep(0.05)
        frame = await received
    finally:
        await publishing.close()
    assert (frame.width, frame.height) == (320, 180)
    assert hub.offered is not None
    assert "VP8" in hub.offered.sdp
    assert "H264" not in hub.offered.sdp


async def test_every_slot_gives_its_packets_and_video_is_read_and_let_go(hub: PlainHub) -> None:
    watch, seen, told = Watched(), set[str](), list[Sequence[SlotInfo]]()
    both = asyncio.Event()

    def sink(mid: str, packet: EncodedAudio) -> None:
        seen.add(mid)
        if len(seen) == 2:
            both.set()

    receiving = Receiving(3, IcePlan(), watch, audio_slots=2, video_slots=1)
    try:
        await receiving.open(hub.request, told.append, sink)
        await asyncio.wait_for(both.wait(), 10)
        async with asyncio.timeout(10):
            while receiving.frames == 0 or (await receiving.facts()).packets_in == 0:
                await asyncio.sleep(0.05)
    finally:
        await receiving.close()
    assert [slot.mid for slot in told[0]] == [slot.mid for slot in receiving.slots]
    assert seen == {slot.mid for slot in receiving.slots if slot.kind == "audio"}
    assert watch.causes == []


async def test_a_connection_that_the_other_side_closes_is_lost_once(hub: PlainHub) -> None:
    feed, watch = PacketFeed(), Watched()
    publishing = Publishing(1, IcePlan(), watch, AudioOut(feed, 1, Anchor(0, 0), Uplink(32_000)), None)
    try:
        await publishing.open(hub.request)
        feed.put(packets(0, 1)[0])
        await asyncio.wait_for(hub.packets.get(), 10)
        await hub.pc.close()
        await asyncio.wait_for(watch.down.wait(), 10)
    finally:
        await publishing.close()
    assert len(watch.causes) == 1


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Refused(code=ErrorCode.NO_MEDIA, message="No media worker."), "no_media"),
        (Done(), "bad_message"),
        (MediaPublished(generation=1, sdp="nonsense", tracks=[]), "bad_sdp"),
    ],
)
async def test_a_refusal_has_a_code(reply: Body, code: str) -> None:
    async def request(_: Body) -> Body:
        return reply

    publishing = Publishing(1, IcePlan(), Watched(), AudioOut(PacketFeed(), 1, Anchor(0, 0), Uplink(32_000)), None)
    try:
        with pytest.raises(MediaFailed) as caught:
            await publishing.open(request)
    finally:
        await publishing.close()
    assert caught.value.code == code
