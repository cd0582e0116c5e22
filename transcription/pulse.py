"""A worker says that it turns, to the hub that started it: a byte a second on its standard output."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Executor

EVERY_S = 1.0
STUCK_AFTER_S = 120.0
"""No block of sound and no batch takes so long, with the largest model on the slowest machine: a thread is stuck."""


def to_output() -> None:
    """Without a reader it is nothing."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.buffer.write(b".")
        sys.stdout.buffer.flush()


async def beat(
    threads: Sequence[Executor],
    say: Callable[[], object],
    *,
    every_s: float = EVERY_S,
    stuck_after_s: float = STUCK_AFTER_S,
) -> None:
    """Calls `say` as long as the loop turns and each of `threads` gets something done now and then. Until cancelled."""
    loop = asyncio.get_running_loop()
    turned_at, turn = loop.time(), asyncio.ensure_future(_turn(threads))
    try:
        while True:
            if turn.done():
                turn.result()
                turned_at, turn = loop.time(), asyncio.ensure_future(_turn(threads))
            if loop.time() - turned_at < stuck_after_s:
                say()
            await asyncio.sleep(every_s)
    finally:
        turn.cancel()


async def _turn(threads: Sequence[Executor]) -> None:
    loop = asyncio.get_running_loop()
    await asyncio.gather(*(loop.run_in_executor(one, _nothing) for one in threads))


def _nothing() -> None:
    """What a thread that is not stuck gets done."""
