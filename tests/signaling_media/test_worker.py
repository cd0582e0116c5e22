"""The worker process on its own pipes: what it does with rubbish, and how it ends."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator

import pytest

from signaling.media import control
from signaling.media.worker import CALLS_WAITING, MAX_UNREAD_BYTES, CallPipe, HubPipe
from signaling.ports import LoggedPacket

Worker = asyncio.subprocess.Process


@pytest.fixture
async def worker() -> AsyncIterator[Worker]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "signaling.media.worker",
        "--address",
        "127.0.0.1",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    yield process
    assert process.stdin is not None
    process.stdin.close()
    await process.wait()


async def told(worker: Worker) -> object:
    assert worker.stdout is not None
    size = int.from_bytes(await worker.stdout.readexactly(4), "big")
    return control.read_told(await worker.stdout.readexactly(size))


def send(worker: Worker, data: bytes) -> None:
    assert worker.stdin is not None
    worker.stdin.write(data)


async def test_it_ends_with_zero_when_its_stdin_closes(worker: Worker) -> None:
    assert isinstance(await told(worker), control.Ready)
    assert worker.stdin is not None
    worker.stdin.close()
    assert await worker.wait() == 0


@pytest.mark.parametrize(
    "rubbish",
    [
        b"\xff\xff\xff\xff",
        b"\0\0\0\0",
        b"\0\0\0\x05Jnope",
        b"\0\0\0\x03Xyz",
        b'\0\0\0\x12J{"id":1,"do":"x"}' + b" ",
        b"GET / HTTP/1.1\r\n\r\n",
    ],
)
async def test_it_gives_a_broken_pipe_up_with_its_own_exit_code(worker: Worker, rubbish: bytes) -> None:
    assert isinstance(await told(worker), control.Ready)
    send(worker, rubbish)
    assert await worker.wait() == 3


async def test_a_refused_command_is_a_reply_and_the_next_one_is_done(worker: Worker) -> None:
    assert isinstance(await told(worker), control.Ready)
    bad = control.Publish(session_id="s", peer_id="p", generation=0, offer_sdp="v=0\r\nnonsense", tracks=())
    send(worker, control.frame(control.Call(id=7, command=bad)))
    send(worker, control.frame(control.Call(id=8, command=control.Stats())))
    refused, stats = await told(worker), await told(worker)
    assert isinstance(refused, control.Reply)
    assert (refused.id, refused.code) == (7, "bad_sdp")
    assert isinstance(stats, control.Reply)
    assert (stats.id, stats.code) == (8, "")


async def test_of_more_commands_than_it_can_hold_it_does_those_it_holds_and_gives_the_pipe_up() -> None:
    calls = CallPipe()
    flood = [control.frame(control.Call(id=number, command=control.Stats())) for number in range(CALLS_WAITING + 2)]
    calls.data_received(b"".join(flood[:CALLS_WAITING]))
    assert not calls.broken
    calls.data_received(flood[CALLS_WAITING])
    assert calls.broken
    calls.data_received(flood[CALLS_WAITING + 1])
    calls.eof_received()
    calls.connection_lost(None)
    assert [call.id async for call in calls] == list(range(CALLS_WAITING))


async def test_a_hub_that_does_not_read_misses_sound_and_levels_but_no_fact() -> None:
    reading, writing = os.pipe()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, os.fdopen(writing, "wb", buffering=0))
    pipe = HubPipe(transport)
    packet = LoggedPacket(track_id="t", epoch=1, sequence=0, sample=0, payload=bytes(1000), arrived_at=0.0)
    while not pipe.dropped_packets:
        pipe.audio([packet] * 1000)
    held = transport.get_write_buffer_size()
    assert held < 2 * MAX_UNREAD_BYTES
    pipe.audio([packet])
    pipe.show(control.Levels(session_id="s", levels={"t": 20}))
    assert (transport.get_write_buffer_size(), pipe.dropped_packets) == (held, 1001)
    pipe.tell(control.TrackLive(session_id="s", track_id="t"))
    assert transport.get_write_buffer_size() > held
    transport.abort()
    await asyncio.sleep(0)  # closed on the loop's next turn
    os.close(reading)
