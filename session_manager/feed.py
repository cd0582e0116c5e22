"""The hub's end of the feed (`transcription.feed`): gives each stream to one worker and stores what comes back.

A *run* is one stretch of a stream on one worker: opened when packets come, ended when they stop (the speaker's last
word is then decided at once), opened again from the watermark when they return or when the worker died.

A *repair* is a run of its own over a stretch of the log, beside the live ones: one a worker at a time, begun only when
no final waits there. What it hears goes to whoever asked, not to `FeedEvents`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from pydantic import ValidationError

from session_manager.recorder import OpenStream, Recorder, StreamKey
from signaling.ports import Socket, SocketClosed
from transcription import feed
from transcription.audio_log import Packet
from transcription.opus import packet_duration

CHUNK = 500
MAX_AHEAD_SAMPLES = int(feed.MAX_AHEAD_S * 48_000)
CONTEXT_SAMPLES = 48_000
"""What a repair hears before its first sample: decoder and voice activity warm up on it."""
SPARE_LAG_S = 1.0
HELLO_S = 10.0

log = logging.getLogger(__name__)


class FeedEvents(Protocol):
    """What the feed tells the hub. The two stores return whether the fact was accepted (False: somebody was faster)."""

    async def final(self, stream: OpenStream, fact: feed.Final, watermark_from: int) -> bool: ...

    async def progress(self, stream: OpenStream, watermark: int) -> None: ...

    def partial(self, stream: OpenStream, view: feed.Partial) -> None: ...

    def decided(self, stream: OpenStream) -> None:
        """Everything that reached the hub so far has been decided."""

    def workers_changed(self, count: int) -> None: ...

    def worker_status(self, status: feed.WorkerStatus) -> None: ...


Hear = Callable[[feed.Final | feed.Progress], Awaitable[None]]


@dataclass(slots=True)
class Repair:
    """`hear` gets each fact in order. `done`: everything was heard (True), or the worker went (False)."""

    end_sample: int
    hear: Hear
    done: asyncio.Future[bool]


@dataclass(slots=True)
class Run:
    """One handle of one worker connection."""

    handle: int
    stream: OpenStream
    watermark: int
    languages: tuple[str, ...]
    repair: Repair | None = None
    ending: bool = False
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


class Worker:
    """One connected worker: its runs, and one sender task a run."""

    def __init__(self, socket: Socket, recorder: Recorder, hello: feed.WorkerHello) -> None:
        self._socket = socket
        self._recorder = recorder
        self.hello = hello
        self.runs: dict[int, Run] = {}
        self.lag_s = 0.0
        self._next_handle = 1
        self._sending = asyncio.Lock()

    async def send(self, message: feed.Message | bytes) -> None:
        async with self._sending:
            await self._socket.send(message if isinstance(message, bytes) else message.model_dump_json())

    @property
    def spare(self) -> bool:
        """It could take a repair."""
        return self.lag_s < SPARE_LAG_S and all(run.repair is None for run in self.runs.values())

    def begin(
        self, stream: OpenStream, watermark: int, languages: tuple[str, ...], repair: Repair | None = None
    ) -> Run:
        run = Run(self._next_handle, stream, watermark, languages, repair)
        self._next_handle += 1
        self.runs[run.handle] = run
        run.task = asyncio.create_task(self._serve(run), name=f"feed-{run.handle}")
        return run

    async def stop(self) -> None:
        tasks = [run.task for run in self.runs.values() if run.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, run: Run) -> None:
        with contextlib.suppress(SocketClosed):
            await self.send(
                feed.StreamOpen(
                    handle=run.handle,
                    track_id=run.stream.stream.track_id,
                    epoch=run.stream.stream.epoch,
                    from_sample=run.watermark,
                    languages=list(run.languages),
                    repair=run.repair is not None,
                )
            )
            if run.repair is None:
                await self._stream(run)
                end_sample = run.stream.end_sample
            else:
                end_sample = await self._stretch(run, run.repair.end_sample)
            await self.send(feed.StreamEnd(handle=run.handle, end_sample=end_sample))

    async def _stretch(self, run: Run, end_sample: int) -> int:
        """From the log, with some sound before it. Where the worker is to end."""
        sample = max(0, run.watermark - CONTEXT_SAMPLES)
        while not run.ending:
            packets = await self._recorder.read(run.stream, sample, CHUNK)
            fresh = [packet for packet in packets if sample <= packet.sample < end_sample]
            for packet in fresh:
                sample = await self._send_packet(run, packet, sample)
            if not fresh:
                return end_sample
        return max(sample, run.watermark)

    async def _send_packet(self, run: Run, packet: Packet, sample: int) -> int:
        """Within the credit, which what was sent uses up and a hole does not. Where the packet ends."""
        while sample > run.watermark + MAX_AHEAD_SAMPLES:
            await run.wake.wait()
            run.wake.clear()
        await self.send(feed.pack(feed.FeedPacket(run.handle, packet.sequence, packet.sample, packet.payload)))
        return max(sample, packet.sample + packet_duration(packet.payload))

    async def _stream(self, run: Run) -> None:
        """From the tail where it reaches back far enough, else from the log. Returns when the run ends."""
        sample = run.watermark
        found = run.stream.tail.index_from(sample)
        index = -1 if found is None else found
        while True:
            run.wake.clear()
            packets = run.stream.tail.read(index) if index >= 0 else None
            if packets is None:
                index = run.stream.tail.next_index
                await self._recorder.settle()
                packets = await self._recorder.read(run.stream, sample, CHUNK)
                if len(packets) == CHUNK:
                    index = -1
            else:
                index += len(packets)
            for packet in packets:
                sample = await self._send_packet(run, packet, sample)
            if not packets:
                if run.ending:
                    return
                await run.wake.wait()


class FeedServer:
    """All workers and all runs; lives on the hub's loop."""

    def __init__(self, recorder: Recorder, events: FeedEvents) -> None:
        self._recorder = recorder
        self._events = events
        self._workers: list[Worker] = []
        self._running: dict[StreamKey, tuple[Worker, Run]] = {}
        self._wanted: dict[StreamKey, tuple[OpenStream, tuple[str, ...]]] = {}
        self._watermarks: dict[StreamKey, int] = {}
        self._ended: set[StreamKey] = set()

    @property
    def workers(self) -> int:
        return len(self._workers)

    # ---- what the hub asks -----------------------------------------------------------------------------------------

    def want(self, stream: OpenStream, languages: tuple[str, ...]) -> bool:
        """There is audio to hear: run the stream on a worker, now or as soon as there is one.

        True: a run of it is just being ended, so what follows is heard by another one.
        """
        key = stream.key
        cut = key in self._ended and key in self._running
        if key not in self._wanted:
            self._wanted[key] = (stream, languages)
            self._watermarks.setdefault(key, stream.stream.watermark_sample)
        self._ended.discard(key)
        running = self._running.get(key)
        if running is None:
            self._assign(key)
        elif not running[1].ending:
            running[1].wake.set()
        return cut

    def end(self, key: StreamKey) -> None:
        """Audio stopped: decide what is there. `FeedEvents.decided` follows, at once if nothing is undecided."""
        if key not in self._wanted:
            return
        self._ended.add(key)
        running = self._running.get(key)
        if running is None:
            self._assign(key)
        else:
            running[1].ending = True
            running[1].wake.set()

    def watermark(self, key: StreamKey) -> int:
        return self._watermarks.get(key, 0)

    def skip_to(self, key: StreamKey, sample: int) -> None:
        """Nothing was received before `sample`: the next run begins there."""
        self._watermarks[key] = max(self._watermarks.get(key, 0), sample)

    def forget(self, key: StreamKey) -> None:
        """Its session is over; a run that still goes on is not touched."""
        if key not in self._wanted:
            self._watermarks.pop(key, None)

    def wants(self, key: StreamKey) -> bool:
        """A live run of this stream goes on, or waits for a worker."""
        return key in self._wanted

    @property
    def spare(self) -> bool:
        return any(worker.spare for worker in self._workers)

    async def repair(
        self, stream: OpenStream, languages: tuple[str, ...], start: int, end_sample: int, hear: Hear
    ) -> bool:
        """Hear that stretch of the log again. False: there was no worker for it, or it went; ask again later."""
        worker = next((one for one in self._workers if one.spare), None)
        if worker is None:
            return False
        work = Repair(end_sample, hear, asyncio.get_running_loop().create_future())
        run = worker.begin(stream, start, languages, work)
        try:
            return await work.done
        finally:
            run.ending = True
            run.wake.set()

    def _assign(self, key: StreamKey) -> None:
        if not self._workers:
            return
        stream, languages = self._wanted[key]
        worker = min(self._workers, key=lambda one: len(one.runs))
        run = worker.begin(stream, self._watermarks[key], languages)
        run.ending = key in self._ended
        self._running[key] = (worker, run)

    # ---- one connection --------------------------------------------------------------------------------------------

    async def serve(self, socket: Socket) -> None:
        """Until the worker goes; its streams are then given to another one from their watermarks."""
        worker = await self._greet(socket)
        if worker is None:
            return
        self._workers.append(worker)
        log.info("a transcription worker came (%s), %d now", worker.hello.engine, len(self._workers))
        self._events.workers_changed(len(self._workers))
        try:
            for key in [key for key in self._wanted if key not in self._running]:
                self._assign(key)
            while True:
                await self._handle(worker, await socket.receive())
        except SocketClosed:
            log.info("a transcription worker went, %d left", len(self._workers) - 1)
        finally:
            self._workers.remove(worker)
            await worker.stop()
            self._reassign(worker)
            self._events.workers_changed(len(self._workers))

    def _reassign(self, gone: Worker) -> None:
        for run in gone.runs.values():
            if run.repair is not None and not run.repair.done.done():
                run.repair.done.set_result(False)
        for key in [key for key, (worker, _) in self._running.items() if worker is gone]:
            del self._running[key]
            if key in self._wanted:
                self._assign(key)

    async def _greet(self, socket: Socket) -> Worker | None:
        try:
            async with asyncio.timeout(HELLO_S):
                hello: feed.FromWorker | None = feed.from_worker.validate_json(await socket.receive())
        except (SocketClosed, TimeoutError):
            return None
        except ValidationError:
            hello = None
        if not isinstance(hello, feed.WorkerHello):
            await self._refuse(socket, "bad_message", "The first message must be a hello.")
            return None
        if hello.version != feed.VERSION:
            await self._refuse(socket, "unsupported_version", f"This hub speaks feed version {feed.VERSION}.")
            return None
        worker = Worker(socket, self._recorder, hello)
        await worker.send(feed.FeedWelcome())
        return worker

    async def _refuse(self, socket: Socket, code: str, message: str) -> None:
        with contextlib.suppress(SocketClosed):
            await socket.send(feed.FeedRefused.model_validate({"code": code, "message": message}).model_dump_json())
            await socket.close(1008, code)

    async def _handle(self, worker: Worker, raw: str | bytes) -> None:
        try:
            message = feed.from_worker.validate_json(raw)
        except ValidationError:
            await self._refuse(worker._socket, "bad_message", "That is not a message of the feed.")
            raise SocketClosed(1008) from None
        if isinstance(message, feed.WorkerStatus):
            worker.lag_s = message.lag_s
            self._events.worker_status(message)
            return
        run = worker.runs.get(getattr(message, "handle", -1))
        if run is not None and run.repair is not None:
            await self._repaired(worker, run, run.repair, message)
            return
        handler: Callable[[Worker, Run, feed.Message], Awaitable[None]] | None = self._handlers.get(type(message))
        if run is not None and handler is not None:
            await handler(worker, run, message)

    @property
    def _handlers(self) -> dict[type[feed.Message], Callable[..., Awaitable[None]]]:
        return {
            feed.Partial: self._partial,
            feed.Final: self._final,
            feed.Progress: self._progress,
            feed.StreamDone: self._done,
        }

    async def _repaired(self, worker: Worker, run: Run, repair: Repair, message: feed.Message) -> None:
        if isinstance(message, feed.Final | feed.Progress):
            if not repair.done.done():
                await repair.hear(message)
            run.watermark = max(run.watermark, message.watermark_sample)
            run.wake.set()
            await worker.send(feed.Ack(id=message.id))
        elif isinstance(message, feed.StreamDone):
            del worker.runs[run.handle]
            if not repair.done.done():
                repair.done.set_result(True)
            await worker.send(feed.Ack(id=message.id))

    async def _partial(self, worker: Worker, run: Run, view: feed.Partial) -> None:
        self._events.partial(run.stream, view)

    async def _final(self, worker: Worker, run: Run, fact: feed.Final) -> None:
        accepted = await self._events.final(run.stream, fact, run.watermark)
        self._moved(run, fact.watermark_sample)
        await worker.send(feed.Ack(id=fact.id, accepted=accepted))

    async def _progress(self, worker: Worker, run: Run, fact: feed.Progress) -> None:
        await self._events.progress(run.stream, fact.watermark_sample)
        self._moved(run, fact.watermark_sample)
        await worker.send(feed.Ack(id=fact.id))

    async def _done(self, worker: Worker, run: Run, fact: feed.StreamDone) -> None:
        await worker.send(feed.Ack(id=fact.id))
        key = run.stream.key
        del worker.runs[run.handle]
        self._running.pop(key, None)
        if key in self._ended:
            self._wanted.pop(key, None)
            self._ended.discard(key)
            self._events.decided(run.stream)
        elif key in self._wanted:
            self._assign(key)

    def _moved(self, run: Run, watermark: int) -> None:
        run.watermark = max(run.watermark, watermark)
        key = run.stream.key
        self._watermarks[key] = max(self._watermarks.get(key, 0), watermark)
        run.wake.set()
