"""A worker says that it turns as long as it does."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from transcription.pulse import beat


async def test_a_worker_says_that_it_turns_until_one_of_its_threads_is_stuck() -> None:
    said = asyncio.Event()
    stuck = threading.Event()
    with ThreadPoolExecutor(1) as ears, ThreadPoolExecutor(1) as engine:
        beating = asyncio.create_task(beat((ears, engine), said.set, every_s=0.01, stuck_after_s=0.2))
        try:
            async with asyncio.timeout(20):
                for _ in range(30):
                    said.clear()
                    await said.wait()
            engine.submit(stuck.wait)
            async with asyncio.timeout(20):
                while await _says(said):
                    pass
            stuck.set()
            async with asyncio.timeout(20):
                await said.wait()
        finally:
            stuck.set()
            beating.cancel()
            with suppress(asyncio.CancelledError):
                await beating


async def _says(said: asyncio.Event) -> bool:
    said.clear()
    try:
        async with asyncio.timeout(1.0):
            await said.wait()
    except TimeoutError:
        return False
    return True
