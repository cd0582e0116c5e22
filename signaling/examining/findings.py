"""What an examination found, and how it reads. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

Level = Literal["well", "attention", "wrong"]
WIDTH = 100
_MARK: dict[Level, str] = {"well": "  well       ", "attention": "! attention  ", "wrong": "X wrong      "}
_INDENT = " " * 13
_UNITS = ((365 * 86_400.0, "year"), (86_400.0, "day"), (3_600.0, "hour"), (60.0, "minute"))


@dataclass(frozen=True, slots=True)
class Finding:
    """`code` never changes: programs read it. `sentence` says what is, `next` what to do; nothing to do: empty."""

    code: str
    level: Level
    sentence: str
    next: str = ""


def well(code: str, sentence: str, then: str = "") -> Finding:
    return Finding(code, "well", sentence, then)


def attention(code: str, sentence: str, then: str) -> Finding:
    return Finding(code, "attention", sentence, then)


def wrong(code: str, sentence: str, then: str) -> Finding:
    return Finding(code, "wrong", sentence, then)


def exit_code(findings: Sequence[Finding]) -> int:
    """0: well, or worth attention. 1: something is wrong."""
    return 1 if any(one.level == "wrong" for one in findings) else 0


def as_rows(findings: Sequence[Finding]) -> list[dict[str, str]]:
    return [asdict(one) for one in findings]


def lines(finding: Finding, width: int = WIDTH) -> list[str]:
    """As people read it: the level, the sentence, what to do next below it."""
    then = [("Next: " + finding.next, _INDENT)] if finding.next else []
    found: list[str] = []
    for text, first in ((finding.sentence, _MARK[finding.level]), *then):
        found += textwrap.wrap(
            text,
            max(width, 40),
            initial_indent=first,
            subsequent_indent=_INDENT,
            break_long_words=False,
            break_on_hyphens=False,
        )
    return found


def summary(findings: Sequence[Finding]) -> str:
    count = {level: sum(one.level == level for one in findings) for level in _MARK}
    if count["wrong"]:
        head = f"{_things(count['wrong'])} wrong: begin there."
    elif count["attention"]:
        head = "Nothing is wrong."
    else:
        return f"All is well ({len(findings)} looked at)."
    more = f" {_things(count['attention'])} worth attention." if count["attention"] else ""
    rest = f" {_things(count['well'])} well." if count["well"] else ""
    return f"{head}{more}{rest}"


def _things(count: int) -> str:
    return "1 thing is" if count == 1 else f"{count} things are"


def hours_in_words(seconds: float) -> str:
    """Of sound: an evening is counted in hours, and so is what a disk takes of it."""
    return f"about {int(seconds // 3600):,} hours" if seconds >= 7200 else time_in_words(seconds)


def time_in_words(seconds: float) -> str:
    """Never more than there is: `about 3 hours` for 3.9 of them."""
    for unit_s, name in _UNITS:
        if seconds >= unit_s:
            count = int(seconds // unit_s)
            return f"about {count:,} {name}{'s' if count != 1 else ''}"
    return "less than a minute"


def size_in_words(size: float) -> str:
    """Bytes in powers of ten, as disks are sold."""
    for unit, name in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size / 1e3:.0f} kB"
