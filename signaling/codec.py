"""Text on the wire to envelopes and back. Pure; nothing that comes in raises.

The JSON is parsed once, the envelope checked strictly, and then the body by the type that `t` names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import from_json, to_json

from signaling.errors import MessageTooLarge
from signaling.messages import MAX_MESSAGE_BYTES, AnyBody, Body, ErrorCode, Identifier

MAX_INTEGER = 2**53 - 1
"""The largest integer that a browser's numbers hold exactly."""

BODIES: Mapping[str, type[Body]] = {body.type: body for body in get_args(AnyBody)}
"""Every type that can travel."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """One message, checked."""

    t: str
    body: Body
    id: str | None = None
    re: str | None = None
    seq: int | None = None
    ack: int | None = None
    ep: int | None = None
    ts: int | None = None


@dataclass(frozen=True, slots=True)
class Malformed:
    """What came was no message. `t` None: not even an envelope; else an `id` is worth a reply, a `seq` is used up."""

    code: ErrorCode
    message: str
    t: str | None = None
    id: str | None = None
    seq: int | None = None


_Number = Annotated[int, Field(ge=0, le=MAX_INTEGER)]


class _Head(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)
    t: Annotated[str, Field(min_length=1, max_length=64)]
    id: Identifier | None = None
    re: Identifier | None = None
    seq: Annotated[int, Field(ge=1, le=MAX_INTEGER)] | None = None
    ack: _Number | None = None
    ep: _Number | None = None
    ts: _Number | None = None
    b: dict[str, Any] | None = None


def encode(envelope: Envelope) -> str:
    """One JSON object, nulls left out. Raises `MessageTooLarge`."""
    fields = {
        "t": envelope.t,
        "id": envelope.id,
        "re": envelope.re,
        "seq": envelope.seq,
        "ack": envelope.ack,
        "ep": envelope.ep,
        "ts": envelope.ts,
    }
    head = to_json({name: value for name, value in fields.items() if value is not None})
    body = envelope.body.model_dump_json(exclude_none=True).encode()
    wire = head if body == b"{}" else b'%s,"b":%s}' % (head[:-1], body)
    if len(wire) > MAX_MESSAGE_BYTES:
        raise MessageTooLarge(envelope.t, len(wire))
    return wire.decode()


def decode(wire: str | bytes) -> Envelope | Malformed:
    """The envelope with its checked body, or what is wrong with it. Never raises."""
    try:
        raw = wire.encode() if isinstance(wire, str) else wire
    except UnicodeEncodeError:
        return Malformed(ErrorCode.BAD_MESSAGE, "That is not text in UTF-8.")
    if len(raw) > MAX_MESSAGE_BYTES:
        return Malformed(ErrorCode.TOO_LARGE, "That message is larger than 256 KiB.")
    try:
        head = _Head.model_validate(from_json(raw, allow_inf_nan=False))
    except ValidationError as error:
        return Malformed(ErrorCode.BAD_MESSAGE, f"That is not an envelope: {_first(error)}.")
    except ValueError:
        return Malformed(ErrorCode.BAD_MESSAGE, "That is not JSON.")
    return _with_body(head)


def _with_body(head: _Head) -> Envelope | Malformed:
    model = BODIES.get(head.t)
    if model is None:
        return Malformed(ErrorCode.BAD_MESSAGE, "That type of message is not known here.", head.t, head.id, head.seq)
    try:
        body = model.model_validate(head.b or {})
    except ValidationError as error:
        sentence = f"The body of {head.t} is wrong: {_first(error)}."
        return Malformed(ErrorCode.BAD_MESSAGE, sentence, head.t, head.id, head.seq)
    return Envelope(head.t, body, head.id, head.re, head.seq, head.ack, head.ep, head.ts)


def _first(error: ValidationError) -> str:
    """Where and what, never the value: it may be a token or a name."""
    fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in fault["loc"]) or "the whole"
    return f"{where[:64]}: {fault['type'].replace('_', ' ')}"
