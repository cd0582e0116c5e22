"""An agreement for two seats: the third of the partner's people at the same time is told why not."""

from __future__ import annotations

from datetime import date

from session_manager.booking_records import Booking, Refused
from session_manager.directories import NewPartner
from session_manager.pricing import Holder
from session_manager.store import Store
from tests.session_manager.hall import NOW
from tests.session_manager.house import at, build

HOME = "default"


def test_no_more_of_a_partner_s_people_at_once_than_agreed(store: Store) -> None:
    house = build(store)
    seat = house.place("seat", "席", quantity=9)
    new = NewPartner("会社", 0, date(2026, 1, 1), None, 2, "a@b.example", "", across_sea=False)
    partner = store.add_partner(HOME, new, "office", NOW)
    people = [partner.staff[0].person_id]
    for name in ("参加者1", "参加者2"):
        people.append(store.register_person(HOME, name, NOW).person_id)
        store.affiliate(HOME, people[-1], partner.organisation.organisation_id, NOW)
    first, second, third = (Holder(one, "partner") for one in people)
    assert isinstance(store.book(house.wish(at(0, 2), seat, holder=first), NOW), Booking)
    kept = store.book(house.wish(at(1, 2), seat, holder=second), NOW)
    assert isinstance(kept, Booking)
    refused = store.book(house.wish(at(1), seat, holder=third), NOW)
    assert isinstance(refused, Refused)
    assert "2 places at the same time" in refused.quote.problems[0]
    assert isinstance(store.book(house.wish(at(2), seat, holder=third), NOW), Booking)
    assert isinstance(store.book(house.wish(at(1), seat, holder=Holder("x", "citizen")), NOW), Booking)
    store.cancel(kept.booking_id, "", "x", NOW)
    assert isinstance(store.book(house.wish(at(1), seat, holder=Holder(people[1], "partner")), NOW), Booking)
