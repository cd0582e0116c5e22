"""How much one worker forwards on one core, and how late: `python -m tools.bench_forwarding [seconds]`.

Every site publishes 50 audio packets/s (90 bytes) and, in the cases with video, 15 frames/s of ten 1000 byte packets
(1.2 Mb/s) and receives everything of the others. The worker is pinned to core 0, load and sinks to core 1. Packets per
second per core = packets sent / CPU seconds of the worker, which survives a busy machine; the delay does not: read it
as an upper bound. Baseline, in the same run: a process that sends each datagram on to as many receivers with plain
`sendto`, without encryption, sequence or repair.
"""

from __future__ import annotations

import asyncio
import heapq
import multiprocessing
import os
import select
import socket
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from struct import Struct

from signaling.media.aiortc_adapter import Certificate
from signaling.media.fanout import Fanout
from signaling.media.plane import WorkerPlane
from tests.signaling_media.clients import Recorder
from tools.media_load import RawConnection, publish, subscribe

AUDIO_BYTES, VIDEO_BYTES, FRAME_PACKETS, FRAMES_PER_S = 80, 990, 10, 15
STAMP = Struct("!d")
CASES = (("4 sites A+V", 4, True), ("8 sites A+V", 8, True), ("14 sites A+V", 14, True))
AUDIO_CASES = (("12 sites audio", 12, False), ("26 sites audio", 26, False))
AIM_PPS, AIM_P99_MS = 80_000.0, 5.0


@dataclass
class Measured:
    name: str
    sent_per_s: float
    cpu: float
    delays_ms: list[float] = field(default_factory=list)
    arrived: float = 1.0

    @property
    def per_core(self) -> float:
        return self.sent_per_s / self.cpu if self.cpu else 0.0

    def percentile(self, share: float) -> float:
        ordered = sorted(self.delays_ms)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


class Pace:
    """Sends what is due, in order of time: audio packet by packet, video frame by frame."""

    def __init__(self, senders: Sequence[tuple[str, Fanout]]) -> None:
        self.senders = senders
        self.numbers = [[0, 0] for _ in senders]
        self.due: list[tuple[float, int]] = []
        self.filler = os.urandom(2000)

    def start(self, now: float) -> None:
        for place, (kind, _) in enumerate(self.senders):
            period = 0.02 if kind == "audio" else 1 / FRAMES_PER_S
            heapq.heappush(self.due, (now + period * ((place * 0.618) % 1), place))

    def send(self, now: float) -> float:
        """Seconds until the next one."""
        while self.due and self.due[0][0] <= now:
            at, place = heapq.heappop(self.due)
            kind, fan = self.senders[place]
            if kind == "audio":
                self._packet(place, fan, 0, AUDIO_BYTES, 960)
                heapq.heappush(self.due, (at + 0.02, place))
            else:
                for part in range(FRAME_PACKETS):
                    last = part == FRAME_PACKETS - 1
                    self._packet(place, fan, 0x80 if last else 0, VIDEO_BYTES, 6000 if last else 0)
                heapq.heappush(self.due, (at + 1 / FRAMES_PER_S, place))
        return max(0.0, self.due[0][0] - time.monotonic()) if self.due else 1.0

    def _packet(self, place: int, fan: Fanout, marker: int, size: int, step: int) -> None:
        number = self.numbers[place]
        # an extension block without elements, then a VP8 key frame's first bytes and the time of sending
        body = b"\xbe\xde\0\0\x10\0" + STAMP.pack(time.monotonic()) + self.filler[: size - 10]
        fan.send(marker, number[0], number[1], body)
        number[0] += 1
        number[1] += step


class Sinks:
    """Counts what arrives; decrypts only at the first receiver, to read the time of sending."""

    def __init__(self, receivers: Sequence[RawConnection]) -> None:
        self.receivers = receivers
        self.count = 0
        self.delays: list[float] = []
        self.poll = select.epoll()
        self.by_fd = {receiver.port.fileno(): place for place, receiver in enumerate(receivers)}
        for fd in self.by_fd:
            self.poll.register(fd, select.EPOLLIN)

    def wait(self, seconds: float) -> None:
        for fd, _ in self.poll.poll(seconds):
            place = self.by_fd[fd]
            port = self.receivers[place].port
            while got := port.receive():
                now = time.monotonic()
                self.count += got
                if place == 0:
                    self._read(got, now)
                if got < 16:
                    break

    def _read(self, got: int, now: float) -> None:
        connection = self.receivers[0]
        assert connection.keys is not None
        for i in range(got):
            if 192 <= connection.port.cells[i].view[1][0] <= 223:
                continue
            data = connection.keys.unprotect(connection.port.cells[i], connection.port.sizes[i])
            if data is not None:
                start = 16 + 4 * int.from_bytes(data[14:16], "big") + 2
                self.delays.append((now - STAMP.unpack_from(data, start)[0]) * 1000)


def drive(pace: Pace, sinks: Sinks, seconds: float) -> None:
    now = time.monotonic()
    end = now + seconds
    pace.start(now) if not pace.due else None
    while now < end:
        sinks.wait(min(pace.send(now), 0.005))
        now = time.monotonic()


async def measure(name: str, sites: int, video: bool, seconds: float) -> Measured:
    plane = WorkerPlane(Recorder(), workers=1, addresses=["127.0.0.1"])
    await plane.start()
    (pid,) = plane.pids()
    os.sched_setaffinity(pid, {0})
    certificate = Certificate()
    kinds = ("audio", "video") if video else ("audio",)
    senders: list[tuple[str, Fanout]] = []
    publishers: list[RawConnection] = []
    receivers: list[RawConnection] = []
    for place in range(sites):
        connection, fans = await publish(plane, certificate, "bench", f"site{place}", kinds)
        publishers.append(connection)
        senders += zip(kinds, fans, strict=True)
        receivers.append(
            await subscribe(plane, certificate, "bench", f"site{place}", sites - 1, sites - 1 if video else 0)
        )
    pace, sinks = Pace(senders), Sinks(receivers)
    drive(pace, sinks, 1.0)
    copies = await total_copies(plane)
    before, count, began = cpu_seconds(pid), sinks.count, time.monotonic()
    sinks.delays.clear()
    drive(pace, sinks, seconds)
    after, elapsed, arrived = cpu_seconds(pid), time.monotonic() - began, sinks.count - count
    cpu = (after - before) / elapsed
    sent = await total_copies(plane) - copies
    await plane.stop()
    for each in (*publishers, *receivers):
        each.port.close()
    return Measured(name, sent / elapsed, cpu, sinks.delays, arrived / max(1, sent))


def cpu_seconds(pid: int) -> float:
    """Exact run time of all threads; the tick based user and system times miss short bursts."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as file:
            total += int(file.read().split()[0])
    return total / 1e9


async def total_copies(plane: WorkerPlane) -> int:
    stats = await plane.stats()
    tracks = stats["workers"][0]["sessions"]["bench"]["tracks"]  # type: ignore[index]
    return sum(track["copies"] for track in tracks.values())


# ---- baseline ------------------------------------------------------------------------------------------------------


def echo(pipe: Connection, copies: int) -> None:
    """Send each datagram on to `copies` receivers, plain."""
    os.sched_setaffinity(0, {0})
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        pipe.send(sock.getsockname()[1])
        targets = [("127.0.0.1", number) for number in pipe.recv()]
        assert len(targets) == copies
        while True:
            data = sock.recv(2048)
            if data == b"end":
                return
            for target in targets:
                sock.sendto(data, target)


def measure_echo(sites: int, video: bool, seconds: float) -> Measured:
    """The same sizes, rates and number of copies through the plain process."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=echo, args=(theirs, sites - 1))
    process.start()
    number = ours.recv()
    sinks = []
    for _ in range(sites - 1):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("127.0.0.1", 0))
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        sinks.append(sock)
    ours.send([sock.getsockname()[1] for sock in sinks])
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.connect(("127.0.0.1", number))
    delays, sent, cpu = _drive_echo(sender, sinks, sites, video, seconds, process.pid or 0)
    sender.send(b"end")
    process.join()
    for sock in (*sinks, sender):
        sock.close()
    return Measured("plain echo", sent / seconds, cpu / seconds, delays)


def _drive_echo(
    sender: socket.socket,
    sinks: Sequence[socket.socket],
    sites: int,
    video: bool,
    seconds: float,
    pid: int,
) -> tuple[list[float], int, float]:
    poll = select.epoll()
    by_fd = {sock.fileno(): sock for sock in sinks}
    for fd in by_fd:
        poll.register(fd, select.EPOLLIN)
    filler = os.urandom(2000)
    now = time.monotonic()
    due: list[tuple[float, int, int]] = [(now + 0.02 * ((i * 0.618) % 1), i, 0) for i in range(sites)]
    if video:
        due += [(now + ((i * 0.618) % 1) / FRAMES_PER_S, i, 1) for i in range(sites)]
    heapq.heapify(due)
    end, delays, sent = now + seconds, [], 0
    before = cpu_seconds(pid)
    while now < end:
        while due[0][0] <= now:
            at, place, is_video = heapq.heappop(due)
            for _ in range(FRAME_PACKETS if is_video else 1):
                size = VIDEO_BYTES if is_video else AUDIO_BYTES
                sender.send(STAMP.pack(time.monotonic()) + filler[: size + 20])
                sent += len(sinks)
            heapq.heappush(due, (at + (1 / FRAMES_PER_S if is_video else 0.02), place, is_video))
        for fd, _ in poll.poll(min(max(0.0, due[0][0] - time.monotonic()), 0.005)):
            try:
                while True:
                    data = by_fd[fd].recv(2048)
                    if fd == sinks[0].fileno():
                        delays.append((time.monotonic() - STAMP.unpack_from(data)[0]) * 1000)
            except BlockingIOError:
                pass
        now = time.monotonic()
    return delays, sent, cpu_seconds(pid) - before


def run(seconds: float = 4.0) -> list[dict[str, object]]:
    """All cases; prints a table and returns {name, value, unit, aim, baseline} for each figure."""
    affinity = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(affinity)})
    rows: list[dict[str, object]] = []
    print(f"{'case':<16}{'out pps':>10}{'CPU':>8}{'pps/core':>10}{'p50 ms':>9}{'p99 ms':>9}{'arrived':>9}")
    try:
        for name, sites, video in (*CASES, *AUDIO_CASES):
            ours = asyncio.run(measure(name, sites, video, seconds))
            plain = measure_echo(sites, video, seconds / 2)
            for label, found in ((name, ours), ("  plain echo", plain)):
                print(
                    f"{label:<16}{found.sent_per_s:>10.0f}{found.cpu:>8.1%}{found.per_core:>10.0f}"
                    f"{found.percentile(0.5):>9.2f}{found.percentile(0.99):>9.2f}{found.arrived:>9.1%}"
                )
            rows += _rows(ours, plain)
    finally:
        os.sched_setaffinity(0, affinity)
    return rows


def _rows(ours: Measured, plain: Measured) -> list[dict[str, object]]:
    label = ours.name.replace(" ", "_").replace("+", "").lower()
    figures = (
        ("per_core", ours.per_core, "packets/s", AIM_PPS, plain.per_core),
        ("p50", statistics.median(ours.delays_ms or [0.0]), "ms", None, plain.percentile(0.5)),
        ("p99", ours.percentile(0.99), "ms", AIM_P99_MS, plain.percentile(0.99)),
    )
    return [
        {
            "name": f"forward_{label}_{what}",
            "value": round(value, 3),
            "unit": unit,
            "aim": aim,
            "baseline": round(base, 3),
        }
        for what, value, unit, aim, base in figures
    ]


if __name__ == "__main__":
    run(float(sys.argv[1]) if len(sys.argv) > 1 else 4.0)
