"""The audio log: every Opus packet of a stream, append-only on disk, and what is missing.

A *stream* is one epoch of one track; it lies in `root/track_id/epoch.packets` (bytes: `transcription.log_format`). A
hub keeps what reached it, a board keeps what it said (its spool); repair is copying packets from one to the other.

What survives: every appended packet is handed to the operating system at once, so the death of the process (kill -9)
loses nothing that `append` returned for. A power cut loses at most what came after the last `flush`; call that each
half second (`Flusher`). Damage never raises: a torn tail is ignored and cut off by the next append, a record that was
altered in the middle is a hole.

One process may write a stream. Others may read it at any time: they see what was written when they opened it. All
methods may be called from any thread.
"""

from __future__ import annotations

import errno
import os
import re
import threading
from collections.abc import Iterator
from heapq import heappop, heappush
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from transcription import log_format, opus
from transcription.errors import LogUnreadable, LogWriteFailed
from transcription.log_flusher import INTERVAL_S, Flusher
from transcription.log_format import Packet, Record, pack_packets, unpack_packets
from transcription.log_index import ChunkIndex, Piece, Span, SpanIndex

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "INTERVAL_S",
    "AudioLog",
    "Flusher",
    "LogUnreadable",
    "LogWriteFailed",
    "Packet",
    "Span",
    "StreamLog",
    "pack_packets",
    "unpack_packets",
]

_SUFFIX = ".packets"
_TRACK_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_EPOCH_FILE = re.compile(r"(0|[1-9][0-9]{0,19})\.packets")
_U64 = 1 << 64
_BLOCK = 1 << 20
_DISK_FULL = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}


class AudioLog:
    """A folder of streams. While somebody holds a stream, everybody in the process gets the same object."""

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root)
        self._lock = threading.Lock()
        self._open: WeakValueDictionary[tuple[str, int], StreamLog] = WeakValueDictionary()

    def stream(self, track_id: str, epoch: int) -> StreamLog:
        """What is on disk, or an empty stream whose file is made by its first append.

        Raises `LogUnreadable`, and ValueError for a track id that is not 1 to 128 of `A-Z a-z 0-9 _ -`.
        """
        if not _TRACK_ID.fullmatch(track_id) or not 0 <= epoch < _U64:
            raise ValueError(f"no name for an audio log: {track_id!r}, {epoch!r}")
        with self._lock:
            stream = self._open.get((track_id, epoch))
            if stream is None:
                stream = StreamLog(self.root / track_id / f"{epoch}{_SUFFIX}", track_id, epoch)
                self._open[track_id, epoch] = stream
            return stream

    def streams(self) -> tuple[tuple[str, int], ...]:
        """Track and epoch of every stream on disk, sorted."""
        files = self.root.glob(f"*/*{_SUFFIX}")
        return tuple(
            sorted(
                (file.parent.name, int(file.name.removesuffix(_SUFFIX)))
                for file in files
                if _EPOCH_FILE.fullmatch(file.name) and _TRACK_ID.fullmatch(file.parent.name)
            )
        )


class StreamLog:
    """One stream. Made by `AudioLog.stream`. `refused` counts payloads that cannot be Opus packets."""

    def __init__(self, path: Path, track_id: str, epoch: int) -> None:
        self.path = path
        self.track_id = track_id
        self.epoch = epoch
        self.refused = 0
        self._lock = threading.Lock()
        self._seed = log_format.seed(track_id, epoch)
        self._spans = SpanIndex()
        self._chunks = ChunkIndex()
        self._size = 0
        self._file: FileIO | None = None
        self._unflushed = False
        self._unlisted = False
        self._recover()

    # ---- writing -------------------------------------------------------------------------------------------------

    def append(self, packet: Packet) -> bool:
        """Hand one packet to the operating system, in any order of numbers.

        False when nothing was added: its number is there already, or its payload is no Opus packet (`refused`).
        Raises `LogWriteFailed`.
        """
        samples = opus.packet_duration(packet.payload)
        if not samples or len(packet.payload) > log_format.MAX_PAYLOAD or not _fits(packet):
            self.refused += 1
            return False
        with self._lock:
            if packet.sequence in self._spans:
                return False
            offset = self._write(log_format.pack(packet, self._seed))
            self._spans.add(packet.sequence, packet.sample, samples)
            self._chunks.add(offset, self._size - offset, packet.sample, samples)
        return True

    def _write(self, record: bytes) -> int:
        """Append a whole record or nothing; its place in the file."""
        try:
            file = self._file or self._open_file()
            if file.write(record) != len(record):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            self._drop_torn()
            raise _failed(error) from error
        offset = self._size
        self._size += len(record)
        self._unflushed = True
        return offset

    def _open_file(self) -> FileIO:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._unlisted = self._unlisted or not self.path.exists()
        self._file = file = FileIO(self.path, "ab")
        on_disk = os.fstat(file.fileno()).st_size
        if on_disk < self._size:  # somebody else cut it
            self._recover()
        if on_disk > self._size:
            file.truncate(self._size)
        if not self._size:
            head = log_format.header(self.epoch)
            if file.write(head) != len(head):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self._size = len(head)
        return file

    def _drop_torn(self) -> None:
        """After a failed write: the next append opens the file again and cuts off what is half written."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def flush(self) -> None:
        """Wait until everything appended before is on the medium (fdatasync). Raises `LogWriteFailed`."""
        with self._lock:
            if not self._unflushed:
                return
            self._unflushed = False
            unlisted, self._unlisted = self._unlisted, False
            twin = os.dup(self._file.fileno()) if self._file else None  # an append may fail and close its own meanwhile
        try:
            with FileIO(self.path if twin is None else twin, "rb+") as file:
                getattr(os, "fdatasync", os.fsync)(file.fileno())
            if unlisted:
                _sync_folders(self.path.parent)
        except OSError as error:
            self._unflushed = True
            self._unlisted = unlisted or self._unlisted
            raise _failed(error) from error

    def close(self) -> None:
        """Flush and let go of the file. Reading goes on; a later append opens it again."""
        try:
            self.flush()
        finally:
            with self._lock:
                self._drop_torn()

    # ---- reading -------------------------------------------------------------------------------------------------

    @property
    def end_sample(self) -> int:
        """Where the last packet ends; 0 when there is none."""
        return self._spans.end_sample

    def spans(self) -> tuple[Span, ...]:
        """What is there and what is missing, sorted, covering [0, end_sample)."""
        with self._lock:
            return self._spans.spans()

    def missing(self, from_sample: int, to_sample: int) -> tuple[Span, ...]:
        """Holes within [from_sample, to_sample), the part behind the last packet included."""
        with self._lock:
            return self._spans.missing(from_sample, to_sample)

    def numbers(self) -> tuple[range, ...]:
        """Sequence numbers that are there, as sorted runs."""
        with self._lock:
            return self._spans.numbers()

    def missing_numbers(self) -> tuple[range, ...]:
        """Sequence numbers below the highest that are not there: what a repair has to copy."""
        with self._lock:
            return self._spans.missing_numbers()

    def packets(self, from_sample: int = 0) -> Iterator[Packet]:
        """Packets that end after `from_sample`, in order of samples, as they are at the first step.

        Reads 64 KiB at a time, whatever the length of the log. Raises `LogUnreadable`.
        """
        with self._lock:
            pieces = self._chunks.pieces(from_sample)
        waiting: list[tuple[int, int, bytes]] = []
        last = -1
        for packet in self._swept(pieces, waiting):
            if packet.sequence != last and packet.sample + opus.packet_duration(packet.payload) > from_sample:
                last = packet.sequence
                yield packet

    def _swept(self, pieces: list[Piece], waiting: list[tuple[int, int, bytes]]) -> Iterator[Packet]:
        """Pieces come by start; a packet goes out when no later piece can hold an earlier one."""
        if not pieces:
            return
        with self._reader() as file:
            for piece in pieces:
                while waiting and waiting[0][0] < piece.start_sample:
                    yield _packet(heappop(waiting))
                for packet in self._load(file, piece):
                    heappush(waiting, (packet.sample, packet.sequence, packet.payload))
        while waiting:
            yield _packet(heappop(waiting))

    def _load(self, file: FileIO, piece: Piece) -> Iterator[Packet]:
        try:
            file.seek(piece.offset)
            data = file.read(piece.size)
        except OSError as error:
            raise _unreadable(self.path, error) from error
        for record in log_format.records(data, self._seed):
            if piece.start_sample <= record.packet.sample < piece.end_sample:
                yield record.packet

    def pcm(self, start_sample: int, end_sample: int, rate: int = opus.SAMPLE_RATE) -> NDArray[np.float32]:
        """Mono float32 sound of a span, silence for holes; see `transcription.opus.decode_span`."""
        packets = self.packets(max(0, start_sample - opus.PREROLL))
        return opus.decode_span(packets, start_sample, end_sample, rate)

    # ---- recovery ------------------------------------------------------------------------------------------------

    def _reader(self) -> FileIO:
        try:
            return FileIO(self.path, "rb")
        except OSError as error:
            raise _unreadable(self.path, error) from error

    def _recover(self) -> None:
        """Rebuild both indexes; the log's size is where its last whole record ends."""
        self._spans, self._chunks, self._size = SpanIndex(), ChunkIndex(), 0
        if not self.path.exists():
            return
        with self._reader() as file:
            try:
                self._read_header(file)
                for offset, record in self._scan(file):
                    self._index(offset, record)
            except OSError as error:
                raise _unreadable(self.path, error) from error

    def _read_header(self, file: FileIO) -> None:
        version = log_format.version(file.read(log_format.HEADER_SIZE))
        if version == log_format.VERSION:
            self._size = log_format.HEADER_SIZE
        elif version is not None:
            raise LogUnreadable(f"{self.path} was written by a newer version of Shimawa ({version}). Update this one.")
        file.seek(self._size)

    def _scan(self, file: FileIO) -> Iterator[tuple[int, Record]]:
        """Whole records from the file's position on, with their place in the file."""
        base, rest = self._size, b""
        while block := file.read(_BLOCK):
            data, used = rest + block, 0
            for record in log_format.records(data, self._seed, more=True):
                used = record.offset + record.size
                yield base + record.offset, record
            used = max(used, len(data) - log_format.MAX_RECORD)
            base, rest = base + used, data[used:]
        for record in log_format.records(rest, self._seed):
            yield base + record.offset, record

    def _index(self, offset: int, record: Record) -> None:
        packet = record.packet
        samples = opus.packet_duration(packet.payload)
        self._size = offset + record.size
        if samples and self._spans.add(packet.sequence, packet.sample, samples):
            self._chunks.add(offset, record.size, packet.sample, samples)


def _fits(packet: Packet) -> bool:
    return 0 <= packet.sequence < _U64 and 0 <= packet.sample < _U64


def _packet(waiting: tuple[int, int, bytes]) -> Packet:
    sample, sequence, payload = waiting
    return Packet(sequence, sample, payload)


def _sync_folders(folder: Path) -> None:
    """Make a new file's name durable too, with its folder's. Windows has no way, and needs none on NTFS."""
    if os.name == "nt":
        return
    for each in (folder, folder.parent):
        descriptor = os.open(each, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _failed(error: OSError) -> LogWriteFailed:
    if error.errno in _DISK_FULL:
        return LogWriteFailed("The disk of the audio log is full: make room, recording goes on by itself.", "disk_full")
    reason = os.strerror(error.errno) if error.errno else "unknown"
    return LogWriteFailed(f"The audio log cannot be written ({reason}): check its disk and folder.", "io")


def _unreadable(path: Path, error: OSError) -> LogUnreadable:
    return LogUnreadable(f"The audio log {path} cannot be read: {error.strerror}. Check its disk and permissions.")
