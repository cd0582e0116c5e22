"""Real clients for the tests: aiortc peer connections that talk to a media plane, and a recorder of its events."""

from __future__ import annotations

import asyncio
import fractions
import random
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import av
import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription, VideoStreamTrack

from signaling.media.aiortc_adapter import (
    EncodedAudio,
    NumberedPacket,
    encoded_audio_sink,
    send_numbered_audio,
)
from signaling.media.udp import Address, PlainPort
from signaling.ports import Anchor, Connection, LoggedPacket, MediaPlane, Slot, TrackSpec

DEADLINE_S = 20.0


class Recorder:
    """A `MediaEvents` that remembers everything and lets a test wait for a condition."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.packets: list[LoggedPacket] = []
        self.level_reports: list[Mapping[str, int]] = []
        self._changed = asyncio.Event()

    def _note(self, *what: Any) -> None:
        self.told.append(what)
        self._changed.set()

    def slots_changed(self, session_id: str, peer_id: str, generation: int, slots: Sequence[Slot]) -> None:
        self._note("slots", session_id, peer_id, generation, tuple(slots))

    def connection_up(self, session_id: str, peer_id: str, connection: Connection, generation: int) -> None:
        self._note("up", session_id, peer_id, connection, generation)

    def connection_lost(
        self, session_id: str, peer_id: str, connection: Connection, generation: int, cause: str
    ) -> None:
        self._note("lost", session_id, peer_id, connection, generation, cause)

    def track_suspect(self, session_id: str, track_id: str, silent_ms: int) -> None:
        self._note("suspect", session_id, track_id)

    def track_live(self, session_id: str, track_id: str) -> None:
        self._note("live", session_id, track_id)

    def levels(self, session_id: str, levels: Mapping[str, int]) -> None:
        self.level_reports.append(dict(levels))
        self._changed.set()

    def audio(self, packets: Sequence[LoggedPacket]) -> None:
        self.packets.extend(packets)
        self._changed.set()

    def count(self, *prefix: Any) -> int:
        return sum(1 for told in self.told if told[: len(prefix)] == prefix)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while not condition():
                self._changed.clear()
                await self._changed.wait()


async def until(condition: Callable[[], bool]) -> None:
    """For what tells nobody: looks again every few milliseconds, with a generous deadline."""
    async with asyncio.timeout(DEADLINE_S):
        while not condition():
            await asyncio.sleep(0.01)


def opus_packets(count: int) -> list[bytes]:
    """A 440 Hz tone, mono, 20 ms packets."""
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate = 48_000
    encoder.layout = "mono"
    encoder.format = "s16"
    encoder.bit_rate = 24_000
    encoder.time_base = fractions.Fraction(1, 48_000)
    encoder.open()
    found: list[bytes] = []
    for place in range(count):
        at = np.arange(960) + place * 960
        tone = (12_000 * np.sin(2 * np.pi * 440 * at / 48_000)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(tone.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts = 48_000, place * 960
        found += [bytes(packet) for packet in encoder.encode(frame)]
    return found


TONE = opus_packets(50)


class LossyPort(PlainPort):
    """Loses a share of the media both ways; connectivity checks and handshakes pass."""

    def __init__(self, sock: socket.socket, share: float) -> None:
        super().__init__(sock)
        self._random = random.Random(7)
        self.share = share
        self.lost = 0

    def _loses(self, first: int) -> bool:
        lost = 128 <= first <= 191 and self._random.random() < self.share
        self.lost += lost
        return lost

    def receive(self) -> int:
        got = super().receive()
        if got and self.sizes[0] and self._loses(self.cells[0].view[0][0]):
            self.sizes[0] = 0  # as a stray empty datagram: counted and dropped
        return got

    def send(self, data: bytes, to: Address) -> bool:
        return self._loses(data[0]) or super().send(data, to)


class TonePump:
    """A numbered source, 50 packets/s unless told otherwise; `gate` cleared stops it."""

    def __init__(self, sequence: int = 0, level: int = 20, period_s: float = 0.02) -> None:
        self.sequence = sequence
        self.level = level
        self.period_s = period_s
        self._due_at: float | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def next_packet(self) -> NumberedPacket:
        loop = asyncio.get_running_loop()
        if not self.gate.is_set() or self._due_at is None:
            await self.gate.wait()
            self._due_at = loop.time()
        # as a sound card does: late packets follow each other at once
        self._due_at += self.period_s
        await asyncio.sleep(self._due_at - loop.time())
        number = self.sequence
        self.sequence += 1
        return NumberedPacket(number, number * 960, TONE[number % len(TONE)], self.level, True)


def spec(
    track_id: str,
    mid: str = "0",
    *,
    kind: str = "audio",
    session: str = "s1",
    seat: str = "seat",
    epoch: int = 1,
    anchor: Anchor | None = None,
) -> TrackSpec:
    return TrackSpec(
        track_id,
        session,
        seat,
        "site",
        "mic",
        kind,
        "room_mic",
        mid,
        epoch,
        anchor,  # type: ignore[arg-type]
    )


def new_connection() -> RTCPeerConnection:
    return RTCPeerConnection(RTCConfiguration(iceServers=[]))


class Publisher:
    """Numbered tone and, when asked, aiortc's own test picture as VP8."""

    def __init__(self, plane: MediaPlane, peer: str, *, session: str = "s1", video: bool = False) -> None:
        self.plane, self.peer, self.session = plane, peer, session
        self.video = video
        self.pump = TonePump()
        self.connection = new_connection()
        self.rewrite: Callable[[str], str] = str
        """Done to the server's description before it is used."""

    async def publish(self, generation: int = 0, *, track: str | None = None, epoch: int = 1) -> None:
        anchor = Anchor(self.pump.sequence, self.pump.sequence * 960)
        audio = self.connection.addTransceiver("audio", direction="sendonly")
        send_numbered_audio(audio.sender, self.pump, anchor)
        if self.video:
            self.connection.addTransceiver(VideoStreamTrack(), direction="sendonly")
        await self.connection.setLocalDescription(await self.connection.createOffer())
        name = track or self.peer
        specs = [spec(f"{name}-a", audio.mid, session=self.session, epoch=epoch, anchor=anchor)]
        if self.video:
            mid = self.connection.getTransceivers()[1].mid
            specs.append(spec(f"{name}-v", mid, kind="video", session=self.session, epoch=epoch))
        text = self.connection.localDescription.sdp
        answer = await self.plane.publish(self.session, self.peer, generation, text, specs)
        await self.connection.setRemoteDescription(RTCSessionDescription(self.rewrite(answer), "answer"))

    async def close(self) -> None:
        await self.connection.close()


class Subscriber:
    """Takes encoded audio from every slot; video is decoded by aiortc and counted."""

    def __init__(self, plane: MediaPlane, peer: str, *, session: str = "s1") -> None:
        self.plane, self.peer, self.session = plane, peer, session
        self.connection = new_connection()
        self.heard: dict[str, list[EncodedAudio]] = {}
        self.frames: dict[str, int] = {}
        self.slots: tuple[Slot, ...] = ()
        self.rewrite: Callable[[str], str] = str
        self.damage: Callable[[str], str] = str
        """Done to our own answer before the server gets it."""
        self._readers: list[asyncio.Task[None]] = []

    async def subscribe(self, generation: int = 0, *, audio: int = 4, video: int = 0) -> None:
        offered = await self.plane.subscribe(self.session, self.peer, generation, audio, video)
        self.slots = offered.slots
        self.connection.on("track", self._track)
        await self.connection.setRemoteDescription(RTCSessionDescription(self.rewrite(offered.sdp), "offer"))
        for transceiver in self.connection.getTransceivers():
            if transceiver.kind == "audio":
                packets = self.heard.setdefault(transceiver.mid, [])
                encoded_audio_sink(transceiver.receiver, packets.append)
        await self.connection.setLocalDescription(await self.connection.createAnswer())
        answer = self.damage(self.connection.localDescription.sdp)
        await self.plane.answer(self.session, self.peer, generation, answer)

    def _track(self, track: Any) -> None:
        if track.kind == "video":
            self._readers.append(asyncio.get_running_loop().create_task(self._watch(track)))

    async def _watch(self, track: Any) -> None:
        from aiortc.mediastreams import MediaStreamError

        while True:
            try:
                await track.recv()
            except MediaStreamError:
                return
            self.frames[track.id] = self.frames.get(track.id, 0) + 1

    def payloads(self) -> int:
        return sum(map(len, self.heard.values()))

    async def close(self) -> None:
        await self.connection.close()
        for reader in self._readers:
            reader.cancel()
        await asyncio.gather(*self._readers, return_exceptions=True)
