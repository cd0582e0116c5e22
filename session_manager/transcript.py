"""From packets to stored lines: joins the recorder and the feed, stores what workers decide, tells who listens.

One owner of every stream's state between the first packet and the last word; lives on the hub's loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field

from session_manager.announcer import Announcer
from session_manager.feed import FeedServer
from session_manager.recorder import OpenStream, Recorder, StreamKey
from session_manager.records import Stream
from session_manager.store import Committed, Store
from session_manager.store.lines import line_body
from signaling.messages import CaptionPartial
from signaling.ports import LoggedPacket, Placed
from transcription import feed
from transcription.audio_log import AudioLog
from transcription.errors import LogUnreadable

PAUSE_S = 2.0
"""No packet for this long ends the run: the last word is decided now instead of when somebody speaks again."""
TICK_S = 0.5
SKIP_SAMPLES = 2 * 48_000
JOINT_SAMPLES = 24_000

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Hearing:
    """A stream whose packets are being heard."""

    open: OpenStream
    languages: tuple[str, ...]
    running: bool = False
    noted_end: int = 0
    origin_stored: asyncio.Task[None] | None = None
    decided: asyncio.Event = field(default_factory=asyncio.Event)


class Transcript:
    """`on_record(session_id, cause | None)`: the record began to have a gap, or (None) takes sound again.

    `on_late(stream, spans)`: packets that came too late to be sure that the live run has heard them.
    """

    def __init__(
        self,
        store: Store,
        audio_log: AudioLog,
        announcer: Announcer,
        clock: Callable[[], float],
        *,
        on_record: Callable[[str, str | None], None],
        on_captions: Callable[[], None],
    ) -> None:
        self._store = store
        self._announcer = announcer
        self._clock = clock
        self._on_record = on_record
        self._on_captions = on_captions
        self.on_late: Callable[[OpenStream, Sequence[tuple[int, int]]], None] = _heard_anyway
        self.recorder = Recorder(audio_log, self, clock=clock)
        self.feed = FeedServer(self.recorder, self)
        self._hearing: dict[StreamKey, _Hearing] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._noting: asyncio.Task[None] | None = None
        self.lag_s = 0.0

    async def run(self) -> None:
        """Until cancelled; what was received is on the disk when this returns."""
        self.recorder.start()
        try:
            while True:
                await asyncio.sleep(TICK_S)
                self.tick()
        finally:
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self.recorder.close()

    # ---- Recording, for the directory ------------------------------------------------------------------------------

    async def begin(self, stream: Stream, languages: tuple[str, ...], placed: Placed | None = None) -> None:
        key = (stream.track_id, stream.epoch)
        try:
            opened = await self.recorder.open(stream)
        except LogUnreadable:
            log.exception("stream %s/%d cannot be recorded", stream.track_id, stream.epoch)
            self._on_record(stream.session_id, "io")
            return
        if placed is not None and not opened.lined:
            not_before, _ = await asyncio.to_thread(self._store.room_for, *key)
            self.recorder.place(opened, placed, not_before)
        if key not in self._hearing:
            self._hearing[key] = _Hearing(opened, languages)

    async def finish(self, track_id: str, epoch: int) -> None:
        """No more packets of this publication: decide what is there."""
        hearing = self._hearing.get((track_id, epoch))
        if hearing is None:
            return
        hearing.open.closed = True
        self.recorder.fix_origin(hearing.open)
        await self._note_ends([hearing])
        self._end_run(hearing)

    def audio(self, packets: Sequence[LoggedPacket]) -> None:
        self.recorder.receive(packets)

    async def catch_up(self, stream: Stream, languages: tuple[str, ...]) -> None:
        """After a restart: what is in the log and not decided is decided now."""
        await self.begin(stream, languages)
        hearing = self._hearing.get((stream.track_id, stream.epoch))
        if hearing is None:
            return
        await self._note_ends([hearing])
        if hearing.open.end_sample > stream.watermark_sample:
            hearing.running = True
            self.feed.want(hearing.open, languages)
        hearing.open.closed = True
        self._end_run(hearing)

    def hush(self, session_id: str, off_at: float, on_at: float | None) -> None:
        """Off the record from `off_at` (on again from `on_at`): what was said before is written down now."""
        self.recorder.hush(session_id, off_at, on_at)
        for one in self._of(session_id):
            self._end_run(one)

    async def last_words(self, session_id: str, timeout_s: float) -> bool:
        """Every stream of the session is decided (True), or time is up (False)."""
        waiting = [one.decided for one in self._of(session_id) if one.running]
        try:
            async with asyncio.timeout(timeout_s):
                for decided in waiting:
                    await decided.wait()
        except TimeoutError:
            return False
        return True

    def heard_to(self, key: StreamKey) -> int | None:
        """Where the live run of a stream stands; None when none goes on."""
        return self.feed.watermark(key) if self.feed.wants(key) else None

    def is_open(self, key: StreamKey) -> bool:
        """Its session goes on: its packets are taken."""
        return key in self._hearing

    async def settle(self, session_id: str) -> None:
        """The log of every stream of the session is complete, and so is what the store knows of length and gaps."""
        await self.recorder.settle()
        for one in self._of(session_id):
            self.recorder.conclude(one.open)
        await self._note_ends(self._of(session_id))
        await asyncio.gather(*self._tasks)

    async def forget(self, session_id: str) -> None:
        self.recorder.forget_hush(session_id)
        for one in self._of(session_id):
            del self._hearing[one.open.key]
            self.feed.forget(one.open.key)
            await self.recorder.forget(one.open.key)

    def site_of(self, track_id: str) -> str | None:
        """Where a recorded track is."""
        return next((one.open.stream.site_id for key, one in self._hearing.items() if key[0] == track_id), None)

    def _of(self, session_id: str) -> list[_Hearing]:
        return [one for one in self._hearing.values() if one.open.stream.session_id == session_id]

    # ---- time ------------------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """What is to be done every `TICK_S`."""
        now = self._clock()
        for one in self._hearing.values():
            one.open.last_packet_at = min(one.open.last_packet_at, now)  # a clock that was put back counts from here
            if one.running and now - one.open.last_packet_at > PAUSE_S:
                self._end_run(one)
            self._tell_late(one.open)
        grown = [one for one in self._hearing.values() if one.open.end_sample > one.noted_end]
        # One at a time: a disk that is slower than this would have them queue without end, and all else behind them.
        if grown and (self._noting is None or self._noting.done()):
            self._noting = self._spawn(self._note_ends(grown))

    def _tell_late(self, stream: OpenStream) -> None:
        if stream.late:
            late, stream.late = stream.late, []
            self.on_late(stream, late)

    def _end_run(self, hearing: _Hearing) -> None:
        if hearing.running:
            self.feed.end(hearing.open.key)

    async def _note_ends(self, some: Sequence[_Hearing]) -> None:
        ends = {one.open.key: one.open.end_sample for one in some}
        await asyncio.to_thread(self._store.note_ends, ends)
        for one in some:
            one.noted_end = max(one.noted_end, ends[one.open.key])

    def _spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # ---- RecorderEvents --------------------------------------------------------------------------------------------

    def origin_known(self, stream: OpenStream) -> None:
        hearing = self._hearing.get(stream.key)
        if hearing is not None and stream.origin_at is not None:
            hearing.origin_stored = self._spawn(self._store_origin(stream, stream.origin_at, hearing.origin_stored))

    async def _store_origin(self, stream: OpenStream, origin_at: float, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])
        await asyncio.to_thread(self._store.move_origin, *stream.key, origin_at)

    def packets_arrived(self, stream: OpenStream) -> None:
        hearing = self._hearing.get(stream.key)
        if hearing is None:
            return
        cut = False
        if not hearing.running:
            hearing.running = True
            hearing.decided.clear()
            cut = not self._skip_what_never_came(hearing) and hearing.noted_end > 0
        if self.feed.want(stream, hearing.languages) or cut:
            # Sound was only held up: where one run ended and the next begins, an utterance may have been cut.
            stream.late.append((hearing.noted_end, hearing.noted_end + JOINT_SAMPLES))
            self._tell_late(stream)  # at once: the mark shall be stored before the new run can be decided

    def _skip_what_never_came(self, hearing: _Hearing) -> bool:
        """After a long absence the worker need not listen to minutes of nothing; coverage names them as a gap."""
        watermark = max(self.feed.watermark(hearing.open.key), hearing.open.stream.watermark_sample)
        first = hearing.open.tail.first_from(watermark)
        if first is not None and first - watermark > SKIP_SAMPLES and watermark >= hearing.noted_end:
            self.feed.skip_to(hearing.open.key, first)
            return True
        return False

    def record_failed(self, stream: OpenStream, started_at: float, cause: str) -> None:
        self._on_record(stream.stream.session_id, cause)

    def record_recovered(self, stream: OpenStream, started_at: float, ended_at: float, cause: str) -> None:
        one = stream.stream
        gap = (one.session_id, one.track_id, one.epoch, started_at, ended_at, cause)
        self._spawn(asyncio.to_thread(self._store.record_gap, *gap))
        self._on_record(one.session_id, None)

    # ---- FeedEvents ------------------------------------------------------------------------------------------------

    async def final(self, stream: OpenStream, fact: feed.Final, watermark_from: int) -> bool:
        if fact.end_sample <= watermark_from:
            return False  # decided before: a worker that began again inside an utterance heard its end twice
        self.recorder.fix_origin(stream)
        hearing = self._hearing.get(stream.key)
        if hearing is not None and hearing.origin_stored is not None:
            await hearing.origin_stored
        outcome = await asyncio.to_thread(
            self._store.commit_line,
            *stream.key,
            fact.start_sample,
            fact.end_sample,
            fact.text,
            fact.language,
            fact.confidence,
            fact.suppressed,
            None,
            fact.watermark_sample,
            self._clock(),
        )
        if isinstance(outcome, Committed) and outcome.event_number is not None:
            body = line_body(outcome.line)
            self._announcer.fact(outcome.line.session_id, body, outcome.event_number)
        return isinstance(outcome, Committed)

    async def progress(self, stream: OpenStream, watermark: int) -> None:
        await asyncio.to_thread(self._store.advance_watermark, *stream.key, watermark)

    def partial(self, stream: OpenStream, view: feed.Partial) -> None:
        one = stream.stream
        body = CaptionPartial(
            track_id=one.track_id,
            site_id=one.site_id,
            utterance=f"{one.track_id}-{one.epoch}-{view.start_sample}",
            revision=view.revision,
            text=view.text,
            language=view.language,
        )
        self._announcer.view(one.session_id, body, f"caption-{one.track_id}")

    def decided(self, stream: OpenStream) -> None:
        hearing = self._hearing.get(stream.key)
        if hearing is not None:
            hearing.running = False
            hearing.decided.set()
        if hearing is None or hearing.open.closed:
            self._spawn(asyncio.to_thread(self._store.set_decided, *stream.key))

    def workers_changed(self, count: int) -> None:
        self._on_captions()

    def worker_status(self, status: feed.WorkerStatus) -> None:
        delayed_before = self.lag_s > 10.0
        self.lag_s = status.lag_s
        if delayed_before != (self.lag_s > 10.0):
            self._on_captions()


def _heard_anyway(_stream: OpenStream, _spans: Sequence[tuple[int, int]]) -> None:
    """Nobody repairs."""
