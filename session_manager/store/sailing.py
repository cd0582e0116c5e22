"""Days without boats: all bookings that they concern are handled in one transaction, and put back in one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, insert, select, update

from session_manager import sailing
from session_manager.booking import refusal
from session_manager.booking_records import Booking, BookingChange, Refused, Wanted
from session_manager.errors import NotPossible
from session_manager.sailing import Affected, Answer, Choice, Outcome, Question, Sailing, SailingDay
from session_manager.schedule import interval, local_time
from session_manager.store import sailing_rows as rows
from session_manager.store.booking_rows import insert_booking, read_booking, record, set_places, wall_values, write
from session_manager.store.booking_sessions import follow
from session_manager.store.bookings import cancelled, taken_meanwhile, wished
from session_manager.store.holding import hold, let_go, queue_up
from session_manager.store.notice_tables import audiences
from session_manager.store.part import Part, need
from session_manager.store.place_rows import places_by_id
from session_manager.store.quoting import quote
from session_manager.store.sailing_tables import sailing_bookings, sailings
from session_manager.store.secrets import new_id
from session_manager.store.tables import municipalities
from session_manager.store.waiting import offer_next

REASON = "No boat sails today."
_KEPT = ("mode", "kind", "yen", "price_reason")


class Sailings(Part):
    def sailing_day(self, municipality_id: str, now: float) -> SailingDay:
        """What stopping the boats would touch now, and what was done today. Raises NotFound."""
        with self._database.read() as connection:
            day = _today(connection, municipality_id, now)
            found = rows.last_sailing(connection, municipality_id, day)
            done = None if found is None else rows.as_sailing(connection, found)
            return SailingDay(day, tuple(_affected(connection, municipality_id, day, now)), done)

    def stop_boats(self, municipality_id: str, choice: Choice, by: str, now: float) -> Sailing:
        """Every booking that is concerned, in one transaction; again touches only what is new. Raises NotFound."""
        with self._database.write() as connection:
            day = _today(connection, municipality_id, now)
            queue_up(connection, municipality_id)
            row = rows.open_sailing(connection, municipality_id, day) or _opened(
                connection, municipality_id, day, by, now
            )
            handled = rows.handled_in(connection, row.sailing_id)
            for one in _affected(connection, municipality_id, day, now):
                if not sailing.settled(handled, one.booking.booking_id, choice):
                    _note(connection, row.sailing_id, one.booking, choice, now)
                    _DEEDS[choice](connection, one, by, now)
            return rows.as_sailing(connection, row)

    def resume_boats(self, municipality_id: str, by: str, now: float) -> Sailing | None:
        """Puts back what can be put back and says of each booking what became of it. None: no boat was stopped."""
        with self._database.write() as connection:
            day = _today(connection, municipality_id, now)
            queue_up(connection, municipality_id)
            row = rows.open_sailing(connection, municipality_id, day)
            if row is None:
                last = rows.last_sailing(connection, municipality_id, day)
                return None if last is None else rows.as_sailing(connection, last)
            mine = select(sailing_bookings).where(sailing_bookings.c.sailing_id == row.sailing_id)
            for one in connection.execute(mine.order_by(sailing_bookings.c.booking_id)).all():
                outcome, successor = _put_back(connection, one, by, now)
                here = _one(row.sailing_id, one.booking_id)
                connection.execute(here.values(outcome=outcome, successor_id=successor))
            its = sailings.c.sailing_id == row.sailing_id
            closed = update(sailings).where(its).values(resumed_at=int(now)).returning(sailings)
            return rows.as_sailing(connection, connection.execute(closed).one())

    def sailing_questions(self, booking_ids: Sequence[str]) -> dict[str, Question]:
        """By booking: what people were asked because no boat sails, and what they said."""
        with self._database.read() as connection:
            return rows.questions(connection, booking_ids)

    def answer_sailing(self, booking_id: str, choice: Answer, by: str, now: float) -> Booking | Refused:
        """One person's choice. The same again is nothing new. Raises NotFound, NotPossible when nobody asked."""
        with self._database.write() as connection:
            queue_up(connection, read_booking(connection, booking_id).municipality_id)
            booking = read_booking(connection, booking_id)
            question = rows.questions(connection, [booking_id]).get(booking_id)
            if question is None:
                raise NotPossible("There is no question about boats for this booking.")
            if question.answer is not None:
                if question.answer == choice:
                    return booking
                raise NotPossible("This was answered already. Change or cancel the booking itself.")
            if booking.state != "confirmed":
                raise NotPossible(refusal(booking.state))
            made = _answered(connection, booking, choice, by, now)
            if isinstance(made, Booking):
                open_one = and_(sailing_bookings.c.booking_id == booking_id, sailing_bookings.c.answer.is_(None))
                connection.execute(update(sailing_bookings).where(open_one).values(answer=choice))
            return made


def _today(connection: Connection, municipality_id: str, now: float) -> date:
    return local_time(int(now), need(connection, municipalities, municipality_id, "municipality").timezone).date()


def _affected(connection: Connection, municipality_id: str, day: date, now: float) -> list[Affected]:
    found = rows.of_the_day(connection, municipality_id, day, now)
    how = rows.travels(connection, found)
    return [
        Affected(one, how[one.booking_id].somebody_stays)
        for one in found
        if sailing.concerned(one, how[one.booking_id], now)
    ]


def _opened(connection: Connection, municipality_id: str, day: date, by: str, now: float) -> Row[Any]:
    values = {"sailing_id": new_id(), "municipality_id": municipality_id, "day": day.isoformat()}
    made = insert(sailings).values(**values, stopped_at=int(now), stopped_by=by).returning(sailings)
    return connection.execute(made).one()


def _note(connection: Connection, sailing_id: str, booking: Booking, choice: Choice, now: float) -> None:
    """Asked before and handled now is one row: the booking is still what it was."""
    places = [[one.place_id, one.amount] for one in booking.places]
    before = {name: getattr(booking, name) for name in _KEPT} | {"places": places, "starts": _stamp(booking.starts)}
    values = {"choice": choice, "asked_at": int(now) if choice == "ask" else None, "before": before}
    if not connection.execute(_one(sailing_id, booking.booking_id).values(**values)).rowcount:
        key = {"sailing_id": sailing_id, "booking_id": booking.booking_id}
        connection.execute(insert(sailing_bookings).values(**key, **values))


def _one(sailing_id: str, booking_id: str) -> Any:
    here = and_(sailing_bookings.c.sailing_id == sailing_id, sailing_bookings.c.booking_id == booking_id)
    return update(sailing_bookings).where(here)


def _remote(connection: Connection, one: Affected, by: str, now: float) -> Booking:
    """The place is free where nobody stays. A plain booking of a room gets a session: its people still meet."""
    booking, booking_id = one.booking, one.booking.booking_id
    if one.stays:
        write(connection, booking_id, mode=sailing.remote_mode(True))
    else:
        let_go(connection, booking_id)
        found = places_by_id(connection, [wanted.place_id for wanted in booking.places])
        meets = booking.kind == "plain" and any(place.kind in sailing.MEETING_PLACES for place in found.values())
        set_places(connection, booking_id, ())
        kind = "telework" if meets else booking.kind
        write(connection, booking_id, mode="online", kind=kind, yen=0, free_s=0, price_reason=REASON)
    record(connection, booking_id, "boats_stopped", by, now, {"choice": "remote"})
    moved = follow(connection, read_booking(connection, booking_id))
    if not one.stays:
        offer_next(connection, booking, now)
    return moved


def _ask(connection: Connection, one: Affected, by: str, now: float) -> Booking:
    record(connection, one.booking.booking_id, "boats_asked", by, now)
    return one.booking


def _release(connection: Connection, one: Affected, by: str, now: float) -> Booking:
    gone = cancelled(connection, one.booking, REASON, by, now)
    record(connection, gone.booking_id, "boats_stopped", by, now, {"choice": "release"})
    return gone


_DEEDS: dict[Choice, Callable[[Connection, Affected, str, float], Booking]] = {
    "remote": _remote,
    "ask": _ask,
    "release": _release,
}


def _answered(connection: Connection, booking: Booking, choice: Answer, by: str, now: float) -> Booking | Refused:
    if choice == "tomorrow":
        return _tomorrow(connection, booking, by, now)
    stays = rows.travels(connection, [booking])[booking.booking_id].somebody_stays
    return _DEEDS[choice](connection, Affected(booking, stays), by, now)


def _tomorrow(connection: Connection, booking: Booking, by: str, now: float) -> Booking | Refused:
    """Without the rules of how long ahead: the sea did not keep them either. The fee stays as agreed."""
    wish = wished(booking, BookingChange(time=sailing.tomorrow(booking.time)))
    found = quote(connection, wish, now, but=booking.booking_id, again=True)
    if not found.possible:
        return Refused(found)
    saved = connection.begin_nested()
    let_go(connection, booking.booking_id)
    if hold(connection, booking.booking_id, wish.places, found.interval):
        saved.rollback()
        return Refused(taken_meanwhile(found))
    saved.commit()
    write(connection, booking.booking_id, **wall_values(wish.time, interval(wish.time)))
    record(connection, booking.booking_id, "boats_stopped", by, now, {"choice": "tomorrow"})
    offer_next(connection, booking, now)
    return follow(connection, read_booking(connection, booking.booking_id))


def _put_back(connection: Connection, row: Row[Any], by: str, now: float) -> tuple[Outcome, str | None]:
    """What became of it, and the booking that stands in for one that was given back."""
    booking = read_booking(connection, row.booking_id)
    handled = sailing.Handled(row.booking_id, booking.title, row.choice, row.asked_at, row.answer)
    outcome = sailing.back_again(handled, booking, now)
    if outcome is None and _stamp(booking.starts) != row.before["starts"]:
        outcome = "changed"
    if outcome is not None:
        if outcome == "kept":
            record(connection, row.booking_id, "boats_resumed", by, now)
        return outcome, None
    places = tuple(Wanted(place_id, amount) for place_id, amount in row.before["places"])
    if row.choice == "release":
        successor = _booked_again(connection, booking, row.before, places, by, now)
        return ("back", successor) if successor else ("taken", None)
    if booking.mode == "online" and hold(connection, row.booking_id, places, booking.interval):
        return "taken", None
    _as_before(connection, booking, row.before, places)
    record(connection, row.booking_id, "boats_resumed", by, now)
    follow(connection, read_booking(connection, row.booking_id))
    return "back", None


def _as_before(connection: Connection, booking: Booking, before: dict[str, Any], places: tuple[Wanted, ...]) -> None:
    values = {name: before[name] for name in _KEPT}
    if before["kind"] != booking.kind:
        gone = follow(connection, replace(booking, state="cancelled"))  # its session was made for meeting online
        values["kind"] = before["kind"] if gone.session_id is None else booking.kind
    set_places(connection, booking.booking_id, places)
    write(connection, booking.booking_id, **values)


def _booked_again(
    connection: Connection, booking: Booking, before: dict[str, Any], places: tuple[Wanted, ...], by: str, now: float
) -> str | None:
    """Nothing leaves what is over: a booking that was given back comes again as a new one, at the same fee."""
    wish = wished(booking, BookingChange(places=places, mode=before["mode"]))
    found = quote(connection, wish, now, again=True)
    if not found.possible:
        return None
    found = replace(found, yen=before["yen"], price_reason=before["price_reason"])
    saved = connection.begin_nested()
    its = {"series_id": booking.series_id, "position": booking.position}
    booking_id = insert_booking(connection, wish, found, "confirmed", int(now), **its)
    if hold(connection, booking_id, places, found.interval):
        saved.rollback()
        return None
    saved.commit()
    for group_id in connection.execute(
        select(audiences.c.group_id).where(audiences.c.booking_id == booking.booking_id)
    ).scalars():
        values = {"audience_id": new_id(), "booking_id": booking_id, "series_id": None, "group_id": group_id}
        connection.execute(insert(audiences).values(values))
    record(connection, booking_id, "made", by, now, {"state": "confirmed"})
    follow(connection, read_booking(connection, booking_id))
    return booking_id


def _stamp(starts: datetime) -> str:
    return starts.isoformat(timespec="minutes")
