"""When no boat sails: whose bookings that concerns, and what becomes of each. Pure.

Concerned is a confirmed booking of that day which is to be held in a place on the island and to which somebody comes
across the sea. Where somebody else stays there the room stays and the evening becomes hybrid; else the room is free.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from session_manager.booking import State
from session_manager.booking_records import Booking
from session_manager.schedule import Wall
from session_manager.series import Mode

Choice = Literal["remote", "ask", "release"]
"""What the office does for everybody: hold it online, let each choose, give the places back."""
Answer = Literal["tomorrow", "remote", "release"]
"""What one person chooses who was asked."""
ANSWERS: tuple[Answer, ...] = ("tomorrow", "remote", "release")
Outcome = Literal["back", "kept", "own_choice", "taken", "over", "changed"]
"""Of one booking when boats sail after all. `kept`: it was only asked about. The last three could not be put back."""
CONCERNED: frozenset[State] = frozenset({"confirmed"})
MEETING_PLACES = frozenset({"room", "area"})
"""Who is booked into one of these meets somebody there; in a seat one works for oneself."""


@dataclass(frozen=True, slots=True)
class Travel:
    """How people come to one booking. `on_island`: one of its places is; `guests_*`: of the groups invited to it."""

    on_island: bool
    holder_crosses: bool
    guests_cross: bool = False
    guests_stay: bool = False

    @property
    def somebody_stays(self) -> bool:
        return not self.holder_crosses or self.guests_stay


@dataclass(frozen=True, slots=True)
class Question:
    """What a person is asked about one booking. `answer` None: nothing yet."""

    asked_at: int
    choices: tuple[Answer, ...] = ANSWERS
    answer: Answer | None = None


@dataclass(frozen=True, slots=True)
class Affected:
    """`stays`: somebody is there all the same, so that going remote keeps the place."""

    booking: Booking
    stays: bool


@dataclass(frozen=True, slots=True)
class Handled:
    """One booking of a day without boats. `choice`: what the office did; `outcome` None: boats do not sail yet."""

    booking_id: str
    title: str
    choice: Choice
    asked_at: int | None
    answer: Answer | None
    outcome: Outcome | None = None
    successor_id: str | None = None


@dataclass(frozen=True, slots=True)
class Sailing:
    """A day on which no boat sails. `resumed_at`: then it was taken back."""

    sailing_id: str
    municipality_id: str
    day: date
    stopped_at: int
    stopped_by: str
    resumed_at: int | None
    bookings: tuple[Handled, ...]


@dataclass(frozen=True, slots=True)
class SailingDay:
    """`affected`: what the next tap would touch. `sailing`: what was done today already."""

    day: date
    affected: tuple[Affected, ...]
    sailing: Sailing | None


def concerned(booking: Booking, travel: Travel, now: float) -> bool:
    return (
        booking.state in CONCERNED
        and booking.mode != "online"
        and bool(booking.places)
        and booking.ends_at > now
        and travel.on_island
        and (travel.holder_crosses or travel.guests_cross)
    )


def crosses(own: bool | None, organisations: bool) -> bool:
    """What the person says beats what the organisation is."""
    return organisations if own is None else own


def remote_mode(stays: bool) -> Mode:
    return "hybrid" if stays else "online"


def tomorrow(time: Wall) -> Wall:
    """The same hours of the next day, by the clock of the place."""
    return Wall(time.starts + timedelta(days=1), time.ends + timedelta(days=1), time.zone)


def settled(handled: Mapping[str, Handled], booking_id: str, choice: Choice) -> bool:
    """Whether this tap leaves the booking alone: it was done already, or only asked and is asked again."""
    one = handled.get(booking_id)
    return one is not None and (one.choice != "ask" or one.answer is not None or choice == "ask")


def back_again(handled: Handled, booking: Booking, now: float) -> Outcome | None:
    """What taking it back means before the place is looked at; None: it is to be put back, if it is still free."""
    if handled.choice == "ask":
        return "kept" if handled.answer is None else "own_choice"
    if booking.ends_at <= now:
        return "over"
    if handled.choice == "release":
        return None if booking.state == "cancelled" else "changed"
    return None if booking.state == "confirmed" and booking.mode != "in_person" else "changed"
