"""Which letters the mail server was given: a line for each, in a file beside the database.

`? id` is on the disk before a letter's last line leaves. Over its first byte comes `+` as soon as the server says that
it took the letter, by the very thread that heard it and before anything else, or `-` when it did not. One byte in place
needs no room on a full disk and is never half written. After a crash the lines with `?` are exactly the letters in
doubt: the server may have them or not, and nobody can ask it (RFC 5321 section 6.1, RFC 1047). Identifiers only.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

NAME = "letters.journal"
LOCK = "letters.lock"
DOUBTFUL, TAKEN, REFUSED = b"?", b"+", b"-"

_LINE = re.compile(rb"([?+-]) ([a-z0-9]{1,64})")
_sync = getattr(os, "fdatasync", os.fsync)


@dataclass(frozen=True, slots=True)
class Found:
    """Identifiers of letters. Nobody is in both."""

    taken: frozenset[str]
    doubtful: frozenset[str]


def read(content: bytes) -> Found:
    """Whole lines only: a torn one is of a letter whose end had not left. Whoever was taken once is taken."""
    states: dict[bytes, set[str]] = {DOUBTFUL: set(), TAKEN: set(), REFUSED: set()}
    for line in content.split(b"\n")[:-1]:
        if found := _LINE.fullmatch(line):
            states[found[1]].add(found[2].decode("ascii"))
    return Found(frozenset(states[TAKEN]), frozenset(states[DOUBTFUL] - states[TAKEN]))


class Entry:
    """One letter's line: in doubt until somebody says more."""

    def __init__(self, file: int, start: int) -> None:
        self._file, self._start = file, start

    def taken(self) -> None:
        self._over(TAKEN)

    def refused(self) -> None:
        self._over(REFUSED)

    def _over(self, state: bytes) -> None:
        os.lseek(self._file, self._start, os.SEEK_SET)
        os.write(self._file, state)
        _sync(self._file)


class SentJournal:
    """The open file; of one process at a time, see `hold`. Methods raise OSError."""

    def __init__(self, file: int) -> None:
        self._file = file

    def begin(self, notice_id: str) -> Entry:
        """On the disk when this returns. A torn end is written over."""
        start = self._content().rfind(b"\n") + 1
        os.ftruncate(self._file, start)
        os.lseek(self._file, start, os.SEEK_SET)
        line = b"%s %s\n" % (DOUBTFUL, notice_id.encode("ascii"))
        if os.write(self._file, line) != len(line):
            raise OSError("the journal of letters was written in part")
        _sync(self._file)
        return Entry(self._file, start)

    def found(self) -> Found:
        return read(self._content())

    def clear(self) -> None:
        """When the database knows all of it, on its disk."""
        os.ftruncate(self._file, 0)
        _sync(self._file)

    def _content(self) -> bytes:
        """Of at most one batch after the other until it is cleared: a few kilobytes."""
        os.lseek(self._file, 0, os.SEEK_SET)
        with open(self._file, "rb", closefd=False) as reading:
            return reading.read()


@contextmanager
def hold(folder: Path, timeout_s: float) -> Iterator[SentJournal | None]:
    """None: another process has it still. What holds it goes with the process, however that ends. Raises OSError."""
    lock = FileLock(folder / LOCK, timeout=timeout_s, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        yield None
        return
    try:
        file = os.open(folder / NAME, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        try:
            yield SentJournal(file)
        finally:
            os.close(file)
    finally:
        lock.release()
