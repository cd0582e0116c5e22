"""What people and programs may send about places, bookings and series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import date, datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, Field, NaiveDatetime, StringConstraints, WithJsonSchema

from session_manager.access import Identity
from session_manager.booking import Attendance, Kind
from session_manager.booking_records import (
    Booking,
    BookingChange,
    NewBooking,
    NewPlace,
    NewSeries,
    PlaceKind,
    Rules,
    Wanted,
)
from session_manager.enrolment import NewCircle, Selection
from session_manager.errors import NotFound, NotPossible
from session_manager.opening import Hours, Opening
from session_manager.pricing import Holder, Limits, PriceRule
from session_manager.schedule import Wall, instant
from session_manager.series import Change, Mode, Scope, SeriesDate
from session_manager.store import Store
from session_manager.store.places import known_zone
from session_manager.web.forms import Form, Identifier, Language, Name

LONGEST_LOOK = timedelta(days=100)


def _whole_minutes(time: datetime) -> datetime:
    if time.second or time.microsecond or not 2000 <= time.year <= 2100:
        raise ValueError("must be a whole minute of this century")
    return time.replace(fold=0)


_LOCAL = {"type": "string", "pattern": r"^20\d\d-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d$", "examples": ["2026-10-14T18:30"]}
LocalTime = Annotated[NaiveDatetime, AfterValidator(_whole_minutes), WithJsonSchema(_LOCAL)]
Zone = Annotated[str, Field(max_length=64)]
Amount = Annotated[int, Field(ge=1, le=1000)]
Seconds = Annotated[int, Field(ge=0, le=86_400)]
Yen = Annotated[int, Field(ge=0, le=10_000_000)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)]
UserClass = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class WantedForm(Form):
    place_id: Identifier
    amount: Amount = 1


PlacesForm = Annotated[list[WantedForm], Field(max_length=32)]


class HolderForm(Form):
    subject: Annotated[str, StringConstraints(min_length=1, max_length=80)] = "office"
    user_class: UserClass = "office"
    level: Annotated[int, Field(ge=0, le=20)] = 0


class BookingForm(Form):
    """Local times of `zone` (left out: that of the first place's facility). `wait`: onto the waiting list if taken."""

    title: Name
    kind: Kind = "plain"
    starts: LocalTime
    ends: LocalTime
    zone: Zone | None = None
    places: PlacesForm
    holder: HolderForm = HolderForm()
    people: Annotated[int, Field(ge=1, le=10_000)] = 1
    mode: Mode = "in_person"
    languages: Annotated[tuple[Language, ...], Field(min_length=1, max_length=8)] = ("ja",)
    confidential: bool = False
    link: Annotated[str, StringConstraints(max_length=500, pattern=r"^(https://[^\s]+)?$")] = ""
    pass_code: Annotated[str, Field(max_length=256, repr=False)] = ""
    accepted_yen: Yen = 0
    wait: bool = False


class QuoteForm(BookingForm):
    """`but`: the booking that is to become this. It keeps its holder, its kind and its zone, and is not in its way."""

    but: Identifier | None = None


class ChangeForm(Form):
    """Left out: unchanged. Both ends of a new time together."""

    title: Name | None = None
    starts: LocalTime | None = None
    ends: LocalTime | None = None
    places: PlacesForm | None = None
    mode: Mode | None = None
    people: Annotated[int, Field(ge=1, le=10_000)] | None = None
    accepted_yen: Yen | None = None


class ReasonForm(Form):
    reason: Text = ""


class ExtendForm(Form):
    minutes: Annotated[int, Field(ge=1, le=1440)]


PlaceIds = Annotated[list[Identifier], Field(max_length=32)]


class DateForm(Form):
    starts: LocalTime
    ends: LocalTime
    mode: Mode | None = None
    place_ids: PlaceIds | None = None


class InsteadForm(DateForm):
    """Another time or place of one position, when what the rule gives is taken."""

    position: Annotated[int, Field(ge=0, le=399)]


class CircleForm(Form):
    """`group_id` left out: a new group, named like the series. `open_until` left out: nobody can apply."""

    group_id: Identifier | None = None
    capacity: Annotated[int, Field(ge=1, le=10_000)] = 20
    selection: Selection = "order"
    open_until: LocalTime | None = None


class SeriesForm(BookingForm):
    """Either `rule`, from `starts` and `ends` on, or `dates`. `skip`: positions that are kept as wanted.

    `rotation`: places by turns; `instead`: what single positions have otherwise; `circle`: whose series it is.
    """

    rule: Annotated[str, Field(max_length=200)] = ""
    dates: Annotated[tuple[DateForm, ...], Field(max_length=400)] = ()
    rotation: Annotated[tuple[PlaceIds, ...], Field(max_length=8)] = ()
    instead: Annotated[tuple[InsteadForm, ...], Field(max_length=400)] = ()
    circle: CircleForm | None = None
    skip: Annotated[tuple[Annotated[int, Field(ge=0, le=399)], ...], Field(max_length=400)] = ()


class SeriesChangeForm(Form):
    """`clock`: the new local time, like 18:30."""

    scope: Scope
    clock: Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")] | None = None
    minutes: Annotated[int, Field(ge=1, le=46_080)] | None = None
    days: Annotated[int, Field(ge=-400, le=400)] = 0
    mode: Mode | None = None
    place_ids: PlaceIds | None = None


class SeriesCancelForm(Form):
    scope: Scope
    reason: Text = ""


class PlaceForm(Form):
    facility_id: Identifier
    kind: PlaceKind
    name: Name
    capacity: Annotated[int, Field(ge=1, le=100_000)] = 1
    quantity: Amount = 1
    part_of: Identifier | None = None
    buffer_before_s: Seconds = 0
    buffer_after_s: Seconds = 0
    needs_approval: bool = False
    attendance: Attendance | None = None


class OpeningForm(Form):
    week: Annotated[list[list[Hours]], Field(min_length=7, max_length=7)]
    on_holidays: tuple[Hours, ...] | None = ()
    closed: Annotated[dict[date, Text], Field(max_length=1000, default_factory=dict)]
    special: Annotated[dict[date, list[Hours]], Field(max_length=1000, default_factory=dict)]


class RulesForm(Form):
    country: Annotated[str, StringConstraints(pattern=r"^([A-Z]{2})?$")] = "JP"
    limits: Annotated[dict[str, Limits], Field(max_length=50, default_factory=dict)]
    prices: Annotated[tuple[PriceRule, ...], Field(max_length=200)] = ()
    attendance: Attendance = Attendance()
    request_hold_s: Annotated[int, Field(ge=60, le=90 * 86_400)] = 3 * 86_400


class GuestPassForm(Form):
    uses: Annotated[int, Field(ge=1, le=1000)] = 1
    days: Annotated[int, Field(ge=1, le=366)] = 30


def wish(store: Store, form: BookingForm, municipality_id: str, identity: Identity) -> NewBooking:
    """Raises NotFound for places that are none of this municipality's."""
    places = tuple(Wanted(one.place_id, one.amount) for one in form.places)
    zone = known_zone(form.zone) if form.zone else zone_of(store, municipality_id, places)
    check_places(store, municipality_id, [one.place_id for one in places])
    return NewBooking(
        form.title,
        form.kind,
        Wall(form.starts, form.ends, zone),
        places,
        Holder(form.holder.subject, form.holder.user_class, form.holder.level),
        identity.subject or "",
        form.people,
        form.mode,
        tuple(form.languages),
        form.confidential,
        form.link,
        municipality_id,
        form.pass_code,
        form.accepted_yen,
    )


def series_wish(store: Store, form: SeriesForm, municipality_id: str, identity: Identity) -> NewSeries:
    pattern = wish(store, form, municipality_id, identity)
    named = [one for date in (*form.dates, *form.instead) for one in date.place_ids or ()]
    check_places(store, municipality_id, [*named, *(one for turn in form.rotation for one in turn)])
    return NewSeries(
        pattern,
        form.rule,
        tuple(_date(one, pattern.time.zone) for one in form.dates),
        frozenset(form.skip),
        tuple(tuple(turn) for turn in form.rotation),
        {one.position: _date(one, pattern.time.zone) for one in form.instead},
        None if form.circle is None else circle(form.circle, pattern.time.zone),
    )


def _date(form: DateForm, zone: str) -> SeriesDate:
    place_ids = None if form.place_ids is None else tuple(form.place_ids)
    return SeriesDate(Wall(form.starts, form.ends, zone), form.mode, place_ids)


def circle(form: CircleForm, zone: str) -> NewCircle:
    until = None if form.open_until is None else instant(form.open_until, zone)
    return NewCircle(form.group_id, form.capacity, form.selection, until)


def change(form: ChangeForm, booking: Booking) -> BookingChange:
    time = None
    if form.starts is not None or form.ends is not None:
        time = Wall(form.starts or booking.starts, form.ends or booking.ends, booking.zone)
    places = None if form.places is None else tuple(Wanted(one.place_id, one.amount) for one in form.places)
    return BookingChange(form.title, time, places, form.mode, form.people, form.accepted_yen)


def as_change(form: Form) -> ChangeForm:
    """What of a wish can be changed in a booking that stands."""
    return ChangeForm.model_validate(form.model_dump(include={"title", "starts", "ends", "places", "mode", "people"}))


def series_change(form: SeriesChangeForm) -> Change:
    clock = None if form.clock is None else (int(form.clock[:2]), int(form.clock[3:]))
    length_s = None if form.minutes is None else form.minutes * 60
    places = None if form.place_ids is None else tuple(form.place_ids)
    return Change(clock, length_s, form.days, form.mode, places)


def new_place(form: PlaceForm) -> NewPlace:
    return NewPlace(**{name: getattr(form, name) for name in PlaceForm.model_fields})


def opening(form: OpeningForm) -> Opening:
    return Opening(
        tuple(tuple(day) for day in form.week),
        None if form.on_holidays is None else tuple(form.on_holidays),
        dict(form.closed),
        {day: tuple(hours) for day, hours in form.special.items()},
    )


def rules(form: RulesForm) -> Rules:
    """Raises NotPossible for a number that is none of this world."""
    rows: list[Limits | PriceRule | Attendance] = [*form.limits.values(), *form.prices, form.attendance]
    for one in rows:
        numbers = [getattr(one, part.name) for part in fields(one)]
        if not all(0 <= number <= 10**9 for number in numbers if isinstance(number, int | float)):
            raise NotPossible("A limit, a time or a fee is out of range. Use numbers from 0 to a thousand million.")
    limits = form.limits or Rules().limits
    return Rules(form.country, limits, tuple(form.prices), form.attendance, form.request_hold_s)


def check_places(store: Store, municipality_id: str, place_ids: Sequence[str]) -> None:
    """What is another municipality's is as what does not exist."""
    if place_ids and not set(place_ids) <= {one.place_id for one in store.places(municipality_id)}:
        raise NotFound("There is no place with that identifier.")


def zone_of(store: Store, municipality_id: str, places: Sequence[Wanted]) -> str:
    zones = {one.facility_id: one.timezone for one in store.facilities()}
    homes = {one.place_id: zones[one.facility_id] for one in store.places(municipality_id)}
    return next((homes[one.place_id] for one in places if one.place_id in homes), "Asia/Tokyo")
