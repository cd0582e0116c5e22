"""Waiting that can be cut short."""

from __future__ import annotations

import asyncio

import pytest

from signaling.errors import Unreachable
from signaling.hurry import Hurry


async def test_a_pause_is_cut_short_by_hurry_and_the_next_one_is_not() -> None:
    hurry = Hurry()
    hurry.now()
    assert await hurry.pause(60.0)
    assert not await hurry.pause(0.0)


async def test_an_attempt_that_hangs_is_given_up_by_hurry_and_one_that_succeeds_is_kept() -> None:
    hurry, begun = Hurry(), asyncio.Event()

    async def hang() -> int:
        begun.set()
        return await asyncio.get_running_loop().create_future()

    async def succeed() -> int:
        return 7

    waiting = asyncio.create_task(hurry.unless(hang()))
    await begun.wait()
    hurry.now()
    with pytest.raises(Unreachable):
        await waiting
    assert await hurry.unless(succeed()) == 7
