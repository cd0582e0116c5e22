"""The hub's own loop for the day: it looks again and again, and says a silent database once."""

from __future__ import annotations

import asyncio
import logging

import pytest

from session_manager.caretaker import Caretaker
from session_manager.errors import StoreFailed
from tests.session_manager.hall import NOW, Hall
from tests.session_manager.house import House, at


class Scripted:
    def __init__(self, *answers: int | StoreFailed) -> None:
        self.answers = list(answers)
        self.over = asyncio.Event()

    def tick(self, now: float) -> int:
        answer = self.answers.pop(0)
        if isinstance(answer, StoreFailed):
            raise answer
        return answer


async def test_it_looks_on_and_says_once_that_the_database_is_silent(caplog: pytest.LogCaptureFixture) -> None:
    caretaker = Caretaker(Scripted(2, StoreFailed("x"), StoreFailed("x"), 1), lambda: NOW)
    with caplog.at_level(logging.WARNING):
        assert [await caretaker.look() for _ in range(4)] == [2, 0, 0, 1]
    assert [one.levelname for one in caplog.records] == ["ERROR", "WARNING"]


async def test_the_room_that_nobody_came_to_is_free_again(hall: Hall) -> None:
    facility = hall.store.facilities()[0]
    room = next(one for one in hall.store.places() if one.facility_id == facility.facility_id)
    booking = House(hall.store, facility.facility_id, room, room).book(at(1))
    clock = [NOW]
    caretaker = Caretaker(hall.store, lambda: clock[0], period_s=0.01)
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        loop = group.create_task(caretaker.run())
        await asyncio.sleep(0)
        clock[0] = booking.starts_at + 900.0
        while not caretaker.moved:
            await asyncio.sleep(0.01)
        loop.cancel()
    assert hall.store.booking(booking.booking_id).state == "released"
