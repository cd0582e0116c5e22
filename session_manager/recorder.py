"""Takes every Opus packet that reaches the hub to the audio log and tells the feed that there is more to hear.

The loop only puts packets into each stream's tail and hands them to one writer thread. Bound of the way to the disk:
`QUEUE_PACKETS`; when it is full, or the disk refuses, live captions go on from the tail, the span is a gap of the
record and the hub says so. Audio that the disk took is never dropped.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from session_manager.records import Stream
from session_manager.tail import Tail
from signaling.ports import LoggedPacket, Placed
from transcription.audio_log import AudioLog, Packet, StreamLog
from transcription.errors import LogUnreadable, LogWriteFailed
from transcription.opus import packet_duration

QUEUE_PACKETS = 50_000
FLUSH_S = 0.5
ORIGIN_SAMPLES = 48_000
REFUSED_SPANS = 1_000
PLACED_WITHIN_S = 2.0
PLACED_FINE_S = 0.03
"""So far before the end of what the publisher's bound allows: as much may lines be moved, and none is placed earlier
than that by a publisher whose hub answered slowly."""
LATEST_S = 60.0
"""No packet comes live that long after it was heard: who says so has another clock in mind."""
LATE_SAMPLES = 12_000
"""A packet this far behind the newest may come after the worker has stopped waiting for it."""

log = logging.getLogger(__name__)

StreamKey = tuple[str, int]


@dataclass(slots=True)
class OpenStream:
    """One stream that the hub is recording. Owned by the hub's loop; the writer thread touches only its `log`."""

    stream: Stream
    log: StreamLog
    tail: Tail = field(default_factory=Tail)
    origin_at: float | None = None
    origin_from: int | None = None
    """Sample of the first packet while packets may still correct `origin_at`; None before it and afterwards."""
    came_by: float | None = None
    """Not after this instant lies sample 0, say the packets of its first second."""
    lined: bool = False
    """Lines lie by `origin_at`: nothing moves it any more."""
    placed: Placed | None = None
    """Where who heard it puts sample 0: the surest word so far."""
    not_before: float = 0.0
    """There the track's earlier sound ends."""
    end_sample: int = 0
    last_packet_at: float = 0.0
    closed: bool = False
    late: list[tuple[int, int]] = field(default_factory=list)
    """Spans that came too late to be sure that the live run has heard them; whoever marks them empties it."""
    refused: list[tuple[int, int]] = field(default_factory=list)
    """Spans that were heard live and are not in the log, in order; the oldest go first beyond `REFUSED_SPANS`."""

    @property
    def key(self) -> StreamKey:
        return self.stream.track_id, self.stream.epoch


class RecorderEvents(Protocol):
    """Called on the hub's loop; must return at once."""

    def origin_known(self, stream: OpenStream) -> None:
        """Again when it has moved, which ends when `fix_origin` was called."""

    def packets_arrived(self, stream: OpenStream) -> None: ...

    def record_failed(self, stream: OpenStream, started_at: float, cause: str) -> None:
        """The disk refused; said once until it takes packets again."""

    def record_recovered(self, stream: OpenStream, started_at: float, ended_at: float, cause: str) -> None:
        """It takes packets again (or the stream was closed): nothing of [started_at, ended_at) is in the log."""


@dataclass(slots=True)
class _Failure:
    started_at: float
    ended_at: float
    cause: str


class Recorder:
    def __init__(self, audio_log: AudioLog, events: RecorderEvents, *, clock: Callable[[], float] = time.time) -> None:
        self._audio_log = audio_log
        self._events = events
        self._clock = clock
        self._streams: dict[StreamKey, OpenStream] = {}
        self._failures: dict[StreamKey, _Failure] = {}
        self._queue: queue.Queue[tuple[OpenStream, Packet, float] | Callable[[], None] | None]
        self._queue = queue.Queue(QUEUE_PACKETS)
        self._thread = threading.Thread(target=self._write, name="audio-log", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self.packets = 0
        self.refused = 0
        self.unknown = 0
        self.unkept = 0
        self._hushed: dict[str, tuple[float, float | None]] = {}

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    async def close(self) -> None:
        """Everything taken so far is on the disk when this returns."""
        await asyncio.to_thread(self._queue.put, None)
        await asyncio.to_thread(self._thread.join)
        for stream in self._streams.values():
            stream.log.close()
        self._streams.clear()

    # ---- streams ---------------------------------------------------------------------------------------------------

    async def open(self, stream: Stream) -> OpenStream:
        """Start, or go on with, a stream. Raises `LogUnreadable` when its file may not be touched."""
        key = (stream.track_id, stream.epoch)
        known = self._streams.get(key)
        if known is not None:
            known.closed = False
            return known
        stream_log = await asyncio.to_thread(self._audio_log.stream, stream.track_id, stream.epoch)
        opened = self._streams.setdefault(key, OpenStream(stream, stream_log))
        opened.origin_at, opened.lined = stream.origin_at, stream.origin_at is not None
        opened.end_sample = max(stream.end_sample, stream_log.end_sample)
        return opened

    def get(self, key: StreamKey) -> OpenStream | None:
        return self._streams.get(key)

    def streams(self, session_id: str | None = None) -> list[OpenStream]:
        every = self._streams.values()
        return [one for one in every if session_id is None or one.stream.session_id == session_id]

    async def settle(self) -> None:
        """Returns when every packet received before this call was written or refused."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()

        def arrived() -> None:
            if not done.done():
                done.set_result(None)

        def mark() -> None:
            loop.call_soon_threadsafe(arrived)

        await asyncio.to_thread(self._queue.put, mark)
        await done

    def conclude(self, stream: OpenStream) -> None:
        """Nothing follows: a failure that lasts until now is told as it is."""
        self._recovered(stream)

    async def forget(self, key: StreamKey) -> None:
        """The stream is decided and its session over: close its file."""
        stream = self._streams.pop(key, None)
        if stream is not None:
            await asyncio.to_thread(stream.log.close)

    async def read(self, stream: OpenStream, from_sample: int, limit: int) -> list[Packet]:
        """At most `limit` packets of the log from `from_sample` on, in sample order."""
        try:
            return await asyncio.to_thread(_take, stream.log.packets(from_sample), limit)
        except LogUnreadable:
            log.exception("the audio log of stream %s/%d cannot be read", *stream.key)
            return []

    # ---- packets ---------------------------------------------------------------------------------------------------

    def receive(self, packets: Sequence[LoggedPacket]) -> None:
        """Called on the loop for every batch that the media plane hands over."""
        touched: dict[StreamKey, OpenStream] = {}
        for arrived in packets:
            stream = self._streams.get((arrived.track_id, arrived.epoch))
            if stream is None or stream.closed:
                self.unknown += 1
                continue
            if self._is_hushed(stream, arrived):
                self.unkept += 1
                continue
            self._take_in(stream, arrived)
            touched[stream.key] = stream
        for stream in touched.values():
            self._events.packets_arrived(stream)

    def hush(self, session_id: str, off_at: float, on_at: float | None) -> None:
        """Nothing of that time is kept, whenever it comes; `on_at` None: until it is called again."""
        self._hushed[session_id] = (off_at, on_at)

    def forget_hush(self, session_id: str) -> None:
        self._hushed.pop(session_id, None)

    def _is_hushed(self, stream: OpenStream, arrived: LoggedPacket) -> bool:
        span = self._hushed.get(stream.stream.session_id)
        if span is None:
            return False
        off_at, on_at = span
        if on_at is None or stream.origin_at is None:
            return on_at is None
        return off_at <= stream.origin_at + arrived.sample / 48_000 < on_at

    def _take_in(self, stream: OpenStream, arrived: LoggedPacket) -> None:
        self._look_at_clock(stream, arrived)
        packet = Packet(arrived.sequence, arrived.sample, arrived.payload)
        end_sample = arrived.sample + packet_duration(arrived.payload)
        if end_sample < stream.end_sample - LATE_SAMPLES:
            stream.late.append((arrived.sample, end_sample))
        stream.end_sample = max(stream.end_sample, end_sample)
        stream.last_packet_at = self._clock()
        stream.tail.push(packet)
        self.packets += 1
        try:
            self._queue.put_nowait((stream, packet, arrived.arrived_at))
        except queue.Full:
            self._refuse(stream, packet, arrived.arrived_at, "disk_slow")

    def _look_at_clock(self, stream: OpenStream, arrived: LoggedPacket) -> None:
        """The instant of sample 0 by the least delayed packet of the first second: the very first is often late."""
        began = arrived.arrived_at - arrived.sample / 48_000
        if stream.origin_at is None:
            stream.origin_at, stream.origin_from = began, arrived.sample
        elif stream.origin_from is not None:
            stream.origin_at = min(stream.origin_at, began)
            if arrived.sample - stream.origin_from >= ORIGIN_SAMPLES:
                self._know_origin(stream)

    def place(self, stream: OpenStream, placed: Placed, not_before: float | None) -> None:
        """Where the publisher puts it on our clock: it may have been heard earlier than its packets came, never later.
        `not_before`: there the track's earlier sound ends."""
        if placed.within_s > PLACED_WITHIN_S or stream.lined:
            return
        stream.not_before = max(stream.not_before, not_before or 0.0)
        if stream.placed is None or placed.within_s < stream.placed.within_s:
            stream.placed = placed
            before = stream.origin_at
            if stream.origin_from is None and before is not None and _weighed(stream, before) != before:
                stream.origin_at = _weighed(stream, before)
                self._events.origin_known(stream)

    def fix_origin(self, stream: OpenStream) -> None:
        """From now on it stays, because lines are placed by it."""
        self._know_origin(stream)
        stream.lined = stream.origin_at is not None

    def _know_origin(self, stream: OpenStream) -> None:
        if stream.origin_from is not None and stream.origin_at is not None:
            stream.came_by, stream.origin_from = stream.origin_at, None
            stream.origin_at = _weighed(stream, stream.origin_at)
            self._events.origin_known(stream)

    async def store(self, stream: OpenStream, packets: Sequence[Packet]) -> int:
        """Packets that came another way, flushed to the medium; how many were new. Raises `LogWriteFailed`.

        They go through the writer thread, so that one thread writes a stream.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[int] = loop.create_future()

        def write() -> None:
            try:
                new = sum([stream.log.append(packet) for packet in packets])
                stream.log.flush()
            except LogWriteFailed as error:
                self._post(_fail, done, error)
            else:
                self._post(_succeed, done, new)

        await asyncio.to_thread(self._queue.put, write)
        return await done

    # ---- writer thread ---------------------------------------------------------------------------------------------

    def _write(self) -> None:
        unflushed: dict[StreamKey, OpenStream] = {}
        flush_at = time.monotonic() + FLUSH_S
        while True:
            try:
                item = self._queue.get(timeout=max(0.01, flush_at - time.monotonic()))
            except queue.Empty:
                item = _nothing
            if item is None:
                self._flush(unflushed.values())
                return
            if callable(item):
                item()
            else:
                stream, packet, arrived_at = item
                self._append(stream, packet, arrived_at)
                unflushed[stream.key] = stream
            if time.monotonic() >= flush_at:
                self._flush(unflushed.values())
                unflushed.clear()
                flush_at = time.monotonic() + FLUSH_S

    def _append(self, stream: OpenStream, packet: Packet, arrived_at: float) -> None:
        try:
            stream.log.append(packet)
        except LogWriteFailed as error:
            self._post(self._refuse, stream, packet, arrived_at, error.cause)
        else:
            if stream.key in self._failures:
                self._post(self._recovered, stream)

    def _flush(self, streams: Iterable[OpenStream]) -> None:
        for stream in streams:
            try:
                stream.log.flush()
            except LogWriteFailed as error:
                self._post(self._failed, stream, self._clock(), error.cause)

    def _post(self, call: Callable[..., None], *args: object) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(call, *args)

    # ---- what the disk said, on the loop ---------------------------------------------------------------------------

    def _refuse(self, stream: OpenStream, packet: Packet, at: float, cause: str) -> None:
        self.refused += 1
        end = packet.sample + packet_duration(packet.payload)
        if stream.refused and stream.refused[-1][0] <= packet.sample <= stream.refused[-1][1]:
            stream.refused[-1] = (stream.refused[-1][0], max(stream.refused[-1][1], end))
        else:
            stream.refused.append((packet.sample, end))
            del stream.refused[:-REFUSED_SPANS]
        self._failed(stream, at, cause)

    def _failed(self, stream: OpenStream, at: float, cause: str) -> None:
        failure = self._failures.get(stream.key)
        if failure is None:
            self._failures[stream.key] = _Failure(at, at + 0.02, cause)
            log.error("the audio log refuses stream %s/%d: %s", stream.stream.track_id, stream.stream.epoch, cause)
            self._events.record_failed(stream, at, cause)
        else:
            failure.ended_at = max(failure.ended_at, at + 0.02)

    def _recovered(self, stream: OpenStream) -> None:
        failure = self._failures.pop(stream.key, None)
        if failure is not None:
            self._events.record_recovered(stream, failure.started_at, failure.ended_at, failure.cause)


def _weighed(stream: OpenStream, origin_at: float) -> float:
    """Where sample 0 lies by the packets and by the surest word of who heard it: never after either."""
    came_by = origin_at if stream.came_by is None else stream.came_by
    if stream.placed is None:
        return came_by
    latest = max(stream.placed.at + max(0.0, stream.placed.within_s - PLACED_FINE_S), stream.not_before)
    return latest if 0 < came_by - latest <= LATEST_S else came_by


def _fail(done: asyncio.Future[int], error: LogWriteFailed) -> None:
    if not done.done():
        done.set_exception(error)


def _succeed(done: asyncio.Future[int], new: int) -> None:
    if not done.done():
        done.set_result(new)


def _nothing() -> None:
    """Nothing came before the next flush was due."""


def _take(packets: Iterable[Packet], limit: int) -> list[Packet]:
    taken: list[Packet] = []
    for packet in packets:
        taken.append(packet)
        if len(taken) >= limit:
            break
    return taken
