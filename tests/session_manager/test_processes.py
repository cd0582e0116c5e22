"""A tied process: kept alive while the hub lives, never longer."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import psutil

from session_manager.processes import TiedProcess

WAIT_FOR_END_OF_INPUT = "import sys; print('up', file=sys.stderr); sys.stdin.read()"


def process(code: str) -> TiedProcess:
    return TiedProcess("child", [sys.executable, "-c", code], dict(os.environ))


@asynccontextmanager
async def running(child: TiedProcess) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(child.run())
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_killed_child_is_started_again() -> None:
    child = process(WAIT_FOR_END_OF_INPUT)
    async with running(child):
        await until(lambda: child.pid is not None)
        first = child.pid
        assert first is not None
        psutil.Process(first).kill()
        await until(lambda: child.pid not in (None, first))
        assert child.starts == 2


async def test_cancelling_ends_the_child_by_closing_its_input() -> None:
    child = process(WAIT_FOR_END_OF_INPUT)
    async with running(child):
        await until(lambda: child.pid is not None)
        pid = child.pid
        assert pid is not None
    assert not psutil.pid_exists(pid)


async def test_a_child_that_ignores_its_input_is_killed() -> None:
    child = process("import time\nwhile True: time.sleep(0.1)")
    async with running(child):
        await until(lambda: child.pid is not None)
        pid = child.pid
        assert pid is not None
    assert not psutil.pid_exists(pid)


async def test_an_exit_code_that_says_hopeless_is_not_answered_by_another_start() -> None:
    child = process("raise SystemExit(2)")
    codes: list[int] = []
    child.gave_up = codes.append
    async with asyncio.timeout(20):
        await child.run()
    assert codes == [2]
    assert child.starts == 1
