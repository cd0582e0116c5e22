"""A house with somebody who books in it, and the letters that are owed."""

from __future__ import annotations

from dataclasses import dataclass, replace

from session_manager.booking_records import Booking, NewSeries
from session_manager.people import Person
from session_manager.pricing import Holder
from session_manager.store import Store
from session_manager.store.letter_facts import House as Sender
from session_manager.store.outbox import Notice
from tests.session_manager.hall import NOW
from tests.session_manager.house import House, at, build

HOME = "default"


@dataclass
class Town:
    """A house, somebody who books in it, and the office's own address."""

    house: House
    person: Person

    @property
    def store(self) -> Store:
        return self.house.store

    @property
    def holder(self) -> Holder:
        return Holder(self.person.person_id, "citizen", 0)

    def book(self, hours: float = 1, *places: object, **more: object) -> Booking:
        return self.house.book(at(hours), *places, holder=self.holder, **more)  # type: ignore[arg-type]

    def letters(self) -> list[Notice]:
        """Written since the last look."""
        found = self.store.claim_notices(NOW + 1e9, 500)
        for one in found:
            self.store.notice_sent(one.notice_id, NOW)
        return found

    def subjects(self) -> list[tuple[str, str]]:
        return sorted((one.recipient, one.subject) for one in self.letters())


def settled(store: Store) -> Town:
    house = build(store)
    person = store.register_person(HOME, "先生", NOW, mail="a@iki.example")
    store.set_office_mail(HOME, "office@iki.example", "ja")
    store.teller.house = Sender("島話 <reply@iki.example>", "https://hub.example")
    return Town(house, person)


def series(town: Town, count: int) -> NewSeries:
    pattern = replace(town.house.wish(at(9)), holder=town.holder)
    return NewSeries(pattern, f"FREQ=WEEKLY;COUNT={count}")
