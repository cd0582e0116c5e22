"""Who is in which session, and who is told what. Pure: state and effects, `now` passed in.

A *seat* is a place in a session and has at most one live peer. Every method gives effects as values, in the order in
which they must happen; a peer that is gone hears nothing more.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from signaling.messages import (
    Admitted,
    Body,
    ErrorCode,
    PeerChanged,
    PeerInfo,
    PeerLeft,
    Refused,
    SessionChanged,
    SiteAtRisk,
    Snapshot,
    TrackChanged,
    TrackEnded,
    TrackInfo,
)
from signaling.permissions import HEARS, HEARS_OF_LOBBY, MAY_SEND, permissions
from signaling.ports import Grant, Role
from signaling.sentences import refusal

ENDED_REMEMBERED = 4096
MAX_NAME = 200

GoneWhy = Literal["left", "replaced", "removed", "expired", "ended"]
Record = Literal["on", "off", "gap"]
Captions = Literal["on", "delayed", "unavailable"]
State = Literal["planned", "live", "ended"]


@dataclass(frozen=True, slots=True)
class Say:
    """An event for one peer."""

    peer_id: str
    body: Body


@dataclass(frozen=True, slots=True)
class Presence:
    """A seat's presence changed; for the directory."""

    grant: Grant
    state: Literal["joined", "reconnecting", "left"]


@dataclass(frozen=True, slots=True)
class Gone:
    """This peer is no more: its connection, media and tracks end."""

    peer_id: str
    why: GoneWhy


Effect = Say | Presence | Gone


@dataclass(frozen=True, slots=True)
class Grace:
    """Seconds for which a seat is kept after its connection was lost."""

    board_s: float = 900.0
    other_s: float = 60.0

    def of(self, role: Role) -> float:
        return self.board_s if role is Role.BOARD else self.other_s


@dataclass(slots=True)
class _Peer:
    peer_id: str
    grant: Grant
    hand_raised: bool = False
    lost_until: float | None = None
    tracks: dict[str, TrackInfo] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)

    @property
    def role(self) -> Role:
        return self.grant.role

    def info(self) -> PeerInfo:
        grant = self.grant
        return PeerInfo(
            peer_id=self.peer_id,
            site_id=grant.site_id,
            site_name=grant.site_name[:MAX_NAME],
            display_name=grant.display_name[:MAX_NAME],
            role=grant.role.value,
            state="present" if self.lost_until is None else "reconnecting",
            hand_raised=self.hand_raised,
        )


@dataclass(slots=True)
class _Room:
    session_id: str
    title: str = ""
    state: State = "planned"
    record: Record = "on"
    captions: Captions = "on"
    at_risk: list[SiteAtRisk] = field(default_factory=list)
    peers: dict[str, _Peer] = field(default_factory=dict)
    seats: dict[str, str] = field(default_factory=dict)
    admitted: set[str] = field(default_factory=set)
    barred: set[str] = field(default_factory=set)

    def hearing(self, roles: frozenset[Role], body: Body, but: str | None = None) -> list[Effect]:
        return [Say(p.peer_id, body) for p in self.peers.values() if p.role in roles and p.peer_id != but]

    def about(self, peer: _Peer, body: Body, but: str | None = None) -> list[Effect]:
        """Tell what concerns one peer to those who may know of it."""
        roles = HEARS_OF_LOBBY if peer.role is Role.LOBBY else HEARS[body.type]
        return self.hearing(roles, body, but)


class Switchboard:
    def __init__(self, grace: Grace | None = None, *, test_door: bool = False) -> None:
        self._grace = grace or Grace()
        self._test_door = test_door
        self._rooms: dict[str, _Room] = {}
        self._home: dict[str, _Room] = {}
        self._ended: OrderedDict[str, None] = OrderedDict()

    # ---- sessions ----

    def open(self, session_id: str, title: str, state: State, record: Record, captions: Captions) -> list[Effect]:
        """Begin a session, or change everything about an open one. An ended one may be opened again."""
        self._ended.pop(session_id, None)
        self._rooms.setdefault(session_id, _Room(session_id))
        return self.change(session_id, title=title, state=state, record=record, captions=captions)

    def change(
        self,
        session_id: str,
        *,
        title: str | None = None,
        state: State | None = None,
        record: Record | None = None,
        captions: Captions | None = None,
        message: str = "",
        at_risk: Sequence[SiteAtRisk] | None = None,
    ) -> list[Effect]:
        """None: as it was. Told only when something told has changed."""
        room = self._rooms.get(session_id)
        if room is None:
            return []
        before = (room.state, room.record, room.captions, room.at_risk)
        room.title = room.title if title is None else title[:MAX_NAME]
        room.state, room.record, room.captions = state or room.state, record or room.record, captions or room.captions
        room.at_risk = room.at_risk if at_risk is None else list(at_risk)
        if before == (room.state, room.record, room.captions, room.at_risk) and not message:
            return []
        body = SessionChanged(
            state=room.state,
            record=room.record,
            captions=room.captions,
            message=message[:MAX_NAME],
            at_risk=room.at_risk,
        )
        return room.hearing(HEARS[body.type], body)

    def end(self, session_id: str) -> list[Effect]:
        """Everybody is gone and nobody may come."""
        room = self._rooms.pop(session_id, None)
        self._ended[session_id] = None
        while len(self._ended) > ENDED_REMEMBERED:
            self._ended.popitem(last=False)
        effects: list[Effect] = []
        for peer in room.peers.values() if room is not None else ():
            del self._home[peer.peer_id]
            effects += [Gone(peer.peer_id, "ended"), Presence(peer.grant, "left")]
        return effects

    # ---- coming and going ----

    def objection(self, grant: Grant) -> Refused | None:
        """Why this grant may not come in, whatever its token says."""
        if grant.session_id in self._ended:
            return refusal(ErrorCode.SESSION_ENDED)
        room = self._rooms.get(grant.session_id)
        if room is not None and grant.seat_id in room.barred:
            return refusal(ErrorCode.NOT_PERMITTED, "You have been removed from this session.")
        return None

    def join(self, grant: Grant, peer_id: str) -> list[Effect]:
        """A new peer takes its seat; whoever had it is gone, what the seat was given stays. Ask `objection` first."""
        room = self._rooms.setdefault(grant.session_id, _Room(grant.session_id, title=grant.title[:MAX_NAME]))
        older = room.peers.get(room.seats.get(grant.seat_id, ""))
        if grant.role is Role.LOBBY and grant.seat_id in room.admitted:
            grant = replace(grant, role=Role.PARTICIPANT)
        peer = _Peer(peer_id, grant, hand_raised=older.hand_raised if older else False)
        effects = self._out(room, older, "replaced") if older else []
        room.peers[peer_id] = peer
        room.seats[grant.seat_id] = peer_id
        self._home[peer_id] = room
        effects += room.about(peer, PeerChanged(peer=peer.info()), but=peer_id)
        if older is None or older.lost_until is not None or older.role is not peer.role:
            effects.append(Presence(grant, "joined"))
        return effects

    def lose(self, peer_id: str, now: float) -> list[Effect]:
        """The connection is gone; the seat is kept."""
        room, peer = self._find(peer_id)
        if room is None or peer is None or peer.lost_until is not None:
            return []
        peer.lost_until = now + self._grace.of(peer.role)
        told = room.about(peer, PeerChanged(peer=peer.info()), but=peer_id)
        return [*told, Presence(peer.grant, "reconnecting")]

    def regain(self, peer_id: str) -> list[Effect]:
        """The same peer has a connection again."""
        room, peer = self._find(peer_id)
        if room is None or peer is None or peer.lost_until is None:
            return []
        peer.lost_until = None
        told = room.about(peer, PeerChanged(peer=peer.info()), but=peer_id)
        return [*told, Presence(peer.grant, "joined")]

    def leave(self, peer_id: str, why: GoneWhy = "left") -> list[Effect]:
        room, peer = self._find(peer_id)
        if room is None or peer is None:
            return []
        effects = self._out(room, peer, why)
        del room.seats[peer.grant.seat_id]
        return [*effects, Presence(peer.grant, "left")]

    def expire(self, now: float) -> list[Effect]:
        """Seats whose grace is over are given up."""
        late = [p.peer_id for p in self._everybody() if p.lost_until is not None and p.lost_until <= now]
        return [effect for peer_id in late for effect in self.leave(peer_id, "expired")]

    def deadline(self) -> float:
        """When `expire` has something to do next."""
        return min((p.lost_until for p in self._everybody() if p.lost_until is not None), default=float("inf"))

    # ---- what peers do ----

    def may(self, peer_id: str, type_: str) -> bool:
        _, peer = self._find(peer_id)
        if peer is None or (type_ == "test.inject" and not self._test_door):
            return False
        return peer.role in MAY_SEND.get(type_, frozenset())

    def publish(self, peer_id: str, tracks: Sequence[TrackInfo]) -> list[Effect]:
        """The whole list of what this peer publishes now; what is not in it has ended, what was muted stays muted."""
        room, peer = self._find(peer_id)
        if room is None or peer is None:
            return []
        muted = {track_id for track_id, track in peer.tracks.items() if track.muted}
        kept = {t.track_id: t.model_copy(update={"muted": t.track_id in muted}) for t in tracks}
        ended = [track_id for track_id in peer.tracks if track_id not in kept]
        peer.tracks = kept
        peer.silent.clear()
        effects: list[Effect] = []
        for track_id in ended:
            effects += room.about(peer, TrackEnded(track_id=track_id), but=peer_id)
        for track in kept.values():
            effects += room.about(peer, TrackChanged(track=track), but=peer_id)
        return effects

    def mute(self, peer_id: str, track_id: str, muted: bool) -> list[Effect] | Refused:
        room, peer = self._find(peer_id)
        if room is None or peer is None or track_id not in peer.tracks:
            return refusal(ErrorCode.UNKNOWN_TRACK)
        return self._retell(room, peer, track_id, muted=muted)

    def suspect(self, session_id: str, track_id: str, silent: bool) -> list[Effect]:
        """Packets of a live track stopped or came back; a muted track is not suspect."""
        room = self._rooms.get(session_id)
        for peer in room.peers.values() if room else ():
            if room and track_id in peer.tracks:
                (peer.silent.add if silent else peer.silent.discard)(track_id)
                return self._retell(room, peer, track_id, muted=peer.tracks[track_id].muted)
        return []

    def raise_hand(self, peer_id: str, raised: bool) -> list[Effect]:
        room, peer = self._find(peer_id)
        if room is None or peer is None or peer.hand_raised is raised:
            return []
        peer.hand_raised = raised
        return room.about(peer, PeerChanged(peer=peer.info()))

    def admit(self, by: str, peer_id: str) -> list[Effect] | Refused:
        """Out of the lobby and in; admitting twice is admitting once."""
        room, peer = self._find(peer_id)
        if room is None or peer is None or room is not self._home.get(by):
            return refusal(ErrorCode.NOT_PERMITTED, "There is no such peer in this session.")
        if peer.role is not Role.LOBBY:
            return []
        room.admitted.add(peer.grant.seat_id)
        peer.grant = replace(peer.grant, role=Role.PARTICIPANT)
        said = Admitted(role=peer.role.value, permissions=self.permissions(peer_id), snapshot=self.snapshot(peer_id))
        told = room.about(peer, PeerChanged(peer=peer.info()), but=peer_id)
        return [Say(peer_id, said), *told, Presence(peer.grant, "joined")]

    def remove(self, by: str, peer_id: str) -> list[Effect] | Refused:
        """Sent out, and the seat barred for as long as the session lasts."""
        room, peer = self._find(peer_id)
        if room is None or peer is None or room is not self._home.get(by):
            return refusal(ErrorCode.NOT_PERMITTED, "There is no such peer in this session.")
        room.barred.add(peer.grant.seat_id)
        return self.leave(peer_id, "removed")

    # ---- what can be asked ----

    def hearers(self, session_id: str, body: Body) -> list[str]:
        """Peers that may hear what the hub announces to a session."""
        room = self._rooms.get(session_id)
        roles = HEARS.get(body.type, frozenset())
        return [p.peer_id for p in room.peers.values() if p.role in roles] if room else []

    def permissions(self, peer_id: str) -> list[str]:
        _, peer = self._find(peer_id)
        return permissions(peer.role, test_door=self._test_door) if peer else []

    def grant(self, peer_id: str) -> Grant | None:
        """As it is now: the lobby's may have become a participant's."""
        _, peer = self._find(peer_id)
        return peer.grant if peer else None

    def grace_s(self, peer_id: str) -> float:
        grant = self.grant(peer_id)
        return self._grace.of(grant.role) if grant else 0.0

    def tracks(self, peer_id: str) -> Mapping[str, TrackInfo]:
        _, peer = self._find(peer_id)
        return peer.tracks if peer else {}

    def peers(self, session_id: str) -> list[PeerInfo]:
        room = self._rooms.get(session_id)
        return [peer.info() for peer in room.peers.values()] if room else []

    def counts(self) -> Mapping[str, int]:
        return {"sessions": len(self._rooms), "peers": len(self._home)}

    def snapshot(self, peer_id: str) -> Snapshot:
        """What this peer may know; raises `KeyError` for a peer that is not there."""
        room = self._home[peer_id]
        me = room.peers[peer_id]
        seen = [p for p in room.peers.values() if p is me or self._sees(me, p)]
        return Snapshot(
            session_id=room.session_id,
            title=room.title,
            state=room.state,
            record=room.record,
            captions=room.captions,
            at_risk=room.at_risk,
            peers=[p.info() for p in seen],
            tracks=[track for p in seen for track in p.tracks.values()],
        )

    # ---- inside ----

    @staticmethod
    def _sees(me: _Peer, other: _Peer) -> bool:
        roles = HEARS_OF_LOBBY if other.role is Role.LOBBY else HEARS[PeerChanged.type]
        return me.role in roles

    def _find(self, peer_id: str) -> tuple[_Room | None, _Peer | None]:
        room = self._home.get(peer_id)
        return room, room.peers[peer_id] if room else None

    def _everybody(self) -> Iterable[_Peer]:
        return (peer for room in self._rooms.values() for peer in room.peers.values())

    def _out(self, room: _Room, peer: _Peer, why: GoneWhy) -> list[Effect]:
        del room.peers[peer.peer_id]
        del self._home[peer.peer_id]
        effects: list[Effect] = [Gone(peer.peer_id, why)]
        for track_id in peer.tracks:
            effects += room.about(peer, TrackEnded(track_id=track_id))
        return effects + room.about(peer, PeerLeft(peer_id=peer.peer_id))

    def _retell(self, room: _Room, peer: _Peer, track_id: str, *, muted: bool) -> list[Effect]:
        before = peer.tracks[track_id]
        after = before.model_copy(update={"muted": muted, "suspect": track_id in peer.silent and not muted})
        peer.tracks[track_id] = after
        return room.about(peer, TrackChanged(track=after)) if after != before else []
