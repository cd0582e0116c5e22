"""Many dates at once: by a rule of the calendar or as a list, and changes of one, the rest, or all of them. Pure.

Rules are a part of RFC 5545's RRULE, unrolled by dateutil in local time and only then placed in UTC: an evening at
18:30 stays at 18:30 when the clocks change.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Literal
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

from session_manager.schedule import Wall

MAX_DATES = 400
HORIZON = timedelta(days=400)
"""Thirteen months and a little: no series is planned further ahead."""

_PARTS = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "WKST"}
_FREQUENCIES = {"DAILY", "WEEKLY", "MONTHLY", "YEARLY"}
_DAY_NAMES = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_COMPACT = "%Y%m%dT%H%M%S"
"""Also the bound of every search: a rule that never comes true ends with the horizon."""
_SPELLING = re.compile(r"[A-Z0-9=;,+\-]{1,200}")

Mode = Literal["in_person", "online", "hybrid"]
Scope = Literal["one", "this_and_later", "all"]


class BadRule(ValueError):
    """`str()` is a sentence for the person who made the series."""


@dataclass(frozen=True, slots=True)
class SeriesDate:
    """One date as wished. `place_ids` None: those of the series; `mode` None: likewise."""

    time: Wall
    mode: Mode | None = None
    place_ids: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What to change of a date; None: leave. `clock` is the new local hour and minute, `days` moves the day.

    `place_ids`: instead of all places it has.
    """

    clock: tuple[int, int] | None = None
    length_s: int | None = None
    days: int = 0
    mode: Mode | None = None
    place_ids: tuple[str, ...] | None = None


def nth_weekday(nth: int, weekday: int, count: int) -> str:
    """The rule of "every second Wednesday": `nth` 1 to 4, -1 the last; `weekday` 0 is Monday."""
    if nth not in {1, 2, 3, 4, -1}:
        raise BadRule("Choose the first to the fourth or the last: not every month has a fifth.")
    return f"FREQ=MONTHLY;BYDAY={nth}{_DAY_NAMES[weekday]};COUNT={count}"


def expand(rule: str, first: Wall) -> list[Wall]:
    """From `first` on, all with its local times and length. Raises BadRule for what we do not know or cannot bound."""
    parts = _parts(rule, first.zone)
    length = first.ends - first.starts
    count = int(parts.pop("COUNT", MAX_DATES))
    wanted = datetime.strptime(parts["UNTIL"], _COMPACT) if "UNTIL" in parts else None
    horizon = first.starts + HORIZON
    parts["UNTIL"] = min(wanted or horizon, horizon).strftime(_COMPACT)
    try:
        rule_read = rrulestr(";".join(f"{key}={value}" for key, value in parts.items()), dtstart=first.starts)
        dates = list(islice(rule_read, MAX_DATES + 1))
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        raise BadRule("That rule cannot be read. Write it as in a calendar, like FREQ=WEEKLY;COUNT=12.") from error
    if not dates:
        raise BadRule("That rule gives no date at all.")
    cut = len(dates) < count if wanted is None else wanted > horizon or len(dates) > MAX_DATES
    if cut:
        raise BadRule("A series has at most 400 dates within 13 months. Choose an earlier end.")
    return [Wall(starts, starts + length, first.zone) for starts in dates[:count]]


def _parts(rule: str, zone: str) -> dict[str, str]:
    text = rule.removeprefix("RRULE:").upper()
    if not _SPELLING.fullmatch(text):
        raise BadRule("That rule cannot be read. Write it as in a calendar, like FREQ=WEEKLY;COUNT=12.")
    pairs = [part.partition("=") for part in text.split(";") if part]
    parts = {key: value for key, _, value in pairs}
    unknown = set(parts) - _PARTS
    if unknown or len(parts) != len(pairs) or parts.get("FREQ") not in _FREQUENCIES:
        raise BadRule("Series are daily, weekly, monthly or yearly, on days of the week or of the month.")
    if ("COUNT" in parts) == ("UNTIL" in parts):
        raise BadRule("A series needs an end: either a number of dates or a last day.")
    if re.search(r"(?:^|,)\+?-?5[A-Z]", parts.get("BYDAY", "")):
        raise BadRule("Not every month has a fifth. Choose the last one (-1) instead.")
    for name in ("COUNT", "INTERVAL"):
        if name in parts and not 1 <= int(parts[name] if parts[name].isdigit() else 0) <= MAX_DATES:
            raise BadRule("The number of dates and the step between them must be between 1 and 400.")
    if "UNTIL" in parts:
        parts["UNTIL"] = _until(parts["UNTIL"], zone)
    return parts


def _until(text: str, zone: str) -> str:
    """Local and inclusive: a day counts to its end, an instant in UTC is what the clock there shows then."""
    try:
        if len(text) == 8:
            return datetime.strptime(text, "%Y%m%d").strftime("%Y%m%dT235959")
        if text.endswith("Z"):
            at = datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=ZoneInfo("UTC"))
            return at.astimezone(ZoneInfo(zone)).strftime(_COMPACT)
        return datetime.strptime(text, _COMPACT).strftime(_COMPACT)
    except (ValueError, OverflowError) as error:
        raise BadRule("The last day of a series is written like 20261231.") from error


def in_order(dates: Iterable[SeriesDate]) -> list[SeriesDate]:
    """An irregular list, by time. Raises BadRule when it is empty, too long, or two dates start together."""
    found = sorted(dates, key=lambda date: date.time.starts)
    if not 1 <= len(found) <= MAX_DATES:
        raise BadRule("A series has between 1 and 400 dates.")
    if any(not one.time.ends > one.time.starts for one in found):
        raise BadRule("Each date must end after it starts.")
    if len({one.time.starts for one in found}) != len(found):
        raise BadRule("Two dates of the series start at the same time. Leave one out.")
    return found


def positions(count: int, position: int, scope: Scope) -> range:
    """Which of `count` dates a change at `position` is about."""
    if not 0 <= position < count:
        raise IndexError(position)
    return {
        "one": range(position, position + 1),
        "this_and_later": range(position, count),
        "all": range(count),
    }[scope]


def changed(time: Wall, change: Change) -> Wall:
    """On the wall: a later hour stays that hour on every date, whatever the clocks do."""
    length = time.ends - time.starts if change.length_s is None else timedelta(seconds=change.length_s)
    starts = time.starts + timedelta(days=change.days)
    if change.clock is not None:
        starts = starts.replace(hour=change.clock[0], minute=change.clock[1])
    return replace(time, starts=starts, ends=starts + length)
