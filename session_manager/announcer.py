"""Says one thing to everybody in a session: boards and browsers by signaling, pages by their event streams."""

from __future__ import annotations

from typing import Protocol

from session_manager.listeners import Listeners
from session_manager.records import LiveEvent
from signaling.messages import Body


class Peers(Protocol):
    """The signaling server, as far as announcing goes. Must not block."""

    def announce(self, session_id: str, body: Body, key: str | None = None) -> None: ...


class Announcer:
    def __init__(self, listeners: Listeners) -> None:
        self._listeners = listeners
        self._peers: Peers | None = None

    def attach(self, peers: Peers) -> None:
        """The signaling server needs the directory first, which needs this: so it comes second."""
        self._peers = peers

    def fact(self, session_id: str, body: Body, number: int | None) -> None:
        """`number`: under which the store keeps it; pages resume by it."""
        if self._peers is not None:
            self._peers.announce(session_id, body)
        self.tell_pages(session_id, body, number)

    def view(self, session_id: str, body: Body, key: str) -> None:
        """Latest wins per `key`; dropped first under pressure."""
        if self._peers is not None:
            self._peers.announce(session_id, body, key)
        self.tell_pages(session_id, body, None)

    def tell_pages(self, session_id: str, body: Body, number: int | None) -> None:
        if self._listeners.count(session_id):
            self._listeners.tell(session_id, LiveEvent(number, body.type, body.model_dump(mode="json")))
