"""The forwarder on the test's loop with real aiortc clients over real UDP."""

from __future__ import annotations

import itertools
import re
import socket

import pytest

from signaling.media.aiortc_adapter import EncodedAudio
from signaling.media.forwarder import Forwarder
from signaling.media.udp import open_ports
from signaling.ports import MediaRefused, Slot, Want
from tests.signaling_media.clients import (
    TONE,
    LossyPort,
    Publisher,
    Recorder,
    Subscriber,
    TonePump,
    spec,
    until,
)
from tests.signaling_media.conftest import running


def unbroken(packets: list[EncodedAudio]) -> bool:
    """No hole in the numbers and time never back, whatever the order of arrival."""
    first = packets[0].sequence
    ordered = sorted(packets, key=lambda packet: (packet.sequence - first) & 0xFFFF)
    steps = [(b.sequence - a.sequence) & 0xFFFF for a, b in itertools.pairwise(ordered)]
    times = [(b.timestamp - a.timestamp) & 0xFFFFFFFF for a, b in itertools.pairwise(ordered)]
    return set(steps) <= {1} and all(0 < time < 1 << 31 for time in times)


def missing(sequences: list[int]) -> float:
    """Share of holes, leaving out the newest hundred, which may still be on their way."""
    settled = sorted(set(sequences))[:-100]
    return 1 - len(settled) / (settled[-1] - settled[0] + 1)


async def test_a_site_hears_the_very_packets_that_another_encoded(forwarder: Forwarder, events: Recorder) -> None:
    speaker, listener = Publisher(forwarder, "a"), Subscriber(forwarder, "b")
    await speaker.publish()
    await listener.subscribe()
    await until(lambda: listener.payloads() >= 20)
    (heard,) = [packets for packets in listener.heard.values() if packets]
    assert unbroken(heard)
    assert all(packet.payload in TONE for packet in heard)
    assert events.count("live", "s1", "a-a") == 1
    await speaker.close()
    await listener.close()


async def test_a_client_on_ipv6_hears_one_on_ipv4(forwarder: Forwarder) -> None:
    speaker, listener = Publisher(forwarder, "a"), Subscriber(forwarder, "b")

    def only(version: str, text: str) -> str:
        other = (
            r"a=candidate:\S+ 1 udp \d+ 127\S+ .*\r\n" if version == "6" else r"a=candidate:\S+ 1 udp \d+ ::1 .*\r\n"
        )
        return re.sub(other, "", text)

    speaker.rewrite, listener.rewrite = (lambda text: only("4", text)), (lambda text: only("6", text))
    await speaker.publish()
    await listener.subscribe()
    await until(lambda: listener.payloads() >= 10)
    used = {link.port.host for link in forwarder.ice._links if link.port is not None}
    assert used == {"127.0.0.1", "::1"}
    await speaker.close()
    await listener.close()


@pytest.mark.parametrize("share", [0.1, 0.2])
async def test_what_the_wire_loses_both_ways_is_repaired(events: Recorder, share: float) -> None:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    sock.setblocking(False)
    wire = LossyPort(sock, share)
    async with running([wire], events) as forwarder:
        speaker, listener = Publisher(forwarder, "a"), Subscriber(forwarder, "b")
        speaker.pump = TonePump(period_s=0.005)
        await listener.subscribe(audio=1)
        await speaker.publish()
        heard = listener.heard["0"]

        await until(lambda: len(heard) > 500)
        logged = [packet.sequence for packet in events.packets]
        assert len(set(logged)) == len(logged)
        assert wire.lost > 50
        assert missing([packet.sequence for packet in heard]) < share / 4
        assert missing(logged) < share / 4
        await speaker.close()
        await listener.close()


async def test_video_survives_a_lossy_wire(events: Recorder) -> None:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    sock.setblocking(False)
    wire = LossyPort(sock, 0.1)
    async with running([wire], events) as forwarder:
        speaker, listener = Publisher(forwarder, "a", video=True), Subscriber(forwarder, "b")
        await listener.subscribe(audio=1, video=1)
        await speaker.publish()
        await until(lambda: sum(listener.frames.values()) >= 30)
        await speaker.close()
        await listener.close()


async def test_people_come_and_go_under_one_offer(forwarder: Forwarder, events: Recorder) -> None:
    listener = Subscriber(forwarder, "b")
    await listener.subscribe(audio=2, video=1)
    first = Publisher(forwarder, "a")
    await first.publish()
    await until(lambda: len(listener.heard["0"]) >= 5)
    second = Publisher(forwarder, "c", video=True)
    await second.publish()
    await until(lambda: len(listener.heard["1"]) >= 5 and sum(listener.frames.values()) >= 3)
    await forwarder.close("s1", "a", None, None)
    await first.close()
    third = Publisher(forwarder, "d")
    await third.publish()
    before = len(listener.heard["0"])
    await until(lambda: len(listener.heard["0"]) >= before + 5)
    assert unbroken(listener.heard["0"])
    assert unbroken(listener.heard["1"])
    last = [told[4] for told in events.told if told[:3] == ("slots", "s1", "b")][-1]
    assert last == (Slot("0", "audio", "d-a"), Slot("1", "audio", "c-a"), Slot("2", "video", "c-v"))
    for client in (second, third, listener):
        await client.close()


async def test_a_newer_generation_takes_over_without_a_break(forwarder: Forwarder, events: Recorder) -> None:
    listener, old = Subscriber(forwarder, "b"), Publisher(forwarder, "a")
    await listener.subscribe(audio=1)
    await old.publish(0)
    await until(lambda: len(listener.heard["0"]) >= 10)
    new = Publisher(forwarder, "a")
    new.pump = old.pump  # one microphone, as on a board: both connections drain it, so numbers are shared out
    new.pump.gate.clear()
    await new.publish(1)
    await events.until(lambda: events.count("up", "s1", "a", "publish", 1) == 1)
    assert events.count("slots", "s1", "b") == 1
    old.pump = TonePump()
    new.pump.gate.set()
    before = len(listener.heard["0"])
    await until(lambda: len(listener.heard["0"]) >= before + 20)
    assert unbroken(listener.heard["0"])
    assert events.count("slots", "s1", "b") == 1
    assert events.count("lost") == 0
    logged = [packet.sequence for packet in events.packets]
    assert len(logged) == len(set(logged))
    await until(lambda: old.connection.connectionState == "closed")
    for client in (old, new, listener):
        await client.close()


async def test_silence_of_a_track_is_told_once_and_so_is_its_return(forwarder: Forwarder, events: Recorder) -> None:
    speaker = Publisher(forwarder, "a")
    await speaker.publish()
    await events.until(lambda: events.count("live") == 1)
    speaker.pump.gate.clear()
    await events.until(lambda: events.count("suspect", "s1", "a-a") == 1)
    speaker.pump.gate.set()
    await events.until(lambda: events.count("live", "s1", "a-a") == 2)
    assert events.count("suspect") == 1
    await speaker.close()


async def test_a_connection_from_which_nothing_comes_is_lost(events: Recorder) -> None:
    async with running(open_ports(["127.0.0.1"], 0), events, silence_s=1.0) as forwarder:
        await forwarder.subscribe("s1", "b", 0, 1, 0)
        await events.until(lambda: events.count("lost", "s1", "b", "subscribe", 0, "silent") == 1)
        assert forwarder.ice.sizes() == (0, 0, 0)


async def test_a_client_that_hangs_up_is_lost_at_once(forwarder: Forwarder, events: Recorder) -> None:
    listener = Subscriber(forwarder, "b")
    await listener.subscribe(audio=1)
    await until(lambda: listener.connection.connectionState == "connected")
    await listener.close()
    await events.until(lambda: events.count("lost", "s1", "b", "subscribe", 0, "closed_by_client") == 1)


async def test_a_stranger_with_another_certificate_gets_no_keys(forwarder: Forwarder, events: Recorder) -> None:
    listener = Subscriber(forwarder, "b")
    listener.damage = lambda text: re.sub(r"(a=fingerprint:\S+ )(..)", r"\g<1>00", text)
    await listener.subscribe(audio=1)
    await events.until(lambda: events.count("lost", "s1", "b", "subscribe", 0, "dtls_failed") == 1)
    await listener.close()


async def test_a_track_that_is_not_wanted_is_not_sent(forwarder: Forwarder, events: Recorder) -> None:
    first, second = Publisher(forwarder, "a"), Publisher(forwarder, "c")
    await first.publish()
    await second.publish()
    listener = Subscriber(forwarder, "b")
    await forwarder.want("s1", "b", [Want("a-a", 0)], None)
    await listener.subscribe(audio=2)
    assert [slot.track_id for slot in listener.slots] == ["c-a", None]
    await forwarder.want("s1", "b", [Want("c-a", 0)], None)
    assert [told[4] for told in events.told if told[0] == "slots"][-1][0].track_id == "a-a"
    for client in (first, second, listener):
        await client.close()


async def test_a_budget_stops_video_and_never_audio(forwarder: Forwarder, events: Recorder) -> None:
    speaker, listener = Publisher(forwarder, "a", video=True), Subscriber(forwarder, "b")
    await listener.subscribe(audio=1, video=1)
    await speaker.publish()
    await until(lambda: sum(listener.frames.values()) >= 3)
    session = forwarder._sessions["s1"]
    await until(lambda: session.tracks["a-v"].kbps > 3)
    await forwarder.want("s1", "b", [], int(session.tracks["a-a"].kbps) + 1)
    last = [told[4] for told in events.told if told[0] == "slots"][-1]
    assert [slot.track_id for slot in last] == ["a-a", None]
    before = listener.payloads()
    await until(lambda: listener.payloads() >= before + 10)
    await forwarder.want("s1", "b", [], None)
    frames = sum(listener.frames.values())
    await until(lambda: sum(listener.frames.values()) >= frames + 3)
    await speaker.close()
    await listener.close()


async def test_with_more_voices_than_slots_who_speaks_is_heard(forwarder: Forwarder, events: Recorder) -> None:
    quiet, loud = Publisher(forwarder, "a"), Publisher(forwarder, "c")
    quiet.pump.level = 127
    await quiet.publish()
    await events.until(lambda: events.count("live") == 1)
    listener = Subscriber(forwarder, "b")
    await listener.subscribe(audio=1)
    assert listener.slots[0].track_id == "a-a"
    await loud.publish()
    await events.until(lambda: any(told[0] == "slots" and told[4][0].track_id == "c-a" for told in events.told))
    for client in (quiet, loud, listener):
        await client.close()


async def test_one_does_not_hear_oneself(forwarder: Forwarder) -> None:
    speaker, ears = Publisher(forwarder, "a"), Subscriber(forwarder, "a")
    await speaker.publish()
    await ears.subscribe(audio=1)
    assert ears.slots == (Slot("0", "audio", None),)
    await speaker.close()
    await ears.close()


async def test_what_cannot_be_done_is_refused_with_its_code(forwarder: Forwarder) -> None:
    speaker = Publisher(forwarder, "a")
    await speaker.publish(3)
    offer = speaker.connection.localDescription.sdp
    cases = [
        (forwarder.publish("s1", "a", 3, offer, []), "stale_generation"),
        (forwarder.publish("s1", "z", 0, "v=0\r\nnonsense", []), "bad_sdp"),
        (forwarder.publish("s1", "z", 0, offer, [spec("t", "7")]), "bad_sdp"),
        (forwarder.publish("s1", "z", 0, offer, [spec("t", "0", kind="video")]), "bad_sdp"),
        (forwarder.publish("s1", "z", 0, offer, [spec("t", "0"), spec("u", "0")]), "bad_sdp"),
        (forwarder.subscribe("s1", "z", 0, 0, 0), "bad_message"),
        (forwarder.subscribe("s1", "z", 0, 1000, 0), "bad_message"),
        (forwarder.answer("s1", "z", 0, offer), "stale_generation"),
    ]
    for attempt, code in cases:
        with pytest.raises(MediaRefused) as refused:
            await attempt
        assert refused.value.code == code
    await forwarder.close("s1", "nobody", None, None)
    await forwarder.end_session("no such session")
    await speaker.close()


async def test_the_end_of_a_session_leaves_nothing(forwarder: Forwarder) -> None:
    speaker, listener = Publisher(forwarder, "a"), Subscriber(forwarder, "b")
    await speaker.publish()
    await listener.subscribe(audio=1)
    await until(lambda: listener.payloads() >= 3)
    await forwarder.end_session("s1")
    assert forwarder.ice.sizes() == (0, 0, 0)
    assert (await forwarder.stats())["sessions"] == {}
    await until(lambda: listener.connection.connectionState == "closed")
    await speaker.close()
    await listener.close()


async def test_a_newer_subscription_replaces_the_older_once_it_is_up(forwarder: Forwarder, events: Recorder) -> None:
    speaker, old, new = Publisher(forwarder, "a"), Subscriber(forwarder, "b"), Subscriber(forwarder, "b")
    await speaker.publish()
    await old.subscribe(0, audio=1)
    await until(lambda: old.payloads() >= 3)
    await new.subscribe(1, audio=1)
    await until(lambda: new.payloads() >= 3 and old.connection.connectionState == "closed")
    assert list(forwarder._sessions["s1"].peers["b"].subscribe) == [1]
    assert events.count("lost") == 0
    for client in (speaker, old, new):
        await client.close()
