"""What would become of a wish: rules, price, hours, limits, clashes and what to offer instead. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from datetime import time as time_of_day

from sqlalchemy import Connection, select

from session_manager.booking import HOLDING
from session_manager.booking_records import NewBooking, Place, Quote, Rules, Taken, Wanted
from session_manager.errors import NotPossible
from session_manager.opening import OpenDay, open_days, open_intervals
from session_manager.pricing import Limits, NotForYou, Usage, over_limits, price
from session_manager.schedule import (
    Availability,
    Interval,
    Near,
    crowded,
    exists,
    instant,
    interval,
    local_time,
    suggestions,
)
from session_manager.series import HORIZON
from session_manager.store.booking_tables import LONGEST_S, bookings, places
from session_manager.store.holding import overlapping, taken_units, with_parts
from session_manager.store.part import need
from session_manager.store.partner_seats import seats_problem
from session_manager.store.place_rows import opening_of, place_of, places_by_id, rules_of
from session_manager.store.tables import facilities

_NEAR = Near()
_COUNTED = (*sorted(HOLDING), "requested", "done")


def placed(connection: Connection, new: NewBooking) -> NewBooking:
    """With the municipality of its places. Raises NotFound, NotPossible for a wish over a border."""
    found = places_by_id(connection, [one.place_id for one in new.places])
    houses = {place.facility_id for place in found.values()}
    owners = {
        row.municipality_id
        for row in connection.execute(select(facilities.c.municipality_id).where(facilities.c.facility_id.in_(houses)))
    }
    if len(owners) > 1:
        raise NotPossible("These places belong to two municipalities. Book them one after the other.")
    if len({one.place_id for one in new.places}) != len(new.places):
        raise NotPossible("A place is named twice. Name it once, with how many you need.")
    return replace(new, municipality_id=next(iter(owners), None) or new.municipality_id)


def quote(
    connection: Connection, new: NewBooking, now: float, *, but: str = "", in_series: bool = False, again: bool = False
) -> Quote:
    """`but`: a booking that does not count, because it is the one being changed. `again`: its fee is settled."""
    found = places_by_id(connection, [one.place_id for one in new.places])
    time = _checked(new)
    rules = rules_of(connection, new.municipality_id)
    usage = _usage(connection, new, time, but)
    problems = [*_place_problems(new, found), *closed_then(connection, found, time, rules)]
    limits = _limits(rules, new.holder.user_class, in_series)
    problems += filter(None, [seats_problem(connection, new, time, but)])
    if not again:
        problems += over_limits(limits, time, usage, now)
    yen, free_s, reason = 0, 0, ""
    for place in found.values():
        counted = replace(usage, free_month_s=usage.free_month_s + free_s)
        cost = price(rules.prices, new.holder, new.kind, place.kind, time.length_s, counted)
        if isinstance(cost, NotForYou):
            problems.append(cost.reason)
        else:
            yen, free_s, reason = yen + cost.yen, free_s + cost.free_s, reason or cost.reason
    taken = clashes(connection, new.places, time, but)
    offers = suggestions(time, *_around(connection, new, time, rules, but), in_series=in_series) if taken else []
    if taken:
        problems.append(
            "Somebody else has it then." if len(found) == 1 else "Somebody else has one of the places then."
        )
    return Quote(
        new.time,
        time,
        yen,
        reason,
        any(place.needs_approval for place in found.values()),
        tuple(problems),
        tuple(taken),
        tuple(offers),
        free_s,
    )


def clashes(connection: Connection, wanted: Sequence[Wanted], time: Interval, but: str = "") -> list[Taken]:
    """The conflict check: who holds what is wished, buffers included."""
    found = []
    for place, amount in with_parts(connection, wanted):
        span = time.widened(place.buffer_before_s, place.buffer_after_s)
        units = taken_units(connection, place.place_id, span, but)
        if place.quantity - len({unit for unit, _ in units}) < amount:
            found += overlapping(connection, [place.place_id], span, but)
    return found


def _checked(new: NewBooking) -> Interval:
    if not new.time.ends > new.time.starts:
        raise NotPossible("A booking must end after it starts.")
    if not (exists(new.time.starts, new.time.zone) and exists(new.time.ends, new.time.zone)):
        raise NotPossible("That time does not exist on that day: the clocks are changed. Choose another one.")
    time = interval(new.time)
    if time.length_s > LONGEST_S:
        raise NotPossible("A booking lasts 32 days at most. Make a series of it.")
    if not new.places and new.mode != "online":
        raise NotPossible("Choose a place, or hold it online.")
    return time


def _limits(rules: Rules, user_class: str, in_series: bool) -> Limits:
    limits = rules.limits.get(user_class) or rules.limits.get("") or Limits()
    if in_series and limits.ahead_s is not None:
        limits = replace(limits, ahead_s=max(limits.ahead_s, int(HORIZON.total_seconds())))
    return limits


def _place_problems(new: NewBooking, found: dict[str, Place]) -> list[str]:
    problems = [
        f"{place.name} is free to use: just come, nothing is booked."
        for place in found.values()
        if place.kind == "free_use"
    ]
    room = sum(
        found[one.place_id].capacity * one.amount for one in new.places if found[one.place_id].kind != "equipment"
    )
    if new.mode == "in_person" and any(place.kind != "equipment" for place in found.values()) and room < new.people:
        problems.append(f"{new.people} people do not fit: there is room for {room}.")
    few = [found[one.place_id] for one in new.places if one.amount > found[one.place_id].quantity]
    return problems + [f"Of {place.name} there are only {place.quantity}." for place in few]


def closed_then(connection: Connection, found: dict[str, Place], time: Interval, rules: Rules) -> list[str]:
    problems = []
    for facility_id in sorted({place.facility_id for place in found.values()}):
        facility = need(connection, facilities, facility_id, "facility")
        days = days_of(connection, facility_id, facility.timezone, time, rules)
        if not any(span.holds(time) for span in open_intervals(days, facility.timezone)):
            notes = ", ".join(dict.fromkeys(day.note for day in days if day.note and not day.hours))
            problems.append(f"{facility.name} is closed then" + (f": {notes}." if notes else "."))
    return problems


def days_of(connection: Connection, facility_id: str, zone: str, time: Interval, rules: Rules) -> list[OpenDay]:
    """The days of the facility's own calendar that the time touches."""
    first, last = local_time(time.starts_at, zone).date(), local_time(time.ends_at - 1, zone).date()
    return open_days(opening_of(connection, facility_id), first, last, rules.country)


def availability(connection: Connection, wanted: Wanted, around: Interval, rules: Rules, but: str = "") -> Availability:
    """When a place is open and when too little of it is left, within a stretch of time."""
    parts = with_parts(connection, [wanted])
    place = next(one for one, _ in parts if one.place_id == wanted.place_id)
    zone = need(connection, facilities, place.facility_id, "facility").timezone
    taken: list[Interval] = []
    for part, amount in parts:
        times = [time for _, time in taken_units(connection, part.place_id, around, but)]
        taken += crowded(times, part.quantity - amount)
    days = days_of(connection, place.facility_id, zone, around, rules)
    return Availability(tuple(open_intervals(days, zone)), tuple(taken), place.buffer_before_s, place.buffer_after_s)


def _around(
    connection: Connection, new: NewBooking, time: Interval, rules: Rules, but: str
) -> tuple[dict[str, Availability], dict[str, dict[str, Availability]]]:
    around = time.widened(_NEAR.shift_s + 86_400, _NEAR.shift_s + 86_400)
    mine = {one.place_id: availability(connection, one, around, rules, but) for one in new.places}
    others = {}
    for one in new.places:
        alike = _alike(connection, one, new)
        others[one.place_id] = {
            place.place_id: availability(connection, Wanted(place.place_id, one.amount), around, rules, but)
            for place in alike
        }
    return mine, others


def _alike(connection: Connection, wanted: Wanted, new: NewBooking) -> list[Place]:
    """Same kind, same house, big enough; the smallest that will do first."""
    place = places_by_id(connection, [wanted.place_id])[wanted.place_id]
    query = (
        select(places)
        .where(
            places.c.facility_id == place.facility_id,
            places.c.kind == place.kind,
            places.c.place_id.not_in([one.place_id for one in new.places]),
            places.c.quantity >= wanted.amount,
            places.c.capacity >= (new.people if place.kind == "room" else 1),
        )
        .order_by(places.c.capacity, places.c.name)
        .limit(12)
    )
    return [place_of(row) for row in connection.execute(query)]


def _usage(connection: Connection, new: NewBooking, time: Interval, but: str) -> Usage:
    """What the holder has in the same local day, week (from Monday) and month."""
    zone = new.time.zone
    day = local_time(time.starts_at, zone).date()
    week = day - timedelta(days=day.weekday())
    month, next_month = day.replace(day=1), (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    query = select(bookings.c.starts_at, bookings.c.ends_at, bookings.c.free_s).where(
        bookings.c.holder == new.holder.subject,
        bookings.c.state.in_(_COUNTED),
        bookings.c.starts_at >= _midnight(min(week, month), zone),
        bookings.c.starts_at < _midnight(max(week + timedelta(days=7), next_month), zone),
        bookings.c.booking_id != but,
    )
    rows = [(local_time(row[0], zone).date(), row[1] - row[0], row[2]) for row in connection.execute(query)]
    open_now = select(bookings.c.booking_id).where(
        bookings.c.holder == new.holder.subject,
        bookings.c.state.in_(("requested", "offered", "confirmed", "in_use")),
        bookings.c.booking_id != but,
    )
    return Usage(
        day_s=sum(length for start, length, _ in rows if start == day),
        week_s=sum(length for start, length, _ in rows if week <= start < week + timedelta(days=7)),
        month_s=sum(length for start, length, _ in rows if month <= start < next_month),
        free_month_s=sum(free for start, _, free in rows if month <= start < next_month),
        open_bookings=len(connection.execute(open_now.limit(1000)).all()),
    )


def _midnight(day: date, zone: str) -> int:
    return instant(datetime.combine(day, time_of_day()), zone)
