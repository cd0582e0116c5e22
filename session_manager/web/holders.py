"""Who asks, as whom they book, and what they wish: read from the login and the store, never from what was sent."""

from __future__ import annotations

from datetime import date
from typing import Any

from fastapi import Depends

from session_manager.access import Action, Identity
from session_manager.booking_records import Booking, BookingChange, NewBooking, Wanted
from session_manager.errors import NotPermitted, NotPossible
from session_manager.pricing import Holder
from session_manager.schedule import Interval, Wall, local_time, wall
from session_manager.self_service import OFFICE, Holding, may_hold
from session_manager.store import Store
from session_manager.store.places import known_zone
from session_manager.web.booking_forms import ChangeForm, change, check_places, zone_of
from session_manager.web.context import ContextDep, IdentitiesDep, permit
from session_manager.web.limits import slow_secret
from session_manager.web.ratelimit import Rule
from session_manager.web.self_forms import OwnBookingForm


def subject_of(known: tuple[Identity, ...]) -> str:
    """The person who asks; an office account stands for itself."""
    person = next((one.person_id for one in known if one.person_id is not None), None)
    found = person or known[0].subject
    if found is None:
        raise NotPermitted("Only a person can do this. Sign in as yourself.")
    return found


async def _gently(context: ContextDep, known: IdentitiesDep) -> None:
    slow_secret(context, Rule.SELF_SERVICE, known[0].subject or "")


async def _seldom(context: ContextDep, known: IdentitiesDep) -> None:
    slow_secret(context, Rule.SELF_CHANGE, known[0].subject or "")


READ: list[Any] = [permit(Action.SELF_SERVICE), Depends(_gently)]
CHANGE: list[Any] = [permit(Action.SELF_SERVICE), Depends(_seldom)]


def today_in(store: Store, municipality_id: str, now: float) -> date:
    return local_time(int(now), store.home(municipality_id).timezone).date()


def holding_of(store: Store, municipality_id: str, known: tuple[Identity, ...], on: date, now: float) -> Holding:
    person = next((one.person_id for one in known if one.person_id is not None), None)
    if person is None:
        return Holding(Holder(subject_of(known), OFFICE, 0))
    return store.holding(municipality_id, person, on, now)


def wish_of(
    store: Store, form: OwnBookingForm, municipality_id: str, known: tuple[Identity, ...], now: float
) -> NewBooking:
    """Raises NotFound for places that are none of this municipality's, NotPermitted for a kind that is not theirs."""
    if not may_hold([one.kind for one in known], form.kind):
        raise NotPermitted("Only the office or those who hold such meetings can book this kind. Ask the office.")
    wanted = tuple(Wanted(one.place_id, one.amount) for one in form.places)
    check_places(store, municipality_id, [one.place_id for one in wanted])
    zone = known_zone(form.zone) if form.zone else zone_of(store, municipality_id, wanted)
    held = holding_of(store, municipality_id, known, form.starts.date(), now)
    return NewBooking(
        form.title,
        form.kind,
        Wall(form.starts, form.ends, zone),
        wanted,
        held.holder,
        held.holder.subject,
        form.people,
        form.mode,
        tuple(form.languages),
        False,
        form.link,
        municipality_id,
        form.pass_code,
        form.accepted_yen,
    )


def own_change(
    store: Store, form: ChangeForm, before: Booking, known: tuple[Identity, ...], now: float
) -> BookingChange:
    """Raises NotPossible where other terms hold on the new day: the stored class must not travel with the booking."""
    wished = change(form, before)
    if wished.time is not None:
        there = holding_of(store, before.municipality_id, known, wished.time.starts.date(), now).holder
        if (there.user_class, there.level) != (before.user_class, before.level) and before.user_class != OFFICE:
            raise NotPossible("Other terms hold for you on that day. Cancel this booking and book it anew.")
    agreed = before.yen if form.accepted_yen is None else form.accepted_yen
    return BookingChange(wished.title, wished.time, wished.places, wished.mode, wished.people, agreed)


def check_longer(store: Store, before: Booking, by_s: int, now: float) -> None:
    """The rules of who books hold for what is added, too."""
    longer = wall(Interval(before.starts_at, before.ends_at + by_s), before.zone)
    holder = Holder(before.holder, before.user_class, before.level, before.by_pass)
    places = before.places
    wish = NewBooking(before.title, before.kind, longer, places, holder, municipality_id=before.municipality_id)
    found = store.quote_booking(wish, min(now, float(before.starts_at)), before.booking_id)
    if found.problems:
        raise NotPossible(" ".join(found.problems))
    if found.yen > before.yen:
        raise NotPossible(f"Staying longer costs {found.yen - before.yen} yen more. Change the booking's time instead.")
