"""One session in the forwarder: who publishes what, who receives what, and which track sits in which slot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from signaling.media.inbound import Inbound, PublishConnection
from signaling.media.outbound import OutSlot, SubscribeConnection
from signaling.media.selection import Placing, Video, fill, louder, over_budget
from signaling.media.track import Track, TrackOwner
from signaling.ports import TrackKind, TrackSpec, Want

MAX_WANTS = 256


@dataclass(slots=True)
class Peer:
    """Connections by generation; at most two of a direction live together (make before break)."""

    publish: dict[int, PublishConnection] = field(default_factory=dict)
    subscribe: dict[int, SubscribeConnection] = field(default_factory=dict)
    wants: dict[str, Want] = field(default_factory=dict)
    budget_kbps: int | None = None
    stopped: frozenset[str] = frozenset()

    def connections(self) -> list[PublishConnection | SubscribeConnection]:
        return [*self.publish.values(), *self.subscribe.values()]


class Session:
    """Tracks are kept in order of publication. Methods that move slots return the subscribers that must be told."""

    def __init__(self, session_id: str, owner: TrackOwner) -> None:
        self.session_id = session_id
        self.tracks: dict[str, Track] = {}
        self.peers: dict[str, Peer] = {}
        self._owner = owner

    def peer(self, peer_id: str) -> Peer:
        return self.peers.setdefault(peer_id, Peer())

    def open_track(self, spec: TrackSpec, peer_id: str) -> Track:
        """The track of this spec; a known one stays as it is until the first packet of its new source."""
        track = self.tracks.get(spec.track_id)
        if track is None:
            track = self.tracks[spec.track_id] = Track(spec, peer_id, self._owner)
        return track

    def drop_tracks(self, connection: PublishConnection) -> None:
        """A publication ended: its tracks go, except those that another live connection publishes too."""
        others = {
            inbound.spec.track_id: (peer_id, inbound)
            for peer_id, peer in self.peers.items()
            for other in peer.publish.values()
            if other is not connection and not other.superseded and not other.closed
            for inbound in other.inbounds
        }
        for inbound in connection.inbounds:
            track = self.tracks.get(inbound.spec.track_id)
            if track is None or (track.source is not None and track.source.connection is not connection):
                continue
            if inbound.spec.track_id in others:
                track.peer_id = others[inbound.spec.track_id][0]
                continue
            track.detach_all()
            del self.tracks[inbound.spec.track_id]

    def subscribers(self) -> Iterator[tuple[str, Peer, SubscribeConnection]]:
        for peer_id, peer in self.peers.items():
            for connection in peer.subscribe.values():
                yield peer_id, peer, connection

    def place_all(self, now: float) -> list[SubscribeConnection]:
        return [
            connection for peer_id, peer, connection in self.subscribers() if self.place(peer_id, peer, connection, now)
        ]

    def place(self, peer_id: str, peer: Peer, connection: SubscribeConnection, now: float) -> bool:
        """Fill the slots of one subscriber; true when something moved."""
        moved = False
        kinds: tuple[TrackKind, TrackKind] = ("audio", "video")
        for kind in kinds:
            slots = [slot for slot in connection.slots if slot.kind == kind]
            held = [slot.track.track_id if slot.track is not None else None for slot in slots]
            chosen = fill(held, self._eligible(peer_id, peer, kind))
            moved = self._seat(slots, chosen, now) or moved
        return moved

    def _eligible(self, peer_id: str, peer: Peer, kind: TrackKind) -> list[str]:
        candidates = [
            track
            for track in self.tracks.values()
            if track.spec.kind == kind
            and track.peer_id != peer_id
            and track.track_id not in peer.stopped
            and _wanted(peer, track.track_id).max_height > 0
        ]
        candidates.sort(key=lambda track: -_wanted(peer, track.track_id).priority)
        return [track.track_id for track in candidates]

    def _seat(self, slots: Sequence[OutSlot], chosen: Sequence[str | None], now: float) -> bool:
        moved = False
        for slot, track_id in zip(slots, chosen, strict=True):
            held = slot.track
            track = self.tracks[track_id] if track_id is not None else None
            if held is track:
                continue
            if held is not None:
                held.detach(slot)
            if track is not None:
                track.attach(slot, now)
            moved = True
        return moved

    def hear_speakers(self, now: float) -> list[SubscribeConnection]:
        """Give a voice that has no slot the one of the longest silence; one exchange a call for each subscriber."""
        changed: list[SubscribeConnection] = []
        for peer_id, peer, connection in self.subscribers():
            slots = [slot for slot in connection.slots if slot.kind == "audio"]
            eligible = self._eligible(peer_id, peer, "audio")
            if len(eligible) <= len(slots):
                continue
            voices = {track_id: self.tracks[track_id].voice() for track_id in eligible}
            placings = [Placing(slot.track.track_id if slot.track else None, slot.placed_at) for slot in slots]
            exchange = louder(placings, voices, now)
            if exchange is not None:
                place, track_id = exchange
                self._seat([slots[place]], [track_id], now)
                changed.append(connection)
        return changed

    def keep_budgets(self, now: float) -> list[SubscribeConnection]:
        """Stop and resume video by each subscriber's budget."""
        changed: list[SubscribeConnection] = []
        for peer_id, peer in self.peers.items():
            if not peer.subscribe or (peer.budget_kbps is None and not peer.stopped):
                continue
            stopped = self._over_budget(peer_id, peer)
            if stopped != peer.stopped:
                peer.stopped = stopped
                changed += [each for each in peer.subscribe.values() if self.place(peer_id, peer, each, now)]
        return changed

    def _over_budget(self, peer_id: str, peer: Peer) -> frozenset[str]:
        held = {
            slot.track.track_id: slot.track
            for connection in peer.subscribe.values()
            for slot in connection.slots
            if slot.track is not None
        }
        audio = sum(self.tracks[track_id].kbps for track_id in held if self.tracks[track_id].is_audio)
        videos = [
            Video(track.track_id, track.kbps)
            for track in self.tracks.values()
            if not track.is_audio and (track.track_id in held or track.track_id in peer.stopped)
        ]
        return over_budget(videos, audio, peer.budget_kbps, peer.stopped)

    def inbounds(self) -> Iterator[Inbound]:
        for peer in self.peers.values():
            for connection in peer.publish.values():
                yield from connection.inbounds


def _wanted(peer: Peer, track_id: str) -> Want:
    return peer.wants.get(track_id, Want(track_id))
