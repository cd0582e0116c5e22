"""Outbox: facts in order and first; of a view only the newest, and none of what is decided."""

from __future__ import annotations

import asyncio

from transcription.feed import Final, Message, Partial, Progress, WorkerStatus
from transcription.feed_outbox import Outbox


def partial(revision: int, handle: int = 1, start: int = 0) -> Partial:
    return Partial(handle=handle, start_sample=start, revision=revision, text="")


def final(start: int, handle: int = 1) -> Final:
    return Final(
        id=1, handle=handle, start_sample=start, end_sample=start + 1, text="", language="", confidence=1.0,
        watermark_sample=start + 1,
    )  # fmt: skip


async def drained(outbox: Outbox, count: int) -> list[Message]:
    return [await asyncio.wait_for(outbox.next(), 5) for _ in range(count)]


async def test_facts_go_before_views_and_keep_their_order() -> None:
    outbox = Outbox()
    status, second = WorkerStatus(lag_s=0, load=0), Progress(id=2, handle=1, watermark_sample=9)
    outbox.status(status)
    outbox.partial(partial(1, handle=2))
    outbox.fact(final(0))
    outbox.fact(second)
    assert await drained(outbox, 4) == [final(0), second, partial(1, handle=2), status]


async def test_only_the_newest_partial_of_a_stream_is_sent() -> None:
    outbox = Outbox()
    for revision in range(1, 50):
        outbox.partial(partial(revision))
    outbox.partial(partial(1, handle=2))
    assert await drained(outbox, 2) == [partial(49), partial(1, handle=2)]
    assert outbox.partials_replaced == 48


async def test_a_final_takes_back_the_unsent_partial_of_its_utterance_and_no_later_one() -> None:
    outbox = Outbox()
    outbox.partial(partial(3, handle=1, start=100))
    outbox.partial(partial(1, handle=2, start=900))
    outbox.fact(final(100, handle=1))
    outbox.fact(final(100, handle=2))
    assert await drained(outbox, 3) == [final(100, handle=1), final(100, handle=2), partial(1, handle=2, start=900)]


async def test_a_sender_that_waits_is_woken() -> None:
    outbox = Outbox()
    waiting = asyncio.create_task(outbox.next())
    await asyncio.sleep(0)
    outbox.fact(final(5))
    assert await asyncio.wait_for(waiting, 5) == final(5)
