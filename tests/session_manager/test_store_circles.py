"""The people of a series, and changes of its dates by venue and mode."""

from __future__ import annotations

from dataclasses import replace

import pytest

from session_manager.booking_records import Booking, Series, SeriesRefused, Wanted
from session_manager.enrolment import NewCircle
from session_manager.errors import NotPossible
from session_manager.series import Change, SeriesDate, changed
from session_manager.store import Store
from tests.session_manager.hall import NOW
from tests.session_manager.lab import TOWN, Lab

LATER = int(NOW) + 9_000_000


@pytest.fixture
def lab(store: Store) -> Lab:
    return Lab(store, guests=1)


def newcomers(lab: Lab, count: int) -> list[str]:
    return [
        lab.store.register_person(TOWN, f"申込者{n}", NOW, mail=f"n{n}@lab.example").person_id for n in range(count)
    ]


def states(lab: Lab) -> list[str]:
    return [one.state for one in lab.store.applications(lab.series.series_id)]


def members(lab: Lab) -> set[str]:
    return {one.person_id for one in lab.store.group_members(TOWN, lab.group_id)} - {lab.people[0]}


def letters(lab: Lab, what: str) -> list[str]:
    return sorted(one.recipient for one in lab.store.outbox(TOWN) if one.cause.startswith(f"series:{what}:"))


def test_places_go_in_the_order_of_asking_and_the_next_moves_up(lab: Lab) -> None:
    its = lab.series.series_id
    lab.store.set_circle(its, NewCircle(lab.group_id, 2, "order", LATER), NOW)
    three = newcomers(lab, 3)
    for person in three:
        lab.store.apply(its, person, NOW)
    assert lab.store.apply(its, three[0], NOW).state == "placed"
    assert (states(lab), members(lab)) == (["placed", "placed", "waiting"], set(three[:2]))
    assert (letters(lab, "placed"), letters(lab, "waiting")) == (
        ["n0@lab.example", "n1@lab.example"],
        ["n2@lab.example"],
    )
    assert lab.store.give_up(its, three[0], NOW).state == "declined"
    assert (states(lab), members(lab)) == (["declined", "placed", "placed"], set(three[1:]))
    assert lab.store.apply(its, three[0], NOW).state == "waiting"
    lab.store.set_circle(its, NewCircle(lab.group_id, 3, "order", LATER), NOW)
    assert members(lab) == set(three)


def test_a_lot_is_drawn_once_and_shows_its_seed(lab: Lab) -> None:
    its = lab.series.series_id
    lab.store.set_circle(its, NewCircle(lab.group_id, 2, "lot", LATER), NOW)
    for person in newcomers(lab, 5):
        assert lab.store.apply(its, person, NOW).state == "applied"
    drawn = lab.store.draw(its, "2027", NOW)
    assert sorted(one.state for one in drawn) == ["placed"] * 2 + ["waiting"] * 3
    found = lab.store.circle(its)
    assert found is not None
    assert (found.seed, found.drawn_at) == ("2027", int(NOW))
    for again in (lambda: lab.store.draw(its, "2028", NOW), lambda: lab.store.apply(its, lab.people[0], NOW)):
        with pytest.raises(NotPossible):
            again()


def test_by_hand_nobody_moves_by_themselves_and_no_place_is_given_twice(lab: Lab) -> None:
    its = lab.series.series_id
    lab.store.set_circle(its, NewCircle(lab.group_id, 1, "hand", LATER), NOW)
    first, second = newcomers(lab, 2)
    for person in (first, second):
        lab.store.apply(its, person, NOW)
    assert states(lab) == ["applied", "applied"]
    lab.store.choose(its, second, "placed", NOW)
    with pytest.raises(NotPossible, match="All places are taken"):
        lab.store.choose(its, first, "placed", NOW)
    lab.store.choose(its, second, "waiting", NOW)
    lab.store.choose(its, first, "placed", NOW)
    assert members(lab) == {first}


def test_members_who_never_applied_have_their_seats(lab: Lab) -> None:
    its = lab.series.series_id
    member, first, second = newcomers(lab, 3)
    lab.store.put_in_group(TOWN, lab.group_id, member, "member", NOW)
    lab.store.set_circle(its, NewCircle(lab.group_id, 2, "order", LATER), NOW)
    assert [lab.store.apply(its, person, NOW).state for person in (first, second)] == ["placed", "waiting"]
    lab.store.set_circle(its, NewCircle(lab.group_id, 2, "hand", LATER), NOW)
    with pytest.raises(NotPossible, match="All places are taken"):
        lab.store.choose(its, second, "placed", NOW)


def test_nobody_applies_when_it_is_not_open(lab: Lab) -> None:
    [person] = newcomers(lab, 1)
    for until in (None, int(NOW) - 1):
        lab.store.set_circle(lab.series.series_id, NewCircle(lab.group_id, 2, "order", until), NOW)
        with pytest.raises(NotPossible, match="Nobody can apply"):
            lab.store.apply(lab.series.series_id, person, NOW)


def test_every_session_of_a_series_is_its_groups(lab: Lab) -> None:
    for date in lab.store.series(lab.series.series_id).dates:
        assert lab.store.session_home(str(date.session_id)) == (frozenset({TOWN}), lab.group_id)
    other = lab.store.add_group(TOWN, "別の会", NOW).group_id
    lab.store.set_circle(lab.series.series_id, NewCircle(other), NOW)
    assert lab.store.session_home(str(lab.date(3).session_id))[1] == other


def test_one_date_goes_online_and_the_others_keep_their_rooms(lab: Lab) -> None:
    its = lab.series.series_id
    made = lab.store.change_series(its, 3, "one", Change(mode="online"), "t", NOW)
    assert isinstance(made, Series)
    assert [one.mode for one in made.dates] == ["in_person"] * 3 + ["online"] + ["in_person"] * 8
    assert [len(one.places) for one in made.dates] == [2] * 3 + [0] + [2] * 8
    assert lab.store.conflicts(lab.date(2).places, made.dates[3].interval) == []
    told = {one.what for one in lab.store.booking_events(0, 9999) if one.booking_id == made.dates[3].booking_id}
    assert "mode_switched" in told
    back = Change(mode="in_person", place_ids=(lab.rooms[1],))
    again = lab.store.change_series(its, 3, "one", back, "t", NOW)
    assert isinstance(again, Series)
    assert [one.place_id for one in again.dates[3].places] == [lab.rooms[1]]


def test_this_and_later_move_to_another_venue_and_what_will_change_is_shown_before(lab: Lab) -> None:
    its = lab.series.series_id
    change = Change(place_ids=(lab.rooms[0],), clock=(19, 0))
    shown = lab.store.preview_change(its, 4, "this_and_later", change, "t", NOW)
    assert [one.position for one in shown] == list(range(4, 12))
    assert all(one.quote.possible and one.quote.time.starts.hour == 19 for one in shown)
    assert lab.date(5).starts.hour == 18
    made = lab.store.change_series(its, 4, "this_and_later", change, "t", NOW)
    assert isinstance(made, Series)
    assert [len(one.places) for one in made.dates] == [2] * 4 + [1] * 8
    assert all(lab.store.conflicts(one.places, one.interval, one.booking_id) == [] for one in made.dates)
    assert all(lab.store.conflicts(one.places, one.interval) for one in made.dates)


def test_a_venue_that_is_taken_on_one_date_changes_none(lab: Lab) -> None:
    before = lab.store.series(lab.series.series_id)
    time = lab.date(5).time
    other = lab.wish(rule="FREQ=DAILY;COUNT=1", circle=None)
    next_day = replace(other.pattern, time=changed(time, Change(days=1)), places=(Wanted(lab.rooms[1]),))
    assert isinstance(lab.store.book(next_day, NOW), Booking)
    refused = lab.store.change_series(lab.series.series_id, 0, "all", Change(days=1), "t", NOW)
    assert isinstance(refused, SeriesRefused)
    assert [one.position for one in refused.dates if not one.quote.possible] == [5]
    assert lab.store.series(lab.series.series_id) == before
    one_room = Change(days=1, place_ids=(lab.rooms[0],))
    assert isinstance(lab.store.change_series(lab.series.series_id, 0, "all", one_room, "t", NOW), Series)


def test_venues_by_turns_and_single_dates_instead(lab: Lab) -> None:
    lab.store.cancel_series(lab.series.series_id, 0, "all", "", "t", NOW)
    turns = tuple((room,) for room in lab.rooms)
    base = lab.wish()
    wall = lab.store.quote_series(base, NOW)[2].quote.time
    instead = {2: SeriesDate(wall, "online")}
    made = lab.book(rotation=turns, instead=instead)
    assert [[one.place_id for one in date.places] for date in made.dates] == [
        [] if n == 2 else [lab.rooms[n % 2]] for n in range(12)
    ]
    assert [one.mode for one in made.dates][:4] == ["in_person", "in_person", "online", "in_person"]


def test_a_new_series_without_a_group_makes_one(lab: Lab) -> None:
    lab.store.cancel_series(lab.series.series_id, 0, "all", "", "t", NOW)
    made = lab.book(circle=NewCircle(None, 12))
    found = lab.store.circle(made.series_id)
    assert found is not None
    assert lab.store.group(TOWN, found.group_id).name == "対話の夕べ"
    [line, *_] = lab.store.series_lines(TOWN, NOW)
    assert (line.series_id, line.to_come, line.skipped) == (made.series_id, 12, 0)
    assert lab.store.series_lines(TOWN, NOW, frozenset({lab.group_id}))[0].series_id == lab.series.series_id
