"""The client's shell: one seat in one session, kept through every loss of the link.

`run()` connects, says hello, resumes with back-off and returns only when it is over for good. Everything else may be
called at any time from the same loop, also while the link is away.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from dataclasses import dataclass, replace
from typing import Literal

from signaling.codec import Envelope
from signaling.connection import Connection, Ears
from signaling.delivery import Backlog, Inbox, Unanswered
from signaling.doubt import Doubt
from signaling.errors import MessageTooLarge, Unreachable
from signaling.hurry import Hurry
from signaling.messages import (
    VERSION,
    Beat,
    Body,
    ClientInfo,
    Delivery,
    Dismissed,
    ErrorCode,
    Hello,
    Leave,
    Refused,
    Resume,
    Welcome,
)
from signaling.ports import Socket
from signaling.protocol import BEAT_ASK, FEATURES, ClientLine, CloseCode, Pace
from signaling.retry import Backoff
from signaling.sentences import WORTH_RETRYING, refusal
from signaling.sockets import connect
from signaling.view import View

_log = logging.getLogger(__name__)

ACK_EVERY = 32
"""Events after which a beat is sent out of turn, to acknowledge them."""

LEAVE_S = 3.0

TokenSource = Callable[[], Awaitable[str]]
"""Gives a join token that is good now; asked before every connection. Raises `errors.Unreachable` to be asked later."""

Connect = Callable[[str], Awaitable[Socket]]
"""Opens a socket to a URL; raises `errors.Unreachable`."""


@dataclass(frozen=True, slots=True)
class LinkState:
    """Where the link stands. `message` is a sentence for a person; `retry_in_s` is set while `reconnecting` waits."""

    state: Literal["connecting", "connected", "reconnecting", "refused", "dismissed"]
    code: ErrorCode | str | None = None
    message: str = ""
    retry_in_s: float | None = None


@dataclass(frozen=True, slots=True)
class Joined:
    """In the event stream: a connection stands.

    `resumed` False: this is a new peer, media connections of the old one are gone and must be made again, from
    generation 0. True: the seat and its media are as they were (`resync`: events were missed, read `client.view`).
    """

    welcome: Welcome
    resumed: bool
    resync: str | None


@dataclass(frozen=True, slots=True)
class Overflowed:
    """In the event stream: the reader was too slow and events were thrown away, a `Joined` perhaps among them.

    Read `client.view` again, and `client.welcome`, whose `peer_id` tells whether this is still the same peer.
    """

    lost: int


Told = Body | Joined | Overflowed


@dataclass(frozen=True, slots=True)
class _Verdict:
    """How one connection ended. `final`: what `run` returns."""

    final: Dismissed | Refused | None = None
    welcomed_for_s: float = 0.0
    retry_after_ms: int | None = None
    code: str | None = None
    message: str = "The connection to the hub was lost."
    rejoin: bool = False


class SignalingClient:
    """One seat's connection to the hub.

    `url` is `ws://…` or `wss://…`; the token never goes into it. `on_state` is called on the loop at every change and
    must return at once. `chance` gives uniform numbers in [0, 1) for the back-off.
    """

    def __init__(
        self,
        url: str,
        token_source: TokenSource,
        info: ClientInfo,
        *,
        on_state: Callable[[LinkState], None] = lambda state: None,
        connect: Connect = connect,
        pace: Pace | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._url = url
        self._token_source = token_source
        self._info = info
        self._on_state = on_state
        self._connect = connect
        self._pace = pace or Pace()
        self._chance = chance
        self._unanswered = Unanswered()
        self._waiting: dict[str, asyncio.Future[Body]] = {}
        self._ids = (f"c{number}" for number in itertools.count(1))
        self._inbox: Inbox[Body | None] = Inbox()
        self._backlog: Backlog[Told] = Backlog()
        self._unread = asyncio.Event()
        self._view = View()
        self._welcome: Welcome | None = None
        self._resume_token: str | None = None
        self._epoch: int | None = None
        self._connection: Connection | None = None
        self._since_ack = 0
        self._ended_by: Dismissed | Refused | None = None
        self._hello_id = ""
        self._welcomed_at: float | None = None
        self._hurry = Hurry()
        self._doubt = Doubt(self._hurry.now)
        self._leaving = False
        self._over = False

    # ---- for the owner ----

    async def run(self) -> Dismissed | Refused:
        """Keep the seat until the hub says `stop` or refuses for good, and return what it said.

        To leave by oneself: `await leave()`, or cancel the task (the seat then stays reconnecting for its grace time).
        Once only.
        """
        try:
            final = await self._keep_connected()
        finally:
            self._over = True
            self._unread.set()
            self._give_up(list(self._waiting), ErrorCode.TIMED_OUT, "The connection to the hub is over.")
        stopped = isinstance(final, Dismissed)
        self._on_state(LinkState("dismissed" if stopped else "refused", final.code, final.message))
        return final

    async def request(self, body: Body, timeout_s: float = 10.0) -> Body | Refused:
        """Send a command and wait for its reply; sent again with the same id after a resume.

        Never raises for what the hub answers. No reply in `timeout_s`, link or no link: `Refused` with `timed_out`.
        At most 64 wait at once: one more is `too_fast`.
        """
        if self._over:
            return refusal(ErrorCode.TIMED_OUT, "The connection to the hub is over.")
        command_id = next(self._ids)
        try:
            if not self._unanswered.ask(command_id, body):
                return refusal(ErrorCode.TOO_FAST, retry_after_ms=1_000)
        except MessageTooLarge as error:
            return refusal(ErrorCode.TOO_LARGE, str(error))
        reply: asyncio.Future[Body] = asyncio.get_running_loop().create_future()
        self._waiting[command_id] = reply
        self._wake()
        try:
            async with asyncio.timeout(timeout_s):
                return await reply
        except TimeoutError:
            return refusal(ErrorCode.TIMED_OUT)
        finally:
            self._waiting.pop(command_id, None)
            self._unanswered.answered(command_id)

    async def leave(self, reason: str = "") -> None:
        """Give the seat up; `run()` returns. Without a link the hub notices when the grace time is over."""
        self._leaving = True
        if self._connection is not None and self._welcomed_at is not None:
            await self.request(Leave(reason=reason), LEAVE_S)
        if self._connection is not None:
            self._connection.end(CloseCode.NORMAL)
        self._hurry.now()

    async def events(self) -> AsyncIterator[Told]:
        """What the hub tells, in order: events exactly once, ephemerals while there is room. One reader.

        Ends with `run`. At most 1024 events wait: beyond that all are thrown away and one `Overflowed` stands for them.
        Of 64 kinds of ephemerals the latest waits; they come after the events.
        """
        while True:
            item = self._next()
            if item is not None:
                yield item
            elif self._over:
                return
            else:
                self._unread.clear()
                await self._unread.wait()

    def network_is_back(self) -> None:
        """The network returned (the machine says so, or media is heard again): try now instead of after the back-off.

        An attempt that is under way is begun anew: its packets wait for their own, longer, repetition. A connection
        that stands must say something within a second, or it is made anew too.
        """
        if not self.doubt():
            self._hurry.now()

    def doubt(self) -> bool:
        """The way to the hub may be gone: a connection that stands must say something soon, or it is made anew. False:
        none stands. A hub that cannot be asked is left its heartbeat."""
        if self._welcomed_at is None or self._connection is None:
            return False
        if self._welcome is not None and BEAT_ASK in self._welcome.features:
            self._doubt.about(self._connection)
        return True

    @property
    def view(self) -> View:
        """Peers, tracks and session as the hub last said, with every event applied that `events` has given or holds."""
        return self._view

    @property
    def welcome(self) -> Welcome | None:
        """The last welcome: own `peer_id`, `role`, `permissions`, `ice_servers`; None before the first."""
        return self._welcome

    # ---- connections ----

    async def _keep_connected(self) -> Dismissed | Refused:
        backoff = Backoff()
        self._on_state(LinkState("connecting"))
        while True:
            verdict = await self._one_connection()
            if self._leaving:
                return Dismissed(action="stop", code="left", message="You have left.")
            if verdict.final is not None:
                return verdict.final
            if verdict.rejoin:
                self._resume_token = None
            backoff = backoff.ended_after(verdict.welcomed_for_s)
            wait_s = backoff.wait_s(self._chance(), verdict.retry_after_ms)
            backoff = backoff.waited()
            self._on_state(LinkState("reconnecting", verdict.code, verdict.message, wait_s))
            if not self._leaving and await self._hurry.pause(wait_s):
                backoff = Backoff()
            if self._leaving:
                return Dismissed(action="stop", code="left", message="You have left.")

    async def _one_connection(self) -> _Verdict:
        try:
            token, socket = await self._hurry.unless(self._reach())
        except Unreachable as error:
            return _Verdict(message=str(error))
        line = ClientLine(_now(), self._pace)
        ears = Ears(
            heard=self._heard, stamp=self._stamp, unread=lambda seq: self._event(seq, None), alive=self._doubt.heard
        )
        self._connection = Connection(socket, line, self._unanswered, ears, last_words_s=1.0)
        self._ended_by, self._welcomed_at, self._epoch = None, None, None
        try:
            await self._connection.run(self._hello(token))
        finally:
            self._connection = None
            self._unanswered.detach()
        return self._verdict()

    async def _reach(self) -> tuple[str, Socket]:
        return await self._token_source(), await self._connect(self._url)

    def _hello(self, token: str) -> Envelope:
        self._hello_id = next(self._ids)
        resume = Resume(token=self._resume_token, recv_seq=self._inbox.received) if self._resume_token else None
        hello = Hello(versions=[VERSION], features=[*FEATURES], token=token, client=self._info, resume=resume)
        return Envelope(hello.type, hello, id=self._hello_id)

    def _verdict(self) -> _Verdict:
        lasted = 0.0 if self._welcomed_at is None else _now() - self._welcomed_at
        match self._ended_by:
            case None:
                return _Verdict(welcomed_for_s=lasted)
            case Dismissed(action="stop") as last:
                return _Verdict(final=last)
            case Dismissed(action=action) as last:
                return _Verdict(None, lasted, last.retry_after_ms, last.code, last.message, rejoin=action == "rejoin")
            case Refused(code=code) as last if code in WORTH_RETRYING:
                return _Verdict(None, lasted, last.retry_after_ms, last.code, last.message)
            case Refused() as last:
                return _Verdict(final=last)

    # ---- what the connection tells ----

    def _heard(self, envelope: Envelope) -> None:
        match envelope.body:
            case Welcome() as welcome:
                self._welcomed(welcome, envelope.ep)
            case Dismissed() as last:
                self._ended_by = last
            case Refused() as last if self._welcomed_at is None and envelope.re in (None, self._hello_id):
                self._ended_by = last
            case body if body.delivery is Delivery.REPLY:
                self._answered(envelope.re or "", body)
            case body if body.delivery is Delivery.EVENT and envelope.seq is not None:
                self._event(envelope.seq, body)
            case body if body.delivery is Delivery.EPHEMERAL:
                self._backlog.view(body, _key(body))
                self._unread.set()
            case _:
                pass

    def _welcomed(self, welcome: Welcome, epoch: int | None) -> None:
        self._welcome = welcome
        self._resume_token = welcome.resume_token
        self._epoch = epoch
        self._welcomed_at = _now()
        self._inbox.restart(welcome.next_seq)
        if not welcome.resumed:
            lost = self._unanswered.void()
            self._give_up(lost, ErrorCode.TIMED_OUT, "The connection was made anew before the answer came; ask again.")
        self._view = self._view.apply(welcome)
        self._backlog.fact(Joined(welcome, welcome.resumed, welcome.resync))
        self._unread.set()
        self._on_state(LinkState("connected"))
        self._unanswered.attach()
        self._wake()

    def _answered(self, command_id: str, body: Body) -> None:
        if self._unanswered.answered(command_id):
            reply = self._waiting.get(command_id)
            if reply is not None and not reply.done():
                reply.set_result(body)

    def _event(self, seq: int, body: Body | None) -> None:
        for event in self._inbox.accept(seq, body):
            self._since_ack += 1
            if event is not None:
                self._view = self._view.apply(event)
                self._backlog.fact(event)
                self._unread.set()
        if self._connection is None:
            return
        if self._inbox.broken:
            _log.warning("events are missing in the stream; resuming")
            self._connection.end(CloseCode.FAILED)
        elif self._since_ack >= ACK_EVERY:
            self._since_ack = 0
            self._connection.say(Envelope(Beat.type, Beat()))

    def _stamp(self, envelope: Envelope) -> Envelope:
        if self._welcomed_at is None:
            return envelope
        self._since_ack = 0
        return replace(envelope, ack=self._inbox.received, ep=self._epoch)

    # ---- inside ----

    def _next(self) -> Told | None:
        if self._backlog.lost:
            lost, self._backlog.lost = self._backlog.lost, 0
            return Overflowed(lost)
        return self._backlog.take()

    def _wake(self) -> None:
        if self._connection is not None:
            self._connection.wake()

    def _give_up(self, command_ids: list[str] | tuple[str, ...], code: ErrorCode, message: str) -> None:
        for command_id in command_ids:
            reply = self._waiting.get(command_id)
            if reply is not None and not reply.done():
                reply.set_result(refusal(code, message))


def _key(body: Body) -> Hashable:
    return body.type, getattr(body, "track_id", None)


def _now() -> float:
    return asyncio.get_running_loop().time()
