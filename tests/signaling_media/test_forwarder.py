"""The forwarder in one process with real aiortc clients over real UDP."""

from __future__ import annotations

from signaling.media.forwarder import Forwarder
from tests.signaling_media.clients import Publisher, Recorder, Subscriber, until


async def test_a_site_hears_the_very_packets_that_another_encoded(forwarder: Forwarder, events: Recorder) -> None:
    speaker, listener = Publisher(forwarder, "a"), Subscriber(forwarder, "b")
    await speaker.publish()
    await listener.subscribe()
    await until(lambda: listener.payloads() >= 20)
    (heard,) = [packets for packets in listener.heard.values() if packets]
    sequences = [packet.sequence for packet in heard]
    assert sequences == list(range(sequences[0], sequences[0] + len(heard)))
    from tests.signaling_media.clients import TONE

    assert all(packet.payload in TONE for packet in heard)
    assert events.count("live", "s1", "a-a") == 1
    await speaker.close()
    await listener.close()
