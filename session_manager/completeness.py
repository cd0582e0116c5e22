"""The account of a session that has ended: what is covered, what is still to come, and whether it is complete.

Computed anew whenever sound has come; the store keeps the newest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace

from session_manager import coverage, repair
from session_manager.recorder import Recorder, StreamKey
from session_manager.records import Gap, Spool, Stream
from session_manager.store import Store
from transcription.audio_log import StreamLog

LOST_AT_BOARD = "board_lost"


class Account:
    """`open_log`: of a stream whose session is over; it reads the whole file once."""

    def __init__(
        self,
        store: Store,
        recorder: Recorder,
        open_log: Callable[[str, int], StreamLog],
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._recorder = recorder
        self._open_log = open_log
        self._clock = clock

    async def save(self, session_id: str) -> None:
        """Stores the coverage of the session as it is now."""
        await asyncio.to_thread(self._save, session_id)

    async def settle(self, session_id: str) -> bool:
        """Whether the session is complete now; its coverage is stored either way when it has ended."""
        session = await asyncio.to_thread(self._store.session, session_id)
        if session.state != "ended":
            return False
        if session.completed_at is None:
            complete = await asyncio.to_thread(self._store.complete_if_so, session_id, self._clock())
            await self.save(session_id)
            return complete
        return True

    def _save(self, session_id: str) -> None:
        session = self._store.session(session_id)
        told = {(one.track_id, one.epoch): one for one in self._store.spools(session_id)}
        streams: list[Stream] = []
        missing: dict[StreamKey, list[repair.Samples]] = {}
        coming: dict[StreamKey, list[repair.Samples]] = {}
        unheard: dict[StreamKey, list[tuple[int, int]]] = {}
        for stream in self._store.streams(session_id):
            key = (stream.track_id, stream.epoch)
            spool = told.get(key)
            whole = replace(stream, end_sample=max(stream.end_sample, spool.end_sample if spool else 0))
            streams.append(whole)
            if stream.kind == "audio":
                log = self._log(key)
                holes = log.missing(0, whole.end_sample)
                missing[key] = [repair.Samples(hole.start_sample, hole.end_sample) for hole in holes]
                coming[key] = _coming(log, spool, missing[key]) if session.completed_at is None else []
                unheard[key] = [(mark.start_sample, mark.end_sample) for mark in self._store.touched(*key)]
        lines = self._store.lines(session_id, include_suppressed=True)
        known = [*(gap for one in told.values() for gap in _lost(one, streams)), *self._store.gaps(session_id)]
        gaps = _still_gaps(known, streams, missing)
        last = session.ended_at or self._clock()
        off = [(off_at, last if on_at is None else on_at) for off_at, on_at in self._store.off_spans(session_id)]
        covered = coverage.compute(session, streams, lines, gaps, missing, coming, off, unheard)
        self._store.save_coverage(session_id, covered)

    def _log(self, key: StreamKey) -> StreamLog:
        known = self._recorder.get(key)
        return known.log if known is not None else self._open_log(*key)


def _coming(log: StreamLog, spool: Spool | None, missing: list[repair.Samples]) -> list[repair.Samples]:
    if spool is None:
        return []
    numbers = repair.absent(repair.known(log.numbers(), spool.missing), spool.first_sequence, spool.next_sequence)
    return repair.common(missing, repair.placed(numbers, spool.next_sequence, spool.end_sample))


def _lost(spool: Spool, streams: list[Stream]) -> Iterator[Gap]:
    """What the board itself has no more, as far as the hub lacks it: its disk was full, or broke."""
    stream = next((one for one in streams if (one.track_id, one.epoch) == (spool.track_id, spool.epoch)), None)
    if stream is None or stream.origin_at is None:
        return
    numbers = [range(*one) for one in spool.missing]
    for start, end in repair.placed(numbers, spool.next_sequence, spool.end_sample):
        began, ended = stream.origin_at + start / repair.RATE, stream.origin_at + end / repair.RATE
        yield Gap(stream.session_id, stream.track_id, stream.epoch, began, ended, LOST_AT_BOARD)


def _still_gaps(gaps: list[Gap], streams: list[Stream], missing: dict[StreamKey, list[repair.Samples]]) -> list[Gap]:
    """A disk that refused sound left a gap until that sound came again; only what is missing still has its cause."""
    origins = {(one.track_id, one.epoch): one.origin_at for one in streams}
    found = []
    for gap in gaps:
        key = (gap.track_id, gap.epoch if gap.epoch is not None else -1)
        origin = origins.get(key)
        if origin is None:
            found.append(gap)
            continue
        start, end = (round((at - origin) * repair.RATE) for at in (gap.started_at, gap.ended_at))
        for hole in repair.common([(start, end)], missing.get(key, [])):
            began, ended = origin + hole.start / repair.RATE, origin + hole.end / repair.RATE
            found.append(replace(gap, started_at=began, ended_at=ended))
    return found
