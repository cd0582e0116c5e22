"""A school's timetable, read once a term: rows of lessons into dates, and a sentence for each that cannot be. Pure.

A row of the CSV names a subject, a day of the week and a period (or its own times). An .ics gives subject and times;
its series are unrolled by `session_manager.ical` before.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

COLUMNS = ("subject", "day", "period", "starts", "ends", "far")
MAX_ROWS = 200
_DAYS: Mapping[str, int] = {
    **{day: number for number, day in enumerate("月火水木金土日")},
    **{day: number for number, day in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))},
}
_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")


@dataclass(frozen=True, slots=True)
class Term:
    """Both days included. `off`: days without school. `periods`: the school's bells, like `3`: (10:50, 11:40)."""

    first: date
    last: date
    off: frozenset[date] = frozenset()
    periods: Mapping[str, tuple[time, time]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LessonRow:
    """One lesson of the week, or of an .ics. `row`: as people count, the first line of lessons is 2.

    `left_out`: its days that fall on one without school. `problems`: sentences; it is not taken over with any.
    """

    row: int
    subject: str
    period: str
    far: str
    dates: tuple[tuple[datetime, datetime], ...] = ()
    left_out: tuple[date, ...] = ()
    problems: tuple[str, ...] = ()


def weekly(rows: Sequence[Mapping[str, str]], term: Term) -> list[LessonRow]:
    """Rows as `sheets.read_sheet` gives them."""
    return [_weekly(number, row, term) for number, row in enumerate(rows, start=2)]


def dated(lessons: Sequence[tuple[str, datetime, datetime]], term: Term) -> list[LessonRow]:
    """Out of a calendar: the same subject at the same hour of the same weekday is one row."""
    together: dict[tuple[str, int, time, time], list[tuple[datetime, datetime]]] = {}
    for subject, starts, ends in lessons:
        if term.first <= starts.date() <= term.last:
            key = (subject.strip(), starts.weekday(), starts.time(), ends.time())
            together.setdefault(key, []).append((starts, ends))
    found = []
    for number, ((subject, _, opens, closes), dates) in enumerate(together.items(), start=2):
        period = next((name for name, bells in term.periods.items() if bells == (opens, closes)), "")
        found.append(_row(number, subject, period, "", sorted(set(dates)), term))
    return found


def days_off(spans: Collection[tuple[date, date]]) -> frozenset[date]:
    """Holidays as spans, both days included; a year at most each."""
    return frozenset(
        first + timedelta(days=number)
        for first, last in spans
        for number in range(min(max((last - first).days + 1, 0), 366))
    )


def _weekly(number: int, row: Mapping[str, str], term: Term) -> LessonRow:
    day = _DAYS.get(row["day"].strip().lower()[:3], _DAYS.get(row["day"].strip()[:1]))
    bells = _bells(row, term)
    problems = []
    if day is None:
        problems.append("The day must be a day of the week, like Mon.")
    if bells is None:
        problems.append("Name a period of the school, or when it starts and ends, like 10:50.")
    elif bells[1] <= bells[0]:
        problems.append("The lesson ends before it starts.")
    if day is None or bells is None or problems:
        return LessonRow(number, row["subject"], row["period"], row["far"], problems=tuple(problems))
    first = term.first + timedelta(days=(day - term.first.weekday()) % 7)
    weeks = range(max(0, (term.last - first).days // 7 + 1))
    days = [first + timedelta(weeks=week) for week in weeks]
    dates = [(datetime.combine(one, bells[0]), datetime.combine(one, bells[1])) for one in days]
    return _row(number, row["subject"], row["period"], row["far"], dates, term)


def _row(
    number: int, subject: str, period: str, far: str, dates: Sequence[tuple[datetime, datetime]], term: Term
) -> LessonRow:
    there = tuple(one for one in dates if one[0].date() not in term.off)
    out = tuple(one[0].date() for one in dates if one[0].date() in term.off)
    problems = [] if there else ["In this term the lesson has no day at all."]
    if not subject.strip():
        problems.append("The subject is missing.")
    if any(ends <= starts or ends - starts > timedelta(hours=6) for starts, ends in there):
        problems.append("A lesson lasts six hours at most and ends after it starts.")
    return LessonRow(number, subject.strip()[:80], period, far, there, out, tuple(problems))


def _bells(row: Mapping[str, str], term: Term) -> tuple[time, time] | None:
    starts, ends = (_CLOCK.fullmatch(row[name].strip()) for name in ("starts", "ends"))
    if starts and ends:
        return time(int(starts[1]), int(starts[2])), time(int(ends[1]), int(ends[2]))
    return term.periods.get(row["period"].strip().removesuffix("時限").removesuffix("限"))
