"""One thing said to boards, browsers and pages."""

from __future__ import annotations

from session_manager.announcer import Announcer
from session_manager.listeners import Listeners
from signaling.messages import Body, CaptionPartial

PARTIAL = CaptionPartial(track_id="t", site_id="s", utterance="u", revision=1, text="はい")


class Peers:
    def __init__(self) -> None:
        self.told: list[tuple[str, str, str | None]] = []

    def announce(self, session_id: str, body: Body, key: str | None = None) -> None:
        self.told.append((session_id, body.type, key))


async def test_a_view_goes_to_peers_with_its_key_and_to_pages_without_a_number() -> None:
    listeners, peers = Listeners(), Peers()
    announcer = Announcer(listeners)
    announcer.attach(peers)
    listener = listeners.add("session")
    announcer.view("session", PARTIAL, "caption-t")
    listener.end()
    (event,) = [one async for one in listener]
    assert peers.told == [("session", "caption.partial", "caption-t")]
    assert (event.number, event.kind, event.data["text"]) == (None, "caption.partial", "はい")


async def test_a_fact_goes_to_pages_under_the_number_that_the_store_gave_it() -> None:
    listeners, peers = Listeners(), Peers()
    announcer = Announcer(listeners)
    announcer.attach(peers)
    listener = listeners.add("session")
    announcer.fact("session", PARTIAL, 7)
    listener.end()
    assert [one.number async for one in listener] == [7]
    assert peers.told == [("session", "caption.partial", None)]
