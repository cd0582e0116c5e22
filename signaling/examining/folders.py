"""Folders and files that hold what people said, or a secret: who can read them, whether they take what is written."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from signaling.examining.findings import Finding, attention, well, wrong

WRITES = 9
BLOCK = bytes(4096)
QUICK_S = 1e-4
"""No disk is quicker by itself."""
SLOW_S, VERY_SLOW_S = 0.05, 0.5
"""A line is on its way to readers once one such write is safe; from the first on that is felt."""
_GROUP, _OTHERS = 0o070, 0o007


def beside(folder: Path) -> Path:
    """The folder, or where it would be made: the nearest above it that is there."""
    return next((one for one in (folder, *folder.absolute().parents) if one.is_dir()), folder)


def look_at_folder(code: str, folder: Path, what: str) -> Iterator[Finding]:
    """Whether it is there and takes a file; what is tried is a nameless file that is gone at once."""
    place = beside(folder)
    if folder.exists() and not folder.is_dir():
        yield wrong(code, f"{what}, {folder}, is a file.", "Name a folder.")
        return
    try:
        with tempfile.TemporaryFile(dir=place) as file:
            file.write(BLOCK)
    except OSError as error:
        yield wrong(
            code,
            f"{what}, {folder}, cannot be written to ({error.strerror}).",
            "Give it to the user who runs Shimawa, or run the doctor as that user.",
        )
        return
    if place != folder:
        yield well(code, f"{what}, {folder}, is not there yet; it will be made at the first start.")
        return
    yield well(code, f"{what}, {folder}, can be written to.")
    if os.name != "nt":
        yield from owned(f"{code}_owner", folder.stat().st_uid, os.geteuid(), f"{what}, {folder},")
    yield from privacy(f"{code}_private", folder, what)


def owned(code: str, owner: int, me: int, what: str) -> Iterator[Finding]:
    """By number of user. What this user may do says nothing of what its owner may."""
    if owner != me:
        then = "Run the doctor as the user who runs Shimawa: sudo -u USER shimawa doctor"
        yield attention(code, f"{what} belongs to another user than the one who asks.", then)


def privacy(code: str, path: Path, what: str) -> Iterator[Finding]:
    """Where files have no such bits (Windows) nothing is said."""
    if os.name == "nt":
        return
    try:
        mode = path.stat().st_mode
    except OSError as error:
        yield wrong(code, f"{what}, {path}, cannot be looked at ({error.strerror}).", "Check its name and its owner.")
        return
    finding = judged(code, mode, f"{what}, {path},", f"chmod {'700' if path.is_dir() else '600'} {path}")
    if finding is not None:
        yield finding


def judged(code: str, mode: int, what: str, mend: str) -> Finding | None:
    """`mode`: permission bits. None: nobody but its owner."""
    if mode & _OTHERS:
        return wrong(code, f"{what} is open to everybody who has an account on this machine.", mend)
    if mode & _GROUP:
        return attention(code, f"{what} is open to the other members of its group.", f"Unless that is meant: {mend}")
    return None


def look_at_writes(code: str, folder: Path) -> Iterator[Finding]:
    yield judge_write(code, time_of_write(beside(folder)))


def judge_write(code: str, took_s: float) -> Finding:
    took = f"{took_s * 1e3:.1f} ms" if took_s >= QUICK_S else "less than 0.1 ms"
    said = f"A write that is safe from a power cut takes {took} here"
    slow = "Put the data on an SSD; memory cards and network folders are like this."
    if took_s >= VERY_SLOW_S:
        return wrong(code, f"{said}: far too long, captions and pages would wait for the disk.", slow)
    if took_s >= SLOW_S:
        return attention(code, f"{said}: captions come noticeably later when several people speak.", slow)
    cache = " A cache answers, which must outlive a power cut itself." if took_s < QUICK_S else ""
    return well(code, f"{said}: nobody will notice it.{cache}")


def time_of_write(folder: Path) -> float:
    """Seconds of one small write and `fsync`, the median of several. Raises OSError."""
    took = []
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-") as file:  # without a name some disks do less
        for _ in range(WRITES):
            began = time.perf_counter()
            file.write(BLOCK)
            file.flush()
            os.fsync(file.fileno())
            took.append(time.perf_counter() - began)
    return statistics.median(took)
