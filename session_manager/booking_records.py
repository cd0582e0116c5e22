"""The facts of the facility's day as plain values: municipalities, places, bookings, series.

Instants (`*_at`) are whole UTC POSIX seconds and derived: what people agreed on is the local time and the zone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from session_manager.booking import Attendance, Kind, State
from session_manager.enrolment import NewCircle
from session_manager.pricing import UNLIMITED, Holder, Limits, PriceRule
from session_manager.schedule import Interval, Suggestion, Wall
from session_manager.series import Mode, SeriesDate

DEFAULT_MUNICIPALITY = "default"

PlaceKind = Literal["room", "seat", "area", "free_use", "equipment"]
OFFICE = Holder("office", "office", 0)


@dataclass(frozen=True, slots=True)
class Rules:
    """A municipality's rules. `limits` by user class, "" for every other; `country` whose holidays are kept."""

    country: str = "JP"
    limits: Mapping[str, Limits] = field(default_factory=lambda: {"": Limits(), "office": UNLIMITED})
    prices: tuple[PriceRule, ...] = ()
    attendance: Attendance = field(default_factory=Attendance)
    request_hold_s: int = 3 * 86_400


@dataclass(frozen=True, slots=True)
class Municipality:
    municipality_id: str
    name: str
    rules: Rules


@dataclass(frozen=True, slots=True)
class NewPlace:
    """`capacity`: people it takes; `quantity`: how many alike there are. `part_of`: the area that it lies in."""

    facility_id: str
    kind: PlaceKind
    name: str
    capacity: int = 1
    quantity: int = 1
    part_of: str | None = None
    buffer_before_s: int = 0
    buffer_after_s: int = 0
    needs_approval: bool = False
    attendance: Attendance | None = None


@dataclass(frozen=True, slots=True)
class Place(NewPlace):
    """A room's place has the room's identifier. `attendance` None: as the municipality's rules say."""

    place_id: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one booking asks of one place."""

    place_id: str
    amount: int = 1


@dataclass(frozen=True, slots=True)
class NewBooking:
    """`holder` who it is for, `made_by` who typed it. `pass_code`: a guest pass that is used up by it.

    `accepted_yen`: the fee that was shown and agreed to; another one is refused and shown again.
    `municipality_id` is that of the places; said only for what has none, a date online.
    """

    title: str
    kind: Kind
    time: Wall
    places: tuple[Wanted, ...]
    holder: Holder = OFFICE
    made_by: str = ""
    people: int = 1
    mode: Mode = "in_person"
    languages: tuple[str, ...] = ("ja",)
    confidential: bool = False
    link: str = ""
    municipality_id: str = DEFAULT_MUNICIPALITY
    pass_code: str = field(default="", repr=False)
    accepted_yen: int = 0


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change that waits for approval while the booking keeps what it has."""

    time: Wall
    places: tuple[Wanted, ...]


@dataclass(frozen=True, slots=True)
class Booking:
    booking_id: str
    municipality_id: str
    series_id: str | None
    position: int
    title: str
    kind: Kind
    state: State
    starts: datetime
    ends: datetime
    zone: str
    starts_at: int
    ends_at: int
    places: tuple[Wanted, ...]
    holder: str
    user_class: str
    level: int
    made_by: str
    people: int
    mode: Mode
    languages: tuple[str, ...]
    confidential: bool
    link: str
    yen: int
    price_reason: str
    created_at: int
    expires_at: int | None
    checked_in_at: int | None
    ended_at: int | None
    reason: str
    proposal: Proposal | None
    session_id: str | None
    by_pass: bool

    @property
    def time(self) -> Wall:
        return Wall(self.starts, self.ends, self.zone)

    @property
    def interval(self) -> Interval:
        return Interval(self.starts_at, self.ends_at)


@dataclass(frozen=True, slots=True)
class Taken:
    """Somebody holds that place then; nothing about who or why."""

    place_id: str
    time: Interval


@dataclass(frozen=True, slots=True)
class Quote:
    """What would become of a wish, with nothing saved. `problems`: sentences; empty: it can be booked."""

    time: Wall
    interval: Interval
    yen: int
    price_reason: str
    needs_approval: bool
    problems: tuple[str, ...] = ()
    taken: tuple[Taken, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()
    free_s: int = 0

    @property
    def possible(self) -> bool:
        return not self.problems


@dataclass(frozen=True, slots=True)
class Refused:
    """Not booked, nothing saved; the quote says why and what would do instead."""

    quote: Quote


@dataclass(frozen=True, slots=True)
class NewSeries:
    """`pattern` says everything but the dates. `rule` empty: an irregular list; its first date is `pattern.time`.

    `skip`: positions that are kept as wanted and hold nothing. `rotation`: places by turns, the first date at the
    first. `instead`: what a single position has otherwise than the rule says. `circle`: whose series it is.
    """

    pattern: NewBooking
    rule: str = ""
    dates: tuple[SeriesDate, ...] = ()
    skip: frozenset[int] = frozenset()
    rotation: tuple[tuple[str, ...], ...] = ()
    instead: Mapping[int, SeriesDate] = field(default_factory=dict)
    circle: NewCircle | None = None


@dataclass(frozen=True, slots=True)
class DateQuote:
    """One date of a series as it would be; `skipped`: it is asked to be left out."""

    position: int
    quote: Quote
    mode: Mode
    skipped: bool


@dataclass(frozen=True, slots=True)
class SeriesRefused:
    """Nothing was saved or changed; some date cannot be had."""

    dates: tuple[DateQuote, ...]


@dataclass(frozen=True, slots=True)
class BookingChange:
    """What to change of a booking; None: leave. `accepted_yen`: the new fee, agreed to."""

    title: str | None = None
    time: Wall | None = None
    places: tuple[Wanted, ...] | None = None
    mode: Mode | None = None
    people: int | None = None
    accepted_yen: int | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """`rule` empty: an irregular list. `strikes`: dates in a row that nobody came to; `struck_at`: then we asked."""

    series_id: str
    municipality_id: str
    title: str
    rule: str
    holder: str
    strikes: int
    struck_at: int | None
    created_at: int
    dates: tuple[Booking, ...]


@dataclass(frozen=True, slots=True)
class BookingEvent:
    """What happened to a booking, in order: the source of notices and of the audit. `number` only grows."""

    number: int
    booking_id: str
    what: str
    by: str
    happened_at: int
    data: Mapping[str, object]
