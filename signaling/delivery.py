"""Exactly once, in order, or an explicit resync: numbering, acknowledgement, replay and idempotence. Pure.

The hub's side of a peer is an `Outbox` (it outlives connections) and `Replies`; the client's side is an `Inbox`.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Hashable
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

from signaling.codec import Envelope, encode
from signaling.messages import Body

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is kept for one peer. Beyond `events`, `bytes` or `age_s` the oldest events go: a resync follows."""

    events: int = 512
    bytes: int = 1_048_576
    age_s: float = 120.0
    waiting_replies: int = 128
    views: int = 64


@dataclass(frozen=True, slots=True)
class _Kept:
    envelope: Envelope
    size: int
    at: float


class Outbox:
    """What one peer is to be told.

    Replies and events are written in the order in which they were said, views after them. Events stay until they are
    acknowledged. While nothing is attached only events are kept. `overflowed` is true once something that the attached
    connection had not been given yet was thrown away: that connection is worth nothing any more and must be dropped.
    """

    def __init__(self, bounds: Bounds | None = None) -> None:
        self._bounds = bounds or Bounds()
        self._kept: OrderedDict[int, _Kept] = OrderedDict()
        self._bytes = 0
        self._last = 0
        self._due: deque[Envelope | int] = deque()
        self._due_replies = 0
        self._views: OrderedDict[Hashable, Body] = OrderedDict()
        self._attached = False
        self.overflowed = False
        self.views_dropped = 0

    @property
    def next_seq(self) -> int:
        return self._last + 1

    def event(self, body: Body, now: float) -> None:
        """Number it and keep it. Raises `MessageTooLarge` before anything is changed."""
        envelope = Envelope(body.type, body, seq=self._last + 1)
        size = len(encode(envelope))
        self._last += 1
        self._kept[self._last] = _Kept(envelope, size, now)
        self._bytes += size
        if self._attached:
            self._due.append(self._last)
        self.expire(now)

    def reply(self, envelope: Envelope) -> None:
        """Queue a reply for the attached connection; without one it is for `Replies` to remember."""
        if not self._attached:
            return
        self._due.append(envelope)
        self._due_replies += 1
        if self._due_replies > self._bounds.waiting_replies:
            self.overflowed = True

    def view(self, body: Body, key: Hashable) -> None:
        """Queue an ephemeral: the latest of a key wins; with too many keys the longest waiting goes."""
        if not self._attached:
            return
        self.views_dropped += self._views.pop(key, None) is not None
        self._views[key] = body
        if len(self._views) > self._bounds.views:
            self._views.popitem(last=False)
            self.views_dropped += 1

    def take(self) -> Envelope | None:
        """The next message to write, or None when there is nothing."""
        while self._due:
            item = self._due.popleft()
            if isinstance(item, Envelope):
                self._due_replies -= 1
                return item
            kept = self._kept.get(item)
            if kept is not None:
                return kept.envelope
        if self._views:
            _, body = self._views.popitem(last=False)
            return Envelope(body.type, body)
        return None

    def acknowledge(self, ack: int) -> None:
        """Everything up to `ack` has arrived. A number never given is not believed."""
        if ack > self._last:
            return
        while self._kept and next(iter(self._kept)) <= ack:
            self._bytes -= self._kept.popitem(last=False)[1].size

    def expire(self, now: float) -> None:
        bounds = self._bounds
        while self._kept:
            first = next(iter(self._kept.values()))
            if len(self._kept) <= bounds.events and self._bytes <= bounds.bytes and now - first.at <= bounds.age_s:
                return
            self._forget_first()

    def forget(self) -> None:
        """Throw the history away (the test door asks for it)."""
        while self._kept:
            self._forget_first()

    def attach(self) -> None:
        """A connection of a new peer stands; events that came before it are due."""
        self._attached = True
        self.overflowed = False
        self._clear()
        self._due.extend(self._kept)

    def resume(self, recv_seq: int, now: float) -> str | None:
        """A connection whose client has everything up to `recv_seq`. None: the rest is due; else why it cannot be."""
        self.expire(now)
        self._attached = True
        self.overflowed = False
        self._clear()
        if recv_seq > self._last:
            reason = "position unknown"
        elif recv_seq < self._last and recv_seq + 1 not in self._kept:
            reason = "history gone"
        else:
            self.acknowledge(recv_seq)
            self._due.extend(self._kept)
            return None
        self.acknowledge(self._last)
        return reason

    def detach(self) -> None:
        """The connection is gone: what was waiting for it is void, events stay."""
        self._attached = False
        self._clear()

    def _clear(self) -> None:
        self._due.clear()
        self._due_replies = 0
        self._views.clear()

    def _forget_first(self) -> None:
        seq, kept = self._kept.popitem(last=False)
        self._bytes -= kept.size
        if seq in self._due:
            self.overflowed = True


class Inbox(Generic[T]):
    """The receiver's side: numbered items in any order and number, out once each, in order.

    Items that come before their turn wait, at most `hold` of them. `broken` is true once one had to be thrown away:
    then only a resume from `received` helps.
    """

    def __init__(self, received: int = 0, hold: int = 512) -> None:
        self.received = received
        self.repeats = 0
        self.broken = False
        self._hold = hold
        self._early: dict[int, T] = {}

    def accept(self, seq: int, item: T) -> tuple[T, ...]:
        """Everything whose turn has come, in order."""
        if seq <= self.received or seq in self._early:
            self.repeats += 1
            return ()
        if seq > self.received + self._hold:
            self.broken = True
            return ()
        self._early[seq] = item
        ready: list[T] = []
        while self.received + 1 in self._early:
            self.received += 1
            ready.append(self._early.pop(self.received))
        return tuple(ready)

    def restart(self, next_seq: int) -> None:
        """A connection stands; the next number is `next_seq`."""
        self.received = next_seq - 1
        self.broken = False
        self._early.clear()


class Standing(Enum):
    NEW = "new"
    RUNNING = "running"


class Replies:
    """Commands by id: each is done once, and a repeat gets the first reply.

    At most `count` finished replies of together `size` bytes are remembered; the oldest are forgotten first. A client
    has at most 64 commands unanswered, so what is forgotten has been received.
    """

    def __init__(self, count: int = 128, size: int = 1_048_576) -> None:
        self._count = count
        self._size = size
        self._running: set[str] = set()
        self._finished: OrderedDict[str, tuple[Body, int]] = OrderedDict()
        self._bytes = 0

    def begin(self, command_id: str) -> Standing | Body:
        """`NEW`: do it. `RUNNING`: its reply will come. A body: say it again."""
        if command_id in self._running:
            return Standing.RUNNING
        if command_id in self._finished:
            return self._finished[command_id][0]
        self._running.add(command_id)
        return Standing.NEW

    def finish(self, command_id: str, body: Body, size: int = 0) -> None:
        self._running.discard(command_id)
        self._finished[command_id] = (body, size)
        self._bytes += size
        while len(self._finished) > self._count or (self._bytes > self._size and len(self._finished) > 1):
            self._bytes -= self._finished.popitem(last=False)[1][1]

    def abandon(self, command_id: str) -> None:
        """It was not done and not answered (refused by a rate): a repeat is a new command."""
        self._running.discard(command_id)


class Unanswered:
    """The client's side of commands: each is written once per connection until its reply has come.

    At most `most` wait; one more is not taken.
    """

    def __init__(self, most: int = 64) -> None:
        self._most = most
        self._waiting: OrderedDict[str, Envelope] = OrderedDict()
        self._due: deque[str] = deque()
        self._asked: set[str] = set()
        self._attached = False
        self.overflowed = False

    def ask(self, command_id: str, body: Body) -> bool:
        """Whether it was taken. Raises `MessageTooLarge`."""
        envelope = Envelope(body.type, body, id=command_id)
        encode(envelope)
        if len(self._waiting) >= self._most:
            return False
        self._waiting[command_id] = envelope
        if self._attached:
            self._due.append(command_id)
        return True

    def answered(self, command_id: str) -> bool:
        """Whether it waited; it does no more."""
        self._asked.discard(command_id)
        return self._waiting.pop(command_id, None) is not None

    def take(self) -> Envelope | None:
        while self._due:
            command_id = self._due.popleft()
            if command_id in self._waiting:
                self._asked.add(command_id)
                return self._waiting[command_id]
        return None

    def attach(self) -> None:
        """A connection stands: everything that waits is due, in the order in which it was asked."""
        self._attached = True
        self._due = deque(self._waiting)

    def detach(self) -> None:
        self._attached = False
        self._due.clear()

    def void(self) -> tuple[str, ...]:
        """The hub does not know us any more: what had been written to it is given up, the rest waits."""
        gone = tuple(command_id for command_id in self._waiting if command_id in self._asked)
        for command_id in gone:
            self.answered(command_id)
        return gone


class Backlog(Generic[T]):
    """What a reader has not read yet: facts in order, then views, the latest of each key.

    Beyond `facts` all facts are thrown away and counted in `lost`; beyond `views` keys the longest waiting view goes.
    """

    def __init__(self, facts: int = 1024, views: int = 64) -> None:
        self._most_facts = facts
        self._most_views = views
        self._facts: deque[T] = deque()
        self._views: OrderedDict[Hashable, T] = OrderedDict()
        self.lost = 0

    def fact(self, item: T) -> None:
        self._facts.append(item)
        if len(self._facts) > self._most_facts:
            self.lost += len(self._facts)
            self._facts.clear()
            self._views.clear()

    def view(self, item: T, key: Hashable) -> None:
        self._views.pop(key, None)
        self._views[key] = item
        if len(self._views) > self._most_views:
            self._views.popitem(last=False)

    def take(self) -> T | None:
        if self._facts:
            return self._facts.popleft()
        return self._views.popitem(last=False)[1] if self._views else None
