"""The facts of a booking as lines that a person reads: when, where, how, what it costs, until when, why.

Pure. Times are those of the facility's own clock, with the day of the week; the zone is named where it is not Japan's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from session_manager.schedule import Wall, local_time

Language = Literal["ja", "en"]

CONFIDENTIAL: Mapping[str, str] = {"ja": "非公開の予約", "en": "a private booking"}
MODES: Mapping[str, Mapping[str, str]] = {
    "ja": {"in_person": "会場で", "online": "オンライン（会場なし）", "hybrid": "会場とオンライン"},
    "en": {"in_person": "in the room", "online": "online, no room", "hybrid": "in the room and online"},
}
_LABELS: Mapping[str, Mapping[str, str]] = {
    "ja": {
        "when": "日時",
        "dates": "日程",
        "where": "場所",
        "mode": "開き方",
        "people": "人数",
        "fee": "料金",
        "who": "申込者",
        "wish": "希望する日時",
        "until": "期限",
        "reason": "理由",
        "boats": "船",
        "door": "入口",
        "network": "ネットワーク",
        "page": "予約を見る",
    },
    "en": {
        "when": "When",
        "dates": "Dates",
        "where": "Where",
        "mode": "How",
        "people": "People",
        "fee": "Fee",
        "who": "Asked by",
        "wish": "Wished instead",
        "until": "Until",
        "reason": "Reason",
        "boats": "Boats",
        "door": "Way in",
        "network": "Network",
        "page": "Your bookings",
    },
}
_DAYS_JA = "月火水木金土日"
_DAYS_EN = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS_EN = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_HOME = "Asia/Tokyo"
NEXT_LINE = "\n"
MOST_DATES = 60
"""More dates than this are counted, not listed."""


@dataclass(frozen=True, slots=True)
class Notes:
    """What a facility tells everybody who comes. Empty: nothing."""

    boats: str = ""
    door: str = ""
    network: str = ""


@dataclass(frozen=True, slots=True)
class DateFacts:
    """One date. `time`: by the facility's clock; `where` empty: nowhere, it is online."""

    time: Wall
    where: str
    mode: str


@dataclass(frozen=True, slots=True)
class Facts:
    """`wish`: another time that was asked for. `until_at`, POSIX seconds: when an offer ends."""

    title: str
    dates: tuple[DateFacts, ...]
    people: int = 0
    yen: int = 0
    who: str = ""
    reason: str = ""
    wish: Wall | None = None
    until_at: int | None = None
    notes: Notes = field(default_factory=Notes)
    page: str = ""


def lines(facts: Facts, language: str) -> str:
    """One fact a line; dates that differ only in time share their place."""
    known = "ja" if language == "ja" else "en"
    found = _dates(facts.dates, known)
    if facts.people > 1:
        found.append(("people", f"{facts.people}名" if known == "ja" else str(facts.people)))
    if facts.yen:
        found.append(("fee", f"{facts.yen:,}円" if known == "ja" else f"{facts.yen:,} yen"))
    if facts.wish is not None:
        found.append(("wish", when(facts.wish, known)))
    if facts.until_at is not None and facts.dates:
        found.append(("until", _moment(local_time(facts.until_at, facts.dates[0].time.zone), known)))
    found += [(name, getattr(facts, name)) for name in ("who", "reason")]
    found += [(name, getattr(facts.notes, name)) for name in ("boats", "door", "network")]
    found.append(("page", facts.page))
    return "\n".join(
        f"{_LABELS[known][name]}:{text if text[0] == NEXT_LINE else f' {text}'}" for name, text in found if text
    )


def title(name: str, dates: int, language: str) -> str:
    """Of the subject: a series says how many dates it is about."""
    if dates < 2:
        return name
    return f"{name}（{dates}回）" if language == "ja" else f"{name} ({dates} dates)"


def when(time: Wall, language: str) -> str:
    """2026年10月14日（水）18:30～20:30, or Wed 14 October 2026, 18:30-20:30."""
    if time.ends.date() == time.starts.date():
        until = f"～{time.ends:%H:%M}" if language == "ja" else f"-{time.ends:%H:%M}"
    else:
        until = f"～{_moment(time.ends, language)}" if language == "ja" else f" to {_moment(time.ends, language)}"
    return f"{_moment(time.starts, language)}{until}{_zone(time.zone, language)}"


def _moment(at: datetime, language: str) -> str:
    if language == "ja":
        return f"{at.year}年{at.month}月{at.day}日（{_DAYS_JA[at.weekday()]}）{at:%H:%M}"
    return f"{_DAYS_EN[at.weekday()]} {at.day} {_MONTHS_EN[at.month - 1]} {at.year}, {at:%H:%M}"


def _zone(zone: str, language: str) -> str:
    if zone == _HOME:
        return ""
    return f"（{zone}の時刻）" if language == "ja" else f" ({zone} time)"


def _dates(dates: Sequence[DateFacts], language: str) -> list[tuple[str, str]]:
    if not dates:
        return []
    places = list(dict.fromkeys(one.where for one in dates))
    modes = list(dict.fromkeys(one.mode for one in dates))
    shared = [("where", places[0])] if len(places) == 1 else []
    if len(modes) == 1:
        shared.append(("mode", MODES[language].get(modes[0], "") if modes[0] != "in_person" else ""))
    if len(dates) == 1:
        return [("when", when(dates[0].time, language)), *shared]
    rows = [_one_of_many(one, len(places) > 1, len(modes) > 1, language) for one in dates[:MOST_DATES]]
    more = len(dates) - len(rows)
    if more:
        rows.append(f"  ほか{more}回" if language == "ja" else f"  and {more} more")
    return [("dates", "\n" + "\n".join(rows)), *shared]


def _one_of_many(one: DateFacts, places: bool, modes: bool, language: str) -> str:
    parts = [when(one.time, language)]
    if places and one.where:
        parts.append(one.where)
    if modes:
        parts.append(MODES[language].get(one.mode, one.mode))
    return "  " + (" / " if language == "ja" else ", ").join(parts)
