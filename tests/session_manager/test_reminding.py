"""Reminders out of the store: who, when, once; anew for a moved date; by the hub's own loop."""

from __future__ import annotations

import asyncio

import pytest

from session_manager.booking_records import BookingChange
from session_manager.caretaker import Caretaker, Reminder
from session_manager.notices import DAY_S
from session_manager.pricing import Holder
from session_manager.schedule import Wall, interval
from session_manager.store import NewSite, Store
from tests.session_manager.hall import NOW
from tests.session_manager.house import at, build
from tests.session_manager.owing import HOME, Town


@pytest.fixture
def town(store: Store) -> Town:
    return Town(build(store), store.register_person(HOME, "先生", NOW, mail="a@iki.example"))


def causes(town: Town) -> list[str]:
    return sorted(row.cause.partition(":")[2] for row in town.store.outbox(None) if row.cause.startswith("reminder"))


def test_an_evening_is_reminded_of_a_week_and_a_day_before_and_a_seat_only_the_day_before(town: Town) -> None:
    evening = town.house.book(at(9, day=14), kind="dialogue", holder=town.holder)
    work = town.house.book(at(9, day=14), town.house.small, holder=town.holder)
    for now in range(int(NOW), evening.starts_at + 3600, 3 * 3600):
        town.store.remind(float(now))
    start = evening.starts_at
    assert causes(town) == sorted(
        [
            f"7d:{evening.booking_id}:{start}:a@iki.example",
            f"1d:{evening.booking_id}:{start}:a@iki.example",
            f"1d:{work.booking_id}:{start}:a@iki.example",
        ]
    )


def test_a_moved_date_is_reminded_of_anew_and_a_cancelled_one_not_at_all(town: Town) -> None:
    moved = town.house.book(at(9, day=3), holder=town.holder)
    gone = town.house.book(at(9, day=3), town.house.small, holder=town.holder)
    day_before = moved.starts_at - DAY_S
    assert town.store.remind(day_before) == 2
    assert town.store.remind(day_before + 60) == 0
    town.store.change(moved.booking_id, BookingChange(time=at(9, day=5)), "a", NOW)
    town.store.cancel(gone.booking_id, "", "a", NOW)
    assert town.store.remind(day_before + 2 * DAY_S) == 1


def test_members_of_the_group_are_reminded_of_its_session_that_nobody_booked(town: Town) -> None:
    group = town.store.add_group(HOME, "研究会", NOW)
    town.store.put_in_group(HOME, group.group_id, town.person.person_id, "member", NOW)
    session = town.store.add_session(
        "秘密の夜", NOW + 10 * DAY_S, NOW + 10 * DAY_S + 7200, "Asia/Tokyo", [NewSite("壱岐", None)], confidential=True
    )
    town.store.bind_session(session.session_id, HOME, group.group_id)
    assert town.store.remind(NOW + 3 * DAY_S) == 1
    (letter,) = town.letters()
    assert letter.subject == "まもなくです: 非公開の予約"
    assert "場所: 壱岐" in letter.body


def test_nobody_is_reminded_of_what_they_booked_this_very_day_or_without_an_address(town: Town) -> None:
    silent = town.store.register_person(HOME, "参加者1", NOW)
    late = town.house.book(at(9, day=3), now=at_s(at(9, day=2)) + 600, holder=town.holder)
    town.house.book(at(9, day=3), town.house.small, holder=Holder(silent.person_id))
    assert town.store.remind(late.starts_at - DAY_S + 900) == 0


async def test_the_hubs_loop_looks_by_itself(town: Town) -> None:
    booking = town.house.book(at(9, day=3), holder=town.holder)
    clock = [NOW]
    loop = Caretaker(Reminder(town.store), lambda: clock[0], period_s=0.01)
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        task = group.create_task(loop.run())
        clock[0] = booking.starts_at - DAY_S + 60
        while not loop.moved:
            await asyncio.sleep(0.01)
        task.cancel()
    assert len(causes(town)) == 1


def at_s(time: Wall) -> float:
    return float(interval(time).starts_at)
