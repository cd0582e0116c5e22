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


def process(code: str, pulse_s: float = 1.0) -> TiedProcess:
    return TiedProcess("child", [sys.executable, "-c", code], dict(os.environ), pulse_s=pulse_s)


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


async def test_a_child_that_falls_silent_hangs_and_is_started_again() -> None:
    child = process("import time\nprint('.', flush=True)\ntime.sleep(600)", pulse_s=0.01)
    async with running(child):
        await until(lambda: child.starts == 2)


async def test_a_child_that_never_said_anything_is_accused_of_nothing_and_one_that_goes_on_saying_it_neither() -> None:
    silent = process("import sys; sys.stdin.read()", pulse_s=0.001)
    talker = process("import time\nwhile True: print('.', flush=True); time.sleep(0.02)", pulse_s=0.1)
    dead = process("import time\nprint('.', flush=True)\ntime.sleep(600)", pulse_s=0.1)
    async with running(silent), running(talker), running(dead):
        await until(lambda: dead.starts == 2)
    assert (silent.starts, talker.starts) == (1, 1)


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
