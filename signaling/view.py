"""A client's picture of its session: a snapshot with the events since applied. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from signaling.messages import (
    Admitted,
    Body,
    PeerChanged,
    PeerInfo,
    PeerLeft,
    SessionChanged,
    Snapshot,
    TrackChanged,
    TrackEnded,
    TrackInfo,
    Welcome,
)


@dataclass(frozen=True, slots=True)
class View:
    """Keys are `peer_id` and `track_id`, in the order in which they were heard of."""

    session_id: str = ""
    title: str = ""
    state: str = "planned"
    record: str = "on"
    captions: str = "on"
    peers: Mapping[str, PeerInfo] = field(default_factory=dict)
    tracks: Mapping[str, TrackInfo] = field(default_factory=dict)

    @classmethod
    def of(cls, snapshot: Snapshot) -> View:
        return cls(
            session_id=snapshot.session_id,
            title=snapshot.title,
            state=snapshot.state,
            record=snapshot.record,
            captions=snapshot.captions,
            peers={peer.peer_id: peer for peer in snapshot.peers},
            tracks={track.track_id: track for track in snapshot.tracks},
        )

    def apply(self, body: Body) -> View:
        """The picture after `body`; bodies that tell nothing about peers, tracks or session change nothing."""
        match body:
            case Welcome(snapshot=Snapshot() as snapshot) | Admitted(snapshot=snapshot):
                return View.of(snapshot)
            case PeerChanged(peer=peer):
                return replace(self, peers={**self.peers, peer.peer_id: peer})
            case PeerLeft(peer_id=gone):
                return replace(self, peers={key: peer for key, peer in self.peers.items() if key != gone})
            case TrackChanged(track=track):
                return replace(self, tracks={**self.tracks, track.track_id: track})
            case TrackEnded(track_id=gone):
                return replace(self, tracks={key: track for key, track in self.tracks.items() if key != gone})
            case SessionChanged(state=state, record=record, captions=captions):
                return replace(self, state=state, record=record, captions=captions)
            case _:
                return self
