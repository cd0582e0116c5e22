"""Paths that change or vanish under a call: what is heard again without anybody negotiating."""

from __future__ import annotations

import asyncio

import pytest

from signaling.media.aiortc_adapter import send_pulse
from signaling.media.forwarder import Forwarder
from signaling.ports import Want
from tests.signaling_media.clients import Publisher, Recorder, Subscriber, until
from tests.signaling_media.router import Router

PULSE_S = 0.5


async def _pulse(client: Subscriber) -> None:
    """As a board does."""
    while True:
        await asyncio.sleep(PULSE_S)
        await send_pulse(client.connection)


@pytest.fixture
async def router() -> Router:
    return await Router().open()


async def test_a_publisher_whose_address_changes_is_followed_by_its_keys(
    forwarder: Forwarder, events: Recorder, router: Router
) -> None:
    speaker = Publisher(forwarder, "a")
    speaker.rewrite = router.through
    await speaker.publish()
    await events.until(lambda: len(events.packets) >= 10)
    await router.rebind()
    before = len(events.packets)
    await events.until(lambda: len(events.packets) >= before + 50)
    assert forwarder.ice.counters["addresses_followed"] == 1
    assert events.count("up") == 1
    assert events.count("lost") == 0
    await speaker.close()
    router.close()


async def test_a_subscriber_whose_address_changes_is_followed_by_its_pulse(
    forwarder: Forwarder, events: Recorder, router: Router
) -> None:
    speaker, listener = Publisher(forwarder, "a"), Subscriber(forwarder, "b")
    listener.rewrite = router.through
    await speaker.publish()
    await listener.subscribe(audio=1)
    pulse = asyncio.create_task(_pulse(listener))
    await until(lambda: listener.payloads() >= 10)
    await router.rebind()
    before = listener.payloads()
    await until(lambda: listener.payloads() >= before + 50)
    assert forwarder.ice.counters["addresses_followed"] == 1
    assert events.count("up", "s1", "b") == 1
    pulse.cancel()
    await speaker.close()
    await listener.close()
    router.close()


async def test_a_stranger_with_forged_media_moves_nobody(
    forwarder: Forwarder, events: Recorder, router: Router
) -> None:
    speaker = Publisher(forwarder, "a")
    speaker.rewrite = router.through
    await speaker.publish()
    await events.until(lambda: len(events.packets) >= 10)
    router.down = True
    (link,) = forwarder.ice._links
    address = link.address
    loop = asyncio.get_running_loop()
    hub = ("127.0.0.1", forwarder.ice.ports[0].number)
    stranger, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=hub)
    for _ in range(30):
        stranger.sendto(b"\x80\x6f" + bytes(60))
        await asyncio.sleep(0.02)
    await until(lambda: forwarder.ice.counters["from_strangers"] > 0)
    assert link.address == address
    assert forwarder.ice.counters["addresses_followed"] == 0
    stranger.close()
    await speaker.close()
    router.close()


async def test_media_goes_on_by_itself_when_a_dead_path_returns(
    forwarder: Forwarder, events: Recorder, router: Router
) -> None:
    speaker, listener = Publisher(forwarder, "a"), Subscriber(forwarder, "b")
    speaker.rewrite = router.through
    await speaker.publish()
    await listener.subscribe(audio=1)
    await until(lambda: listener.payloads() >= 10)
    router.down = True
    await events.until(lambda: events.count("suspect") == 1)
    router.down = False
    before = listener.payloads()
    await until(lambda: listener.payloads() >= before + 10)
    assert events.count("lost") == 0
    for client in (speaker, listener):
        await client.close()
    router.close()


async def test_every_connection_has_a_pulse_though_nothing_flows(forwarder: Forwarder, router: Router) -> None:
    listener = Subscriber(forwarder, "b")
    listener.rewrite = router.through
    await listener.subscribe(audio=1)
    await until(lambda: listener.connection.connectionState == "connected")
    before = router.forwarded_in
    await until(lambda: router.forwarded_in >= before + 4)
    await listener.close()
    router.close()


async def test_a_silent_subscriber_costs_nothing_until_it_is_heard_again(
    forwarder: Forwarder, events: Recorder, router: Router
) -> None:
    speaker, listener = Publisher(forwarder, "a"), Subscriber(forwarder, "b")
    listener.rewrite = router.through
    await speaker.publish()
    await listener.subscribe(audio=1)
    await until(lambda: listener.payloads() >= 10)
    (connection,) = forwarder._sessions["s1"].peers["b"].subscribe.values()
    connection.listen_for(quiet=True)
    assert connection.slots[0].leg() is None
    before = listener.payloads()
    await until(lambda: not connection.quiet and listener.payloads() >= before + 10)
    for client in (speaker, listener):
        await client.close()
    router.close()


async def test_a_capped_site_asks_its_speakers_for_less_and_its_own_board_too(
    forwarder: Forwarder, events: Recorder
) -> None:
    speaker, listener = Publisher(forwarder, "a", video=True), Subscriber(forwarder, "b")
    await forwarder.cap("s1", "b", "island", 400)
    await listener.subscribe(audio=1, video=1)
    await speaker.publish()
    session = forwarder._sessions["s1"]
    (publish,) = session.peers["a"].publish.values()
    await until(lambda: (publish.uplink.told_kbps or 9_999) < 420)
    assert session.peers["b"].given.limit_kbps == 400
    await forwarder.want("s1", "b", [Want("a-v", 0)], None)
    await until(lambda: (publish.uplink.told_kbps or 0) > 1_000)
    for client in (speaker, listener):
        await client.close()
