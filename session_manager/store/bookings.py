"""Bookings: wished, made, approved, changed, cancelled. Each method is one transaction, whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, get_args

from sqlalchemy import Connection, insert, select, update

from session_manager.booking import HOLDING, OVER, Event, State, refusal, request_until
from session_manager.booking_records import (
    Booking,
    BookingChange,
    BookingEvent,
    NewBooking,
    Proposal,
    Quote,
    Refused,
    Taken,
    Wanted,
)
from session_manager.errors import NotPossible
from session_manager.pricing import Holder
from session_manager.schedule import Interval, interval
from session_manager.store.booking_rows import (
    PROPOSAL,
    insert_booking,
    move,
    read_booking,
    record,
    set_places,
    wall_values,
    with_places,
    write,
)
from session_manager.store.booking_sessions import follow
from session_manager.store.booking_tables import LONGEST_S, booking_events, booking_places, bookings, guest_passes
from session_manager.store.holding import hold, let_go, queue_up
from session_manager.store.part import Part, need
from session_manager.store.place_rows import rules_of
from session_manager.store.quoting import clashes, placed, quote
from session_manager.store.secrets import hashed, new_id, new_secret
from session_manager.store.tables import municipalities
from session_manager.store.waiting import offer_next

STATES: tuple[State, ...] = get_args(State)


class Bookings(Part):
    def quote_booking(self, new: NewBooking, now: float, but: str = "") -> Quote:
        """What it would cost and whether it can be had; nothing is saved. Raises NotFound, NotPossible."""
        with self._database.read() as connection:
            wish, _ = with_pass(connection, placed(connection, new), now)
            return quote(connection, wish, now, but=but)

    def quote_change(self, booking_id: str, change: BookingChange, now: float) -> Quote:
        """As `change` would judge it, its own hold and use left out; nothing is saved. Raises NotFound, NotPossible."""
        with self._database.read() as connection:
            booking = read_booking(connection, booking_id)
            wish = placed(connection, wished(booking, change))
            found = quote(connection, wish, now, but=booking_id, in_series=booking.series_id is not None)
            if _moved(wish, booking):
                return found
            settled = replace(found, yen=booking.yen, price_reason=booking.price_reason, free_s=0)
            return replace(settled, needs_approval=False, problems=(), taken=(), suggestions=())

    def book(self, new: NewBooking, now: float, *, wait: bool = False) -> Booking | Refused:
        """Confirmed, or requested where a place needs approval. `wait`: if only the place is taken, wait for it.

        All its places or none. Raises NotFound, NotPossible.
        """
        with self._database.write() as connection:
            wish = placed(connection, new)
            queue_up(connection, wish.municipality_id)
            wish, pass_id = with_pass(connection, wish, now)
            made = make(connection, wish, now, wait=wait)
            if isinstance(made, Booking) and pass_id:
                left = guest_passes.c.uses_left - 1
                connection.execute(update(guest_passes).where(guest_passes.c.pass_id == pass_id).values(uses_left=left))
            return made

    def booking(self, booking_id: str) -> Booking:
        """Raises NotFound."""
        with self._database.read() as connection:
            return read_booking(connection, booking_id)

    def bookings(
        self,
        starts_at: int,
        ends_at: int,
        *,
        place_ids: Sequence[str] = (),
        states: Sequence[State] = (),
        municipality_id: str | None = None,
        holder: str | None = None,
    ) -> list[Booking]:
        """Those that overlap the half-open stretch, by start. No `states`: all that are not over or skipped."""
        query = (
            select(bookings)
            .where(
                bookings.c.starts_at > starts_at - LONGEST_S,
                bookings.c.starts_at < ends_at,
                bookings.c.ends_at > starts_at,
                bookings.c.state.in_(states or [one for one in STATES if one not in OVER and one != "wanted"]),
            )
            .order_by(bookings.c.starts_at, bookings.c.booking_id)
        )
        if place_ids:
            there = select(booking_places.c.booking_id).where(booking_places.c.place_id.in_(list(place_ids)))
            query = query.where(bookings.c.booking_id.in_(there))
        if municipality_id is not None:
            query = query.where(bookings.c.municipality_id == municipality_id)
        if holder is not None:
            query = query.where(bookings.c.holder == holder)
        with self._database.read() as connection:
            return with_places(connection, connection.execute(query).all())

    def conflicts(self, wanted: Sequence[Wanted], time: Interval, but: str = "") -> list[Taken]:
        """Who holds what is wished then, buffers included."""
        with self._database.read() as connection:
            return clashes(connection, wanted, time, but)

    def rivals(self, booking_id: str) -> list[Booking]:
        """Others that ask for one of its places at an overlapping time, by when they asked. Raises NotFound."""
        with self._database.read() as connection:
            return _rivals(connection, read_booking(connection, booking_id))

    def approve(self, booking_id: str, by: str, now: float) -> Booking | Refused:
        """A request, or a change that was asked for. Rivals that cannot be had any more go to the waiting list."""
        with self._database.write() as connection:
            booking = _locked(connection, booking_id)
            if booking.proposal is not None and booking.state in HOLDING:
                change = BookingChange(time=booking.proposal.time, places=booking.proposal.places)
                write(connection, booking_id, proposal=None)
                made = rebook(connection, booking, change, by, now, approved=True)
                if isinstance(made, Booking):
                    record(connection, booking_id, "change_approved", by, now)
                return made
            if booking.state != "requested":
                raise NotPossible(refusal(booking.state))
            if hold(connection, booking_id, booking.places, booking.interval):
                return Refused(_again(connection, booking, now))
            approved = follow(connection, move(connection, booking, Event.APPROVE, by, now, expires_at=None))
            for rival in _rivals(connection, approved):
                if clashes(connection, rival.places, rival.interval, rival.booking_id):
                    move(connection, rival, Event.QUEUE, by, now, expires_at=None)
            return approved

    def decline(self, booking_id: str, reason: str, by: str, now: float) -> Booking:
        """A request, or only the change that was asked for. Raises NotFound, NotPossible."""
        with self._database.write() as connection:
            booking = _locked(connection, booking_id)
            if booking.proposal is not None:
                write(connection, booking_id, proposal=None)
                record(connection, booking_id, "change_declined", by, now, {"reason": reason})
                return read_booking(connection, booking_id)
            return move(connection, booking, Event.DECLINE, by, now, reason=reason)

    def cancel(self, booking_id: str, reason: str, by: str, now: float) -> Booking:
        """Again is nothing new. Raises NotFound, NotPossible when it is over."""
        with self._database.write() as connection:
            booking = _locked(connection, booking_id)
            return booking if booking.state == "cancelled" else cancelled(connection, booking, reason, by, now)

    def change(
        self, booking_id: str, change: BookingChange, by: str, now: float, *, approver: bool = False
    ) -> Booking | Refused:
        """Another time or place of an approved booking is approved again; what it has, it keeps till then."""
        with self._database.write() as connection:
            booking = _locked(connection, booking_id)
            if booking.state in OVER:
                raise NotPossible(refusal(booking.state))
            return rebook(connection, booking, change, by, now, approved=approver)

    def booking_events(self, after: int, limit: int = 500) -> list[BookingEvent]:
        """What happened, in order, with number > `after`."""
        query = (
            select(booking_events).where(booking_events.c.number > after).order_by(booking_events.c.number).limit(limit)
        )
        with self._database.read() as connection:
            return [BookingEvent(**row._mapping) for row in connection.execute(query)]

    def add_guest_pass(self, municipality_id: str, uses: int, expires_at: int) -> str:
        """The code, shown this once; each booking with it is free. Raises NotFound."""
        code = new_secret(128)
        values = {"pass_id": new_id(), "municipality_id": municipality_id, "code_hash": hashed(code)}
        with self._database.write() as connection:
            need(connection, municipalities, municipality_id, "municipality")
            connection.execute(insert(guest_passes).values(**values, uses_left=uses, expires_at=expires_at))
        return code


def make(
    connection: Connection, wish: NewBooking, now: float, *, wait: bool = False, state: State = "confirmed", **more: Any
) -> Booking | Refused:
    """One booking inside somebody's transaction; refused, it has written nothing. `more`: of a series."""
    found = quote(connection, wish, now, in_series="series_id" in more)
    if found.taken and wait and len(found.problems) == 1:
        state = "waiting"
    elif found.possible and found.yen != wish.accepted_yen:
        return Refused(unpaid(found))
    elif not found.possible and state != "wanted":
        return Refused(found)
    elif found.needs_approval and state == "confirmed":
        state = "requested"
    until = None
    if state == "requested":
        hold_s = rules_of(connection, wish.municipality_id).request_hold_s
        until = request_until(found.interval.starts_at, now, hold_s)
    saved = connection.begin_nested()
    booking_id = insert_booking(connection, wish, found, state, int(now), expires_at=until, **more)
    if state in HOLDING and hold(connection, booking_id, wish.places, found.interval):
        saved.rollback()
        return Refused(taken_meanwhile(found))
    saved.commit()
    record(connection, booking_id, "made", wish.made_by, now, {"state": state})
    return follow(connection, read_booking(connection, booking_id))


def rebook(
    connection: Connection,
    booking: Booking,
    change: BookingChange,
    by: str,
    now: float,
    *,
    approved: bool,
    offer: bool = True,
) -> Booking | Refused:
    """The booking with the change, or untouched and told why not."""
    wish = wished(booking, change)
    found = quote(connection, wish, now, but=booking.booking_id, in_series=booking.series_id is not None)
    moved = _moved(wish, booking)
    if moved and not found.possible and booking.state not in {"wanted", "waiting"}:
        return Refused(found)
    if moved and change.accepted_yen is not None and found.yen not in {booking.yen, change.accepted_yen}:
        return Refused(unpaid(found))
    if moved and found.needs_approval and not approved and booking.state in HOLDING:
        proposal = Proposal(wish.time, wish.places)
        write(connection, booking.booking_id, proposal=PROPOSAL.dump_python(proposal, mode="json"))
        record(connection, booking.booking_id, "change_requested", by, now)
        return read_booking(connection, booking.booking_id)
    if moved and booking.state in HOLDING:
        saved = connection.begin_nested()
        let_go(connection, booking.booking_id)
        if hold(connection, booking.booking_id, wish.places, found.interval):
            saved.rollback()
            return Refused(taken_meanwhile(found))
        saved.commit()
    plain = {"title": wish.title, "mode": wish.mode, "people": wish.people}
    fee = {"yen": found.yen, "free_s": found.free_s, "price_reason": found.price_reason} if moved else {}
    write(connection, booking.booking_id, **plain, **fee, **wall_values(wish.time, found.interval))
    set_places(connection, booking.booking_id, wish.places)
    seen = moved or plain["title"] != booking.title or plain["mode"] != booking.mode
    record(connection, booking.booking_id, "changed" if seen else "amended", by, now, {"moved": moved})
    if moved and offer:
        offer_next(connection, booking, now)
    return follow(connection, read_booking(connection, booking.booking_id))


def _moved(wish: NewBooking, booking: Booking) -> bool:
    """Only what is held anew is judged and paid anew."""
    return wish.time != booking.time or set(wish.places) != set(booking.places)


def unpaid(found: Quote) -> Quote:
    return replace(found, problems=(f"The fee is {found.yen} yen. Confirm it to book.",))


def taken_meanwhile(found: Quote) -> Quote:
    return replace(found, problems=("Somebody else was faster. Look again for what is free.",))


def wished(booking: Booking, change: BookingChange) -> NewBooking:
    """Online holds no room: its places go, unless others are named."""
    mode = change.mode or booking.mode
    places = booking.places if change.places is None else change.places
    if mode == "online" and change.places is None:
        places = ()
    return NewBooking(
        title=change.title or booking.title,
        kind=booking.kind,
        time=change.time or booking.time,
        places=places,
        holder=Holder(booking.holder, booking.user_class, booking.level, booking.by_pass),
        made_by=booking.made_by,
        people=change.people or booking.people,
        mode=mode,
        languages=booking.languages,
        confidential=booking.confidential,
        link=booking.link,
        municipality_id=booking.municipality_id,
        accepted_yen=booking.yen,
    )


def cancelled(connection: Connection, booking: Booking, reason: str, by: str, now: float) -> Booking:
    gone = move(connection, booking, Event.CANCEL, by, now, reason=reason, ended_at=int(now), proposal=None)
    return freed(connection, gone, now)


def freed(connection: Connection, booking: Booking, now: float) -> Booking:
    """It holds nothing any more; whoever waits for it is offered what it had."""
    let_go(connection, booking.booking_id)
    offer_next(connection, booking, now)
    return follow(connection, booking)


def with_pass(connection: Connection, wish: NewBooking, now: float) -> tuple[NewBooking, str | None]:
    """Raises NotPossible for a guest pass that is used up, over, or another municipality's."""
    if not wish.pass_code:
        return wish, None
    query = select(guest_passes.c.pass_id).where(
        guest_passes.c.code_hash == hashed(wish.pass_code),
        guest_passes.c.municipality_id == wish.municipality_id,
        guest_passes.c.uses_left > 0,
        guest_passes.c.expires_at > now,
    )
    pass_id = connection.execute(query).scalar_one_or_none()
    if pass_id is None:
        raise NotPossible("This guest pass is not valid here, used up or over. Ask the office for a new one.")
    return replace(wish, holder=replace(wish.holder, free_by_pass=True)), str(pass_id)


def _locked(connection: Connection, booking_id: str) -> Booking:
    booking = read_booking(connection, booking_id)
    queue_up(connection, booking.municipality_id)
    return read_booking(connection, booking_id)


def _rivals(connection: Connection, booking: Booking) -> list[Booking]:
    mine = [one.place_id for one in booking.places]
    time = booking.interval if booking.proposal is None else interval(booking.proposal.time)
    query = (
        select(bookings)
        .where(
            bookings.c.state == "requested",
            bookings.c.starts_at > time.starts_at - LONGEST_S,
            bookings.c.starts_at < time.ends_at,
            bookings.c.ends_at > time.starts_at,
            bookings.c.booking_id != booking.booking_id,
            bookings.c.booking_id.in_(select(booking_places.c.booking_id).where(booking_places.c.place_id.in_(mine))),
        )
        .order_by(bookings.c.created_at, bookings.c.booking_id)
    )
    return with_places(connection, connection.execute(query).all())


def _again(connection: Connection, booking: Booking, now: float) -> Quote:
    return quote(connection, wished(booking, BookingChange()), now, but=booking.booking_id)
