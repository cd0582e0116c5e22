"""What signaling asks of its surroundings: who may come in, and a plane that carries media.

Three small interfaces and the values that cross them. `Directory` is kept by the session manager, `MediaPlane` by
`signaling.media`, `Socket` by whatever accepted the connection. Every instant is a UTC POSIX time in seconds unless
its name says otherwise; every sample position is on the 48 kHz clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Protocol

TrackKind = Literal["audio", "video"]
Connection = Literal["publish", "subscribe"]


class Role(StrEnum):
    """What a peer is in a session; `switchboard` derives every permission from it."""

    BOARD = "board"
    PARTICIPANT = "participant"
    FACILITATOR = "facilitator"
    OBSERVER = "observer"
    LOBBY = "lobby"


@dataclass(frozen=True, slots=True)
class Grant:
    """A token that was good: who this peer is and for which session. One seat has at most one live peer."""

    session_id: str
    seat_id: str
    site_id: str
    site_name: str
    display_name: str
    role: Role
    languages: tuple[str, ...] = ("ja",)
    title: str = ""


@dataclass(frozen=True, slots=True)
class Denial:
    """A token that was not good. `code` is one of the wire's error codes, `message` a sentence for a person."""

    code: str
    message: str
    retry_after_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where a publisher's own numbering stands when it offers: lets 16 and 32 bit RTP fields be unwrapped exactly."""

    sequence: int
    sample: int


@dataclass(frozen=True, slots=True)
class Placed:
    """When sample 0 was heard, by the hub's clock (UTC POSIX seconds), as a publisher knows it: wrong by `within_s` at
    most."""

    at: float
    within_s: float


@dataclass(frozen=True, slots=True)
class TrackOffer:
    """What a peer wants to publish. `epoch` None: the directory numbers it (a browser has no counter of its own)."""

    name: str
    kind: TrackKind
    source: str
    mid: str
    epoch: int | None = None
    anchor: Anchor | None = None
    placed: Placed | None = None


@dataclass(frozen=True, slots=True)
class TrackSpec:
    """A track that the directory has opened: the same `track_id` for one seat and name, a new `epoch` per restart."""

    track_id: str
    session_id: str
    seat_id: str
    site_id: str
    name: str
    kind: TrackKind
    source: str
    mid: str
    epoch: int
    anchor: Anchor | None = None


class Directory(Protocol):
    """The session manager, as signaling sees it. All methods may be slow; none raises for bad input."""

    async def admit(self, token: str) -> Grant | Denial:
        """Judge a join token. Single use is not asked of it: a token stays good until it expires."""

    async def open_track(self, grant: Grant, offer: TrackOffer) -> TrackSpec | Denial:
        """Number and record a track about to be published; a stale epoch is a `Denial`."""

    async def close_track(self, spec: TrackSpec, cause: str) -> None:
        """The publication ended; `cause` is `left`, `replaced`, `lost` or `ended`."""

    async def set_record(self, grant: Grant, on: bool) -> Denial | None:
        """Off the record, or on again; signaling has judged whether this peer may."""

    async def seat_changed(self, grant: Grant, state: Literal["joined", "reconnecting", "left"]) -> None:
        """A seat's presence changed."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One pre-allocated m-line of a subscribe connection and the track that flows in it now."""

    mid: str
    kind: TrackKind
    track_id: str | None


@dataclass(frozen=True, slots=True)
class SubscribeOffer:
    sdp: str
    slots: tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class Want:
    """A receiver's wish for one track. `max_height` 0 means: do not send it."""

    track_id: str
    max_height: int = 720
    priority: int = 0


@dataclass(frozen=True, slots=True)
class LoggedPacket:
    """One Opus packet as it reached the hub. `sequence` and `sample` are unwrapped and count from 0 in its epoch."""

    track_id: str
    epoch: int
    sequence: int
    sample: int
    arrived_at: float
    payload: bytes


class MediaRefused(Exception):
    """The plane cannot do what was asked. `code` is one of the wire's error codes."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class MediaPlane(Protocol):
    """Carries media and never transcodes. Methods raise `MediaRefused`; `MediaEvents` hears what happens later."""

    async def publish(
        self, session_id: str, peer_id: str, generation: int, offer_sdp: str, tracks: Sequence[TrackSpec]
    ) -> str:
        """Accept a client's publish offer and return the SDP answer."""

    async def subscribe(self, session_id: str, peer_id: str, generation: int, audio: int, video: int) -> SubscribeOffer:
        """Offer `audio` + `video` pre-allocated slots; other peers' tracks are switched under them as they come."""

    async def answer(self, session_id: str, peer_id: str, generation: int, sdp: str) -> None:
        """The client's answer to the subscribe offer of that generation."""

    async def want(self, session_id: str, peer_id: str, wants: Sequence[Want], budget_kbps: int | None) -> None:
        """Tracks without a want are sent in order of publication while slots last."""

    async def cap(self, session_id: str, peer_id: str, group: str, kbps: int | None) -> None:
        """Peers of one `group` share a cable of `kbps`, each way; None: it has no limit that anybody set."""

    async def close(self, session_id: str, peer_id: str, connection: Connection | None, generation: int | None) -> None:
        """Close one connection (None: both; generation None: any). Unknown ones are ignored."""

    async def end_session(self, session_id: str) -> None: ...

    async def stats(self) -> Mapping[str, object]: ...


class MediaEvents(Protocol):
    """What the plane tells. Called on the hub's loop; must return at once."""

    def slots_changed(self, session_id: str, peer_id: str, generation: int, slots: Sequence[Slot]) -> None: ...

    def connection_up(self, session_id: str, peer_id: str, connection: Connection, generation: int) -> None: ...

    def connection_lost(
        self, session_id: str, peer_id: str, connection: Connection, generation: int, cause: str
    ) -> None:
        """The plane gave it up (silence, DTLS failure, worker died); the client shall make generation + 1."""

    def track_suspect(self, session_id: str, track_id: str, silent_ms: int) -> None:
        """No RTP on a live track for a second; once per silence."""

    def track_live(self, session_id: str, track_id: str) -> None:
        """First RTP, or RTP again after `track_suspect`."""

    def levels(self, session_id: str, levels: Mapping[str, int]) -> None:
        """Audio level per track in -dBov (0 loudest, 127 silence; RFC 6464), about five times a second."""

    def audio(self, packets: Sequence[LoggedPacket]) -> None:
        """Opus packets for the audio log, in order of arrival; never dropped by the plane."""


class SocketClosed(Exception):
    """The other side is gone. `code` is the WebSocket close code (RFC 6455), 1006 when there was none."""

    def __init__(self, code: int = 1006) -> None:
        super().__init__(f"socket closed with {code}")
        self.code = code


class Socket(Protocol):
    """One WebSocket, whichever library accepted it."""

    async def receive(self) -> str | bytes:
        """Next message; raises `SocketClosed`."""

    async def send(self, message: str | bytes) -> None:
        """Text or binary frame; raises `SocketClosed`."""

    async def close(self, code: int, reason: str) -> None: ...


@dataclass(frozen=True, slots=True)
class IceServer:
    urls: tuple[str, ...]
    username: str = ""
    credential: str = field(default="", repr=False)
