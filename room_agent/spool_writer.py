"""The spool: every packet that goes to the wire goes to this board's disk, sealed, and stays until the hub has it.

The event loop only appends to a list; a thread of its own writes and flushes twice a second, so a power cut costs half
a second at most. A disk that is full or refuses costs only memory: up to `PENDING_PACKETS` wait for better times.
"""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from room_agent.errors import CannotStart
from room_agent.hubclock import HubClock
from room_agent.spool import (
    Evicted,
    Holding,
    Limits,
    Run,
    SpoolIndex,
    Stream,
    Verdict,
    count,
    duration_s,
    merged,
    without,
)
from room_agent.spool_files import SegmentFile, SpoolFolder, boot_id, device_key
from signaling.media.aiortc_adapter import NumberedPacket
from transcription.audio_log import Packet

logger = logging.getLogger(__name__)

FLUSH_S = 0.5
SEGMENT_S = 600.0
PENDING_PACKETS = 30_000
"""Ten minutes, 2.5 MB: what memory holds when the disk does not. Full: the oldest goes and is counted as lost."""
RECORD_PACKETS = 50
NEED_BYTES = 16_384
"""For heads, seals, a new file and whole blocks of the disk."""
CLOCK_STEP_S = 1.0
WORTH_SAVING = 0.5
"""Of the bound before: a little better is not worth a write to the disk."""

Pending = tuple[int, Packet]


@dataclass(frozen=True, slots=True)
class SpoolState:
    """`unsent_s`: seconds by session that the hub does not have. `at_risk_s`: seconds only in memory. `room_s`: how
    much more fits. `lost_s`: given up in this process, unsent."""

    level: Literal["ok", "near", "full"] = "ok"
    room_s: float | None = None
    unsent_s: tuple[tuple[str, float], ...] = ()
    at_risk_s: float = 0.0
    lost_s: float = 0.0


class Spool:
    """Thread-safe; `put` and `end` never wait for the disk. `session_id` None: nothing is kept.

    `clock` is UTC POSIX seconds, `monotonic` the clock of `captured_at`, which counts on for as long as `boot` is the
    same (empty: only in this process).
    """

    def __init__(
        self,
        state: Path,
        limits: Limits | None = None,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        flush_s: float = FLUSH_S,
        boot: str | None = None,
    ) -> None:
        self.session_id: str | None = None
        self.off_record = False
        """Nothing is kept while this is so; what was said before is."""
        self.limits = limits or Limits()
        self._clock, self._monotonic, self._flush_s = clock, monotonic, flush_s
        self._boot = (boot_id() if boot is None else boot) or f"process {time.time_ns()}"
        try:
            (state / "spool").mkdir(parents=True, exist_ok=True, mode=0o700)
            self._folder = SpoolFolder(state / "spool", device_key(state / "spool.key"))
            epochs = self._folder.epochs()
        except OSError as error:
            raise CannotStart(f"The spool in {state} cannot be used: {error.strerror}.") from error
        self.highest_epoch = max(epochs, default=0)
        self._index = SpoolIndex()
        self._lock = threading.Lock()
        self._pending: list[Pending] = []
        self._writing: list[Pending] = []
        self._unsaved: set[int] = set()
        self._file: SegmentFile | None = None
        self._numbers: Counter[int] = Counter()
        self._verdict = Verdict("ok", 0.0)
        self._failing = False
        self._lost_s = 0.0
        self._room_known = False
        self.loaded = threading.Event()
        """Set when what earlier processes left has been found."""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(epochs,), name="spool", daemon=True)
        self._thread.start()

    # ---- from the loop

    def put(self, epoch: int, packet: NumberedPacket, captured_at: float) -> None:
        if self.session_id is None or self.off_record:
            return
        with self._lock:
            self._place(epoch, self.session_id, packet.sample, captured_at)
            if len(self._pending) + len(self._writing) >= PENDING_PACKETS and self._pending:
                _, oldest = self._pending.pop(0)
                self._lost_s += duration_s(oldest.payload)
            self._pending.append((epoch, Packet(packet.sequence, packet.sample, packet.payload)))

    def _place(self, epoch: int, session_id: str, sample: int, captured_at: float) -> None:
        """Know the stream, and where its sample 0 lies; a stepped clock moves it until the hub has heard of it."""
        origin_at = self._clock() - (self._monotonic() - captured_at) - sample / 48_000
        stream = self._index.streams.get(epoch)
        if stream is None:
            counted_at = captured_at - sample / 48_000
            self._index.add(Stream(epoch, session_id, origin_at, counted_at=counted_at, boot=self._boot))
            self._unsaved.add(epoch)
        elif not stream.acknowledged and abs(origin_at - stream.origin_at) > CLOCK_STEP_S:
            self._index.change(epoch, origin_at=origin_at)
            self._unsaved.add(epoch)

    def place(self, hub: HubClock) -> None:
        """Say where streams of this start of the machine lie on the hub's clock, where that is known better now."""
        with self._lock:
            for epoch, stream in self._index.streams.items():
                if stream.counted_at is None or stream.boot != self._boot:
                    continue
                found, before = hub.instant(stream.counted_at), stream.placed
                if found is None or (before is not None and not found.beats(before)):
                    continue
                self._index.change(epoch, placed_at=found.at, within_s=found.within_s)
                if before is None or found.within_s < before.within_s * WORTH_SAVING:
                    self._unsaved.add(epoch)

    def end(self, epoch: int) -> None:
        """That numbering is over."""
        with self._lock:
            if epoch in self._index.streams and self._index.change(epoch, closed=True):
                self._unsaved.add(epoch)

    def close(self) -> None:
        """Write and flush what is there; waits for the thread."""
        self._stop.set()
        self._thread.join()

    # ---- for the uploader

    def busy(self) -> bool:
        with self._lock:
            return self._index.busy()

    def holdings(self) -> list[Holding]:
        with self._lock:
            return self._index.holdings()

    def acknowledge(self, epoch: int, stored: Iterable[Run]) -> None:
        with self._lock:
            if self._index.acknowledge(epoch, stored):
                self._unsaved.add(epoch)

    def forsake(self, epoch: int) -> None:
        """The hub knows no such session: kept for as long as sent sound is, and not offered again."""
        with self._lock:
            if epoch in self._index.streams and self._index.change(epoch, forsaken=True):
                self._unsaved.add(epoch)

    def packets(self, epoch: int, wanted: Run, room: int) -> list[Packet]:
        """From the first of `wanted` on, at most `room` bytes of payload and heads. Reads the disk: not on the loop."""
        found: dict[int, Packet] = {}
        size = 0
        for packet in self._stored(epoch, wanted):
            size += len(packet.payload) + 18
            if size > room and found:
                break
            found[packet.sequence] = packet
        self._miss(epoch, wanted, found)
        return [found[number] for number in sorted(found)]

    def _miss(self, epoch: int, wanted: Run, found: Iterable[int]) -> None:
        """What turned out to be unreadable is not held: it must not be offered again."""
        numbers = merged(Run(each, each + 1) for each in found)
        gone = without((Run(wanted.first, numbers[-1].end if numbers else wanted.end),), numbers)
        if gone:
            with self._lock:
                self._index.lose(epoch, gone)

    def _stored(self, epoch: int, wanted: Run) -> Iterator[Packet]:
        with self._lock:
            segments = list(self._index.segments.get(epoch, {}).values())
        for segment in segments:
            if any(run.first < wanted.end and wanted.first < run.end for run in segment.runs):
                yield from self._folder.packets(epoch, segment.number, wanted)

    # ---- facts

    def state(self) -> SpoolState:
        broken = not self._thread.is_alive() and not self._stop.is_set()
        with self._lock:
            unsent: defaultdict[str, float] = defaultdict(float)
            for epoch, stream in self._index.streams.items():
                unsent[stream.session_id] += self._index.unsent_s(epoch)
            waiting = 0.0
            for epoch, packet in (*self._pending, *self._writing):
                here = duration_s(packet.payload)
                unsent[self._index.streams[epoch].session_id] += here
                waiting += here
            verdict = self._verdict
            lost = self._lost_s
        return SpoolState(
            "full" if self._failing or broken else verdict.level,
            round(verdict.room_s) if self._room_known else None,
            tuple((session, round(unsent_s, 1)) for session, unsent_s in unsent.items() if unsent_s),
            round(waiting, 1) if self._failing or broken else 0.0,
            round(lost, 1),
        )

    def unsent_s(self) -> float:
        return sum(each for _, each in self.state().unsent_s)

    # ---- the thread

    def _run(self, epochs: list[int]) -> None:
        for epoch in epochs:
            found = None if self._stop.is_set() else self._folder.load(epoch)
            if found is None:
                continue
            if not found[1]:
                self._folder.forget(epoch)
                continue
            with self._lock:
                self._index.add(*found)
        self.loaded.set()
        while not self._stop.wait(self._flush_s):
            self._step()
        self._step()
        self._rotate()

    def _step(self) -> None:
        try:
            self._tidy()
            self._save()
            if self._verdict.level != "full":
                self._write_pending()
                self._say(failing=False)
        except OSError as error:
            self._say(failing=True, why=error.strerror or "")
        else:
            if self._verdict.level == "full":
                self._say(failing=True, why="the disk's reserve is reached")

    def _say(self, *, failing: bool, why: str = "") -> None:
        """Once when it breaks, once when it is over."""
        if failing and not self._failing:
            logger.error("the spool cannot be written: %s; live sound goes on", why)
        elif self._failing and not failing:
            logger.info("the spool is written again")
        self._failing = failing

    def _tidy(self) -> None:
        disk = shutil.disk_usage(self._folder.root)
        writing = self._file.facts if self._file is not None else None
        with self._lock:
            need = sum(len(packet.payload) for _, packet in self._pending) * 2 + NEED_BYTES
            verdict = self._index.judge(self._clock(), disk.free, disk.total, self.limits, writing, need)
        self._verdict = verdict
        self._room_known = True
        for entry in self._verdict.evict:
            self._evict(entry)

    def _evict(self, entry: Evicted) -> None:
        self._folder.forget(entry.epoch, entry.number)
        with self._lock:
            lost_s = count(entry.lost) * self._index.packet_s(entry.epoch)
            waiting = any(epoch == entry.epoch for epoch, _ in self._pending)
            gone = self._index.evicted(entry.epoch, entry.number, keep=waiting)
            self._lost_s += lost_s
        if entry.lost:
            logger.error("disk full: %s s of epoch %s were given up unsent", round(lost_s, 1), entry.epoch)
        if gone:
            self._folder.forget(entry.epoch)

    def _save(self) -> None:
        while self._unsaved:
            with self._lock:
                epoch = self._unsaved.pop()
                stream = self._index.streams.get(epoch)
            if stream is None:
                continue
            try:
                self._folder.save(stream)
            except OSError:
                self._unsaved.add(epoch)
                raise

    def _write_pending(self) -> None:
        with self._lock:
            self._writing, self._pending = self._pending, []
        done = 0
        try:
            for batch in _records(self._writing):
                self._append(batch)
                done += len(batch)
            if self._file is not None:
                self._file.flush()
        finally:
            with self._lock:
                self._pending[:0] = self._writing[done:]
                self._writing = []

    def _append(self, batch: list[Pending]) -> None:
        epoch = batch[0][0]
        file = self._file
        if file is not None and (file.epoch != epoch or self._clock() - file.facts.began_at > SEGMENT_S):
            self._rotate()
            file = None
        if file is None:
            # The highest number ever used and one more: a name is never used for two keys.
            number = self._numbers[epoch]
            file = SegmentFile(self._folder.of(epoch), epoch, number, self._folder.key, self._clock())
            self._file = file
            self._numbers[epoch] += 1
        packets = [packet for _, packet in batch]
        file.append(packets, packets[-1].sample + round(duration_s(packets[-1].payload) * 48_000))
        with self._lock:
            self._index.grow(epoch, file.facts)

    def _rotate(self) -> None:
        if self._file is not None:
            try:
                self._file.flush()
            except OSError as error:
                logger.error("a part of the spool may not be safe on disk: %s", error.strerror)
            self._file.close()
            self._file = None


def _records(pending: list[Pending]) -> Iterator[list[Pending]]:
    """Stretches of one epoch whose numbers follow each other."""
    batch: list[Pending] = []
    for entry in pending:
        epoch, packet = entry
        if batch and (
            len(batch) == RECORD_PACKETS or batch[-1][0] != epoch or batch[-1][1].sequence + 1 != packet.sequence
        ):
            yield batch
            batch = []
        batch.append(entry)
    if batch:
        yield batch
