"""A worker as the hub holds it, with a scripted process at the other end of the pipes."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from signaling.media import control
from signaling.media.supervision import MAX_UNREAD_BYTES, WorkerProcess
from signaling.ports import MediaRefused

HANGS = "import sys, time; sys.stdout.buffer.write(bytes.fromhex(sys.argv[1])); sys.stdout.flush(); time.sleep(600)"


SPEAKS = """
import sys, time
ready, level = (bytes.fromhex(one) for one in sys.argv[1:3])
sys.stdout.buffer.write(ready)
while True:
    sys.stdout.buffer.write(level)
    sys.stdout.flush()
    time.sleep(0.02)
"""


async def test_a_worker_that_hangs_is_ended_and_the_next_one_takes_its_place() -> None:
    ready = control.frame(control.Ready(port=5000)).hex()
    died = asyncio.Event()
    worker = WorkerProcess(
        [sys.executable, "-c", HANGS, ready], 0, lambda told: None, lambda one: died.set(), pulse_s=0.02
    )
    await worker.start()
    pid = worker.pid
    waiting = asyncio.create_task(worker.call(control.Stats()))
    async with asyncio.timeout(20):
        await died.wait()
        assert isinstance((await asyncio.gather(waiting, return_exceptions=True))[0], MediaRefused)
        while worker.pid in (None, pid):
            await asyncio.sleep(0.01)
    await worker.close()


async def test_a_worker_that_says_anything_is_accused_of_nothing() -> None:
    frames = [control.frame(one).hex() for one in (control.Ready(port=5000), control.Levels(session_id="s", levels={}))]
    told: list[object] = []
    enough, died = asyncio.Event(), asyncio.Event()

    def take(one: object) -> None:
        told.append(one)
        if len(told) >= 40:
            enough.set()

    worker = WorkerProcess([sys.executable, "-c", SPEAKS, *frames], 0, take, lambda one: died.set(), pulse_s=0.1)
    await worker.start()
    async with asyncio.timeout(20):
        await enough.wait()
    assert not died.is_set()
    await worker.close()


async def test_a_worker_that_reads_nothing_is_asked_no_more_than_the_bound() -> None:
    ready = control.frame(control.Ready(port=5000)).hex()
    worker = WorkerProcess([sys.executable, "-c", HANGS, ready], 0, lambda told: None, lambda died: None)
    await worker.start()
    pid = worker.pid
    assert pid is not None
    large = control.Publish(session_id="s", peer_id="p", generation=0, offer_sdp="v" * 100_000, tracks=())
    asked = [asyncio.create_task(worker.call(large)) for _ in range(2 * MAX_UNREAD_BYTES // 100_000)]
    refused, waiting = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
    assert all(isinstance(one.exception(), MediaRefused) for one in refused)
    assert MAX_UNREAD_BYTES / 100_000 - 1 < len(waiting) < MAX_UNREAD_BYTES / 100_000 + 3
    os.kill(pid, signal.SIGKILL)
    await asyncio.wait(waiting)
    assert all(isinstance(one.exception(), MediaRefused) for one in waiting)
    await worker.close()
