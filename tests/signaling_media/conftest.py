from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

import pytest

from signaling.media.forwarder import TICK_S, Forwarder
from signaling.media.plane import WorkerPlane
from signaling.media.udp import Port, open_ports
from tests.signaling_media.clients import Recorder


@pytest.fixture
async def events() -> Recorder:
    return Recorder()


@contextlib.asynccontextmanager
async def running(ports: Sequence[Port], events: Recorder, **settings: float) -> AsyncIterator[Forwarder]:
    """A forwarder on the test's own loop, with its ticks."""
    made = Forwarder(ports, events, **settings)  # type: ignore[arg-type]
    loop = asyncio.get_running_loop()
    for port in ports:
        loop.add_reader(port.fileno(), made.receive, port)

    async def tick() -> None:
        while True:
            await asyncio.sleep(TICK_S)
            made.tick()

    ticking = loop.create_task(tick())
    yield made
    ticking.cancel()
    for port in ports:
        loop.remove_reader(port.fileno())
    await made.shut_down()


@pytest.fixture
async def forwarder(events: Recorder) -> AsyncIterator[Forwarder]:
    async with running(open_ports(["127.0.0.1", "::1"], 0), events) as made:
        yield made


@pytest.fixture
async def plane(events: Recorder) -> AsyncIterator[WorkerPlane]:
    made = WorkerPlane(events, workers=1, addresses=["127.0.0.1", "::1"])
    await made.start()
    yield made
    await made.stop()
