"""Letters about series, their dates and those who join them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from session_manager.attendance import Reply
from session_manager.booking_records import BookingChange, NewSeries, Series, Wanted
from session_manager.enrolment import NewCircle
from session_manager.ical import occurrences, parse, write
from session_manager.schedule import local_time
from session_manager.series import Change, SeriesDate
from session_manager.store import Store
from tests.session_manager.hall import NOW
from tests.session_manager.house import at
from tests.session_manager.owing import HOME, Town, series, settled


@pytest.fixture
def town(store: Store) -> Town:
    return settled(store)


def test_who_gets_a_place_in_a_series_is_invited_to_all_its_dates_in_one_letter(town: Town) -> None:
    made = town.store.book_series(series(town, 4), NOW)
    assert isinstance(made, Series)
    town.store.cancel(made.dates[1].booking_id, "", "a", NOW)
    town.store.set_circle(made.series_id, NewCircle(None, 2, "order", made.dates[-1].ends_at), NOW)
    town.letters()
    guest = town.store.register_person(HOME, "参加者1", NOW, mail="b@iki.example")
    town.store.apply(made.series_id, guest.person_id, NOW)
    (letter,) = [one for one in town.letters() if one.calendar]
    assert (letter.recipient, letter.subject) == ("b@iki.example", "ご案内: 打合せ（3回）")
    town.store.change(made.dates[2].booking_id, BookingChange(time=at(12, day=14)), "a", NOW)
    assert {one.recipient for one in town.letters()} == {"a@iki.example", "b@iki.example"}


def evenings(town: Town, **more: object) -> Series:
    pattern = replace(town.house.wish(at(9), kind="dialogue"), holder=town.holder, **more)
    made = town.store.book_series(NewSeries(pattern, "FREQ=MONTHLY;BYDAY=1MO;COUNT=5"), NOW)
    assert isinstance(made, Series)
    return made


def starts(text: str | None) -> list[datetime]:
    """Every date of what a calendar program knows after this."""
    found = occurrences(parse(text or "").entries, NOW, NOW + 400 * 86_400)
    return [local_time(int(one.starts_at), "Asia/Tokyo") for one in found]


def test_a_series_by_rule_is_one_entry_that_can_be_answered(town: Town) -> None:
    made = evenings(town)
    (letter,) = town.letters()
    parsed = parse(letter.calendar or "")
    assert (letter.method, parsed.method, len(parsed.entries)) == ("REQUEST", "REQUEST", 1)
    assert starts(letter.calendar) == [one.starts for one in made.dates]
    reply = Reply(parsed.entries[0].uid, None, "a@iki.example", "DECLINED", 0, NOW + 1)
    assert town.store.take_reply(reply)
    second = replace(reply, recurs_at=made.dates[1].starts_at, status="ACCEPTED", stamped_at=NOW + 2)
    assert town.store.take_reply(second)
    said = [town.store.booking_answers(one.booking_id)[0].status for one in made.dates[:3]]
    assert said == ["DECLINED", "ACCEPTED", "DECLINED"]


def test_one_date_moved_is_told_as_that_date_of_the_entry_and_the_others_stay(town: Town) -> None:
    made = evenings(town)
    (first,) = town.letters()
    time = at(10, day=(made.dates[1].starts - made.dates[0].starts).days + 1)
    town.store.change(
        made.dates[1].booking_id, BookingChange(time=time, places=(Wanted(town.house.small.place_id),)), "a", NOW
    )
    (moved,) = town.letters()
    (entry,) = parse(moved.calendar or "").entries
    known = parse(first.calendar or "").entries[0]
    assert (moved.method, entry.uid, entry.instead_of) == ("REQUEST", known.uid, made.dates[1].starts)
    assert (entry.start, entry.place) == (time.starts, "壱岐 小会議室")
    assert entry.sequence > known.sequence
    both = write([known, entry])
    assert starts(both) == sorted([time.starts, *(one.starts for at_, one in enumerate(made.dates) if at_ != 1)])


def test_this_and_the_later_dates_are_told_in_one_letter_about_the_same_entry(town: Town) -> None:
    made = evenings(town)
    (first,) = town.letters()
    town.store.change_series(made.series_id, 2, "this_and_later", Change(clock=(19, 30)), "a", NOW)
    (letter,) = town.letters()
    parsed = parse(letter.calendar or "")
    assert {one.instead_of for one in parsed.entries} == {one.starts for one in made.dates[2:]}
    assert {one.uid for one in parsed.entries} == {parse(first.calendar or "").entries[0].uid}
    after = town.store.series(made.series_id).dates
    assert starts(write([parse(first.calendar or "").entries[0], *parsed.entries])) == [one.starts for one in after]
    guest = town.store.register_person(HOME, "参加者1", NOW, mail="b@iki.example")
    group = town.store.add_group(HOME, "研究会", NOW).group_id
    town.store.put_in_group(HOME, group, guest.person_id, "member", NOW)
    town.store.cancel(after[0].booking_id, "", "a", NOW)
    town.letters()
    town.store.invite_group_to_series(made.series_id, group, "a", NOW)
    (invited,) = town.letters()
    assert starts(invited.calendar) == [one.starts for one in after[1:]]


def test_a_series_that_is_cancelled_is_taken_away_at_once(town: Town) -> None:
    made = evenings(town)
    (first,) = town.letters()
    town.store.cancel_series(made.series_id, 0, "all", "", "a", NOW)
    (letter,) = town.letters()
    (entry,) = parse(letter.calendar or "").entries
    assert (letter.method, entry.uid, entry.status) == (
        "CANCEL",
        parse(first.calendar or "").entries[0].uid,
        "CANCELLED",
    )
    assert entry.instead_of is None


def test_an_irregular_list_is_entries_of_their_own(town: Town) -> None:
    dates = tuple(SeriesDate(at(9, day=day)) for day in (0, 3, 9))
    pattern = replace(town.house.wish(at(9)), holder=town.holder)
    made = town.store.book_series(NewSeries(pattern, dates=dates), NOW)
    assert isinstance(made, Series)
    (letter,) = town.letters()
    parsed = parse(letter.calendar or "")
    assert (letter.method, len({one.uid for one in parsed.entries})) == ("PUBLISH", 3)
    assert starts(letter.calendar) == [one.starts for one in made.dates]


def test_who_leaves_is_told_that_the_coming_dates_leave_their_calendar_and_is_invited_anew_on_coming_back(
    town: Town,
) -> None:
    made = evenings(town)
    store, later = town.store, made.dates[0].ends_at + 60.0
    circle = store.set_circle(made.series_id, NewCircle(None, 2, "order", made.dates[-1].ends_at), NOW)
    guest, silent = (
        store.register_person(HOME, name, NOW, mail=mail).person_id
        for name, mail in (("参加者1", "b@iki.example"), ("参加者2", None))
    )
    town.letters()
    for person in (guest, silent):
        store.apply(made.series_id, person, NOW)
    (invited,) = [one for one in town.letters() if one.calendar]
    uid = parse(invited.calendar or "").entries[0].uid
    store.give_up(made.series_id, guest, later)
    store.give_up(made.series_id, silent, later)
    (left,) = town.letters()
    gone = parse(left.calendar or "")
    assert (left.recipient, left.subject) == ("b@iki.example", "参加の終わりのお知らせ: 打合せ（4回）")
    assert (left.method, gone.method) == ("CANCEL", "CANCEL")
    assert {(one.uid, one.status) for one in gone.entries} == {(uid, "CANCELLED")}
    for again in (later + 1, later + 3):
        store.put_in_group(HOME, circle.group_id, guest, "member", again)
        (back,) = town.letters()
        assert (back.subject, back.method) == ("ご案内: 打合せ（4回）", "REQUEST")
        store.leave_group(HOME, circle.group_id, guest, again + 1)
        assert [one.method for one in town.letters()] == ["CANCEL"]


def test_whoever_stays_by_another_group_or_holds_it_keeps_the_dates(town: Town) -> None:
    made = evenings(town)
    store = town.store
    circle = store.set_circle(made.series_id, NewCircle(None, 9, "order", None), NOW)
    other = store.add_group(HOME, "別の会", NOW).group_id
    store.invite_group_to_series(made.series_id, other, "a", NOW)
    guest = store.register_person(HOME, "参加者1", NOW, mail="b@iki.example").person_id
    for group_id in (circle.group_id, other):
        store.put_in_group(HOME, group_id, guest, "member", NOW)
    store.put_in_group(HOME, other, town.person.person_id, "member", NOW)
    town.letters()
    store.leave_group(HOME, other, guest, NOW)
    store.leave_group(HOME, other, town.person.person_id, NOW)
    assert town.letters() == []
    store.leave_group(HOME, circle.group_id, guest, NOW)
    assert [(one.recipient, one.method) for one in town.letters()] == [("b@iki.example", "CANCEL")]
