"""One connection's life on either side, as a state machine. Pure: `now` is passed in, seconds on any steady clock.

Facts come out; the shell writes, closes and asks again at `deadline()`. After a `Hangup` nothing comes out any more.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum

from signaling.codec import Envelope, Malformed, decode
from signaling.messages import (
    HEARTBEAT_MS,
    MISSED_BEATS,
    Beat,
    Body,
    Delivery,
    Dismissed,
    ErrorCode,
    Hello,
    Refused,
)
from signaling.sentences import SENTENCES, refusal

BEAT_ASK = "beat.ask"
FEATURES = (BEAT_ASK,)
"""Abilities beyond the version; a message that needs one is sent only where both listed it."""


class CloseCode(IntEnum):
    """WebSocket close codes (RFC 6455, 7.4); the 4000s are ours. They inform: what to do is said before, in words."""

    NORMAL = 1000
    GOING_AWAY = 1001
    TOO_LARGE = 1009
    TRY_LATER = 1013
    SILENT = 4000
    BAD_MESSAGE = 4400
    BAD_TOKEN = 4401
    REMOVED = 4403
    UNKNOWN_SESSION = 4404
    NO_HELLO = 4408
    REPLACED = 4409
    SESSION_OVER = 4410
    VERSION = 4426
    FLOOD = 4429
    FAILED = 4503
    TOO_SLOW = 4508


@dataclass(frozen=True, slots=True)
class Pace:
    """Times in seconds. `burst` messages at once and `per_s` for long are suffered from one connection."""

    hello_s: float = 10.0
    beat_s: float = HEARTBEAT_MS / 1000
    missed: int = MISSED_BEATS
    burst: int = 200
    per_s: float = 50.0

    @property
    def silence_s(self) -> float:
        return self.beat_s * self.missed


# ---- what comes out ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Heard:
    """A message that is in its place: at the hub `hello` or a command, at the client anything the hub says."""

    envelope: Envelope


@dataclass(frozen=True, slots=True)
class Acked:
    seq: int


@dataclass(frozen=True, slots=True)
class Unread:
    """An event that this version cannot read; its number counts as received, or all after it would wait for ever."""

    seq: int


@dataclass(frozen=True, slots=True)
class Write:
    """To be written as it is."""

    envelope: Envelope


@dataclass(frozen=True, slots=True)
class Hangup:
    """Close with `code`; write `last` before, if there is one."""

    code: CloseCode
    last: Envelope | None = None


Fact = Heard | Acked | Unread | Write | Hangup


class _State(Enum):
    GREETING = 1
    OPEN = 2
    CLOSED = 3


class _Line:
    """What both sides share: the pulse, the epoch, the end."""

    def __init__(self, now: float, pace: Pace) -> None:
        self._pace = pace
        self._state = _State.GREETING
        self._heard_at = now
        self._beat_at = now
        self._until = now + pace.hello_s
        self._echo: int | None = None
        self._epoch: int | None = None
        self.ignored = 0

    @property
    def closed(self) -> bool:
        return self._state is _State.CLOSED

    def deadline(self) -> float:
        """When `tick` wants to be called at the latest."""
        match self._state:
            case _State.GREETING:
                return self._until
            case _State.OPEN:
                return min(self._beat_at, self._heard_at + self._pace.silence_s)
            case _State.CLOSED:
                return float("inf")

    def tick(self, now: float) -> list[Fact]:
        """A `beat` when it is time; the end when the other side was silent too long."""
        match self._state:
            case _State.GREETING if now >= self._until:
                return [self._late()]
            case _State.OPEN if now >= self._heard_at + self._pace.silence_s:
                return [self._end(CloseCode.SILENT)]
            case _State.OPEN if now >= self._beat_at:
                self._beat_at = now + self._pace.beat_s
                return [Write(Envelope(Beat.type, Beat(echo=self._echo)))]
            case _:
                return []

    def _open(self, epoch: int | None, now: float) -> None:
        self._state = _State.OPEN
        self._epoch = epoch
        self._heard_at = now
        self._beat_at = now + self._pace.beat_s

    def _late(self) -> Hangup:
        return self._end(CloseCode.NO_HELLO)

    def _end(self, code: CloseCode, last: Envelope | None = None) -> Hangup:
        self._state = _State.CLOSED
        return Hangup(code, last)

    def _note(self, envelope: Envelope, now: float) -> list[Fact]:
        self._heard_at = now
        if envelope.ts is not None:
            self._echo = envelope.ts
        return [Acked(envelope.ack)] if envelope.ack is not None else []

    def _beat_back(self, envelope: Envelope) -> list[Fact]:
        """The other side doubts that it is heard. An answer asks for none, so it ends there."""
        asked = isinstance(envelope.body, Beat) and envelope.body.ask is True
        return [Write(Envelope(Beat.type, Beat(echo=self._echo)))] if asked else []

    def _stale(self, envelope: Envelope) -> bool:
        return envelope.ep is not None and self._epoch is not None and envelope.ep != self._epoch


class HubLine(_Line):
    """The hub's side of one connection. After the `hello` came out the shell judges it and calls `welcomed`."""

    def __init__(self, now: float, pace: Pace | None = None) -> None:
        super().__init__(now, pace or Pace())
        self._greeted = False
        self._credit = float(self._pace.burst)
        self._credit_at = now

    def receive(self, wire: str | bytes, now: float) -> list[Fact]:
        """What one frame means. Never raises."""
        if self.closed:
            return []
        if not self._affordable(now):
            return [self._dismiss(CloseCode.FLOOD, ErrorCode.TOO_FAST)]
        message = decode(wire)
        if self._state is _State.GREETING:
            return self._greet(message, now)
        if isinstance(message, Malformed):
            return self._malformed(message, now)
        if self._stale(message):
            self.ignored += 1
            return []
        facts = self._note(message, now)
        return [*facts, *self._sort(message)]

    def welcomed(self, epoch: int, now: float) -> None:
        """The `hello` was good; `welcome` is about to be written."""
        if not self.closed:
            self._open(epoch, now)

    def _greet(self, message: Envelope | Malformed, now: float) -> list[Fact]:
        if isinstance(message, Envelope) and isinstance(message.body, Hello) and message.id and not self._greeted:
            self._greeted = True
            return [*self._note(message, now), Heard(message)]
        fault = message if isinstance(message, Malformed) else None
        said = refusal(ErrorCode.BAD_MESSAGE, "The first message must be hello, with an id.")
        if fault is not None:
            said = refusal(fault.code, fault.message)
        code = CloseCode.TOO_LARGE if said.code is ErrorCode.TOO_LARGE else CloseCode.BAD_MESSAGE
        return [self._end(code, Envelope(Refused.type, said, re=message.id))]

    def _malformed(self, fault: Malformed, now: float) -> list[Fact]:
        if fault.t is None:
            code = CloseCode.TOO_LARGE if fault.code is ErrorCode.TOO_LARGE else CloseCode.BAD_MESSAGE
            return [self._dismiss(code, fault.code, fault.message)]
        self._heard_at = now
        if fault.id is None:
            self.ignored += 1
            return []
        return [Write(Envelope(Refused.type, refusal(fault.code, fault.message), re=fault.id))]

    def _sort(self, message: Envelope) -> list[Fact]:
        if isinstance(message.body, Hello) and message.id:
            said = refusal(ErrorCode.BAD_MESSAGE, "This connection has already said hello.")
            return [Write(Envelope(Refused.type, said, re=message.id))]
        if message.body.delivery is Delivery.COMMAND and message.id:
            return [Heard(message)]
        return self._beat_back(message) if isinstance(message.body, Beat) else self._ignore()

    def _ignore(self) -> list[Fact]:
        self.ignored += 1
        return []

    def _late(self) -> Hangup:
        said = refusal(ErrorCode.TIMED_OUT, "No hello came in time; connect again.")
        return self._end(CloseCode.NO_HELLO, Envelope(Refused.type, said))

    def _dismiss(self, close: CloseCode, code: ErrorCode, message: str = "") -> Hangup:
        said = Dismissed(action="rejoin", code=code, message=message or SENTENCES[code])
        return self._end(close, Envelope(Dismissed.type, said))

    def _affordable(self, now: float) -> bool:
        pace = self._pace
        self._credit = min(pace.burst, self._credit + (now - self._credit_at) * pace.per_s)
        self._credit_at = now
        self._credit -= 1
        return self._credit >= 0


class ClientLine(_Line):
    """The client's side of one connection; `hello` is written by the shell before anything else."""

    def __init__(self, now: float, pace: Pace | None = None) -> None:
        super().__init__(now, pace or Pace())

    def receive(self, wire: str | bytes, now: float) -> list[Fact]:
        """What one frame means. Never raises."""
        if self.closed:
            return []
        message = decode(wire)
        if isinstance(message, Malformed):
            return self._malformed(message, now)
        if self._state is _State.GREETING:
            return self._greet(message, now)
        if self._stale(message) or message.body.type in ("hello", "welcome"):
            self.ignored += 1
            return []
        facts = self._note(message, now)
        if isinstance(message.body, Beat):
            return [*facts, *self._beat_back(message)]
        return [*facts, Heard(message), *self._ended_by(message.body)]

    def _greet(self, message: Envelope, now: float) -> list[Fact]:
        match message.body.type:
            case "welcome":
                self._open(message.ep, now)
                return [*self._note(message, now), Heard(message)]
            case "refused" | "dismissed":
                return [Heard(message), self._end(CloseCode.NORMAL)]
            case _:
                self.ignored += 1
                return []

    def _malformed(self, fault: Malformed, now: float) -> list[Fact]:
        if fault.t is None:
            return [self._end(CloseCode.BAD_MESSAGE)]
        self._heard_at = now
        self.ignored += 1
        return [Unread(fault.seq)] if fault.seq is not None and self._state is _State.OPEN else []

    def _ended_by(self, body: Body) -> list[Fact]:
        return [self._end(CloseCode.NORMAL)] if isinstance(body, Dismissed) else []
