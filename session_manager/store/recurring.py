"""Series: every date is checked and shown before any is saved, and each stays a booking of its own."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection, insert, select

from session_manager.booking import HOLDING, OVER, Event, refusal
from session_manager.booking_records import (
    Booking,
    BookingChange,
    DateQuote,
    NewBooking,
    NewSeries,
    Quote,
    Refused,
    Series,
    SeriesRefused,
    Wanted,
)
from session_manager.errors import NotPossible
from session_manager.schedule import interval
from session_manager.series import BadRule, Change, Scope, SeriesDate, changed, expand, in_order, positions
from session_manager.store.booking_rows import move, read_booking, record, with_places
from session_manager.store.booking_sessions import follow
from session_manager.store.booking_tables import bookings, series
from session_manager.store.bookings import cancelled, make, rebook, wished
from session_manager.store.circles import put_circle
from session_manager.store.holding import hold, let_go, queue_up
from session_manager.store.part import Part, need
from session_manager.store.quoting import placed, quote
from session_manager.store.secrets import new_id
from session_manager.store.waiting import offer_next


class Recurring(Part):
    def quote_series(self, new: NewSeries, now: float) -> list[DateQuote]:
        """Every date as it would be with those before it booked; nothing is saved. Raises NotFound, NotPossible."""
        with self._database.write() as connection:
            saved = connection.begin_nested()
            found = _book(connection, new, now)[1]
            saved.rollback()
            return found

    def book_series(self, new: NewSeries, now: float) -> Series | SeriesRefused:
        """All the dates that are not skipped, or nothing. Raises NotFound, NotPossible."""
        with self._database.write() as connection:
            saved = connection.begin_nested()
            series_id, found = _book(connection, new, now)
            if not all(one.skipped or one.quote.possible for one in found):
                saved.rollback()
                return SeriesRefused(tuple(found))
            saved.commit()
            return read_series(connection, series_id)

    def series(self, series_id: str) -> Series:
        """With all its dates, also those that are over. Raises NotFound."""
        with self._database.read() as connection:
            return read_series(connection, series_id)

    def change_series(
        self, series_id: str, position: int, scope: Scope, change: Change, by: str, now: float
    ) -> Series | SeriesRefused:
        """New times, places or mode of one date, it and the later, or all that are not over: every one or none."""
        with self._database.write() as connection:
            affected = _affected(connection, series_id, position, scope)
            saved = connection.begin_nested()
            quotes = _all_rebooked(connection, affected, change, by, now)
            if not all(one.quote.possible or one.skipped for one in quotes):
                saved.rollback()
                return SeriesRefused(tuple(quotes))
            saved.commit()
            for booking in affected:
                offer_next(connection, booking, now)
            return read_series(connection, series_id)

    def preview_change(
        self, series_id: str, position: int, scope: Scope, change: Change, by: str, now: float
    ) -> list[DateQuote]:
        """What `change_series` would make of each date; nothing is saved. Raises NotFound, NotPossible."""
        with self._database.write() as connection:
            affected = _affected(connection, series_id, position, scope)
            saved = connection.begin_nested()
            quotes = _all_rebooked(connection, affected, change, by, now)
            saved.rollback()
            return quotes

    def cancel_series(self, series_id: str, position: int, scope: Scope, reason: str, by: str, now: float) -> Series:
        """Raises NotFound."""
        with self._database.write() as connection:
            for booking in _affected(connection, series_id, position, scope):
                cancelled(connection, booking, reason, by, now)
            return read_series(connection, series_id)

    def readd(self, booking_id: str, by: str, now: float) -> Booking | Refused:
        """Tries a skipped date again. Raises NotFound, NotPossible when it is not one."""
        with self._database.write() as connection:
            booking = read_booking(connection, booking_id)
            queue_up(connection, booking.municipality_id)
            booking = read_booking(connection, booking_id)
            if booking.state != "wanted":
                raise NotPossible(refusal(booking.state))
            found = quote(connection, wished(booking, BookingChange()), now, but=booking_id, in_series=True)
            if found.possible and found.needs_approval:
                return move(connection, booking, Event.ASK, by, now)
            if not found.possible or hold(connection, booking_id, booking.places, booking.interval):
                return Refused(found)
            return follow(connection, move(connection, booking, Event.TAKE, by, now))


def read_series(connection: Connection, series_id: str) -> Series:
    row = need(connection, series, series_id, "series")
    dates = select(bookings).where(bookings.c.series_id == series_id)
    in_time = dates.order_by(bookings.c.position, bookings.c.booking_id)
    return Series(**row._mapping, dates=tuple(with_places(connection, connection.execute(in_time).all())))


def _dates(new: NewSeries) -> list[SeriesDate]:
    try:
        dates = [SeriesDate(time) for time in expand(new.rule, new.pattern.time)] if new.rule else in_order(new.dates)
        turns = new.rotation
        if turns:
            dates = [
                replace(date, place_ids=date.place_ids or turns[position % len(turns)])
                for position, date in enumerate(dates)
            ]
        return [new.instead.get(position, date) for position, date in enumerate(dates)]
    except BadRule as error:
        raise NotPossible(str(error)) from error


def _book(connection: Connection, new: NewSeries, now: float) -> tuple[str, list[DateQuote]]:
    pattern = placed(connection, new.pattern)
    queue_up(connection, pattern.municipality_id)
    dates = _dates(new)
    series_id = new_id()
    values = {"series_id": series_id, "municipality_id": pattern.municipality_id, "title": pattern.title}
    more = {"rule": new.rule, "holder": pattern.holder.subject, "strikes": 0, "created_at": int(now)}
    connection.execute(insert(series).values(**values, **more))
    if new.circle is not None:
        put_circle(connection, pattern.municipality_id, series_id, pattern.title, new.circle, now)
    return series_id, [
        _date(connection, pattern, date, position, series_id, position in new.skip, now)
        for position, date in enumerate(dates)
    ]


def _date(
    connection: Connection,
    pattern: NewBooking,
    date: SeriesDate,
    position: int,
    series_id: str,
    skipped: bool,
    now: float,
) -> DateQuote:
    mode = date.mode or pattern.mode
    places = pattern.places if date.place_ids is None else tuple(Wanted(one) for one in date.place_ids)
    wish = replace(pattern, time=date.time, mode=mode, places=() if mode == "online" else places)
    wish = placed(connection, wish)
    state = "wanted" if skipped else "confirmed"
    before = quote(connection, wish, now, in_series=True)
    wish = replace(wish, accepted_yen=before.yen)
    made = make(connection, wish, now, state=state, series_id=series_id, position=position)  # type: ignore[arg-type]
    return DateQuote(position, made.quote if isinstance(made, Refused) else before, mode, skipped)


def _affected(connection: Connection, series_id: str, position: int, scope: Scope) -> list[Booking]:
    """Those of them that are not over; what has begun is not changed with the rest."""
    queue_up(connection, need(connection, series, series_id, "series").municipality_id)
    dates = read_series(connection, series_id).dates
    try:
        wanted = set(positions(max((one.position for one in dates), default=-1) + 1, position, scope))
    except IndexError as error:
        raise NotPossible("The series has no such date.") from error
    return [one for one in dates if one.position in wanted and one.state not in OVER and one.state != "in_use"]


def _all_rebooked(
    connection: Connection, affected: list[Booking], change: Change, by: str, now: float
) -> list[DateQuote]:
    """All let go first, so that dates of one series may move into each other's places."""
    for booking in affected:
        let_go(connection, booking.booking_id)
    return [_rebooked(connection, booking, change, by, now) for booking in affected]


def _rebooked(connection: Connection, booking: Booking, change: Change, by: str, now: float) -> DateQuote:
    time = changed(booking.time, change)
    kept = booking.state in {"wanted", "waiting"}
    mode = change.mode or booking.mode
    wished_places = None if change.place_ids is None else tuple(Wanted(one) for one in change.place_ids)
    wish = BookingChange(time=time, places=wished_places, mode=change.mode)
    made = rebook(connection, booking, wish, by, now, approved=False, offer=False)
    if isinstance(made, Refused):
        return DateQuote(booking.position, made.quote, mode, kept)
    if made.state in HOLDING and made.time == booking.time and set(made.places) == set(booking.places):
        hold(connection, made.booking_id, made.places, made.interval)
    done = Quote(time, interval(time), made.yen, made.price_reason, made.proposal is not None)
    record(connection, booking.booking_id, "series_changed", by, now, {"mode": mode})
    if made.mode != booking.mode:
        record(connection, booking.booking_id, "mode_switched", by, now, {"from_mode": booking.mode, "mode": made.mode})
    return DateQuote(booking.position, done, mode, kept)
