"""The mailbox: bounded, in order, the oldest goes, a failure is told after what is left."""

from __future__ import annotations

import asyncio
import threading

import pytest

from hardware.errors import DeviceLost
from hardware.mailbox import Mailbox


async def test_what_a_thread_puts_is_taken_in_order() -> None:
    box: Mailbox[int] = Mailbox(1000, asyncio.get_running_loop())
    thread = threading.Thread(target=lambda: [box.put(number) for number in range(500)])
    thread.start()
    assert [await box.take() for _ in range(500)] == list(range(500))
    thread.join()
    assert box.dropped == 0


async def test_a_full_box_drops_the_oldest_and_counts() -> None:
    box: Mailbox[int] = Mailbox(3, asyncio.get_running_loop())
    for number in range(10):
        box.put(number)
    assert [await box.take() for _ in range(3)] == [7, 8, 9]
    assert box.dropped == 7


async def test_a_slot_of_one_holds_the_latest() -> None:
    box: Mailbox[str] = Mailbox(1, asyncio.get_running_loop())
    box.put("old")
    box.put("new")
    assert await box.take() == "new"


async def test_a_failure_comes_after_what_is_left_and_stays() -> None:
    box: Mailbox[int] = Mailbox(3, asyncio.get_running_loop())
    box.put(1)
    box.fail(DeviceLost("gone"))
    box.fail(DeviceLost("later"))
    assert await box.take() == 1
    for _ in range(2):
        with pytest.raises(DeviceLost, match="gone"):
            await box.take()


async def test_a_reader_that_waits_is_woken_by_a_thread() -> None:
    box: Mailbox[int] = Mailbox(3, asyncio.get_running_loop())
    reader = asyncio.create_task(box.take())
    await asyncio.sleep(0)
    await asyncio.to_thread(box.put, 5)
    assert await reader == 5


def test_putting_after_the_loop_is_closed_does_nothing() -> None:
    loop = asyncio.new_event_loop()
    box: Mailbox[int] = Mailbox(3, loop)
    loop.close()
    box.put(1)
    box.fail(DeviceLost("gone"))
