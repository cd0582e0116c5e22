"""Nothing happens to a booking without the letters it owes, in the same transaction."""

from __future__ import annotations

from dataclasses import replace

import pytest

from session_manager.booking_records import Booking, BookingChange, NewPlace, Series
from session_manager.ical import parse
from session_manager.pricing import Holder
from session_manager.series import Change
from session_manager.store import Store
from tests.session_manager.hall import NOW
from tests.session_manager.house import at
from tests.session_manager.owing import HOME, Town, series, settled


@pytest.fixture
def town(store: Store) -> Town:
    return settled(store)


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
