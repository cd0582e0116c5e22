"""The language between hub and worker: length-prefixed frames over the worker's stdin and stdout.

A frame is 4 bytes length (big endian, of what follows), 1 byte type, body. Type `J`: one JSON message; type `P` (only
from the worker): a batch of packets for the audio log. A broken frame is a `ControlError`; there is no way to find the
next one, so both sides give the pipe up. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from struct import Struct, error
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from signaling.media.errors import ControlError
from signaling.ports import Connection, LoggedPacket, Slot, TrackSpec, Want

MAX_FRAME_BYTES = 4 << 20
_LENGTH = Struct("!I")
_RECORD = Struct("!BIQQdH")


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


# ---- from the hub --------------------------------------------------------------------------------------------------


class Publish(_Message):
    do: Literal["publish"] = "publish"
    session_id: str
    peer_id: str
    generation: int
    offer_sdp: str
    tracks: tuple[TrackSpec, ...]


class Subscribe(_Message):
    do: Literal["subscribe"] = "subscribe"
    session_id: str
    peer_id: str
    generation: int
    audio: int
    video: int


class Answer(_Message):
    do: Literal["answer"] = "answer"
    session_id: str
    peer_id: str
    generation: int
    sdp: str


class SetWants(_Message):
    do: Literal["want"] = "want"
    session_id: str
    peer_id: str
    wants: tuple[Want, ...]
    budget_kbps: int | None


class SetCap(_Message):
    do: Literal["cap"] = "cap"
    session_id: str
    peer_id: str
    group: str
    kbps: int | None


class Close(_Message):
    do: Literal["close"] = "close"
    session_id: str
    peer_id: str
    connection: Connection | None
    generation: int | None


class EndSession(_Message):
    do: Literal["end_session"] = "end_session"
    session_id: str


class Stats(_Message):
    do: Literal["stats"] = "stats"


class Pulse(_Message):
    """Say something, so that the hub knows that the worker still turns."""

    do: Literal["pulse"] = "pulse"


Command = Annotated[
    Publish | Subscribe | Answer | SetWants | SetCap | Close | EndSession | Stats | Pulse, Field(discriminator="do")
]


class Call(_Message):
    """A command and the number its reply will carry."""

    id: int
    command: Command


# ---- from the worker -----------------------------------------------------------------------------------------------


class Ready(_Message):
    what: Literal["ready"] = "ready"
    port: int


class Failed(_Message):
    """The worker could not start; it exits after this."""

    what: Literal["failed"] = "failed"
    reason: Literal["port_in_use", "version_mismatch", "address"]
    message: str
    address: str = ""
    port: int = 0
    missing: tuple[str, ...] = ()


class Reply(_Message):
    """`code` empty: done, with `sdp` and `slots` where the command gives them. Else refused."""

    what: Literal["reply"] = "reply"
    id: int
    code: str = ""
    message: str = ""
    sdp: str = ""
    slots: tuple[Slot, ...] = ()
    stats: dict[str, object] = {}


class SlotsChanged(_Message):
    what: Literal["slots_changed"] = "slots_changed"
    session_id: str
    peer_id: str
    generation: int
    slots: tuple[Slot, ...]


class ConnectionUp(_Message):
    what: Literal["connection_up"] = "connection_up"
    session_id: str
    peer_id: str
    connection: Connection
    generation: int


class ConnectionLost(_Message):
    what: Literal["connection_lost"] = "connection_lost"
    session_id: str
    peer_id: str
    connection: Connection
    generation: int
    cause: str


class TrackSuspect(_Message):
    what: Literal["track_suspect"] = "track_suspect"
    session_id: str
    track_id: str
    silent_ms: int


class TrackLive(_Message):
    what: Literal["track_live"] = "track_live"
    session_id: str
    track_id: str


class Levels(_Message):
    what: Literal["levels"] = "levels"
    session_id: str
    levels: dict[str, int]


Told = Annotated[
    Ready | Failed | Reply | SlotsChanged | ConnectionUp | ConnectionLost | TrackSuspect | TrackLive | Levels,
    Field(discriminator="what"),
]

_TOLD: TypeAdapter[Told] = TypeAdapter(Told)


# ---- frames --------------------------------------------------------------------------------------------------------


def frame(message: BaseModel) -> bytes:
    body = b"J" + message.model_dump_json().encode()
    return _LENGTH.pack(len(body)) + body


def packet_frame(packets: Sequence[LoggedPacket]) -> bytes:
    """One binary frame; per packet the track id, epoch, sequence, sample, arrival, payload."""
    parts = [b"P"]
    for packet in packets:
        name = packet.track_id.encode()
        size = len(packet.payload)
        parts += (
            _RECORD.pack(len(name), packet.epoch, packet.sequence, packet.sample, packet.arrived_at, size),
            name,
            packet.payload,
        )
    body = b"".join(parts)
    return _LENGTH.pack(len(body)) + body


def read_told(body: bytes) -> Told | tuple[LoggedPacket, ...]:
    """What a worker's frame says. Raises `ControlError`."""
    if body[:1] == b"P":
        return tuple(_packets(body))
    if body[:1] != b"J":
        raise ControlError("The media worker sent a frame of an unknown type.")
    try:
        return _TOLD.validate_json(body[1:])
    except ValidationError as fault:
        raise ControlError("The media worker sent a message that is not in the language.") from fault


def _packets(body: bytes) -> Iterator[LoggedPacket]:
    at = 1
    while at < len(body):
        try:
            name_size, epoch, sequence, sample, arrived_at, size = _RECORD.unpack_from(body, at)
            at += _RECORD.size
            name = body[at : at + name_size].decode()
        except (error, UnicodeDecodeError) as fault:
            raise ControlError("The media worker sent a broken batch of packets.") from fault
        at += name_size
        if at + size > len(body):
            raise ControlError("The media worker sent a batch of packets that breaks off.")
        yield LoggedPacket(name, epoch, sequence, sample, arrived_at, body[at : at + size])
        at += size


def read_call(body: bytes) -> Call:
    """What the hub asks. Raises `ControlError`."""
    if body[:1] != b"J":
        raise ControlError("The hub sent a frame of an unknown type.")
    try:
        return Call.model_validate_json(body[1:])
    except ValidationError as fault:
        raise ControlError("The hub sent a command that is not in the language.") from fault


class FrameReader:
    """Cuts a byte stream into frame bodies; holds at most one unfinished frame."""

    def __init__(self) -> None:
        self._pending = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Bodies that are now complete. Raises `ControlError` for a length that no frame has."""
        self._pending += data
        while len(self._pending) >= 4:
            (size,) = _LENGTH.unpack_from(self._pending)
            if not 0 < size <= MAX_FRAME_BYTES:
                raise ControlError("A frame on the control pipe has an impossible length.")
            if len(self._pending) < 4 + size:
                return
            body = bytes(self._pending[4 : 4 + size])
            del self._pending[: 4 + size]
            yield body
