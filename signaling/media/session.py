"""One session in the forwarder: who publishes what, who receives what, and which track sits in which slot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from signaling.media.allotment import Allotment, Wish, allot
from signaling.media.inbound import MOST_KBPS, Inbound, PublishConnection
from signaling.media.ladder import VOICE_FLOOR_KBPS, tighter
from signaling.media.lines import Downlink
from signaling.media.outbound import OutSlot, SubscribeConnection
from signaling.media.selection import Placing, fill, louder
from signaling.media.track import Track, TrackOwner
from signaling.ports import TrackKind, TrackSpec, Want

MAX_WANTS = 256
VOICE_KBPS = 130.0
"""Room for a voice at its best: 64 kb/s in packets of 20 ms, headers included, and a quarter for going up."""


@dataclass(slots=True)
class Peer:
    """Connections by generation; at most two of a direction live together (make before break)."""

    publish: dict[int, PublishConnection] = field(default_factory=dict)
    subscribe: dict[int, SubscribeConnection] = field(default_factory=dict)
    wants: dict[str, Want] = field(default_factory=dict)
    budget_kbps: int | None = None
    line: Downlink = field(default_factory=Downlink)
    given: Allotment = field(default_factory=Allotment)
    group: str = ""
    """Peers of one group share the cable of their site; `cap_kbps` is what it carries, None when nobody said."""
    cap_kbps: int | None = None

    @property
    def stopped(self) -> frozenset[str]:
        return self.given.stopped

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
            and not (peer.given.silenced and track.is_audio)
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

    def keep_budgets(self, now: float, hub_share_kbps: float | None = None) -> list[SubscribeConnection]:
        """Give every subscriber what its line, its wishes and the caps allow; `hub_share_kbps`: its part of ours."""
        changed: list[SubscribeConnection] = []
        groups = Counter(peer.group for peer in self.peers.values() if peer.subscribe and peer.group)
        for peer_id, peer in self.peers.items():
            if not peer.subscribe:
                continue
            peer.line.up_queue_ms = max((each.uplink.queue_ms or 0.0 for each in peer.publish.values()), default=0.0)
            peer.line.idle(now)
            site_kbps = peer.cap_kbps / groups[peer.group] if peer.cap_kbps and peer.group else None
            cap = tighter(peer.budget_kbps, site_kbps, hub_share_kbps)
            before, voices = peer.given, self._voices(peer)
            peer.given = allot(before, peer.line, voices, self._wishes(peer_id, peer), cap, now)
            for connection in peer.subscribe.values():
                connection.pace(peer.given.limit_kbps, sum(voices.values()), now)
            if (before.stopped, before.silenced) != (peer.given.stopped, peer.given.silenced):
                changed += [each for each in peer.subscribe.values() if self.place(peer_id, peer, each, now)]
        self._ask_publishers()
        return changed

    def _voices(self, peer: Peer) -> dict[str, float]:
        slots = [slot for connection in peer.subscribe.values() for slot in connection.slots if slot.kind == "audio"]
        held = {slot.track.track_id for slot in slots if slot.track is not None}
        return {track_id: self.tracks[track_id].kbps for track_id in held if track_id in self.tracks}

    def _wishes(self, peer_id: str, peer: Peer) -> list[Wish]:
        """As many as there are slots for, in order of the wishes."""
        spoke = {track.spec.site_id: track.spoke_at for track in self.tracks.values() if track.spoke_at is not None}
        room = max(sum(slot.kind == "video" for slot in each.slots) for each in peer.subscribe.values())
        wishes = [
            Wish(key, track.kbps, _wanted(peer, key).priority, spoke.get(track.spec.site_id))
            for key, track in self.tracks.items()
            if not track.is_audio and track.peer_id != peer_id and _wanted(peer, key).max_height > 0
        ]
        return sorted(wishes, key=lambda wish: -wish.priority)[:room]

    def ask_kbps(self, publish: PublishConnection, peer: Peer) -> float | None:
        """How much this publisher shall send in all, for the sake of its receivers and of its site's cable."""
        wanted = 0.0
        beside_video = any(not inbound.is_audio for inbound in publish.inbounds)
        for inbound in publish.inbounds:
            track = self.tracks.get(inbound.spec.track_id)
            target = track.target_kbps if track is not None else None
            if not inbound.is_audio:
                wanted += MOST_KBPS if target is None else target
                continue
            # what a voice leaves of its part would else go to the picture beside it
            voice_kbps = max(inbound.kbps, VOICE_FLOOR_KBPS) if beside_video else VOICE_KBPS
            wanted += voice_kbps if target is None else min(voice_kbps, target)
        return tighter(wanted if wanted else None, peer.cap_kbps if peer.group else None)

    def _ask_publishers(self) -> None:
        """Each track's target: the least that any of its receivers can take."""
        for track_id, track in self.tracks.items():
            track.target_kbps = tighter(*(peer.given.targets.get(track_id) for peer in self.peers.values()))

    def inbounds(self) -> Iterator[Inbound]:
        for peer in self.peers.values():
            for connection in peer.publish.values():
                yield from connection.inbounds


def _wanted(peer: Peer, track_id: str) -> Want:
    return peer.wants.get(track_id, Want(track_id))
