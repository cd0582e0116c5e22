"""One connection of a worker to the hub: streams open, audio comes, facts and views go back."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from pydantic import ValidationError
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosedOK

from transcription.ear import Ear, Heard
from transcription.engines import Recogniser
from transcription.errors import FeedClosed
from transcription.feed import (
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
    WorkerStatus,
    from_hub,
    unpack,
)  # fmt: skip
from transcription.feed_outbox import Outbox
from transcription.listener import Fact, Listener, Silent, Spoken
from transcription.recognition import Answer, RecognitionRequest, recognise_each
from transcription.scheduler import Scheduler, SchedulerRules
from transcription.settings import WorkerSettings
from transcription.windows import batch_key

log = logging.getLogger(__name__)

GATHER_S = 0.05
"""Packets are heard together this often: a thread change per 20 ms packet would cost more than the hearing."""
STALLED_AFTER_S = 3.0
"""Longer than the hub waits before it ends a run: what is cut by the hub is marked there and heard again, and what is
cut here is not. Only a hub that keeps a run open without packets leaves it to the worker."""
STATUS_EVERY_S = 1.0
BLOCK_PACKETS = 250
"""Five seconds at once while catching up, so that one stream's backlog does not hold up the others."""


@dataclass(slots=True, eq=False)
class _Stream:
    """`inbox` is bounded by the feed's flow control (MAX_AHEAD_S beyond the watermark)."""

    handle: int
    ear: Ear
    listener: Listener
    inbox: deque[tuple[int, int, bytes]] = field(default_factory=deque)
    end_sample: int | None = None
    finished: bool = False
    last_audio_at: float = 0.0
    stalled: bool = False

    @property
    def wants_hearing(self) -> bool:
        return not self.finished and (bool(self.inbox) or self.stalled or self.end_sample is not None)

    def hear(self, stalled: bool) -> tuple[list[Heard], bool]:
        """What is new, and whether it is the last. In the ears' thread: nothing else touches this ear meanwhile."""
        end_sample = self.end_sample  # read first: once it is set, nothing is added to the inbox any more
        count = min(len(self.inbox), BLOCK_PACKETS)
        heard = self.ear.hear([self.inbox.popleft() for _ in range(count)])
        ended = end_sample is not None and not self.inbox
        if ended:
            heard += self.ear.finish(end_sample)
        elif stalled:
            heard += self.ear.stalled()
        return heard, ended


class FeedSession:
    def __init__(
        self,
        connection: ClientConnection,
        recogniser: Recogniser,
        settings: WorkerSettings,
        ears: ThreadPoolExecutor,
        engine: ThreadPoolExecutor,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection = connection
        self._recogniser = recogniser
        self._ears = ears
        self._engine = engine
        self._clock = clock
        self._streams: dict[int, _Stream] = {}
        self._outbox = Outbox()
        self._scheduler = Scheduler(batch_key, SchedulerRules(interval_s=settings.partial_interval_s))
        self._audio = asyncio.Event()
        self._work = asyncio.Event()

    async def run(self) -> None:
        """Until the connection ends; raises what ended it."""
        async with asyncio.TaskGroup() as tasks:
            for part in (self._receive, self._hear, self._recognise, self._send, self._report):
                tasks.create_task(part())

    # ---- receiving -------------------------------------------------------------------------------------------------

    async def _receive(self) -> None:
        async for frame in self._connection:
            if isinstance(frame, bytes):
                self._take_packet(frame)
            else:
                self._take_message(frame)
        raise ConnectionClosedOK(None, None)

    def _take_packet(self, frame: bytes) -> None:
        try:
            packet: FeedPacket = unpack(frame)
        except ValueError:
            log.warning("an audio frame of %s bytes was not readable", len(frame))
            return
        stream = self._streams.get(packet.handle)
        if stream is None or stream.end_sample is not None:
            return
        stream.inbox.append((packet.sequence, packet.sample, packet.payload))
        stream.last_audio_at = self._clock()
        stream.stalled = False
        self._audio.set()

    def _take_message(self, text: str) -> None:
        try:
            message = from_hub.validate_json(text)
        except ValidationError:
            log.warning("a message of %s characters was not readable", len(text))
            return
        match message:
            case StreamOpen():
                self._open(message)
            case StreamEnd():
                if (stream := self._streams.get(message.handle)) is not None:
                    stream.end_sample = message.end_sample
                    self._audio.set()
            case Ack(accepted=False):
                log.info("fact %s was refused: another worker was faster", message.id)
            case FeedRefused():
                raise FeedClosed(f"The hub refused this worker ({message.code}): {message.message}")
            case Ack() | FeedWelcome():
                pass

    def _open(self, message: StreamOpen) -> None:
        self._scheduler.forget(message.handle)
        if message.repair:
            self._scheduler.be_patient(message.handle)
        ear = Ear(message.from_sample, self._recogniser.new_activity())
        listener = Listener(message.handle, message.from_sample, tuple(message.languages), message.glossary)
        self._streams[message.handle] = _Stream(message.handle, ear, listener, last_audio_at=self._clock())

    # ---- hearing ---------------------------------------------------------------------------------------------------

    async def _hear(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._audio.wait()
            await asyncio.sleep(GATHER_S)
            self._audio.clear()
            for stream in [s for s in self._streams.values() if s.wants_hearing]:
                stalled, stream.stalled = stream.stalled, False
                heard, stream.finished = await loop.run_in_executor(self._ears, stream.hear, stalled)
                self._listen(stream, heard, stalled)
                if stream.inbox:
                    self._audio.set()

    def _listen(self, stream: _Stream, heard: list[Heard], stalled: bool) -> None:
        now = self._clock()
        requests = stream.listener.hear(heard)
        if stream.finished and stream.end_sample is not None:
            requests += stream.listener.finish(stream.end_sample)
        elif stalled and not stream.inbox:
            requests += stream.listener.stalled()
        for request in requests:
            self._scheduler.add_final(request, now)
        self._offer_partial(stream, now)
        self._say(stream, stream.listener.facts())
        self._work.set()

    def _offer_partial(self, stream: _Stream, now: float) -> None:
        if stream.finished or stream.inbox or self._scheduler.is_patient(stream.handle):
            return
        request = stream.listener.early() if self._scheduler.partials == "on" else None
        if request is None and self._scheduler.partial_due(stream.handle, now):
            request = stream.listener.partial()
        if request is not None:
            self._scheduler.offer_partial(request, now)

    # ---- recognising -----------------------------------------------------------------------------------------------

    async def _recognise(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            batch = self._scheduler.next_batch(self._clock())
            if not batch:
                self._work.clear()
                await self._work.wait()
                continue
            started = self._clock()
            answers = await loop.run_in_executor(self._engine, recognise_each, self._recogniser.engine, batch)
            finished = self._clock()
            self._scheduler.served(batch, started, finished)
            for request, answer in zip(batch, answers, strict=True):
                self._answer(request, answer, (finished - started) * 1000)

    def _answer(self, request: RecognitionRequest, answer: Answer, decode_ms: float) -> None:
        stream = self._streams.get(request.stream)
        if stream is None:
            return
        if request.kind != "partial":
            self._say(stream, stream.listener.answer(request, answer, decode_ms))
        view = stream.listener.heard_partial(request, answer) if request.kind != "final" else None
        if view is None and request.kind == "partial" and request.stream in self._streams:
            self._scheduler.partial_was_empty(request.stream, self._clock())
        if view is not None:
            self._outbox.partial(
                Partial(
                    handle=stream.handle,
                    start_sample=view.start_sample,
                    revision=view.revision,
                    text=view.text,
                    language=view.language,
                )
            )

    def _say(self, stream: _Stream, facts: list[Fact]) -> None:
        for fact in facts:
            match fact:
                case Spoken():
                    self._outbox.fact(_final(self._outbox.next_id(), stream.handle, fact))
                case Silent():
                    self._outbox.fact(
                        Progress(
                            id=self._outbox.next_id(), handle=stream.handle, watermark_sample=fact.watermark_sample
                        )
                    )
        if stream.listener.done and self._streams.get(stream.handle) is stream:
            self._outbox.fact(StreamDone(id=self._outbox.next_id(), handle=stream.handle))
            del self._streams[stream.handle]
            self._scheduler.forget(stream.handle)

    # ---- sending ---------------------------------------------------------------------------------------------------

    async def _send(self) -> None:
        while True:
            message = await self._outbox.next()
            await self._connection.send(message.model_dump_json())

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(STATUS_EVERY_S)
            now = self._clock()
            self._scheduler.observe(now)
            self._notice_stalls(now)
            self._outbox.status(
                WorkerStatus(
                    lag_s=round(self._scheduler.lag_s(now), 3),
                    load=round(self._scheduler.load, 3),
                    partials=self._scheduler.partials,
                )
            )

    def _notice_stalls(self, now: float) -> None:
        """A sender that stops in mid-word (mute, pulled cable) must not keep the word, nor a lost packet the next."""
        for stream in self._streams.values():
            if self._scheduler.is_patient(stream.handle):
                continue  # its sound comes from a log, at the pace of its credit
            undecided = stream.listener.speaking or stream.ear.holds
            if undecided and now - stream.last_audio_at >= STALLED_AFTER_S:
                stream.stalled = True
                stream.last_audio_at = now
                self._audio.set()


def _final(fact_id: int, handle: int, fact: Spoken) -> Final:
    return Final(
        id=fact_id,
        handle=handle,
        start_sample=fact.start_sample,
        end_sample=fact.end_sample,
        text=fact.text,
        language=fact.language,
        confidence=fact.confidence,
        suppressed=fact.suppressed,
        watermark_sample=fact.watermark_sample,
        decode_ms=round(fact.decode_ms, 1),
    )
