"""The messages of the signaling protocol, version 1: one envelope, one tagged union.

`docs/protocol.md` is the law; `tests/data/messages/` holds one golden file per message. Field `t` of the envelope
selects the body. Bodies ignore unknown fields so that a newer peer can talk to an older one.

Three classes of delivery (`Delivery`): a COMMAND has an `id` and gets exactly one reply that names it in `re` and may
be sent again with the same `id`; an EVENT is numbered with `seq` and replayed on resume; an EPHEMERAL is a view, never
replayed and the first to be dropped.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from signaling.parts import (
    ClientInfo,
    IceServerInfo,
    Identifier,
    Part,
    PeerInfo,
    PublishTrack,
    Resume,
    ShortText,
    SiteAtRisk,
    SlotInfo,
    Snapshot,
    TrackAnchor,
    TrackInfo,
    WantInfo,
)

__all__ = [
    "ClientInfo",
    "IceServerInfo",
    "Identifier",
    "Part",
    "PeerInfo",
    "PublishTrack",
    "Resume",
    "ShortText",
    "SiteAtRisk",
    "SlotInfo",
    "Snapshot",
    "TrackAnchor",
    "TrackInfo",
    "WantInfo",
]
# Parts are messages' own words: callers import them from here, whatever file they stand in.

VERSION = 1
MAX_MESSAGE_BYTES = 262_144
"""UTF-8 bytes of one message, both ways."""

HEARTBEAT_MS = 2_000
MISSED_BEATS = 3

Sdp = Annotated[str, Field(min_length=1, max_length=100_000)]
Generation = Annotated[int, Field(ge=0, le=1_000_000)]


class Delivery(StrEnum):
    COMMAND = "command"
    REPLY = "reply"
    EVENT = "event"
    EPHEMERAL = "ephemeral"


class ErrorCode(StrEnum):
    """Why something was refused. Stable; the sentence beside it may change."""

    BAD_MESSAGE = "bad_message"
    TOO_LARGE = "too_large"
    TOO_FAST = "too_fast"
    UNSUPPORTED_VERSION = "unsupported_version"
    BAD_TOKEN = "bad_token"
    EXPIRED_TOKEN = "expired_token"
    UNKNOWN_SESSION = "unknown_session"
    SESSION_ENDED = "session_ended"
    NOT_PERMITTED = "not_permitted"
    SEAT_TAKEN = "seat_taken"
    STALE_GENERATION = "stale_generation"
    STALE_EPOCH = "stale_epoch"
    BAD_SDP = "bad_sdp"
    NO_MEDIA = "no_media"
    UNKNOWN_TRACK = "unknown_track"
    TIMED_OUT = "timed_out"
    INTERNAL = "internal"


class Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")
    type: ClassVar[str]
    delivery: ClassVar[Delivery]


# ---- connection ----------------------------------------------------------------------------------------------------


class Hello(Body):
    type = "hello"
    delivery = Delivery.COMMAND
    versions: Annotated[list[int], Field(min_length=1, max_length=16)]
    features: Annotated[list[ShortText], Field(max_length=64)] = []
    token: Annotated[str, Field(max_length=512, repr=False)]
    client: ClientInfo
    resume: Resume | None = Field(default=None, repr=False)


class Welcome(Body):
    """Reply to `hello`: a new peer, or (`resumed`) the old one with everything after `recv_seq` to follow.

    When `resumed` is false the client throws its view away and takes `snapshot`; when it is true and `resync` is set,
    the seat was kept but the history is gone: take `snapshot` too. `next_seq` is the number of the first event to come.
    """

    type = "welcome"
    delivery = Delivery.REPLY
    version: int
    features: list[str] = []
    peer_id: Identifier
    role: str
    permissions: list[str] = []
    resume_token: str = Field(repr=False)
    resumed: bool = False
    resync: str | None = None
    next_seq: Annotated[int, Field(ge=1)] = 1
    server_time: float
    heartbeat_ms: int = HEARTBEAT_MS
    grace_s: float
    ice_servers: list[IceServerInfo] = []
    snapshot: Snapshot | None = None


class Refused(Body):
    """Reply to anything that was not done. After a refused `hello` the server closes."""

    type = "refused"
    delivery = Delivery.REPLY
    code: ErrorCode
    message: str
    retry_after_ms: int | None = None


class Done(Body):
    type = "done"
    delivery = Delivery.REPLY


class Beat(Body):
    """Heartbeat, both ways; carries `ack` and `ts` in the envelope, `echo` is the last `ts` received.

    `ask` (feature `beat.ask`): the other side says one at once.
    """

    type = "beat"
    delivery = Delivery.EPHEMERAL
    echo: int | None = None
    ask: bool | None = None


class Leave(Body):
    type = "leave"
    delivery = Delivery.COMMAND
    reason: ShortText = ""


class Dismissed(Body):
    """The server ends this connection: `stop` for good, `rejoin` with a new hello, `resume` with the token."""

    type = "dismissed"
    delivery = Delivery.EPHEMERAL
    action: Literal["stop", "rejoin", "resume"]
    code: ErrorCode | Literal["left", "session_over", "removed", "replaced", "going_away"]
    message: str
    retry_after_ms: int | None = None


# ---- media ---------------------------------------------------------------------------------------------------------


class MediaPublish(Body):
    """The sender of media offers. A new `generation` replaces the one before once its first packet has arrived."""

    type = "media.publish"
    delivery = Delivery.COMMAND
    generation: Generation
    sdp: Sdp
    tracks: Annotated[list[PublishTrack], Field(min_length=1, max_length=8)]


class MediaPublished(Body):
    type = "media.published"
    delivery = Delivery.REPLY
    generation: Generation
    sdp: Sdp
    tracks: list[TrackInfo]


class MediaSubscribe(Body):
    type = "media.subscribe"
    delivery = Delivery.COMMAND
    generation: Generation
    audio: Annotated[int, Field(ge=0, le=32)] = 8
    video: Annotated[int, Field(ge=0, le=16)] = 4


class MediaOffer(Body):
    """Reply to `media.subscribe`: the hub sends, so the hub offers."""

    type = "media.offer"
    delivery = Delivery.REPLY
    generation: Generation
    sdp: Sdp
    slots: list[SlotInfo]


class MediaAnswer(Body):
    type = "media.answer"
    delivery = Delivery.COMMAND
    generation: Generation
    sdp: Sdp


class MediaWant(Body):
    type = "media.want"
    delivery = Delivery.COMMAND
    wants: Annotated[list[WantInfo], Field(max_length=64)] = []
    budget_kbps: Annotated[int, Field(ge=0)] | None = None


class MediaClose(Body):
    type = "media.close"
    delivery = Delivery.COMMAND
    connection: Literal["publish", "subscribe"]
    generation: Generation


class MediaMute(Body):
    type = "media.mute"
    delivery = Delivery.COMMAND
    track_id: Identifier
    muted: bool


class MediaSlots(Body):
    type = "media.slots"
    delivery = Delivery.EVENT
    generation: Generation
    slots: list[SlotInfo]


class MediaReplace(Body):
    """That connection is dead on the hub's side: make generation + 1."""

    type = "media.replace"
    delivery = Delivery.EVENT
    connection: Literal["publish", "subscribe"]
    generation: Generation
    cause: ShortText = ""


# ---- room ----------------------------------------------------------------------------------------------------------


class PeerChanged(Body):
    """A peer came or changed; also how the lobby's knock is heard by facilitators."""

    type = "peer.changed"
    delivery = Delivery.EVENT
    peer: PeerInfo


class PeerLeft(Body):
    type = "peer.left"
    delivery = Delivery.EVENT
    peer_id: Identifier


class TrackChanged(Body):
    type = "track.changed"
    delivery = Delivery.EVENT
    track: TrackInfo


class TrackEnded(Body):
    type = "track.ended"
    delivery = Delivery.EVENT
    track_id: Identifier


class HandRaise(Body):
    type = "hand.raise"
    delivery = Delivery.COMMAND
    raised: bool


class RecordSet(Body):
    type = "record.set"
    delivery = Delivery.COMMAND
    on: bool


class PeerAdmit(Body):
    """A facilitator lets a lobby peer in."""

    type = "peer.admit"
    delivery = Delivery.COMMAND
    peer_id: Identifier


class PeerRemove(Body):
    type = "peer.remove"
    delivery = Delivery.COMMAND
    peer_id: Identifier


class Admitted(Body):
    type = "admitted"
    delivery = Delivery.EVENT
    role: str
    permissions: list[str]
    snapshot: Snapshot


class SessionChanged(Body):
    type = "session.changed"
    delivery = Delivery.EVENT
    state: Literal["planned", "live", "ended"]
    record: Literal["on", "off", "gap"] = "on"
    captions: Literal["on", "delayed", "unavailable"] = "on"
    message: ShortText = ""
    at_risk: list[SiteAtRisk] = []


# ---- captions ------------------------------------------------------------------------------------------------------


class LineCommitted(Body):
    """A fact: immutable but for a higher `revision`; empty text takes it back. Times are UTC seconds."""

    type = "line.committed"
    delivery = Delivery.EVENT
    line_id: Identifier
    revision: int = 1
    track_id: Identifier
    site_id: Identifier
    site_name: str
    speaker: str = ""
    text: str
    language: str
    started_at: float
    ended_at: float
    repaired: bool = False


class CaptionPartial(Body):
    """A view: latest `revision` of that utterance wins; empty text takes it back."""

    type = "caption.partial"
    delivery = Delivery.EPHEMERAL
    track_id: Identifier
    site_id: Identifier
    utterance: str
    revision: int
    text: str
    language: str = ""


class Levels(Body):
    """-dBov per audio track (0 loudest, 127 silence)."""

    type = "levels"
    delivery = Delivery.EPHEMERAL
    levels: dict[str, int]


class Inject(Body):
    """The test door: only a server configured for tests knows it."""

    type = "test.inject"
    delivery = Delivery.COMMAND
    scenario: Literal["drop_socket", "stop_beating", "refuse_resume", "forget_history"]
    after_ms: Annotated[int, Field(ge=0, le=60_000)] = 0


AnyBody = (
    Hello | Welcome | Refused | Done | Beat | Leave | Dismissed
    | MediaPublish | MediaPublished | MediaSubscribe | MediaOffer | MediaAnswer | MediaWant | MediaClose | MediaMute
    | MediaSlots | MediaReplace
    | PeerChanged | PeerLeft | TrackChanged | TrackEnded | HandRaise | RecordSet | PeerAdmit | PeerRemove | Admitted
    | SessionChanged
    | LineCommitted | CaptionPartial | Levels
    | Inject
)  # fmt: skip
"""Every body that can travel. `codec` turns it into the tagged union on `t`."""
