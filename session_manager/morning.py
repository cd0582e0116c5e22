"""The office's morning: what stands, told in at most five lines, the worst first, each with one thing to do. Pure.

One line per subject (boards, approvals, what people reported, letters, the hub itself); it speaks of the worst that was
found there and counts the rest. A subject with nothing to say is green, and green ones are only counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Level = Literal["fault", "attention", "well"]
Subject = Literal["boards", "approvals", "reports", "letters", "hub"]
RANK: Mapping[Level, int] = {"fault": 0, "attention": 1, "well": 2}

QUIET_S = 120.0
LOST_S = 600.0
"""A board calls every few seconds: quiet after two minutes, lost after ten."""
ASLEEP_S = 30 * 86_400.0
"""A board that nobody has heard for a month is put away, not broken."""
SOON_S = 4 * 3600.0
"""A request whose time is this near is urgent."""
LITTLE_DISK = 0.10
NO_DISK = 0.03
BACKUP_S = 7 * 86_400.0


@dataclass(frozen=True, slots=True)
class BoardFact:
    """`missing`: devices that the board does not find, with since when."""

    board_id: str
    name: str
    room: str
    enrolled_at: float
    last_seen_at: float | None
    missing: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReportFact:
    room: str
    kind: str
    reported_at: float


@dataclass(frozen=True, slots=True)
class PrecheckFact:
    """A session about to begin whose board at `site` is not ready."""

    title: str
    site: str
    starts_at: float


@dataclass(frozen=True, slots=True)
class RecordFact:
    """A session of the last days. `coming`: sound that boards still have; else it has gaps."""

    session_id: str
    title: str
    coming: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """`disk_free`: of the hub's disk, 0 to 1, None: unknown. `backups`: the hub's own backup is what this
    installation goes by. `backup_at` None: there was none yet, or nobody can say.

    `requests_start_at`: when each wish that waits would begin.
    """

    boards: tuple[BoardFact, ...] = ()
    requests_start_at: tuple[float, ...] = ()
    reports: tuple[ReportFact, ...] = ()
    prechecks: tuple[PrecheckFact, ...] = ()
    letters_given_up: int = 0
    records: tuple[RecordFact, ...] = ()
    recording: bool = True
    captions: bool = True
    disk_free: float | None = None
    backups: bool = False
    backup_at: float | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """`what`: the sentence's name in the catalogue; `values` fill it; `target`: what its button leads to."""

    level: Level
    what: str
    values: Mapping[str, str | int | float] = field(default_factory=dict)
    target: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """`more`: findings of the same subject behind this one."""

    subject: Subject
    level: Level
    what: str
    values: Mapping[str, str | int | float]
    target: str
    more: int


@dataclass(frozen=True, slots=True)
class Morning:
    """`green`: subjects with nothing to say."""

    lines: tuple[Line, ...]
    green: tuple[Subject, ...]


def morning(facts: Facts, now: float) -> Morning:
    lines, green = [], []
    for subject, look in _SUBJECTS.items():
        found = sorted(look(facts, now), key=lambda one: RANK[one.level])
        if found:
            worst = found[0]
            lines.append(Line(subject, worst.level, worst.what, worst.values, worst.target, len(found) - 1))
        else:
            green.append(subject)
    return Morning(tuple(sorted(lines, key=lambda line: RANK[line.level])), tuple(green))


def _boards(facts: Facts, now: float) -> list[Finding]:
    found = [
        Finding("fault", "precheck", {"title": one.title, "site": one.site, "at": one.starts_at}, "boards")
        for one in facts.prechecks
    ]
    for board in facts.boards:
        found += _one_board(board, now)
    return found


def _one_board(board: BoardFact, now: float) -> list[Finding]:
    names: dict[str, str | int | float] = {"board": board.name, "room": board.room}
    if board.last_seen_at is None:
        return [Finding("attention", "board_never", names, "boards")]
    quiet_s = now - board.last_seen_at
    if quiet_s >= ASLEEP_S:
        return []
    if quiet_s >= QUIET_S:
        level: Level = "fault" if quiet_s >= LOST_S else "attention"
        return [Finding(level, "board_lost", {**names, "at": board.last_seen_at}, "boards")]
    return [
        Finding("fault", f"no_{device}", {**names, "at": since}, "boards")
        for device, since in sorted(board.missing.items())
    ]


def _approvals(facts: Facts, now: float) -> list[Finding]:
    waiting = sorted(facts.requests_start_at)
    if not waiting:
        return []
    values: dict[str, str | int | float] = {"n": len(waiting), "at": waiting[0]}
    return [Finding("fault" if waiting[0] - now < SOON_S else "attention", "approvals", values, "approvals")]


def _reports(facts: Facts, now: float) -> list[Finding]:
    newest = sorted(facts.reports, key=lambda one: -one.reported_at)
    return [
        Finding("fault", f"report_{one.kind}", {"room": one.room, "at": one.reported_at}, "reports") for one in newest
    ]


def _letters(facts: Facts, now: float) -> list[Finding]:
    given_up = facts.letters_given_up
    return [Finding("fault", "letters", {"n": given_up}, "letters")] if given_up else []


def _hub(facts: Facts, now: float) -> list[Finding]:
    found = []
    if not facts.recording:
        found.append(Finding("fault", "not_recording", {}, "sessions"))
    if facts.disk_free is not None and facts.disk_free < LITTLE_DISK:
        level: Level = "fault" if facts.disk_free < NO_DISK else "attention"
        found.append(Finding(level, "disk", {"percent": int(facts.disk_free * 100)}, ""))
    if not facts.captions:
        found.append(Finding("attention", "no_captions", {}, "sessions"))
    for one in facts.records:
        what = "record_coming" if one.coming else "record_gaps"
        target = f"session:{one.session_id}"
        found.append(Finding("attention", what, {"title": one.title}, target))
    if facts.backups and facts.backup_at is None:
        found.append(Finding("attention", "no_backup", {}, ""))
    elif facts.backup_at is not None and now - facts.backup_at >= BACKUP_S:
        found.append(Finding("attention", "old_backup", {"days": int((now - facts.backup_at) / 86_400)}, ""))
    return found


_SUBJECTS: Mapping[Subject, Callable[[Facts, float], Sequence[Finding]]] = {
    "boards": _boards,
    "approvals": _approvals,
    "reports": _reports,
    "letters": _letters,
    "hub": _hub,
}
