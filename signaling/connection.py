"""One socket, on either side: it reads, writes and keeps the pulse until either end ends it. The peer outlives it."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from signaling.codec import Envelope, encode
from signaling.errors import MessageTooLarge
from signaling.messages import Body, Delivery
from signaling.ports import Socket, SocketClosed
from signaling.protocol import Acked, CloseCode, Fact, Hangup, Heard, Unread, Write

_log = logging.getLogger(__name__)

MAX_URGENT = 256
HURRY_S = 0.2
"""How long a closing handshake is waited for where no answer is to be expected."""
_SAY_NOTHING = frozenset({CloseCode.TOO_SLOW, CloseCode.REPLACED, CloseCode.SILENT})
"""Ends after which nothing queued is written: it cannot be, or it is another connection's now."""


class Source(Protocol):
    """Where messages to be written come from."""

    @property
    def overflowed(self) -> bool:
        """What was due could not be kept: this connection is worth nothing any more."""

    def take(self) -> Envelope | None:
        """The next one, or None when nothing is due."""


class Line(Protocol):
    """The pure half: `signaling.protocol`."""

    @property
    def closed(self) -> bool: ...

    def receive(self, wire: str | bytes, now: float) -> list[Fact]: ...

    def tick(self, now: float) -> list[Fact]: ...

    def deadline(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Ears:
    """Whom a connection tells what; all are called on the loop and return at once.

    `heard`: a message in its place. `acked`: the other side has everything up to there. `unread`: an event of that
    number came that cannot be read. `alive`: anything at all came.
    `stamp`: fill in what rides on every message just before it is written.
    """

    heard: Callable[[Envelope], None]
    stamp: Callable[[Envelope], Envelope]
    acked: Callable[[int], None] = lambda seq: None
    unread: Callable[[int], None] = lambda seq: None
    alive: Callable[[], None] = lambda: None


class Connection:
    def __init__(self, socket: Socket, line: Line, source: Source, ears: Ears, last_words_s: float) -> None:
        self._socket = socket
        self._line = line
        self._source = source
        self._ears = ears
        self._last_words_s = last_words_s
        self._urgent: deque[Envelope] = deque()
        """Beats and refusals of the line itself, before all else; at most 256, then the peer reads too slowly."""
        self._wake = asyncio.Event()
        self._ending: asyncio.Future[tuple[CloseCode, Envelope | None]] = asyncio.get_running_loop().create_future()
        self._rearm = asyncio.Event()
        self._armed_for = 0.0
        self._muting = False
        self._muted = False

    async def run(self, first: Envelope) -> CloseCode:
        """Write `first` before all else and go on until it is over; the code says why (`FAILED`: nobody said)."""
        tasks: list[asyncio.Task[None]] = [
            asyncio.create_task(self._write(first)),
            asyncio.create_task(self._read()),
            asyncio.create_task(self._pulse()),
        ]
        try:
            over: list[asyncio.Future[Any]] = [*tasks, self._ending]
            await asyncio.wait(over, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            await hang_up(self._socket, CloseCode.GOING_AWAY, HURRY_S)
            raise
        finally:
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        if any(isinstance(result, SocketClosed) for result in results):
            return CloseCode.FAILED
        for result in results:
            if isinstance(result, Exception):
                _log.error("a signaling connection failed inside", exc_info=result)
        return await self._finish()

    def end(self, code: CloseCode, last: Body | None = None) -> None:
        """Say what is queued, then `last`, then close. The first end counts."""
        self._end(code, Envelope(last.type, last) if last is not None else None)

    def wake(self) -> None:
        """There is something to take from the source."""
        if self._source.overflowed:
            self._end(CloseCode.TOO_SLOW, None)
        self._wake.set()

    def say(self, envelope: Envelope) -> None:
        """Write it before anything else."""
        self._urgent.append(envelope)
        if len(self._urgent) > MAX_URGENT:
            self._end(CloseCode.TOO_SLOW, None)
        self._wake.set()

    def fall_silent(self) -> None:
        """For the test door: once what is queued is written, nothing more is."""
        self._muting = True
        self._wake.set()

    # ---- the three tasks ----

    async def _read(self) -> None:
        while True:
            wire = await self._socket.receive()
            self._ears.alive()
            self._take(self._line.receive(wire, self._now()))
            if self._line.deadline() < self._armed_for:
                self._rearm.set()

    async def _write(self, first: Envelope) -> None:
        await self._send(first)
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._drain()
            self._muted = self._muting

    async def _pulse(self) -> None:
        """Sleeps until the line's deadline, or until `_read` has brought an earlier one (a welcome does)."""
        while not self._line.closed:
            self._rearm.clear()
            self._armed_for = self._line.deadline()
            try:
                async with asyncio.timeout_at(self._armed_for):
                    await self._rearm.wait()
            except TimeoutError:
                self._take(self._line.tick(self._now()))

    # ---- inside ----

    def _take(self, facts: list[Fact]) -> None:
        for fact in facts:
            match fact:
                case Heard(envelope):
                    self._ears.heard(envelope)
                case Acked(seq):
                    self._ears.acked(seq)
                case Unread(seq):
                    self._ears.unread(seq)
                case Write(envelope):
                    self.say(envelope)
                case Hangup(code, last):
                    self._end(code, last)

    async def _drain(self, *, ending: bool = False) -> None:
        """A connection that is ending leaves the source to its successor, unless it is told to say what is left."""
        while not self._muted and self._ending.done() is ending:
            envelope = self._urgent.popleft() if self._urgent else self._source.take()
            if envelope is None:
                return
            await self._send(envelope)

    async def _send(self, envelope: Envelope) -> None:
        stamped = replace(self._ears.stamp(envelope), ts=round(self._now() * 1000))
        try:
            wire = encode(stamped)
        except MessageTooLarge as error:
            _log.error("a message was not sent: %s", error)
            if envelope.body.delivery is Delivery.EVENT or envelope.t == "welcome":
                self._end(CloseCode.FAILED, None)
            return
        await self._socket.send(wire)

    def _end(self, code: CloseCode, last: Envelope | None) -> None:
        if not self._ending.done():
            self._ending.set_result((code, last))

    async def _finish(self) -> CloseCode:
        self._end(CloseCode.FAILED, None)
        code, last = self._ending.result()
        try:
            async with asyncio.timeout(self._last_words_s):
                if code not in _SAY_NOTHING:
                    await self._drain(ending=True)
                if last is not None and not self._muted:
                    await self._send(last)
        except (SocketClosed, TimeoutError):
            pass
        await hang_up(self._socket, code, self._last_words_s)
        return code

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


async def hang_up(socket: Socket, code: CloseCode, patience_s: float) -> None:
    """Close, and do not wait for a peer that does not answer."""
    if code in (CloseCode.SILENT, CloseCode.TOO_SLOW):
        patience_s = min(patience_s, HURRY_S)
    try:
        async with asyncio.timeout(patience_s):
            await socket.close(code, code.name.lower())
    except (SocketClosed, TimeoutError):
        pass
