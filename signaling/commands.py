"""What each command of a welcomed peer does: one row per type."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar, cast

from signaling import messages as m
from signaling.messages import Body, Done, ErrorCode, Refused
from signaling.peer import Answer, Peer
from signaling.permissions import LETS_RECORD
from signaling.ports import Denial, Grant, TrackSpec
from signaling.sentences import error_code, refusal
from signaling.switchboard import Effect, Switchboard

B = TypeVar("B", bound=Body)


class Door(Protocol):
    def __call__(self, peer: Peer, body: m.Inject) -> None: ...


SetRecord = Callable[[Grant, bool], Awaitable[Denial | None]]


class Commands:
    """The switchboard decides, the peer's media does. `door` is what `test.inject` opens."""

    def __init__(self, switchboard: Switchboard, door: Door, set_record: SetRecord) -> None:
        self._switchboard = switchboard
        self._set_record = set_record
        self._door = door
        self._rows: dict[str, Callable[[Peer, Body], Awaitable[Answer]]] = {
            m.Leave.type: _row(m.Leave, self._leave),
            m.MediaPublish.type: _row(m.MediaPublish, self._publish),
            m.MediaSubscribe.type: _row(m.MediaSubscribe, self._subscribe),
            m.MediaAnswer.type: _row(m.MediaAnswer, self._answer),
            m.MediaWant.type: _row(m.MediaWant, self._want),
            m.MediaClose.type: _row(m.MediaClose, self._close),
            m.MediaMute.type: _row(m.MediaMute, self._mute),
            m.HandRaise.type: _row(m.HandRaise, self._hand),
            m.RecordSet.type: _row(m.RecordSet, self._record),
            m.PeerAdmit.type: _row(m.PeerAdmit, self._admit),
            m.PeerRemove.type: _row(m.PeerRemove, self._remove),
            m.Inject.type: _row(m.Inject, self._inject),
        }

    async def __call__(self, peer: Peer, body: Body) -> Answer:
        """The reply and its effects. Permission is judged here, for every command, when its turn has come."""
        row = self._rows.get(body.type)
        if row is None or not self._switchboard.may(peer.peer_id, body.type):
            return Answer(refusal(ErrorCode.NOT_PERMITTED))
        return await row(peer, body)

    async def _leave(self, peer: Peer, body: m.Leave) -> Answer:
        return Answer(Done(), self._switchboard.leave(peer.peer_id))

    async def _publish(self, peer: Peer, body: m.MediaPublish) -> Answer:
        grant = cast(Grant, self._switchboard.grant(peer.peer_id))
        published = await peer.media.publish(grant, body)
        if isinstance(published, Refused):
            return Answer(published)
        tracks = [_track(peer.peer_id, spec) for spec in published.specs]
        effects = self._switchboard.publish(peer.peer_id, tracks)
        known = self._switchboard.tracks(peer.peer_id)
        listed = [known.get(track.track_id, track) for track in tracks]
        return Answer(m.MediaPublished(generation=body.generation, sdp=published.sdp, tracks=listed), effects)

    async def _subscribe(self, peer: Peer, body: m.MediaSubscribe) -> Answer:
        return Answer(await peer.media.subscribe(body))

    async def _answer(self, peer: Peer, body: m.MediaAnswer) -> Answer:
        return Answer(await peer.media.answer(body))

    async def _want(self, peer: Peer, body: m.MediaWant) -> Answer:
        """A track that has ended meanwhile, or is none of this session's, is left out."""
        known = {track.track_id for track in self._switchboard.snapshot(peer.peer_id).tracks}
        wants = [want for want in body.wants if want.track_id in known]
        return Answer(await peer.media.want(wants, body.budget_kbps))

    async def _close(self, peer: Peer, body: m.MediaClose) -> Answer:
        ended = await peer.media.close(body)
        return Answer(Done(), self._switchboard.publish(peer.peer_id, []) if ended else ())

    async def _mute(self, peer: Peer, body: m.MediaMute) -> Answer:
        return _done(self._switchboard.mute(peer.peer_id, body.track_id, body.muted))

    async def _hand(self, peer: Peer, body: m.HandRaise) -> Answer:
        return _done(self._switchboard.raise_hand(peer.peer_id, body.raised))

    async def _record(self, peer: Peer, body: m.RecordSet) -> Answer:
        """What becomes of it comes from the directory's side as `session.changed`, to everybody."""
        grant = cast(Grant, self._switchboard.grant(peer.peer_id))
        if body.on and grant.role not in LETS_RECORD:
            return Answer(refusal(ErrorCode.NOT_PERMITTED, "A facilitator, a board or the office can do that."))
        denied = await self._set_record(grant, body.on)
        return Answer(refusal(error_code(denied.code), denied.message) if denied is not None else Done())

    async def _admit(self, peer: Peer, body: m.PeerAdmit) -> Answer:
        return _done(self._switchboard.admit(peer.peer_id, body.peer_id))

    async def _remove(self, peer: Peer, body: m.PeerRemove) -> Answer:
        return _done(self._switchboard.remove(peer.peer_id, body.peer_id))

    async def _inject(self, peer: Peer, body: m.Inject) -> Answer:
        self._door(peer, body)
        return Answer(Done())


def _row(model: type[B], do: Callable[[Peer, B], Awaitable[Answer]]) -> Callable[[Peer, Body], Awaitable[Answer]]:
    async def row(peer: Peer, body: Body) -> Answer:
        if not isinstance(body, model):
            raise TypeError(f"{type(body).__name__} came to the row of {model.type}")
        return await do(peer, body)

    return row


def _done(outcome: list[Effect] | Refused) -> Answer:
    return Answer(outcome) if isinstance(outcome, Refused) else Answer(Done(), outcome)


def _track(peer_id: str, spec: TrackSpec) -> m.TrackInfo:
    return m.TrackInfo(
        track_id=spec.track_id,
        peer_id=peer_id,
        site_id=spec.site_id,
        name=spec.name,
        kind=spec.kind,
        source=spec.source,
        epoch=spec.epoch,
    )
