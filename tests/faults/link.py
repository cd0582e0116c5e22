"""`python -m tests.faults.link DELAY_MS JITTER_MS NS/IF:NS/IF ...`: cables with a delay, carried in user space.

Each end is a tunnel interface in its namespace. A packet read from one is written to the other when its time has
come, never before the one ahead of it (a queue keeps its order). The queue is bounded by packets; beyond, the newest
is lost. The kernel's netem is not everywhere; this needs only /dev/net/tun. Ends when its standard input closes.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import random
import struct
import sys
from collections import deque

from tests.faults.network import inside

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
MTU = 1500
QUEUE = 4000
SEED = 1


def tunnel(namespace: str, name: str) -> int:
    """A new tunnel interface there; its file descriptor, non-blocking. One packet per read and write."""
    with inside(namespace):
        made = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(made, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return made


class Way:
    """One direction of a cable."""

    def __init__(self, source: int, sink: int, delay_s: float, jitter_s: float, chance: random.Random) -> None:
        self._source, self._sink = source, sink
        self._delay_s, self._jitter_s, self._chance = delay_s, jitter_s, chance
        self._queue: deque[tuple[float, bytes]] = deque()
        self._last = 0.0
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(source, self._take)

    def _take(self) -> None:
        with contextlib.suppress(BlockingIOError, OSError):
            while packet := os.read(self._source, MTU + 100):
                if len(self._queue) >= QUEUE:
                    continue
                due = self._loop.time() + self._delay_s + self._chance.uniform(-self._jitter_s, self._jitter_s)
                self._last = max(self._last, due)
                self._queue.append((self._last, packet))
                if len(self._queue) == 1:
                    self._loop.call_at(self._last, self._give)

    def _give(self) -> None:
        now = self._loop.time()
        while self._queue and self._queue[0][0] <= now + 0.0002:
            _, packet = self._queue.popleft()
            with contextlib.suppress(OSError):  # the far end is down: lost, as on a cable
                os.write(self._sink, packet)
        if self._queue:
            self._loop.call_at(self._queue[0][0], self._give)


async def carry(delay_ms: float, jitter_ms: float, cables: list[str]) -> None:
    chance = random.Random(SEED)
    for cable in cables:
        ends = [tunnel(*end.split("/")) for end in cable.split(":")]
        for source, sink in (ends, ends[::-1]):
            Way(source, sink, delay_ms / 1000, jitter_ms / 1000, chance)
    print("ready", flush=True)
    over = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), over.set)
    await over.wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(carry(float(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]))
