"""Hand-over inside the board: order, bounds, and what overflow costs."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from room_agent.handover import PacketFeed, Picture420, PictureFeed
from signaling.media.aiortc_adapter import NumberedPacket
from signaling.media.errors import SourceEnded


def packet(number: int) -> NumberedPacket:
    return NumberedPacket(number, number * 960, b"x")


def picture(at: float) -> Picture420:
    return Picture420(np.zeros((3, 2), np.uint8), at)


async def test_packets_come_out_in_order_and_a_full_feed_drops_the_oldest() -> None:
    feed = PacketFeed(limit=3)
    for number in range(5):
        feed.put(packet(number))
    assert [(await feed.next_packet()).sequence for _ in range(3)] == [2, 3, 4]
    assert (feed.dropped, feed.taken) == (2, 3)


async def test_a_reader_waits_for_the_next_packet_and_ends_with_the_feed() -> None:
    feed = PacketFeed()
    reader = asyncio.create_task(feed.next_packet())
    await asyncio.sleep(0)
    feed.put(packet(1))
    assert (await reader).sequence == 1
    reader = asyncio.create_task(feed.next_packet())
    await asyncio.sleep(0)
    feed.close()
    with pytest.raises(SourceEnded):
        await reader


async def test_a_slow_reader_gets_the_newest_picture_and_every_reader_gets_it() -> None:
    feed = PictureFeed()
    readers = [asyncio.create_task(feed.newer_than(0)) for _ in range(2)]
    await asyncio.sleep(0)
    feed.put(picture(1.0))
    feed.put(picture(2.0))
    assert [(await each)[1].captured_at for each in readers] == [2.0, 2.0]
    late = asyncio.create_task(feed.newer_than(2))
    await asyncio.sleep(0)
    assert not late.done()
    feed.close()
    with pytest.raises(SourceEnded):
        await late
