"""Who may send what and who hears what: two tables, role by message type. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from signaling import messages as m
from signaling.ports import Role

_ALL = frozenset(Role)
_INSIDE = _ALL - {Role.LOBBY}
_SPEAKING = _INSIDE - {Role.OBSERVER}
_FACILITATING = frozenset({Role.FACILITATOR})
LETS_RECORD = frozenset({Role.FACILITATOR, Role.BOARD})
"""Everybody who may speak may stop the record; these let it go on."""

MAY_SEND: Mapping[str, frozenset[Role]] = {
    m.Hello.type: _ALL,
    m.Leave.type: _ALL,
    m.MediaPublish.type: _SPEAKING,
    m.MediaMute.type: _SPEAKING,
    m.MediaSubscribe.type: _INSIDE,
    m.MediaAnswer.type: _INSIDE,
    m.MediaWant.type: _INSIDE,
    m.MediaClose.type: _INSIDE,
    m.HandRaise.type: _SPEAKING,
    m.RecordSet.type: _SPEAKING,
    m.PeerAdmit.type: _FACILITATING,
    m.PeerRemove.type: _FACILITATING,
    m.Inject.type: _INSIDE,
}

HEARS: Mapping[str, frozenset[Role]] = {
    m.PeerChanged.type: _INSIDE,
    m.PeerLeft.type: _INSIDE,
    m.TrackChanged.type: _INSIDE,
    m.TrackEnded.type: _INSIDE,
    m.SessionChanged.type: _ALL,
    m.LineCommitted.type: _INSIDE,
    m.CaptionPartial.type: _INSIDE,
    m.Levels.type: _INSIDE,
}
"""What is told to a whole session. A type without a row is told to nobody."""

HEARS_OF_LOBBY = _FACILITATING
"""Who hears `peer.changed` and `peer.left` about a peer in the lobby."""


def permissions(role: Role, *, test_door: bool = False) -> list[str]:
    """The commands that `role` may send, in the order of the table."""
    return [t for t, roles in MAY_SEND.items() if role in roles and (test_door or t != m.Inject.type)]
