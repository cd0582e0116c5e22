"""A dialogue lab to test with: two venues, a group with its facilitator, a year of evenings."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import httpx

from session_manager.booking_records import Booking, NewBooking, NewPlace, NewSeries, Series, Wanted
from session_manager.enrolment import NewCircle
from session_manager.opening import ALWAYS
from session_manager.schedule import Wall, instant
from session_manager.store import Store
from tests.session_manager.hall import NOW
from tests.session_manager.two_towns import cookie_headers

TOWN = "default"
FIRST = datetime(2026, 6, 10, 18, 30)
"""The first second Wednesday after NOW."""
RULE = "FREQ=MONTHLY;BYDAY=2WE;COUNT=12"
ZONE = "Asia/Tokyo"


@dataclass
class Lab:
    """`people`: a facilitator, then participants, all of one group."""

    store: Store
    guests: int = 6
    referral_only: bool = False
    confidential: bool = False
    rooms: list[str] = field(default_factory=list)
    people: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for house in ("港の館", "本土の館"):
            facility = self.store.add_facility(house, ZONE)
            self.store.set_opening(facility.facility_id, ALWAYS)
            place = NewPlace(facility.facility_id, "room", "ホール", capacity=30)
            self.rooms.append(self.store.add_place(place, NOW).place_id)
        group = self.store.add_group(TOWN, "対話の会", NOW, referral_only=self.referral_only)
        self.group_id = group.group_id
        for number in range(self.guests):
            name = "世話人" if number == 0 else f"参加者{number}"
            person = self.store.register_person(TOWN, name, NOW, mail=f"p{number}@lab.example")
            self.people.append(person.person_id)
            self.join(person.person_id, "facilitator" if number == 0 else "member", number)
        self.series = self.book()

    def join(self, person_id: str, role: str, number: int) -> None:
        if not self.referral_only or role == "facilitator":
            self.store.put_in_group(TOWN, self.group_id, person_id, role, NOW + number)
            return
        asked = self.store.ask_to_join(TOWN, self.group_id, person_id, self.people[0], "", NOW)
        self.store.vouch(TOWN, self.group_id, asked.request_id, self.people[0], NOW + number)

    def wish(self, **more: object) -> NewSeries:
        time = Wall(FIRST, FIRST.replace(hour=20), ZONE)
        places = tuple(Wanted(one) for one in self.rooms)
        pattern = NewBooking("対話の夕べ", "dialogue", time, places, people=20, confidential=self.confidential)
        values = {"rule": RULE, "circle": NewCircle(self.group_id), **more}
        return NewSeries(pattern, **values)  # type: ignore[arg-type]

    def book(self, **more: object) -> Series:
        made = self.store.book_series(self.wish(**more), NOW)
        assert isinstance(made, Series), made
        return made

    def date(self, position: int = 0) -> Booking:
        return self.store.series(self.series.series_id).dates[position]

    def begins(self, position: int = 0) -> int:
        return instant(self.date(position).starts, ZONE)

    def come(self, *numbers: int, position: int = 0, level: int = 2, listens: bool = False) -> None:
        for number in numbers:
            values = (self.people[number], "in_person", level, listens, "test", self.begins(position) - 600)
            self.store.come_in(self.date(position).booking_id, *values)  # type: ignore[arg-type]

    def cookies(self, number: int) -> dict[str, str]:
        return dict(cookie_headers(self.store.open_person_login(self.people[number], NOW, 1e9)))

    def evening(self, position: int = 0) -> str:
        return f"/api/municipalities/{TOWN}/evenings/{self.date(position).booking_id}"

    async def ask(
        self, browser: httpx.AsyncClient, number: int, method: str, path: str, body: object = None
    ) -> httpx.Response:
        """As one of the people; `path` beginning with / is of the first evening."""
        address = self.evening() + path if not path.startswith("/api") else path
        return await browser.request(method, address, headers=self.cookies(number), json=body)
