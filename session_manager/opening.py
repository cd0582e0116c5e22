"""When a place is open: hours of the week, holidays, closed and special days, laid on the days of a calendar. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache

import holidays

from session_manager.schedule import Interval, instant, merged

DAY_MINUTES = 1440


@dataclass(frozen=True, slots=True)
class Hours:
    """Minutes of the wall clock from that day's midnight; 1440 is the next midnight."""

    opens: int
    closes: int

    def __post_init__(self) -> None:
        if not 0 <= self.opens < self.closes <= DAY_MINUTES:
            raise ValueError("opening hours must end after they begin, within one day")


OFFICE_DAY = (Hours(9 * 60, 22 * 60),)


@dataclass(frozen=True, slots=True)
class Opening:
    """`week`: seven days from Monday. `on_holidays`: the hours of public holidays, None: as on any other day.

    `closed` (with a reason people are shown) beats `special`, which beats holidays, which beat the week.
    """

    week: tuple[tuple[Hours, ...], ...] = (OFFICE_DAY,) * 7
    on_holidays: tuple[Hours, ...] | None = ()
    closed: Mapping[date, str] = field(default_factory=dict)
    special: Mapping[date, tuple[Hours, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.week) != 7:
            raise ValueError("a week has seven days")


ALWAYS = Opening(week=((Hours(0, DAY_MINUTES),),) * 7, on_holidays=None)


@dataclass(frozen=True, slots=True)
class OpenDay:
    """`note`: the holiday's name, or why the place is closed."""

    day: date
    hours: tuple[Hours, ...]
    note: str | None = None


@lru_cache(maxsize=64)
def _year(country: str, year: int, language: str) -> Mapping[date, str]:
    return dict(holidays.country_holidays(country, years=year, language=language))


def public_holidays(country: str, first: date, last: date, language: str = "ja") -> dict[date, str]:
    """By the country's law, with substitute days; `country` as ISO 3166 ("JP"), empty: none are kept."""
    if not country:
        return {}
    years = (_year(country, year, language) for year in range(first.year, last.year + 1))
    return {day: name for one in years for day, name in one.items() if first <= day <= last}


def known_country(country: str) -> bool:
    return not country or country in holidays.list_supported_countries(include_aliases=False)


def open_day(opening: Opening, day: date, holiday: str | None) -> OpenDay:
    if day in opening.closed:
        return OpenDay(day, (), opening.closed[day])
    if day in opening.special:
        return OpenDay(day, opening.special[day], holiday)
    if holiday is not None and opening.on_holidays is not None:
        return OpenDay(day, opening.on_holidays, holiday)
    return OpenDay(day, opening.week[day.weekday()], holiday)


def open_days(opening: Opening, first: date, last: date, country: str, language: str = "ja") -> list[OpenDay]:
    """Both days included."""
    feasts = public_holidays(country, first, last, language)
    return [open_day(opening, day, feasts.get(day)) for day in _days(first, last)]


def open_intervals(days: Iterable[OpenDay], zone: str) -> list[Interval]:
    """The hours as time that passes: a day of 24 hours has 23 or 25 when the clocks change; touching days are one."""
    found = []
    for day in days:
        for hours in day.hours:
            starts_at, ends_at = _at(day.day, hours.opens, zone), _at(day.day, hours.closes, zone)
            if ends_at > starts_at:
                found.append(Interval(starts_at, ends_at))
    return merged(found)


def _at(day: date, minutes: int, zone: str) -> int:
    return instant(datetime.combine(day, time()) + timedelta(minutes=minutes), zone)


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=number) for number in range((last - first).days + 1))
