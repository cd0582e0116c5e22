"""No boat sails: every booking that it concerns is handled once, nothing is lost and nothing held twice."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select

from session_manager.booking_records import Booking, Refused
from session_manager.errors import NotPossible
from session_manager.pricing import Holder
from session_manager.store import Store
from session_manager.store.booking_tables import occupancies
from session_manager.store.notice_tables import audiences
from tests.session_manager.hall import NOW, open_store
from tests.session_manager.house import House, at, build

MORNING = 1_780_268_400.0  # Monday 1 June 2026, 08:00 in Tokyo
HOME = "default"


@dataclass
class Harbour:
    """Two rooms on the island, a seat; a person who comes by boat and one who does not."""

    house: House

    def __post_init__(self) -> None:
        store = self.house.store
        firm = store.add_organisation(HOME, "福岡の会社", NOW, across_sea=True)
        self.guest = store.register_person(HOME, "参加者1", NOW).person_id
        self.islander = store.register_person(HOME, "参加者2", NOW).person_id
        store.affiliate(HOME, self.guest, firm.organisation_id, NOW)
        self.seat = self.house.place("seat", "席1")

    @property
    def store(self) -> Store:
        return self.house.store

    def by(self, person_id: str, hours: float, *places: object, **more: object) -> Booking:
        return self.house.book(at(hours), *places, holder=Holder(person_id), **more)  # type: ignore[arg-type]

    def evening(self, hours: float, *guests: str) -> Booking:
        """Of the office, for a group."""
        group = self.store.add_group(HOME, "対話の夕べ", NOW)
        for one in guests:
            self.store.put_in_group(HOME, group.group_id, one, "member", NOW)
        made = self.house.book(at(hours, 2), kind="dialogue")
        values = {"audience_id": made.booking_id, "booking_id": made.booking_id, "group_id": group.group_id}
        with self.store._database.write() as connection:
            connection.execute(insert(audiences).values(values))
        return made


@pytest.fixture
def harbour(tmp_path: Path) -> Iterator[Harbour]:
    store = open_store(tmp_path)
    yield Harbour(build(store))
    store.close()


def test_only_who_comes_by_boat_is_concerned(harbour: Harbour) -> None:
    mine = harbour.by(harbour.guest, 1)
    harbour.by(harbour.islander, 1, harbour.house.small)
    harbour.house.book(at(1, day=1), holder=Holder(harbour.guest))
    assert [one.booking.booking_id for one in harbour.store.sailing_day(HOME, MORNING).affected] == [mine.booking_id]


def test_remote_frees_the_room_and_gives_a_session_to_meet_in(harbour: Harbour) -> None:
    mine = harbour.by(harbour.guest, 1)
    harbour.store.stop_boats(HOME, "remote", "office", MORNING)
    now = harbour.store.booking(mine.booking_id)
    assert (now.state, now.mode, now.places, now.kind) == ("confirmed", "online", (), "telework")
    assert now.session_id is not None
    harbour.by(harbour.islander, 1)


def test_a_seat_of_one_who_works_alone_needs_no_session(harbour: Harbour) -> None:
    mine = harbour.by(harbour.guest, 1, harbour.seat)
    harbour.store.stop_boats(HOME, "remote", "office", MORNING)
    assert harbour.store.booking(mine.booking_id).session_id is None


def test_an_evening_with_islanders_keeps_its_room_and_becomes_hybrid(harbour: Harbour) -> None:
    evening = harbour.evening(3, harbour.guest, harbour.islander)
    [one] = harbour.store.sailing_day(HOME, MORNING).affected
    assert one.stays
    harbour.store.stop_boats(HOME, "remote", "office", MORNING)
    now = harbour.store.booking(evening.booking_id)
    assert (now.mode, now.places) == ("hybrid", evening.places)
    harbour.store.resume_boats(HOME, "office", MORNING)
    assert harbour.store.booking(evening.booking_id).mode == "in_person"


def test_a_place_on_the_mainland_needs_no_boat(harbour: Harbour) -> None:
    harbour.by(harbour.guest, 1)
    harbour.store.set_on_island(harbour.house.facility_id, False)
    assert harbour.store.sailing_day(HOME, MORNING).affected == ()


def test_what_was_sent_remote_comes_back_as_it_was(harbour: Harbour) -> None:
    mine = harbour.by(harbour.guest, 1)
    harbour.store.stop_boats(HOME, "remote", "office", MORNING)
    done = harbour.store.resume_boats(HOME, "office", MORNING + 60)
    assert done is not None
    assert [one.outcome for one in done.bookings] == ["back"]
    now = harbour.store.booking(mine.booking_id)
    assert (now.mode, now.places, now.kind, now.session_id) == ("in_person", mine.places, "plain", None)
    assert harbour.store.resume_boats(HOME, "office", MORNING + 90) == done


def test_what_somebody_else_has_by_now_cannot_come_back_and_that_is_said(harbour: Harbour) -> None:
    mine = harbour.by(harbour.guest, 1)
    freed = harbour.by(harbour.guest, 1, harbour.house.small)
    harbour.store.stop_boats(HOME, "remote", "office", MORNING)
    harbour.by(harbour.islander, 1)
    done = harbour.store.resume_boats(HOME, "office", MORNING + 60)
    assert done is not None
    assert {one.booking_id: one.outcome for one in done.bookings} == {
        mine.booking_id: "taken",
        freed.booking_id: "back",
    }
    assert harbour.store.booking(mine.booking_id).mode == "online"


def test_what_was_given_back_is_booked_again(harbour: Harbour) -> None:
    mine = harbour.by(harbour.guest, 1)
    harbour.store.stop_boats(HOME, "release", "office", MORNING)
    assert harbour.store.booking(mine.booking_id).state == "cancelled"
    done = harbour.store.resume_boats(HOME, "office", MORNING + 60)
    assert done is not None
    [one] = done.bookings
    assert one.successor_id is not None
    again = harbour.store.booking(one.successor_id)
    assert (again.state, again.places, again.holder) == ("confirmed", mine.places, mine.holder)


def test_each_may_choose_and_only_once(harbour: Harbour) -> None:
    mine = harbour.by(harbour.guest, 1)
    assert harbour.store.sailing_questions([mine.booking_id]) == {}
    with pytest.raises(NotPossible):
        harbour.store.answer_sailing(mine.booking_id, "remote", harbour.guest, MORNING)
    harbour.store.stop_boats(HOME, "ask", "office", MORNING)
    assert harbour.store.sailing_questions([mine.booking_id])[mine.booking_id].answer is None
    moved = harbour.store.answer_sailing(mine.booking_id, "tomorrow", harbour.guest, MORNING + 60)
    assert isinstance(moved, Booking)
    assert (moved.starts, moved.places) == (at(1, day=1).starts, mine.places)
    assert harbour.store.answer_sailing(mine.booking_id, "tomorrow", harbour.guest, MORNING + 61) == moved
    with pytest.raises(NotPossible):
        harbour.store.answer_sailing(mine.booking_id, "release", harbour.guest, MORNING + 62)
    assert harbour.store.sailing_questions([mine.booking_id])[mine.booking_id].answer == "tomorrow"
    done = harbour.store.resume_boats(HOME, "office", MORNING + 90)
    assert done is not None
    assert [one.outcome for one in done.bookings] == ["own_choice"]


def test_tomorrow_that_is_taken_is_refused_and_nothing_moves(harbour: Harbour) -> None:
    mine = harbour.by(harbour.guest, 1)
    harbour.house.book(at(1, day=1))
    harbour.store.stop_boats(HOME, "ask", "office", MORNING)
    refused = harbour.store.answer_sailing(mine.booking_id, "tomorrow", harbour.guest, MORNING)
    assert isinstance(refused, Refused)
    assert refused.quote.problems
    assert harbour.store.booking(mine.booking_id) == mine
    assert harbour.store.sailing_questions([mine.booking_id])[mine.booking_id].answer is None


def test_who_waits_gets_the_room_that_the_sea_made_free(harbour: Harbour) -> None:
    harbour.by(harbour.guest, 1)
    waiting = harbour.by(harbour.islander, 1, wait=True)
    harbour.store.stop_boats(HOME, "release", "office", MORNING)
    assert harbour.store.booking(waiting.booking_id).state == "offered"


STEPS = st.one_of(
    st.tuples(st.just("stop"), st.sampled_from(["remote", "ask", "release"])),
    st.tuples(st.just("answer"), st.integers(0, 5), st.sampled_from(["tomorrow", "remote", "release"])),
    st.tuples(st.just("resume")),
    st.tuples(st.just("book"), st.integers(0, 4)),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, max_size=8), stays=st.booleans())
def test_nothing_is_lost_and_nothing_held_twice(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[object, ...]], stays: bool
) -> None:
    """Any order of stopping, choosing, taking back and new bookings: the database has the last word on overlaps."""
    store = open_store(tmp_path_factory.mktemp("sea"))
    harbour = Harbour(build(store))
    rooms = (harbour.house.big, harbour.house.small)
    made = [harbour.by(harbour.guest, hour, rooms[hour % 2]) for hour in range(3)]
    made.append(harbour.by(harbour.guest, 1, harbour.seat))
    if stays:
        made.append(harbour.evening(5, harbour.guest, harbour.islander))
    ids = [one.booking_id for one in made]
    for number, (what, *rest) in enumerate(steps):
        now = MORNING + number
        if what == "stop":
            once = store.stop_boats(HOME, rest[0], "office", now)  # type: ignore[arg-type]
            assert store.stop_boats(HOME, rest[0], "office", now + 0.5) == once  # type: ignore[arg-type]
        elif what == "resume":
            first = store.resume_boats(HOME, "office", now)
            assert store.resume_boats(HOME, "office", now + 0.5) == first
        elif what == "answer":
            with contextlib.suppress(NotPossible):
                store.answer_sailing(ids[int(str(rest[0])) % len(ids)], rest[1], harbour.guest, now)  # type: ignore[arg-type]
        else:
            store.book(harbour.house.wish(at(int(str(rest[0]))), holder=Holder(harbour.islander)), now)
    _all_accounted_for(store, ids)
    store.close()


def _all_accounted_for(store: Store, ids: list[str]) -> None:
    """What holds has exactly its places' rows; what does not hold has none; every one is still there."""
    with store._database.read() as connection:
        rows = connection.execute(select(occupancies)).all()
    for booking_id in {*ids, *(row.booking_id for row in rows)}:
        booking = store.booking(booking_id)
        mine = [row.place_id for row in rows if row.booking_id == booking_id]
        holding = booking.state in {"confirmed", "offered", "in_use"}
        assert sorted(mine) == (sorted(one.place_id for one in booking.places) if holding else []), booking
        assert booking.state in {"confirmed", "cancelled", "offered"}
        assert booking.mode != "in_person" or booking.places
    for one in rows:
        for other in rows:
            if one is not other and (one.place_id, one.unit) == (other.place_id, other.unit):
                assert one.ends_at <= other.starts_at or other.ends_at <= one.starts_at
