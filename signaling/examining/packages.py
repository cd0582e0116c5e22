"""Whether the Python packages of one extra (`hub`, `board`) are installed, in the versions that are asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version

from signaling.examining.findings import Finding, attention, well, wrong

DISTRIBUTION = "shimawa"
_NAME = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*([^;]*)")
_PLATFORM = re.compile(r"sys_platform\s*(==|!=)\s*['\"]([^'\"]+)['\"]")


@dataclass(frozen=True, slots=True)
class Needed:
    """`pinned` empty: any version will do."""

    name: str
    pinned: str = ""


def needed(requirements: Sequence[str], extra: str, platform: str) -> list[Needed]:
    """What one extra asks for on this platform, from `Requires-Dist` lines (PEP 508) as this project writes them."""
    found = []
    for line in requirements:
        _, _, marker = line.partition(";")
        match = _NAME.match(line)
        if match is None or f"extra == '{extra}'" not in marker.replace('"', "'"):
            continue
        if all((platform == name) == (sign == "==") for sign, name in _PLATFORM.findall(marker)):
            _, equal, pinned = match[2].partition("==")
            found.append(Needed(match[1], pinned.strip() if equal else ""))
    return found


def look(extra: str, platform: str, distribution: str = DISTRIBUTION) -> Iterator[Finding]:
    code = "packages"
    install = f"pip install 'shimawa[{extra}]'"
    try:
        asked = needed(requires(distribution) or [], extra, platform)
    except PackageNotFoundError:
        yield attention(
            code,
            "Shimawa runs from a folder of sources: which packages it needs is not known here.",
            f"Install it properly: {install}",
        )
        return
    have = {one.name: _installed(one.name) for one in asked}
    lacking = [name for name, found in have.items() if found is None]
    other = [f"{one.name} {have[one.name]}" for one in asked if one.pinned and have[one.name] not in (None, one.pinned)]
    if lacking:
        yield wrong(code, f"These packages are missing: {', '.join(lacking)}.", f"Install them: {install}")
    if other:
        yield wrong(code, f"These packages have another version than tested: {', '.join(other)}.", f"Run: {install}")
    if not lacking and not other:
        yield well(code, f"All {len(asked)} packages that a {extra} needs are installed.")


def broken(error: ImportError, extra: str) -> Finding:
    """One that is installed, and yet cannot be loaded."""
    said = f"{error.name or 'A package'} is installed, but cannot be loaded ({error})."
    return wrong("packages", said, f"Install it anew: pip install --force-reinstall 'shimawa[{extra}]'")


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
