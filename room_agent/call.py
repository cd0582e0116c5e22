"""One generation of one media connection: the board's end of it, around aiortc.

`Publishing` offers at once and without trickle; `Receiving` answers the hub's offer. Both tell once when they
are lost and are closed exactly once by whoever opened them. Nothing here decides to try again: that is the conductor's.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from aiortc import (
    RTCConfiguration,
    RTCIceServer,
    RTCPeerConnection,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.codecs import get_capabilities
from aiortc.exceptions import InvalidAccessError, InvalidStateError
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from aiortc.rtcconfiguration import RTCIceTransportPolicy
from aiortc.stats import RTCRemoteInboundRtpStreamStats, RTCTransportStats

from room_agent.errors import MediaFailed
from room_agent.handover import PacketFeed, PictureFeed
from room_agent.hubclock import Instant
from room_agent.spool import TRACK
from room_agent.tracks import CameraTrack, LimitedVp8Encoder, RateEar
from room_agent.uplink import Uplink
from signaling.media.aiortc_adapter import (
    EncodedAudio,
    encoded_audio_sink,
    keep_consent,
    replace_encoder,
    send_numbered_audio,
    send_pulse,
)
from signaling.messages import (
    Body,
    Done,
    IceServerInfo,
    MediaAnswer,
    MediaOffer,
    MediaPublish,
    MediaPublished,
    MediaSubscribe,
    PublishTrack,
    Refused,
    SlotInfo,
    TrackAnchor,
    TrackInfo,
)
from signaling.ports import Anchor

_Reply = TypeVar("_Reply", bound=Body)

CONNECT_S = 8.0
"""From the hub's answer to packets both ways; DTLS alone may need a second try after 1 s, 2 s, 4 s."""

NO_PATH = "no_path"
"""Of a connection whose description was taken and whose packets find no way."""

Request = Callable[[Body], Awaitable[Body]]
"""Sends a command and gives the reply, `Refused` included (`SignalingClient.request`)."""


Lost = Callable[[str], None]
"""Told the cause, on the loop: at most once, and never after `close` began."""


@dataclass(frozen=True, slots=True)
class IcePlan:
    """Which servers may help to find a way; `relay_only`: never directly."""

    servers: Sequence[IceServerInfo] = ()
    relay_only: bool = False


@dataclass(frozen=True, slots=True)
class AudioOut:
    """The microphone for one publish connection; `anchor` is where its numbering stands as it is offered, `placed` says
    where its sample 0 lies on the hub's clock."""

    feed: PacketFeed
    epoch: int
    anchor: Anchor
    uplink: Uplink
    placed: Callable[[], Instant | None] = lambda: None


@dataclass(frozen=True, slots=True)
class VideoOut:
    pictures: PictureFeed
    limit_bps: int


@dataclass(frozen=True, slots=True)
class TransportFacts:
    """Packets are datagrams of media and control, both ways. `rtt_ms`, `loss` None: the other side said nothing yet."""

    packets_in: int = 0
    packets_out: int = 0
    rtt_ms: float | None = None
    loss: float | None = None


@dataclass
class _Peer:
    """What both directions share: a peer connection that never asks a server it was not told of."""

    ice: IcePlan
    lost: Lost
    pc: RTCPeerConnection = field(init=False, repr=False)
    _connected: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    _gathering: asyncio.Task[None] | None = field(default=None, repr=False)
    _closing: bool = False
    _told: bool = False

    def __post_init__(self) -> None:
        servers = [
            RTCIceServer(urls=server.urls, username=server.username or None, credential=server.credential or None)
            for server in self.ice.servers
        ]
        policy = RTCIceTransportPolicy.RELAY if self.ice.relay_only else RTCIceTransportPolicy.ALL
        # Without this list aiortc asks a public STUN server and waits 5 s for it on an island.
        keep_consent()
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=servers, iceTransportPolicy=policy))
        self.pc.on("connectionstatechange", self._state_changed)

    def _state_changed(self) -> None:
        state = self.pc.connectionState
        if state == "connected":
            self._connected.set()
        elif state in ("failed", "closed"):
            # aiortc ends in "closed" when ICE dies under DTLS; both mean the same here.
            self.tell_lost(state)

    def tell_lost(self, cause: str) -> None:
        if not self._told and not self._closing:
            self._told = True
            self.lost(cause)

    async def settle(self, description: RTCSessionDescription) -> str:
        """The local description with its candidates. Cancelled, it goes on: aioice would leave its sockets open."""
        self._gathering = asyncio.create_task(self.pc.setLocalDescription(description), name="gathering")
        await asyncio.shield(self._gathering)
        sdp: str = self.pc.localDescription.sdp
        return sdp

    async def wait_connected(self) -> None:
        try:
            await asyncio.wait_for(self._connected.wait(), CONNECT_S)
        except TimeoutError:
            raise MediaFailed(NO_PATH, "The media connection did not come up; is UDP to the hub open?") from None

    async def facts(self) -> TransportFacts:
        report = (await self.pc.getStats()).values()
        transports = [each for each in report if isinstance(each, RTCTransportStats)]
        heard = [each for each in report if isinstance(each, RTCRemoteInboundRtpStreamStats)]
        times = [each.roundTripTime for each in heard if each.roundTripTime is not None]
        # aiortc leaves RFC 3550's fraction in 1/256.
        losses = [each.fractionLost / 256 for each in heard]
        return TransportFacts(
            packets_in=sum(each.packetsReceived for each in transports),
            packets_out=sum(each.packetsSent for each in transports),
            rtt_ms=min(times) * 1000 if times else None,
            loss=max(losses) if losses else None,
        )

    async def pulse(self) -> None:
        if self.pc.connectionState == "connected":
            await send_pulse(self.pc)

    async def close_pc(self) -> None:
        self._closing = True
        if self._gathering is not None:
            await asyncio.wait([self._gathering])
        await self.pc.close()


class Publishing:
    """The board's own tracks, offered in one go. Audio goes out as the packets it was encoded to, once."""

    def __init__(
        self,
        generation: int,
        ice: IcePlan,
        lost: Lost,
        audio: AudioOut | None,
        video: VideoOut | None,
    ) -> None:
        self.generation = generation
        self.tracks: tuple[TrackInfo, ...] = ()
        self._peer = _Peer(ice, lost)
        self._audio = audio
        self._video = video
        self._camera: CameraTrack | None = None

    @property
    def frames(self) -> int:
        return self._camera.frames if self._camera is not None else 0

    async def open(self, request: Request) -> None:
        """Returns when the connection stands. Raises `MediaFailed`."""
        pc = self._peer.pc
        transceivers: list[tuple[RTCRtpTransceiver, str]] = []
        if self._audio is not None:
            transceivers.append((self._offer_audio(pc, self._audio), "audio"))
        if self._video is not None:
            transceivers.append((self._offer_video(pc, self._video), "video"))
        if not transceivers:
            raise MediaFailed("no_tracks", "There is neither microphone nor camera to send from.")
        sdp = await self._peer.settle(await pc.createOffer())
        tracks = [self._describe(transceiver.mid or "", kind) for transceiver, kind in transceivers]
        offer = MediaPublish(generation=self.generation, sdp=sdp, tracks=tracks)
        answer = _expect(await request(offer), MediaPublished)
        self.tracks = tuple(answer.tracks)
        await _understand(pc, answer.sdp, "answer")
        await self._peer.wait_connected()

    def _offer_audio(self, pc: RTCPeerConnection, audio: AudioOut) -> RTCRtpTransceiver:
        transceiver = pc.addTransceiver("audio", direction="sendonly")
        _prefer(transceiver, "audio", "audio/opus")
        send_numbered_audio(transceiver.sender, audio.feed, audio.anchor)
        replace_encoder(transceiver.sender, RateEar(lambda bps: audio.uplink.told(bps, time.monotonic())))
        return transceiver

    def _offer_video(self, pc: RTCPeerConnection, video: VideoOut) -> RTCRtpTransceiver:
        self._camera = CameraTrack(video.pictures)
        transceiver = pc.addTransceiver(self._camera, direction="sendonly")
        # aiortc's H.264 is x264 "medium": three times the work, and a licence question.
        _prefer(transceiver, "video", "video/VP8", "video/rtx")
        replace_encoder(transceiver.sender, LimitedVp8Encoder(video.limit_bps, share=self._share_of_video))
        return transceiver

    def _share_of_video(self, estimate_bps: int) -> int:
        return max(0, estimate_bps - self._audio.uplink.voice.wire_bps) if self._audio is not None else estimate_bps

    def _describe(self, mid: str, kind: str) -> PublishTrack:
        if kind == "video" or self._audio is None:
            return PublishTrack(name="camera", kind="video", source="room_cam", mid=mid)
        anchor = TrackAnchor(sequence=self._audio.anchor.sequence, sample=self._audio.anchor.sample)
        placed = self._audio.placed()
        return PublishTrack(
            name=TRACK,
            kind="audio",
            source="room_mic",
            mid=mid,
            epoch=self._audio.epoch,
            anchor=anchor,
            placed_at=placed.at if placed else None,
            within_s=placed.within_s if placed else None,
        )

    async def facts(self) -> TransportFacts:
        return await self._peer.facts()

    async def keep_open(self) -> None:
        """Something for the hub to hear: by it it knows that we are there, and where."""
        await self._peer.pulse()

    async def close(self) -> None:
        if self._audio is not None:
            self._audio.feed.close()
        if self._camera is not None:
            self._camera.stop()
        await self._peer.close_pc()


AudioSink = Callable[[str, EncodedAudio], None]
"""Gets the slot's mid and each packet as it came; on the loop, must return at once."""


class Receiving:
    """Every other site, in slots of constant SSRC. Audio stays encoded; video is read and let go."""

    def __init__(self, generation: int, ice: IcePlan, lost: Lost, audio_slots: int, video_slots: int) -> None:
        self.generation = generation
        self.slots: tuple[SlotInfo, ...] = ()
        self.frames = 0
        self._peer = _Peer(ice, lost)
        self._audio_slots = audio_slots
        self._video_slots = video_slots
        self._drains: list[asyncio.Task[None]] = []

    async def open(self, request: Request, on_slots: Callable[[Sequence[SlotInfo]], None], sink: AudioSink) -> None:
        """`on_slots` is called once, before any packet. Returns when the connection stands. Raises `MediaFailed`."""
        pc = self._peer.pc
        wish = MediaSubscribe(generation=self.generation, audio=self._audio_slots, video=self._video_slots)
        offer = _expect(await request(wish), MediaOffer)
        self.slots = tuple(offer.slots)
        on_slots(self.slots)
        pc.on("track", lambda track: self._arrived(track, sink))
        await _understand(pc, offer.sdp, "offer")
        sdp = await self._peer.settle(await pc.createAnswer())
        answer = MediaAnswer(generation=self.generation, sdp=sdp)
        _expect(await request(answer), Done)
        await self._peer.wait_connected()

    def _arrived(self, track: MediaStreamTrack, sink: AudioSink) -> None:
        transceiver = next(each for each in self._peer.pc.getTransceivers() if each.receiver.track is track)
        mid = transceiver.mid or ""
        if track.kind == "audio":
            encoded_audio_sink(transceiver.receiver, lambda packet: sink(mid, packet))
        else:
            self._drains.append(asyncio.create_task(self._drain(track), name=f"drain {mid}"))

    async def _drain(self, track: MediaStreamTrack) -> None:
        """An unread track keeps every frame for ever (aiortc's queue has no bound)."""
        while True:
            try:
                await track.recv()
            except MediaStreamError:
                return
            self.frames += 1

    async def facts(self) -> TransportFacts:
        return await self._peer.facts()

    async def keep_open(self) -> None:
        await self._peer.pulse()

    async def close(self) -> None:
        await self._peer.close_pc()
        for drain in self._drains:
            drain.cancel()
        await asyncio.gather(*self._drains, return_exceptions=True)


def _prefer(transceiver: RTCRtpTransceiver, kind: str, *mime_types: str) -> None:
    codecs = get_capabilities(kind).codecs
    transceiver.setCodecPreferences([codec for codec in codecs if codec.mimeType in mime_types])


def _expect(reply: Body, kind: type[_Reply]) -> _Reply:
    if isinstance(reply, Refused):
        raise MediaFailed(reply.code, reply.message, reply.retry_after_ms)
    if not isinstance(reply, kind):
        raise MediaFailed("bad_message", "The hub answered with something else than was asked for.")
    return reply


async def _understand(pc: RTCPeerConnection, sdp: str, kind: str) -> None:
    try:
        await pc.setRemoteDescription(RTCSessionDescription(sdp, kind))
    except (ValueError, InvalidAccessError, InvalidStateError) as error:
        raise MediaFailed("bad_sdp", "The hub's description of the media connection cannot be used.") from error
