"""The day of a house as a machine: whatever is done in whatever order, by whatever rules, zone and clock, no two hold
one place, no booking is half there, and the log tells how each came to where it is."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from session_manager.booking import Attendance
from session_manager.booking_records import (
    Booking,
    BookingChange,
    NewBooking,
    NewPlace,
    NewSeries,
    Rules,
    Series,
    Wanted,
)
from session_manager.errors import NotFound, NotPossible
from session_manager.opening import ALWAYS, Hours, Opening
from session_manager.pricing import Holder, Limits
from session_manager.schedule import Wall
from session_manager.series import Change
from tests.session_manager.hall import QUICK
from tests.session_manager.kinds import open_at
from tests.session_manager.sweep import problems

ZONES = ("Asia/Tokyo", "America/New_York", "Europe/London", "Australia/Lord_Howe", "Pacific/Apia")
"""Clocks go back in New York on 1 November 2026, in London on 25 October, forward on Lord Howe by half an hour."""
BEGIN = datetime(2026, 10, 23, 6)
DAYTIME = Opening(week=((Hours(6 * 60, 23 * 60),),) * 7, on_holidays=None)

quarters = st.integers(0, 14 * 96).map(lambda number: BEGIN + timedelta(minutes=15 * number))
near = st.integers(0, 40).map(lambda number: BEGIN + timedelta(minutes=15 * number))
times = st.builds(
    lambda starts, quarter, zone: Wall(starts, starts + timedelta(minutes=15 * quarter), zone),
    near | near | quarters,
    st.integers(1, 12),
    st.sampled_from(ZONES),
)
someone = st.integers(0, 200)


class House(RuleBasedStateMachine):
    """Bookings are chosen by number among all there ever were; what is not possible is refused and changes nothing."""

    @initialize(zone=st.sampled_from(ZONES), buffer=st.sampled_from([0, 600, 1800]), late=st.sampled_from([None, 900]))
    def build(self, zone: str, buffer: int, late: int | None) -> None:
        self.folder = TemporaryDirectory(prefix="shimawa-machine-")
        self.store = open_at(Path(self.folder.name) / "hub.db", QUICK)
        self.now = BEGIN.replace(tzinfo=ZoneInfo(zone)).timestamp() - 86_400
        facility = self.store.add_facility("家", zone).facility_id
        self.facility = facility
        self.store.set_opening(facility, ALWAYS)
        attendance = Attendance(late_s=late, exempt_made_within_s=0)
        area = self._place(NewPlace(facility, "area", "階", 20))
        self.places = [
            self._place(NewPlace(facility, "room", "室", 20, buffer_after_s=buffer, attendance=attendance)),
            self._place(NewPlace(facility, "room", "広間", 20, needs_approval=True, buffer_before_s=buffer)),
            self._place(NewPlace(facility, "equipment", "投影機", quantity=2)),
            self._place(NewPlace(facility, "seat", "席", part_of=area)),
            area,
        ]
        self.bookings: list[str] = []
        self.series: list[str] = []

    def _place(self, new: NewPlace) -> str:
        return self.store.add_place(new, self.now).place_id

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    def _wish(self, time: Wall, places: list[int], kind: str) -> NewBooking:
        wanted = tuple(Wanted(self.places[number]) for number in sorted(set(places)))
        return NewBooking("会", kind, time, wanted, Holder("人", "citizen"))  # type: ignore[arg-type]

    @rule(
        time=times,
        places=st.lists(st.integers(0, 4), min_size=1, max_size=3),
        kind=st.sampled_from(["plain", "dialogue", "telework"]),
        wait=st.booleans(),
    )
    def book(self, time: Wall, places: list[int], kind: str, wait: bool) -> None:
        with suppress(NotPossible):
            made = self.store.book(self._wish(time, places, kind), self.now, wait=wait)
            self.bookings += [made.booking_id] if isinstance(made, Booking) else []

    @rule(time=times, place=st.integers(0, 4), freq=st.sampled_from(["DAILY", "WEEKLY"]), skip=st.booleans())
    def repeat(self, time: Wall, place: int, freq: str, skip: bool) -> None:
        with suppress(NotPossible):
            new = NewSeries(
                self._wish(time, [place], "plain"), f"FREQ={freq};COUNT=4", skip=frozenset({1} if skip else ())
            )
            made = self.store.book_series(new, self.now)
            if isinstance(made, Series):
                self.series.append(made.series_id)
                self.bookings += [one.booking_id for one in made.dates]

    def _on(self, number: int, act: Callable[..., Any], *words: object, **more: object) -> None:
        if self.bookings:
            with suppress(NotPossible, NotFound):
                act(self.bookings[number % len(self.bookings)], *words, "誰", self.now, **more)

    @rule(number=someone, time=times, place=st.integers(0, 4) | st.none(), approver=st.booleans())
    def change(self, number: int, time: Wall, place: int | None, approver: bool) -> None:
        places = None if place is None else (Wanted(self.places[place]),)
        self._on(number, self.store.change, BookingChange(time=time, places=places), approver=approver)

    @rule(number=someone, act=st.sampled_from(["approve", "accept", "check_in", "end_booking", "readd"]))
    def go_on(self, number: int, act: str) -> None:
        self._on(number, getattr(self.store, act))

    @rule(number=someone, act=st.sampled_from(["cancel", "decline"]))
    def give_up(self, number: int, act: str) -> None:
        self._on(number, getattr(self.store, act), "訳")

    @rule(number=someone, quarters=st.integers(1, 16))
    def stay(self, number: int, quarters: int) -> None:
        self._on(number, self.store.extend, quarters * 900)

    @rule(number=someone, position=st.integers(0, 3), scope=st.sampled_from(["one", "this_and_later", "all"]),
          hour=st.integers(6, 22), days=st.integers(-2, 2), gone=st.booleans())  # fmt: skip
    def move_series(self, number: int, position: int, scope: Any, hour: int, days: int, gone: bool) -> None:
        if self.series:
            series_id = self.series[number % len(self.series)]
            with suppress(NotPossible, NotFound):
                if gone:
                    self.store.cancel_series(series_id, position, scope, "", "誰", self.now)
                else:
                    self.store.change_series(series_id, position, scope, Change((hour, 0), None, days), "誰", self.now)

    @rule(most=st.sampled_from([None, 3600, 7200]), opening=st.sampled_from([ALWAYS, DAYTIME]))
    def rule_anew(self, most: int | None, opening: Opening) -> None:
        limits = Limits() if most is None else Limits(day_s=most)
        self.store.set_rules("default", Rules(limits={"": limits}))
        self.store.set_opening(self.facility, opening)

    @rule(step=st.sampled_from([60, 900, 3600, 6 * 3600, 86_400]))
    def wait(self, step: int) -> None:
        self.now += step
        self.store.tick(self.now)

    @invariant()
    def nothing_is_held_twice_or_by_halves(self) -> None:
        if hasattr(self, "store"):
            with self.store._database.read() as connection:
                assert problems(connection) == []


TestHouse = House.TestCase
TestHouse.settings = settings(
    max_examples=12, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
