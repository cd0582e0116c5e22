"""Scripted parts for tests and demonstrations: an engine that says what it is told, a hub that serves streams."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from transcription.feed import (
    MAX_AHEAD_S,
    Ack,
    FeedPacket,
    FeedRefused,
    FeedWelcome,
    Final,
    Partial,
    Progress,
    StreamDone,
    StreamEnd,
    StreamOpen,
    WorkerHello,
    WorkerStatus,
    from_worker,
    pack,
)  # fmt: skip
from transcription.grid import RATE
from transcription.log_format import Packet
from transcription.opus import packet_duration
from transcription.recognition import Recognition, RecognitionRequest

Script = Callable[[RecognitionRequest], Recognition | str]


class ScriptedEngine:
    """`script` answers each request; it may raise RecognitionError (a poisoned item). `seconds`: what each takes."""

    name = "scripted"
    model = "script"
    languages: frozenset[str] = frozenset()

    def __init__(self, script: Script, seconds: float = 0.0) -> None:
        self._script = script
        self._seconds = seconds
        self._released = threading.Event()
        self.calls: list[list[RecognitionRequest]] = []

    def recognise(self, batch: Sequence[RecognitionRequest]) -> list[Recognition]:
        self.calls.append(list(batch))
        if self._seconds:
            self._released.wait(self._seconds * len(batch))
        return [self._one(request) for request in batch]

    def _one(self, request: RecognitionRequest) -> Recognition:
        answer = self._script(request)
        if isinstance(answer, Recognition):
            return answer
        return Recognition(answer, (*request.languages, "ja")[0], avg_logprob=-0.1)


def opus_packets(sound: NDArray[np.float32], bitrate: int = 24_000, first_sequence: int = 0) -> list[Packet]:
    """`sound`: mono float32 at 48 kHz, as 20 ms Opus packets; the last is filled with silence."""
    import av

    encoder: Any = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.bit_rate, encoder.layout, encoder.format = RATE, bitrate, "mono", "s16"
    encoder.options = {"application": "voip", "frame_duration": "20"}
    step = RATE // 50
    whole = np.pad(sound, (0, -len(sound) % step))
    pcm = np.clip(np.round(whole * 32767), -32768, 32767).astype(np.int16)
    payloads: list[bytes] = []
    for at in range(0, len(pcm), step):
        frame: Any = av.AudioFrame.from_ndarray(pcm[None, at : at + step], format="s16", layout="mono")
        frame.sample_rate, frame.pts = RATE, at
        payloads += [bytes(packet) for packet in encoder.encode(frame)]
    payloads += [bytes(packet) for packet in encoder.encode(None)]
    return [
        Packet(first_sequence + index, (first_sequence + index) * step, payload)
        for index, payload in enumerate(payloads[: len(pcm) // step])
    ]


@dataclass(eq=False)
class ScriptedTrack:
    """`speed`: 1.0 is real time, None as fast as flow control lets. `end_sample` None: the stream stays open."""

    track_id: str
    packets: Sequence[Packet]
    languages: list[str]
    epoch: int = 0
    glossary: str = ""
    speed: float | None = None
    end_sample: int | None = None
    watermark: int = 0
    finals: dict[int, Final] = field(default_factory=dict)
    repeated: int = 0
    partials: list[Partial] = field(default_factory=list)
    sent_at: dict[int, float] = field(default_factory=dict)
    final_at: dict[int, float] = field(default_factory=dict)
    partial_at: list[tuple[int, float]] = field(default_factory=list)
    done: bool = False

    @property
    def lines(self) -> list[Final]:
        """Believed lines in order."""
        return [self.finals[at] for at in sorted(self.finals) if self.finals[at].suppressed is None]


class _Sent:
    """What is in flight of one stream. Audio counts, not positions: behind a long hole the next packet may go."""

    def __init__(self) -> None:
        self._packets: deque[tuple[int, int]] = deque()
        self._samples = 0

    def add(self, sample: int, length: int) -> None:
        self._packets.append((sample, length))
        self._samples += length

    def beyond_s(self, watermark: int) -> float:
        while self._packets and self._packets[0][0] < watermark:
            self._samples -= self._packets.popleft()[1]
        return self._samples / RATE


class ScriptedHub:
    """Serves the feed on a loopback port and stores facts as a hub does: once each, watermark in the same step."""

    def __init__(self, tracks: Iterable[ScriptedTrack], token: str, port: int = 0) -> None:
        self.tracks = list(tracks)
        self.statuses: list[WorkerStatus] = []
        self.hellos: list[WorkerHello] = []
        self.most_ahead_s = 0.0
        self._token = token
        self._port = port
        self._changed = asyncio.Condition()
        self._server: Server | None = None
        self._connection: ServerConnection | None = None

    async def __aenter__(self) -> Self:
        self._server = await serve(self._worker, "127.0.0.1", self._port, compression=None)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server:
            self._server.close()
            await self._server.wait_closed()

    @property
    def url(self) -> str:
        assert self._server is not None
        port = next(iter(self._server.sockets)).getsockname()[1]
        return f"ws://127.0.0.1:{port}/feed"

    async def until(self, holds: Callable[[], bool], within_s: float = 40.0) -> None:
        async with asyncio.timeout(within_s), self._changed:
            await self._changed.wait_for(holds)

    async def until_done(self, within_s: float = 40.0) -> None:
        await self.until(lambda: all(track.done for track in self.tracks), within_s)

    async def drop(self) -> None:
        """Cut the connection as a broken network does."""
        if self._connection:
            self._connection.transport.abort()

    async def _worker(self, connection: ServerConnection) -> None:
        request = connection.request
        hello = from_worker.validate_json(await connection.recv())
        if request is None or request.headers.get("Authorization") != f"Bearer {self._token}":
            await connection.send(FeedRefused(code="bad_token", message="unknown token").model_dump_json())
            return
        assert isinstance(hello, WorkerHello)
        await self._note(lambda: self.hellos.append(hello))
        self._connection = connection
        await connection.send(FeedWelcome().model_dump_json())
        open_tracks = {handle: track for handle, track in enumerate(self.tracks) if not track.done}
        sending = [asyncio.create_task(self._send(connection, *pair)) for pair in open_tracks.items()]
        try:
            async for text in connection:
                await self._receive(connection, open_tracks, str(text))
        except ConnectionClosed:
            pass
        finally:
            for task in sending:
                task.cancel()
            await asyncio.gather(*sending, return_exceptions=True)

    async def _send(self, connection: ServerConnection, handle: int, track: ScriptedTrack) -> None:
        begin = track.watermark
        await connection.send(
            StreamOpen(
                handle=handle,
                track_id=track.track_id,
                epoch=track.epoch,
                from_sample=begin,
                languages=track.languages,
                glossary=track.glossary,
            ).model_dump_json()
        )
        started, first = time.monotonic(), None
        sent = _Sent()
        for packet in track.packets:
            length = packet_duration(packet.payload)
            if packet.sample + length <= begin:
                continue
            first = packet.sample if first is None else first
            await self._within_reach(track, sent)
            sent.add(packet.sample, length)
            self.most_ahead_s = max(self.most_ahead_s, sent.beyond_s(track.watermark))
            if track.speed:
                due = started + (packet.sample - first) / RATE / track.speed
                await asyncio.sleep(max(0.0, due - time.monotonic()))
            track.sent_at.setdefault(packet.sample + length, time.monotonic())
            await connection.send(pack(FeedPacket(handle, packet.sequence, packet.sample, packet.payload)))
        if track.end_sample is not None:
            await connection.send(StreamEnd(handle=handle, end_sample=track.end_sample).model_dump_json())

    async def _within_reach(self, track: ScriptedTrack, sent: _Sent) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: sent.beyond_s(track.watermark) < MAX_AHEAD_S)

    async def _receive(self, connection: ServerConnection, tracks: dict[int, ScriptedTrack], text: str) -> None:
        message = from_worker.validate_json(text)
        if isinstance(message, WorkerStatus):
            await self._note(lambda: self.statuses.append(message))
        elif isinstance(message, Partial):
            track = tracks[message.handle]
            await self._note(lambda: self._view(track, message))
        elif isinstance(message, Final | Progress | StreamDone):
            track = tracks[message.handle]
            await self._note(lambda: self._store(track, message))
            await connection.send(Ack(id=message.id).model_dump_json())

    def _view(self, track: ScriptedTrack, message: Partial) -> None:
        track.partials.append(message)
        track.partial_at.append((message.start_sample, time.monotonic()))

    def _store(self, track: ScriptedTrack, message: Final | Progress | StreamDone) -> None:
        if isinstance(message, StreamDone):
            track.done = True
            return
        if isinstance(message, Final):
            track.repeated += message.start_sample in track.finals
            track.finals.setdefault(message.start_sample, message)
            track.final_at.setdefault(message.start_sample, time.monotonic())
        track.watermark = max(track.watermark, message.watermark_sample)

    async def _note(self, change: Callable[[], None]) -> None:
        async with self._changed:
            change()
            self._changed.notify_all()
