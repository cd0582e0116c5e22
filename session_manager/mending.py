"""Mending: takes the packets that boards bring later, has the touched stretches heard again, and stores what changes.

A stretch is marked in the store before its packets are, and its mark goes in the transaction that stores what was
heard: whatever dies in between, the next start finds the same work again. Lives on the hub's loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from session_manager import repair
from session_manager.announcer import Announcer
from session_manager.completeness import Account
from session_manager.errors import NoRoom, NotFound, NotPossible, SessionManagerError
from session_manager.ports import SpoolAnswer, SpoolTold
from session_manager.recorder import OpenStream, StreamKey
from session_manager.records import Spool, Stream
from session_manager.store import Mark, Store
from session_manager.store.lines import line_body
from session_manager.transcript import Transcript
from signaling.ports import Placed
from transcription import feed
from transcription.audio_log import Packet
from transcription.errors import LogUnreadable, LogWriteFailed
from transcription.opus import packet_duration

IDLE_S = 5.0
"""Without new packets for this long, a stretch that still has holes is heard as it is."""
PATIENCE_S = 30.0
"""On a thin line packets may come for hours: what is there is heard this often."""
LIVE_S = 2.0
TICK_S = 0.5
SWEEP_S = 60.0
NEAR = repair.RATE
NO_STREAM = "There is no such stream of this board. Say what the spool has first."

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Mend:
    """One stream with marks. `taking`: uploads that are on their way to the disk."""

    opened: OpenStream
    languages: tuple[str, ...]
    last_packet_at: float
    since: float
    taking: int = 0
    task: asyncio.Task[None] | None = None


class Mending:
    def __init__(
        self, store: Store, transcript: Transcript, account: Account, announcer: Announcer, clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._transcript = transcript
        self._account = account
        self._announcer = announcer
        self._clock = clock
        self._mends: dict[StreamKey, _Mend] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._refused: dict[StreamKey, list[tuple[int, int]]] = {}
        """What boards brought that was said off the record: not to be asked for again. Goes with its session."""
        self._sweep_at = 0.0
        self.repaired = 0
        transcript.on_late = self._late

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                await asyncio.sleep(TICK_S)
                await self._tick()
        finally:
            for task in self._all_tasks():
                task.cancel()
            await asyncio.gather(*self._all_tasks(), return_exceptions=True)

    async def restore(self) -> None:
        """After a restart: what was marked and not stored is heard again."""
        for stream in await asyncio.to_thread(self._store.touched_streams):
            await self._expect(stream)

    def _all_tasks(self) -> list[asyncio.Task[None]]:
        return [*self._tasks, *(one.task for one in self._mends.values() if one.task is not None)]

    # ---- what boards say and bring -----------------------------------------------------------------------------------

    async def have(self, board_id: str, told: Sequence[SpoolTold]) -> tuple[list[SpoolAnswer], list[SpoolTold]]:
        """What the hub wants of each, and which are not of this board's sessions."""
        answers: list[SpoolAnswer] = []
        unknown: list[SpoolTold] = []
        for one in told:
            where = (board_id, one.session_id, one.name, one.epoch)
            began = repair.origin(one.origin_at, one.end_sample, one.closed, self._clock(), one.placed)
            try:
                stream = await asyncio.to_thread(self._store.spool_stream, *where, began)
                if stream is None:
                    unknown.append(one)
                else:
                    answers.append(await self._answer(stream, one, began))
            except (NotPossible, LogUnreadable):
                log.exception("a board's stream of session %s cannot be taken", one.session_id)
        for session_id in {answer.session_id for answer in answers if not answer.wanted}:
            if await self._account.settle(session_id):
                await self._let_go(session_id)
        return answers, unknown

    async def _let_go(self, session_id: str) -> None:
        for stream in await asyncio.to_thread(self._store.streams, session_id):
            self._refused.pop((stream.track_id, stream.epoch), None)
        for opened in self._transcript.recorder.streams(session_id):
            if opened.key not in self._mends:
                await self._transcript.recorder.forget(opened.key)

    async def _answer(self, stream: Stream, told: SpoolTold, began: float) -> SpoolAnswer:
        opened = await self._open(stream)
        if opened.origin_at is None:
            room = await asyncio.to_thread(self._store.room_for, stream.track_id, stream.epoch)
            began = opened.origin_at = repair.between(began, told.end_sample / repair.RATE, *room)
            await asyncio.to_thread(self._store.set_origin, stream.track_id, stream.epoch, began)
        elif not opened.lined and told.placed is not None:
            not_before, _ = await asyncio.to_thread(self._store.room_for, stream.track_id, stream.epoch)
            self._transcript.recorder.place(opened, Placed(*told.placed), not_before)
        present = opened.log.numbers()
        stored = await self._safe(opened, present)
        live = self._clock() - opened.last_packet_at < LIVE_S and not told.closed
        refused = self._refused.get(opened.key, [])
        missing = repair.merged([*told.missing, *refused])
        wanted = repair.wanted(present, told.first_sequence, told.next_sequence, live, missing)
        absent = repair.absent(repair.known(present, missing), told.first_sequence, told.next_sequence)
        coming_s = sum(map(len, absent)) * told.end_sample / max(1, told.next_sequence) / repair.RATE
        said = Spool(
            stream.track_id,
            stream.epoch,
            told.first_sequence,
            told.next_sequence,
            told.end_sample,
            told.closed,
            coming_s,
            self._clock(),
            tuple((one.start, one.end) for one in missing),
        )
        await asyncio.to_thread(self._store.note_spool, said)
        if told.closed and not stream.decided:
            await self._decide_if_heard(opened)
        done = [range(*one) for one in refused]
        return SpoolAnswer(told.session_id, told.name, told.epoch, wanted, [*stored, *done])

    async def _safe(self, opened: OpenStream, present: Sequence[range]) -> list[range]:
        try:
            await asyncio.to_thread(opened.log.flush)
        except LogWriteFailed:
            return []
        return list(present[: repair.MAX_STORED_RANGES])

    async def take(self, board_id: str, session_id: str, name: str, epoch: int, packets: Sequence[Packet]) -> int:
        """How many were new. Raises NotFound, NotPossible for what the board never said it has, and NoRoom."""
        stream = await asyncio.to_thread(self._store.board_stream, board_id, session_id, name, epoch)
        spool = await asyncio.to_thread(self._store.spool, stream.track_id, epoch) if stream is not None else None
        if stream is None or spool is None:
            raise NotFound(NO_STREAM)
        for packet in packets:
            if packet.sequence >= spool.next_sequence or packet.sample >= spool.end_sample:
                raise NotPossible("These packets lie behind the end that was said. Say what the spool has first.")
        mend = await self._expect(stream)
        mend.taking += 1
        try:
            return await self._take(mend, await self._on_record(mend.opened, packets))
        except LogWriteFailed as error:
            raise NoRoom(str(error)) from error
        finally:
            mend.taking -= 1

    async def _on_record(self, opened: OpenStream, packets: Sequence[Packet]) -> list[Packet]:
        """Without what was said off the record: a board hears of the switch a moment later."""
        off = await asyncio.to_thread(self._store.off_spans, opened.stream.session_id)
        origin = opened.origin_at
        if not off or origin is None:
            return list(packets)
        refused = {one.sequence for one in packets if repair.off_at(origin + one.sample / repair.RATE, off)}
        if refused:
            before = self._refused.get(opened.key, [])
            self._refused[opened.key] = [*repair.merged([*before, *((one, one + 1) for one in refused)])]
        return [one for one in packets if one.sequence not in refused]

    async def _take(self, mend: _Mend, packets: Sequence[Packet]) -> int:
        present = mend.opened.log.numbers()
        new = [packet for packet in packets if repair.lacks(present, packet.sequence)]
        if not new:
            return 0
        ends = {packet.sequence: packet.sample + packet_duration(packet.payload) for packet in new}
        spans = repair.merged(((packet.sample, ends[packet.sequence]) for packet in new), NEAR)
        await asyncio.to_thread(self._store.touch, *mend.opened.key, spans)
        stored = await self._transcript.recorder.store(mend.opened, new)
        mend.opened.end_sample = max(mend.opened.end_sample, *ends.values())
        await asyncio.to_thread(self._store.note_end, *mend.opened.key, mend.opened.log.end_sample)
        mend.last_packet_at = self._clock()
        return stored

    def _late(self, opened: OpenStream, spans: Sequence[tuple[int, int]]) -> None:
        task = asyncio.create_task(self._mark(opened, repair.merged(spans, NEAR)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _mark(self, opened: OpenStream, spans: Sequence[tuple[int, int]]) -> None:
        await asyncio.to_thread(self._store.touch, *opened.key, spans)
        mend = await self._expect(opened.stream)
        mend.last_packet_at = self._clock()

    # ---- streams -----------------------------------------------------------------------------------------------------

    async def _open(self, stream: Stream) -> OpenStream:
        recorder = self._transcript.recorder
        known = recorder.get((stream.track_id, stream.epoch))
        if known is not None:
            return known
        opened = await recorder.open(stream)
        if not self._transcript.is_open(opened.key):
            opened.closed = True  # nothing comes by the live way until its board publishes it
        return opened

    async def _expect(self, stream: Stream) -> _Mend:
        key = (stream.track_id, stream.epoch)
        opened = await self._open(stream)
        session = await asyncio.to_thread(self._store.session, stream.session_id)
        site = next(site for site in session.sites if site.site_id == stream.site_id)
        now = self._clock()
        mend = self._mends.setdefault(key, _Mend(opened, site.languages or ("ja", "en"), now, now))
        mend.opened = opened
        return mend

    async def _decide_if_heard(self, opened: OpenStream) -> None:
        """A board's stream that ended while nobody was listening: its last word is out when all of it is heard."""
        if opened.key in self._mends or self._transcript.heard_to(opened.key) is not None:
            return
        stream = await asyncio.to_thread(self._store.stream, *opened.key)
        if stream.watermark_sample >= opened.log.end_sample:
            await asyncio.to_thread(self._store.set_decided, *opened.key)
        else:
            rest = (stream.watermark_sample, opened.log.end_sample)
            await asyncio.to_thread(self._store.touch, *opened.key, [rest])
            await self._expect(stream)

    # ---- time --------------------------------------------------------------------------------------------------------

    async def _tick(self) -> None:
        now = self._clock()
        if now >= self._sweep_at:
            self._sweep_at = now + SWEEP_S
            await self._sweep()
        for key, mend in list(self._mends.items()):
            if mend.task is None and not mend.taking and self._transcript.feed.spare:
                mend.task = asyncio.create_task(self._work(key, mend), name="mend")
                await asyncio.sleep(0)

    async def _sweep(self) -> None:
        """Sessions that are over and not complete: the unheard rest of a crash, boards that came back, seven days."""
        for session_id in await asyncio.to_thread(self._store.incomplete_sessions):
            for stream in await asyncio.to_thread(self._store.streams, session_id):
                if stream.kind == "audio" and not stream.decided and stream.end_sample:
                    await self._decide_if_heard(await self._open(stream))
            await self._account.settle(session_id)

    async def _work(self, key: StreamKey, mend: _Mend) -> None:
        try:
            while await self._next(key, mend):
                pass
        except (SessionManagerError, LogUnreadable):
            log.exception("stream %s/%d cannot be repaired now", *key)
            await asyncio.sleep(IDLE_S)
        finally:
            mend.task = None

    async def _next(self, key: StreamKey, mend: _Mend) -> bool:
        """One stretch. False: nothing can be done now."""
        await self._transcript.recorder.settle()
        marks = await asyncio.to_thread(self._store.touched, *key)
        if not marks:
            await self._finished(key, mend)
            return False
        region = await self._choose(mend, marks)
        if region is None:
            return False
        log.info("stream %s/%d is heard again: %.1f s", *key, (region.end - region.start) / repair.RATE)
        heard = await self._hear(mend, region, [mark.touched_id for mark in marks])
        mend.since = self._clock()
        return heard

    async def _choose(self, mend: _Mend, marks: Sequence[Mark]) -> repair.Samples | None:
        """The newest stretch that is whole, or that has waited long enough."""
        live = self._transcript.heard_to(mend.opened.key)
        end = mend.opened.log.end_sample
        if live is None and all(mark.start_sample >= end for mark in marks):
            await asyncio.to_thread(self._store.untouch, [mark.touched_id for mark in marks])
            return None
        lines = await asyncio.to_thread(self._store.stream_lines, *mend.opened.key)
        spans = [(line.start_sample, line.end_sample) for line in lines]
        limit = end if live is None else min(live, end)
        touched = [(mark.start_sample, mark.end_sample) for mark in marks]
        found = repair.regions(touched, spans, limit, live=live is not None)
        now = self._clock()
        rested = now - mend.last_packet_at >= IDLE_S or now - mend.since >= PATIENCE_S
        opened = mend.opened
        whole = [one for one in found if repair.is_worth_hearing(_holes(opened, one), opened.refused, rested)]
        return whole[-1] if whole else None

    # ---- hearing again -----------------------------------------------------------------------------------------------

    async def _hear(self, mend: _Mend, region: repair.Samples, marks: Sequence[int]) -> bool:
        lines = await asyncio.to_thread(self._store.stream_lines, *mend.opened.key)
        known = [(line.start_sample, line.end_sample) for line in lines]
        heard: list[repair.Heard] = []
        done = region.start
        overtaken = False

        async def hear(fact: feed.Final | feed.Progress) -> None:
            nonlocal done, overtaken
            if isinstance(fact, feed.Final):
                heard.append(_heard(fact))
            mark = min(fact.watermark_sample, region.end)
            if not overtaken and mark < region.end and repair.part_ends(done, mark, known):
                overtaken = not await self._store_part(mend, repair.Samples(done, mark), heard, marks)
                done = mark
                heard.clear()

        whole = await self._transcript.feed.repair(mend.opened, mend.languages, *region, hear)
        if not whole or overtaken:
            return False
        return await self._store_part(mend, repair.Samples(done, region.end), heard, marks)

    async def _store_part(
        self, mend: _Mend, part: repair.Samples, heard: Sequence[repair.Heard], marks: Sequence[int]
    ) -> bool:
        """False: a live run began in it meanwhile, or the store did not take it; it is heard again later.

        A live run that begins from now on begins behind the part.
        """
        key = mend.opened.key
        live = self._transcript.heard_to(key)
        if live is not None and part.end > live:
            return False
        self._transcript.feed.skip_to(key, part.end)
        await self._fix_origin(mend.opened)
        try:
            changes = await asyncio.to_thread(self._store.repair, *key, part, list(heard), list(marks), self._clock())
        except SessionManagerError:
            log.exception("what was heard again of stream %s/%d is not stored", *key)
            return False
        self.repaired += 1
        for one in changes:
            if one.event_number is not None:
                self._announcer.fact(one.line.session_id, line_body(one.line), one.event_number)
        return True

    async def _fix_origin(self, opened: OpenStream) -> None:
        """Lines are placed by it, so it stays from now on."""
        if not opened.lined and opened.origin_at is not None:
            self._transcript.recorder.fix_origin(opened)
            await asyncio.to_thread(self._store.move_origin, *opened.key, opened.origin_at)

    async def _finished(self, key: StreamKey, mend: _Mend) -> None:
        """No marks are left."""
        if mend.taking:
            return
        self._mends.pop(key, None)
        stream = await asyncio.to_thread(self._store.stream, *key)
        session = await asyncio.to_thread(self._store.session, stream.session_id)
        spool = await asyncio.to_thread(self._store.spool, *key)
        over = session.state == "ended" or (spool is not None and spool.closed)
        if over and not stream.decided:
            await self._decide_if_heard(mend.opened)
        await self._account.settle(stream.session_id)
        if session.state == "ended" and key not in self._mends:
            await self._transcript.recorder.forget(key)


def _holes(opened: OpenStream, region: repair.Samples) -> list[tuple[int, int]]:
    return [(hole.start_sample, hole.end_sample) for hole in opened.log.missing(*region)]


def _heard(fact: feed.Final) -> repair.Heard:
    return repair.Heard(fact.start_sample, fact.end_sample, fact.text, fact.language, fact.confidence, fact.suppressed)
