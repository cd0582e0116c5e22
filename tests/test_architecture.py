"""The import table and the doors of the design, read from the syntax trees."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("hardware", "room_agent", "session_manager", "signaling", "transcription")

MAY_IMPORT = {
    "hardware": (),
    "transcription": (),
    "signaling": (),
    "room_agent": ("hardware", "signaling", "transcription.audio_log"),
    "session_manager": ("signaling", "transcription"),
}

DOORS = {
    "sounddevice": ("hardware/drivers/portaudio.py",),
    "cv2": ("hardware/drivers/opencv.py",),
    "livekit": ("hardware/echo.py",),
    "faster_whisper": ("transcription/whisper.py",),
    "ctranslate2": ("transcription/whisper.py",),
    "aiortc": ("signaling/media/", "room_agent/call.py", "room_agent/tracks.py"),
    "aioice": ("signaling/media/",),
    "sqlalchemy": ("session_manager/store/",),
    "alembic": ("session_manager/store/",),
    "fastapi": ("session_manager/web/",),
    "starlette": ("session_manager/web/", "room_agent/panel/"),
    "icalendar": ("session_manager/ical.py",),
    "joserfc": ("session_manager/openid.py",),
    "jinja2": ("session_manager/web/", "room_agent/panel/"),
}

LINUX_ONLY = {"fcntl", "grp", "pty", "pwd", "resource", "termios", "uvloop"}
"""Boards often run Windows: these may not be imported at module level by what a board loads."""

CORES = (
    "signaling/codec.py",
    "signaling/delivery.py",
    "signaling/messages.py",
    "signaling/protocol.py",
    "signaling/retry.py",
    "signaling/switchboard.py",
    "signaling/media/forwarding.py",
    "room_agent/conductor.py",
    "room_agent/mixer.py",
    "room_agent/pace.py",
    "room_agent/playout.py",
    "room_agent/spool.py",
    "hardware/framing.py",
    "transcription/endpointer.py",
    "transcription/filters.py",
    "transcription/formats.py",
    "transcription/scheduler.py",
    "transcription/stabiliser.py",
    "session_manager/access.py",
    "session_manager/agenda.py",
    "session_manager/attendance.py",
    "session_manager/booking.py",
    "session_manager/coverage.py",
    "session_manager/lifecycle.py",
    "session_manager/sheets.py",
    "session_manager/facts.py",
    "session_manager/letter_texts.py",
    "session_manager/notices.py",
    "session_manager/panel.py",
    "session_manager/precheck.py",
    "session_manager/timetable.py",
    "session_manager/occasions.py",
    "session_manager/webhooks.py",
    "session_manager/membership.py",
    "session_manager/ical.py",
    "session_manager/doors.py",
    "session_manager/feed_text.py",
    "session_manager/opening.py",
    "session_manager/place_sheet.py",
    "session_manager/pricing.py",
    "session_manager/consent.py",
    "session_manager/enrolment.py",
    "session_manager/report.py",
    "session_manager/tables.py",
    "session_manager/repair.py",
    "session_manager/recurrence.py",
    "session_manager/schedule.py",
    "session_manager/series.py",
)
"""Named, so that none of them stops being a core silently; beside them whatever says *Pure* at its head is one."""

FORBIDDEN_IN_CORES = {"asyncio", "socket", "threading", "time", "subprocess", "random", "logging", "os"}


def sources() -> list[Path]:
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def imported(path: Path, *, top_level_only: bool = False) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body if top_level_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def covered(name: str, allowed: tuple[str, ...]) -> bool:
    return any(name == entry or name.startswith(entry + ".") for entry in allowed)


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_imports_only_what_the_table_allows(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    for name in imported(path):
        head = name.split(".")[0]
        if head not in PACKAGES or head == package:
            continue
        allowed = MAY_IMPORT[package]
        parents = tuple(entry for entry in allowed if entry.startswith(name + "."))
        assert covered(name, allowed) or parents, f"{path.relative_to(ROOT)} imports {name}"


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_heavy_library_comes_in_by_its_door(path: Path) -> None:
    here = path.relative_to(ROOT).as_posix()
    for name in imported(path):
        doors = DOORS.get(name.split(".")[0])
        assert doors is None or here.startswith(doors), f"{here} imports {name}; its door is {doors}"


@pytest.mark.parametrize(
    "path",
    [path for path in sources() if path.relative_to(ROOT).parts[0] in ("hardware", "room_agent")],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_what_a_board_loads_is_portable(path: Path) -> None:
    assert not LINUX_ONLY & {name.split(".")[0] for name in imported(path, top_level_only=True)}


def saying_pure() -> set[str]:
    heads = {path: ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "" for path in sources()}
    return {path.relative_to(ROOT).as_posix() for path, head in heads.items() if re.search(r"\bPure\b", head)}


@pytest.mark.parametrize("core", sorted({*CORES, *saying_pure()}))
def test_a_core_has_no_clock_loop_thread_or_chance_of_its_own(core: str) -> None:
    found = {name.split(".")[0] for name in imported(ROOT / core)} & FORBIDDEN_IN_CORES
    assert not found, f"{core} imports {sorted(found)}"
