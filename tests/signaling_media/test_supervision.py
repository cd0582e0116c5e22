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
