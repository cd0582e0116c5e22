"""The spool's folder: `spool/<epoch>/stream.json` and `<number>.segment` beside it, and the device key that opens them.

Damage never raises: what cannot be read holds nothing. Only what cannot be *written* is an `OSError`.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from room_agent.spool import Run, Segment, Stream, merged
from room_agent.spool_crypto import HEADER_SIZE, KEY_BYTES, Record, SegmentCipher
from transcription.audio_log import Packet

logger = logging.getLogger(__name__)

_SUFFIX = ".segment"
_sync = getattr(os, "fdatasync", os.fsync)


def write_whole(path: Path, content: bytes) -> None:
    """Whole or not at all, also after a power cut; for this user's eyes only."""
    fresh = path.with_suffix(".new")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync_folder(path.parent)


def boot_id() -> str:
    """The same for as long as the machine counts its seconds on; empty where nobody says so."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def sync_folder(folder: Path) -> None:
    """A new name is safe only when its folder is; Windows cannot and need not."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def device_key(file: Path) -> bytes:
    """Made at the first start. One that is damaged is laid aside: what it sealed is lost, what comes is not."""
    with contextlib.suppress(FileNotFoundError):
        key = file.read_bytes()
        if len(key) == KEY_BYTES:
            return key
        file.replace(file.with_suffix(".damaged"))
        logger.error("the spool's key was damaged; sound kept before cannot be read any more")
    key = os.urandom(KEY_BYTES)
    write_whole(file, key)
    return key


class SegmentFile:
    """A segment being written. `append` gives all or nothing; what does not fit is taken back."""

    def __init__(self, folder: Path, epoch: int, number: int, key: bytes, now: float) -> None:
        self.epoch = epoch
        self.facts = Segment(number, now, (), 0, HEADER_SIZE)
        self._path = folder / f"{number:06d}{_SUFFIX}"
        self._cipher = SegmentCipher.fresh(key, epoch, number)
        self._records = 0
        self._file = self._path.open("xb", buffering=0)
        try:
            self._write(self._cipher.header)
        except OSError:
            self._file.close()
            self._path.unlink(missing_ok=True)
            raise
        sync_folder(folder)

    def append(self, packets: list[Packet], end_sample: int) -> None:
        """Numbers must follow each other. Raises `OSError`; the file is then as before."""
        number, self._records = self._records, self._records + 1
        sealed = self._cipher.seal(number, packets, end_sample)
        try:
            self._write(sealed)
        except OSError:
            self._file.seek(self.facts.size)
            self._file.truncate()
            raise
        run = Run(packets[0].sequence, packets[-1].sequence + 1)
        self.facts = replace(
            self.facts, runs=merged((*self.facts.runs, run)), end_sample=end_sample, size=self.facts.size + len(sealed)
        )

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]

    def flush(self) -> None:
        _sync(self._file.fileno())

    def close(self) -> None:
        self._file.close()


@dataclass(frozen=True, slots=True)
class SpoolFolder:
    """Everything on disk below `root`, opened by `key`."""

    root: Path
    key: bytes

    def of(self, epoch: int) -> Path:
        return self.root / str(epoch)

    def epochs(self) -> list[int]:
        return sorted(int(each.name) for each in self.root.iterdir() if each.name.isdecimal() and each.is_dir())

    # ---- streams

    def save(self, stream: Stream) -> None:
        """Raises `OSError`."""
        self.of(stream.epoch).mkdir(parents=True, exist_ok=True)
        write_whole(self.of(stream.epoch) / "stream.json", json.dumps(asdict(stream)).encode())

    def load(self, epoch: int) -> tuple[Stream, list[Segment]] | None:
        """A stream of an earlier process, which is closed by that. None: nothing of use is there."""
        try:
            fields = json.loads((self.of(epoch) / "stream.json").read_bytes())
            stream = Stream(
                epoch,
                str(fields["session_id"]),
                float(fields["origin_at"]),
                closed=True,
                forsaken=bool(fields["forsaken"]),
                acknowledged=merged(Run(int(first), int(end)) for first, end in fields["acknowledged"]),
                counted_at=_number(fields.get("counted_at")),
                boot=str(fields.get("boot", "")),
                placed_at=_number(fields.get("placed_at")),
                within_s=_number(fields.get("within_s")),
            )
            numbers = [int(each.stem) for each in self.of(epoch).glob(f"*{_SUFFIX}") if each.stem.isdecimal()]
        except (OSError, ValueError, KeyError, TypeError):
            logger.error("the spool's stream %s cannot be read; it is left as it is", epoch)
            return None
        return stream, [self._segment(epoch, number) for number in sorted(numbers)]

    def forget(self, epoch: int, number: int | None = None) -> None:
        """Delete a segment, or the whole stream."""
        if number is None:
            shutil.rmtree(self.of(epoch), ignore_errors=True)
        else:
            self._path(epoch, number).unlink(missing_ok=True)

    # ---- segments

    def _path(self, epoch: int, number: int) -> Path:
        return self.of(epoch) / f"{number:06d}{_SUFFIX}"

    def _segment(self, epoch: int, number: int) -> Segment:
        try:
            facts = self._path(epoch, number).stat()
        except OSError:
            return Segment(number, 0.0)
        runs, end_sample = [], 0
        for record in self._records(epoch, number):
            runs.append(record.run)
            end_sample = max(end_sample, record.end_sample)
        return Segment(number, facts.st_mtime, merged(runs), end_sample, facts.st_size)

    def _records(self, epoch: int, number: int) -> Iterator[Record]:
        try:
            data = self._path(epoch, number).read_bytes()
        except OSError:
            return
        cipher = SegmentCipher.of(self.key, data[:HEADER_SIZE], epoch, number)
        if cipher is not None:
            yield from cipher.records(data[HEADER_SIZE:])

    def packets(self, epoch: int, number: int, wanted: Run) -> Iterator[Packet]:
        """Those of the segment that are wanted, in order of writing."""
        for record in self._records(epoch, number):
            if record.run.first < wanted.end and wanted.first < record.run.end:
                yield from (each for each in record.packets() if wanted.first <= each.sequence < wanted.end)
