"""Parts of messages: what several bodies share."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Identifier = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_\-]+$")]
ShortText = Annotated[str, Field(max_length=200)]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class ClientInfo(Part):
    name: ShortText
    version: ShortText = ""


class Resume(Part):
    token: Annotated[str, Field(max_length=128)]
    recv_seq: Annotated[int, Field(ge=0)]


class TrackAnchor(Part):
    sequence: Annotated[int, Field(ge=0)]
    sample: Annotated[int, Field(ge=0)]


class PublishTrack(Part):
    name: Identifier
    kind: Literal["audio", "video"]
    source: Literal["room_mic", "room_cam", "person_mic", "person_cam", "screen", "document"]
    mid: Annotated[str, Field(min_length=1, max_length=16)]
    epoch: Annotated[int, Field(ge=0)] | None = None
    anchor: TrackAnchor | None = None
    placed_at: Annotated[float, Field(ge=0, le=1e11, allow_inf_nan=False)] | None = None
    within_s: Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)] | None = None


class TrackInfo(Part):
    track_id: Identifier
    peer_id: Identifier
    site_id: Identifier
    name: Identifier
    kind: Literal["audio", "video"]
    source: str
    epoch: int
    muted: bool = False
    suspect: bool = False


class PeerInfo(Part):
    peer_id: Identifier
    site_id: Identifier
    site_name: ShortText
    display_name: ShortText
    role: str
    state: Literal["present", "reconnecting"] = "present"
    hand_raised: bool = False


class SlotInfo(Part):
    mid: str
    kind: Literal["audio", "video"]
    track_id: Identifier | None = None


class WantInfo(Part):
    track_id: Identifier
    max_height: Annotated[int, Field(ge=0, le=4320)] = 720
    priority: Annotated[int, Field(ge=0, le=9)] = 0


class IceServerInfo(Part):
    urls: list[str]
    username: str = ""
    credential: str = Field(default="", repr=False)


class SiteAtRisk(Part):
    site_id: Identifier
    site_name: ShortText
    disk: Literal["near", "full"]


class Snapshot(Part):
    session_id: Identifier
    title: ShortText = ""
    state: Literal["planned", "live", "ended"] = "planned"
    peers: list[PeerInfo] = []
    tracks: list[TrackInfo] = []
    record: Literal["on", "off", "gap"] = "on"
    captions: Literal["on", "delayed", "unavailable"] = "on"
    at_risk: list[SiteAtRisk] = []
