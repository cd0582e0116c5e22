"""One peer at the hub: what it is owed, and the one task that does what it asks, in order."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass

from signaling.codec import Envelope
from signaling.connection import Connection
from signaling.delivery import Outbox, Replies, Standing
from signaling.messages import Body, ErrorCode
from signaling.peer_media import PeerMedia
from signaling.protocol import CloseCode
from signaling.rates import COMMAND_RATES, OTHER_COMMANDS, Rates
from signaling.sentences import refusal
from signaling.settings import SignalingSettings
from signaling.switchboard import Effect

_log = logging.getLogger(__name__)

MAX_WAITING = 64
"""Commands of one peer that wait; more are refused as too fast."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The reply, and what happens after it was queued."""

    body: Body
    effects: Sequence[Effect] = ()


Execute = Callable[["Peer", Body], Awaitable[Answer]]


class Peer:
    """Everything of one peer that outlives its connections. `work` is its loop; all else only posts to it."""

    def __init__(
        self,
        session_id: str,
        peer_id: str,
        media: PeerMedia,
        settings: SignalingSettings,
    ) -> None:
        self.session_id = session_id
        self.peer_id = peer_id
        self.media = media
        self.connection: Connection | None = None
        self.outbox = Outbox(settings.bounds)
        self.work_done = asyncio.Event()
        self._replies = Replies()
        self._rates = Rates(COMMAND_RATES, OTHER_COMMANDS)
        self._commands: deque[Envelope] = deque()
        self._wake = asyncio.Event()
        self._gone: str | None = None

    # ---- what others post ----

    def command(self, envelope: Envelope) -> None:
        """Queue it; a repeat gets its reply again, one too many is refused."""
        if envelope.id is None or self._gone is not None:
            return
        match self._replies.begin(envelope.id):
            case Standing.NEW:
                self._admit(envelope, envelope.id)
            case Standing.RUNNING:
                pass
            case reply:
                self._say(envelope.id, reply)

    def event(self, body: Body) -> None:
        self.outbox.event(body, _now())
        self.notify()

    def view(self, body: Body, key: Hashable) -> None:
        self.outbox.view(body, key)
        self.notify()

    def notify(self) -> None:
        if self.connection is not None:
            self.connection.wake()

    def chores(self) -> None:
        """There is something for `media.settle`."""
        self._wake.set()

    def gone(self, cause: str) -> None:
        """The peer is no more; what waits is void. `cause` is the directory's word for its tracks."""
        self._gone = self._gone or cause
        self._commands.clear()
        self._wake.set()

    def end(self, code: CloseCode, last: Body | None) -> None:
        if self.connection is not None:
            self.connection.end(code, last)

    # ---- the loop ----

    async def work(self, execute: Execute, apply: Callable[[Sequence[Effect]], None], after: asyncio.Event) -> None:
        """Begins when `after` is set: when the seat's peer before this one has closed what it had open."""
        try:
            await after.wait()
            while self._gone is None:
                await self._wake.wait()
                self._wake.clear()
                await self._work_off(execute, apply)
        finally:
            try:
                await self._guarded(self.media.farewell(self._gone or "lost"))
            finally:
                self.work_done.set()

    async def _work_off(self, execute: Execute, apply: Callable[[Sequence[Effect]], None]) -> None:
        while self._commands:
            envelope = self._commands.popleft()
            answer = await self._guarded(execute(self, envelope.body)) or Answer(refusal(ErrorCode.INTERNAL))
            if envelope.id is not None:
                self._replies.finish(envelope.id, answer.body, _weight(answer.body))
                self._say(envelope.id, answer.body)
            apply(answer.effects)
        await self._guarded(self.media.settle())

    async def _guarded(self, work: Awaitable[Answer] | Awaitable[None]) -> Answer | None:
        """A directory or plane that fails costs this peer one answer, not its loop and not the session."""
        [outcome] = await asyncio.gather(work, return_exceptions=True)
        match outcome:
            case TimeoutError():
                _log.warning("the directory did not answer in time for peer %s", self.peer_id)
                return Answer(refusal(ErrorCode.TIMED_OUT))
            case BaseException():
                _log.error("a command of peer %s failed inside", self.peer_id, exc_info=outcome)
                return Answer(refusal(ErrorCode.INTERNAL))
            case _:
                return outcome

    def _admit(self, envelope: Envelope, command_id: str) -> None:
        wait_ms = self._rates.take(envelope.t, _now())
        if len(self._commands) >= MAX_WAITING:
            wait_ms = 1_000
        if wait_ms:
            self._replies.abandon(command_id)
            self._say(command_id, refusal(ErrorCode.TOO_FAST, retry_after_ms=wait_ms))
            return
        self._commands.append(envelope)
        self._wake.set()

    def _say(self, command_id: str, body: Body) -> None:
        self.outbox.reply(Envelope(body.type, body, re=command_id))
        self.notify()


def _weight(body: Body) -> int:
    """Bytes that remembering this reply costs, roughly: only media descriptions are large."""
    sdp = getattr(body, "sdp", "")
    return 500 + len(sdp)


def _now() -> float:
    return asyncio.get_running_loop().time()
