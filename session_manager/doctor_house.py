"""What the doctor looks at in the hub's own house: disk, database, clock, memory and cores."""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from session_manager.settings import HubSettings
from session_manager.store.condition import Condition, State, condition
from signaling.examining.findings import Finding, Level, attention, hours_in_words, size_in_words, well, wrong
from signaling.examining.folders import beside, privacy

SOUND_BYTES_PER_S = 5_200.0
"""Of one track that talks in the audio log: Opus at 32 kb/s and 24 bytes more for each of 50 packets a second."""
EVENING_S = 2 * 3600.0
BOARDS = 4
"""An evening of four boards is what a disk must at least take, ten of them what lets one sleep."""
MANY = 10
SCARCE_BYTES = 512 << 20
CGROUP = Path("/sys/fs/cgroup")
_TIME_ERROR = 5
"""`adjtimex` gives it while nothing keeps the clock right (adjtimex(2))."""

CONDITIONS: dict[State, tuple[Level, str, str]] = {
    "absent": ("well", "There is no database yet; the first start makes it.", ""),
    "current": ("well", "The database opens and is of this version{through}.", ""),
    "older": (
        "attention",
        "The database is of an older version; the next start of the hub brings it up to date.",
        "Take a backup first: shimawa admin backup FILE",
    ),
    "newer": (
        "wrong",
        "The database was written by a newer version of Shimawa.",
        "Install that version, or restore a backup: shimawa admin restore FILE",
    ),
    "foreign": ("wrong", "This database is not one of Shimawa.", "Name another folder (--data) or database."),
    "damaged": (
        "wrong",
        "The database is damaged ({detail}).",
        "Stop the hub, keep the file, and restore the last backup: shimawa admin restore FILE",
    ),
    "closed": ("wrong", "The database cannot be opened ({detail}).", "Check its address, its owner, and its server."),
}


def look_at_room(settings: HubSettings) -> Iterator[Finding]:
    folder = settings.log_folder or settings.data / "audio"
    if settings.log_folder is not None:
        yield from privacy("log_private", beside(settings.log_folder), "The folder of the audio log")
    free = shutil.disk_usage(beside(folder)).free
    yield judge_room(free)


def judge_room(free: int) -> Finding:
    """`free`: bytes of the disk of the audio log."""
    hours = hours_in_words(free / SOUND_BYTES_PER_S)
    said = f"{size_in_words(free)} are free: room for {hours} of one board's talk."
    evening = EVENING_S * BOARDS * SOUND_BYTES_PER_S
    make = "Make room, or put the audio log on a larger disk: --log-folder"
    if free < evening:
        return wrong("disk", f"{said} That is less than one evening of {BOARDS} boards.", make)
    if free < evening * MANY:
        return attention("disk", f"{said} That is less than {MANY} evenings of {BOARDS} boards.", make)
    return well("disk", said)


def look_at_database(settings: HubSettings) -> Iterator[Finding]:
    found = condition(settings.records)
    yield judge_database(found)
    if not settings.database and Path(settings.records).exists():
        yield from privacy("database_private", Path(settings.records), "The database")


def judge_database(found: Condition) -> Finding:
    level, sentence, then = CONDITIONS[found.state]
    through = ", and no damage was found in it" if found.read_through else ""
    return Finding("database", level, sentence.format(through=through, detail=found.detail.rstrip(".")), then)


def look_at_clock() -> Iterator[Finding]:
    yield judge_clock(clock_is_kept())


def judge_clock(kept: bool | None) -> Finding:
    """None: the system does not say."""
    if kept is None:
        return attention(
            "clock",
            "Whether something keeps this machine's clock right is not known here.",
            "Compare it with a watch; sessions begin by it.",
        )
    if not kept:
        return attention(
            "clock",
            "Nothing keeps this machine's clock right: it drifts, and bookings begin by it.",
            "Switch time synchronisation on: timedatectl set-ntp true. "
            "Without internet: take the time from a router or a GPS clock (chrony).",
        )
    return well("clock", "The clock is kept right by a time server.")


def clock_is_kept() -> bool | None:
    """What the kernel knows of it, asked without changing anything (`modes` 0); `timedatectl` shows the same."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    timex = ctypes.create_string_buffer(512)  # larger than any `struct timex`; zeros ask only
    state = int(libc.adjtimex(timex))
    return None if state < 0 else state != _TIME_ERROR


def look_at_machine() -> Iterator[Finding]:
    total, free = memory()
    count = cores()
    said = f"{count:g} core{'s' if count != 1 else ''}"
    if total is None or free is None:
        yield well("machine", f"{said}; how much memory there is, is not known here.")
    elif free < SCARCE_BYTES:
        yield attention(
            "machine",
            f"{said}, {size_in_words(total)} of memory, of which only {size_in_words(free)} are free.",
            "End other programs, or add memory.",
        )
    else:
        yield well("machine", f"{said}, {size_in_words(total)} of memory, {size_in_words(free)} of it free.")


def cores() -> float:
    """That this process may use; a container may have been given a part of one."""
    given = float(len(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else float(os.cpu_count() or 1)
    quota, _, period = _line(CGROUP / "cpu.max").partition(" ")
    if quota.isdecimal() and period.isdecimal() and int(period):
        return min(given, int(quota) / int(period))
    return given


def memory() -> tuple[int | None, int | None]:
    """Bytes in all and free, of the machine or of the container where that is less; None where nobody says."""
    try:
        rows = dict(row.split(":", 1) for row in Path("/proc/meminfo").read_text(encoding="ascii").splitlines())
        total, free = (int(rows[name].split()[0]) * 1024 for name in ("MemTotal", "MemAvailable"))
    except (OSError, ValueError, KeyError):
        return None, None
    limit, used = _line(CGROUP / "memory.max"), _line(CGROUP / "memory.current")
    if limit.isdecimal() and used.isdecimal():
        return min(total, int(limit)), min(free, max(0, int(limit) - int(used)))
    return total, free


def _line(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
