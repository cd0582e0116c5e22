"""Nothing happens to a booking without the letters it owes, in the same transaction."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import pytest

from session_manager.attendance import Reply
from session_manager.booking_records import Booking, BookingChange, NewPlace, NewSeries, Series, Wanted
from session_manager.enrolment import NewCircle
from session_manager.ical import occurrences, parse, write
from session_manager.people import Person
from session_manager.pricing import Holder
from session_manager.schedule import local_time
from session_manager.series import Change, SeriesDate
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


@pytest.fixture
def town(store: Store) -> Town:
    house = build(store)
    person = store.register_person(HOME, "先生", NOW, mail="a@iki.example")
    store.set_office_mail(HOME, "office@iki.example", "ja")
    store.teller.house = Sender("島話 <reply@iki.example>", "https://hub.example")
    return Town(house, person)


def asking(town: Town) -> object:
    return town.house.store.add_place(
        NewPlace(town.house.facility_id, "room", "集会室", capacity=20, needs_approval=True), NOW
    )


def test_a_booking_is_confirmed_to_its_holder_with_the_room_in_the_calendar(town: Town) -> None:
    booking = town.book(people=3)
    (letter,) = town.letters()
    assert letter.recipient == "a@iki.example"
    assert letter.subject == "予約が確定しました: 打合せ"
    assert "日時: 2026年6月1日（月）10:00～11:00" in letter.body
    assert "場所: 壱岐 大会議室" in letter.body
    assert "予約を見る: https://hub.example/mine" in letter.body
    assert letter.method == "REQUEST"
    (entry,) = parse(letter.calendar or "").entries
    assert entry.uid.startswith(booking.booking_id)
    assert (entry.start, entry.zone, entry.status) == (booking.starts, "Asia/Tokyo", "CONFIRMED")
    assert entry.organiser is not None
    assert entry.organiser.mail == "reply@iki.example"
    assert {(one.kind, one.status) for one in entry.attendees} == {("INDIVIDUAL", "ACCEPTED"), ("ROOM", "ACCEPTED")}


def test_a_request_is_told_to_both_sides_and_stays_tentative_until_it_is_approved(town: Town) -> None:
    booking = town.book(1, asking(town))
    mine, office = sorted(town.letters(), key=lambda one: one.recipient)
    assert (mine.subject, office.subject) == ("予約の申込みを受け付けました: 打合せ", "承認をお願いします: 打合せ")
    assert "申込者: 先生" in office.body
    first = parse(mine.calendar or "").entries[0]
    assert (first.status, [one.status for one in first.attendees if one.kind == "ROOM"]) == ("TENTATIVE", ["TENTATIVE"])
    town.store.approve(booking.booking_id, "office", NOW)
    (letter,) = town.letters()
    second = parse(letter.calendar or "").entries[0]
    assert (letter.subject, second.status) == ("予約が確定しました: 打合せ", "CONFIRMED")
    assert second.uid == first.uid
    assert second.sequence > first.sequence


def test_a_refusal_and_a_cancelling_give_their_reason_and_take_the_entry_away(town: Town) -> None:
    asked, firm = town.book(1, asking(town)), town.book(3)
    town.letters()
    town.store.decline(asked.booking_id, "工事のため", "office", NOW)
    town.store.cancel(firm.booking_id, "船が出ません", "office", NOW)
    town.store.cancel(firm.booking_id, "again", "office", NOW)
    declined, cancelled = sorted(town.letters(), key=lambda one: one.subject, reverse=True)
    assert declined.subject == "申込みをお受けできませんでした: 打合せ"
    assert "理由: 工事のため" in declined.body
    assert cancelled.subject == "予約を取り消しました: 打合せ"
    assert "理由: 船が出ません" in cancelled.body
    for letter in (declined, cancelled):
        parsed = parse(letter.calendar or "")
        assert (parsed.method, parsed.entries[0].status) == ("CANCEL", "CANCELLED")
        assert [one.status for one in parsed.entries[0].attendees if one.kind == "ROOM"] == ["DECLINED"]


def test_the_waiting_list_says_its_turn_with_the_deadline_and_what_became_of_it(town: Town) -> None:
    other = town.house.book(at(1))
    waiting = town.book(1, wait=True)
    assert town.subjects() == [("a@iki.example", "順番待ちに入りました: 打合せ")]
    town.store.cancel(other.booking_id, "", "office", NOW)
    (offer,) = town.letters()
    assert offer.subject == "空きが出ました: 打合せ"
    assert "期限: 2026年" in offer.body
    assert offer.calendar is None
    offered = town.store.booking(waiting.booking_id)
    assert offered.expires_at is not None
    town.store.tick(offered.expires_at + 1.0)
    assert town.subjects() == [("a@iki.example", "お返事の期限が過ぎました: 打合せ")]


def test_nobody_came_is_said_and_the_entry_goes(town: Town) -> None:
    booking = town.book()
    town.letters()
    town.store.tick(booking.starts_at + 901.0)
    (letter,) = town.letters()
    assert letter.subject == "予約を解除しました: 打合せ"
    assert letter.method == "CANCEL"


def test_an_approved_change_keeps_the_entry_and_raises_its_number(town: Town) -> None:
    booking = town.book(1, asking(town))
    town.store.approve(booking.booking_id, "office", NOW)
    before = parse(town.letters()[-1].calendar or "").entries[0]
    town.store.change(booking.booking_id, BookingChange(time=at(3)), "a", NOW)
    asked = {one.recipient: one for one in town.letters()}
    assert "希望する日時: 2026年6月1日（月）12:00～13:00" in asked["a@iki.example"].body
    assert asked["office@iki.example"].subject == "変更の承認をお願いします: 打合せ"
    town.store.approve(booking.booking_id, "office", NOW)
    (letter,) = town.letters()
    assert letter.subject == "変更が承認されました: 打合せ"
    after = parse(letter.calendar or "").entries[0]
    assert (after.uid, after.start.hour) == (before.uid, 12)
    assert after.sequence > before.sequence


def test_a_change_that_nobody_sees_in_a_calendar_is_not_told(town: Town) -> None:
    booking = town.book()
    town.letters()
    town.store.change(booking.booking_id, BookingChange(people=2), "a", NOW)
    assert town.letters() == []
    town.store.change(booking.booking_id, BookingChange(title="打合せ 二"), "a", NOW)
    assert town.subjects() == [("a@iki.example", "変更のお知らせ: 打合せ 二")]


def test_a_series_is_one_letter_with_all_its_dates(town: Town) -> None:
    made = town.store.book_series(series(town, 4), NOW)
    assert isinstance(made, Series)
    (letter,) = town.letters()
    assert letter.subject == "予約が確定しました: 打合せ（4回）"
    assert letter.body.count("18:00～19:00") == 4
    assert len({one.start for one in parse(letter.calendar or "").entries}) >= 1
    town.store.change_series(made.series_id, 1, "this_and_later", Change(clock=(20, 0)), "a", NOW)
    (letter,) = town.letters()
    assert letter.subject == "変更のお知らせ: 打合せ（3回）"
    town.store.cancel_series(made.series_id, 0, "all", "年度末", "office", NOW)
    (letter,) = town.letters()
    assert letter.subject == "予約を取り消しました: 打合せ（4回）"


def test_looking_at_a_series_before_booking_it_writes_to_nobody(town: Town) -> None:
    town.store.quote_series(series(town, 4), NOW)
    assert town.letters() == []


def test_what_is_confidential_says_only_when_and_where(town: Town) -> None:
    town.book(confidential=True, link="https://secret.example/x")
    (letter,) = town.letters()
    text = letter.subject + letter.body + (letter.calendar or "")
    assert "打合せ" not in text
    assert "secret.example" not in text
    assert "非公開の予約" in letter.subject
    assert "壱岐 大会議室" in letter.body


def test_members_of_its_group_are_invited_and_told_and_nobody_else(town: Town) -> None:
    group = town.store.add_group(HOME, "研究会", NOW)
    member = town.store.register_person(HOME, "参加者1", NOW, mail="b@iki.example", language="en")
    town.store.register_person(HOME, "参加者2", NOW, mail="c@iki.example")
    for who in (member, town.person):
        town.store.put_in_group(HOME, group.group_id, who.person_id, "member", NOW)
    booking = town.book(kind="dialogue")
    town.letters()
    town.store.invite_group(booking.booking_id, group.group_id, "office", NOW)
    (letter,) = town.letters()
    assert (letter.recipient, letter.subject) == ("b@iki.example", "Invitation: 打合せ")
    answering = [one for one in parse(letter.calendar or "").entries[0].attendees if one.kind == "INDIVIDUAL"]
    assert [(one.mail, one.status) for one in answering] == [("b@iki.example", "NEEDS-ACTION")]
    town.store.change(booking.booking_id, BookingChange(time=at(5)), "a", NOW)
    assert {one.recipient for one in town.letters()} == {"a@iki.example", "b@iki.example"}
    town.store.leave_group(HOME, group.group_id, member.person_id, NOW)
    assert [(one.recipient, one.method) for one in town.letters()] == [("b@iki.example", "CANCEL")]
    town.store.cancel(booking.booking_id, "", "a", NOW)
    assert {one.recipient for one in town.letters()} == {"a@iki.example"}


def test_what_the_house_tells_its_guests_goes_along(town: Town) -> None:
    notes = {"ja": {"boats": "始発は 7:10", "door": "裏の入口", "network": "来客用"}}
    town.store.set_facility_notes(town.house.facility_id, notes)
    booking = town.book()
    (letter,) = town.letters()
    assert "船: 始発は 7:10" in letter.body
    town.store.cancel(booking.booking_id, "", "a", NOW)
    (letter,) = town.letters()
    assert "船:" not in letter.body


def test_one_who_has_no_address_is_owed_nothing_and_the_office_is_found_by_its_roles(town: Town) -> None:
    town.store.set_office_mail(HOME, "", "ja")
    staff = town.store.register_person(HOME, "職員", NOW, mail="s@iki.example")
    town.store.grant(HOME, staff.person_id, "staff", NOW)
    silent = town.store.register_person(HOME, "参加者1", NOW)
    town.house.book(at(1), asking(town), holder=Holder(silent.person_id, "citizen", 0))  # type: ignore[arg-type]
    assert [one.recipient for one in town.letters()] == ["s@iki.example"]


def test_a_refused_booking_leaves_no_letter_behind(town: Town) -> None:
    town.book()
    town.letters()
    refused = town.store.book(replace(town.house.wish(at(1)), holder=town.holder), NOW)
    assert not isinstance(refused, Booking)
    assert town.letters() == []


def test_an_event_of_another_part_brings_its_own_letter(town: Town) -> None:
    from session_manager.store.booking_rows import record

    booking = town.book()
    town.letters()
    with town.store._database.write() as connection:
        record(connection, booking.booking_id, "changed", "office", NOW)
        record(connection, booking.booking_id, "boats_stopped", "office", NOW, {"reason": "強風"})
    (letter,) = town.letters()
    assert letter.subject == "船の欠航による変更: 打合せ"
    assert "理由: 強風" in letter.body


def series(town: Town, count: int) -> NewSeries:
    pattern = replace(town.house.wish(at(9)), holder=town.holder)
    return NewSeries(pattern, f"FREQ=WEEKLY;COUNT={count}")


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
