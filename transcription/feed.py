"""The feed: how a transcription worker and the hub speak, version 1.

One WebSocket that the worker opens with its token in the `Authorization` header. Text frames are the messages below
(JSON, field `t`), binary frames are audio packets from the hub. The hub keeps every packet in its audio log, so a
worker holds nothing that cannot be sent again: after a crash it says hello and each track starts at its watermark.

A *stream* is one epoch of one track. The hub numbers streams on each connection with a small `handle`.

Flow control: the hub never has more than `MAX_AHEAD_S` seconds of a stream's audio beyond its last reported watermark
in flight. Facts (`Final`, `Progress`) are acknowledged after they are stored; an unacknowledged fact is sent again on
the same connection's successor only by being computed again from the watermark. Partials are views.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

VERSION = 1
MAX_AHEAD_S = 60.0
MAX_MESSAGE_BYTES = 65_536

_PACKET = struct.Struct("!IQQ")


class Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


# ---- worker to hub -------------------------------------------------------------------------------------------------


class WorkerHello(Message):
    t: Literal["hello"] = "hello"
    version: int = VERSION
    worker: str
    engine: str
    model: str


class Partial(Message):
    """What the utterance that began at `start_sample` sounds like so far; a higher revision replaces it."""

    t: Literal["partial"] = "partial"
    handle: int
    start_sample: int
    revision: int
    text: str
    language: str = ""


class Final(Message):
    """A committed line, or (`suppressed` set) text that was recognised and not believed, with the reason.

    Keyed by (track, epoch, start_sample): storing it twice is storing it once. `watermark_sample` is the position up
    to which the stream is accounted for when this fact is stored; it moves in the same transaction.
    """

    t: Literal["final"] = "final"
    id: int
    handle: int
    start_sample: int
    end_sample: int
    text: str
    language: str
    confidence: Annotated[float, Field(ge=0.0, le=1.0)]
    suppressed: str | None = None
    watermark_sample: int
    decode_ms: float = 0.0


class Progress(Message):
    """Everything up to `watermark_sample` is accounted for and what is not in a line is silence."""

    t: Literal["progress"] = "progress"
    id: int
    handle: int
    watermark_sample: int


class StreamDone(Message):
    """After `end`: the last word is out. Follows every Final and Progress of that stream."""

    t: Literal["done"] = "done"
    id: int
    handle: int


class WorkerStatus(Message):
    """Sent about once a second. `lag_s`: age of the oldest audio not yet decided on; `load`: busy share, 0 to 1."""

    t: Literal["status"] = "status"
    lag_s: float
    load: float
    partials: Literal["on", "thinned", "off"] = "on"


# ---- hub to worker -------------------------------------------------------------------------------------------------


class FeedWelcome(Message):
    t: Literal["welcome"] = "welcome"
    version: int = VERSION


class StreamOpen(Message):
    """Audio of this stream follows, from `from_sample` (its watermark) on. `languages`: one is fixed, two detect.

    Packets before `from_sample` are context. `repair`: a stretch that is heard again, after all live work.
    """

    t: Literal["open"] = "open"
    handle: int
    track_id: str
    epoch: int
    from_sample: int
    languages: list[str]
    glossary: str = ""
    repair: bool = False


class StreamEnd(Message):
    """No more audio after `end_sample`: decide everything that is left, then say `done`."""

    t: Literal["end"] = "end"
    handle: int
    end_sample: int


class Ack(Message):
    """The fact `id` is stored. `accepted` false: another worker was faster (the watermark had moved); forget it."""

    t: Literal["ack"] = "ack"
    id: int
    accepted: bool = True


class FeedRefused(Message):
    t: Literal["refused"] = "refused"
    code: Literal["bad_token", "unsupported_version", "bad_message"]
    message: str


FromWorker = Annotated[WorkerHello | Partial | Final | Progress | StreamDone | WorkerStatus, Field(discriminator="t")]
FromHub = Annotated[FeedWelcome | StreamOpen | StreamEnd | Ack | FeedRefused, Field(discriminator="t")]

from_worker: TypeAdapter[FromWorker] = TypeAdapter(FromWorker)
"""`from_worker.validate_json(text)`; raises pydantic's ValidationError for anything else."""
from_hub: TypeAdapter[FromHub] = TypeAdapter(FromHub)


# ---- audio ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FeedPacket:
    """One Opus packet. `sample`: position of its first sample on the 48 kHz clock of its stream."""

    handle: int
    sequence: int
    sample: int
    payload: bytes


def pack(packet: FeedPacket) -> bytes:
    """Binary frame: handle u32, sequence u64, sample u64 (network order), then the Opus payload."""
    return _PACKET.pack(packet.handle, packet.sequence, packet.sample) + packet.payload


def unpack(frame: bytes) -> FeedPacket:
    """Raises ValueError when the frame is shorter than its header."""
    if len(frame) < _PACKET.size:
        raise ValueError(f"audio frame of {len(frame)} bytes is shorter than its header")
    handle, sequence, sample = _PACKET.unpack_from(frame)
    return FeedPacket(handle, sequence, sample, bytes(frame[_PACKET.size :]))
