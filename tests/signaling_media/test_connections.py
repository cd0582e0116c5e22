"""Rubbish inside good encryption, and a source that misbehaves: the forwarder of one client must not mind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signaling.media import rtcp, sdp
from signaling.media.aiortc_adapter import Certificate
from signaling.media.connection import ConnectionKey
from signaling.media.ice_lite import IceLite
from signaling.media.inbound import Inbound, PublishConnection
from signaling.media.outbound import OLDEST_AUDIO, REPAIRS_PER_TICK, SubscribeConnection
from signaling.media.rtp import HEADER, ExtensionIds
from signaling.media.track import Track
from signaling.media.udp import open_ports
from tests.signaling_media.clients import spec

CERTIFICATE = Certificate()


class Quiet:
    """Owner of everything; remembers what a track tells and what would be sent."""

    def __init__(self) -> None:
        self.logged: list[int] = []

    def came_up(self, connection: object) -> None: ...
    def went_down(self, connection: object, cause: str) -> None: ...
    def source_changed(self, track: Track, old: Inbound | None) -> None: ...
    def went_live(self, track: Track) -> None: ...

    def log_audio(self, track: Track, numbers: object, payload: bytes) -> None:
        self.logged.append(numbers.sequence)  # type: ignore[attr-defined]


class Wired(Quiet):
    """A publish connection, a track and a subscribe connection with one audio slot, without a network."""

    def __init__(self, ice: IceLite, kind: str = "audio") -> None:
        super().__init__()
        self.track = Track(spec("t", kind=kind), "a", self)
        key = ConnectionKey("s", "a", "publish", 0)
        self.publish = PublishConnection(key, ice.link(0.0), CERTIFICATE, self, self)
        name, number, rtx = ("opus", 111, 0) if kind == "audio" else ("VP8", 96, 97)
        codec = sdp.Codec(number, name, 48_000)
        self.incoming = sdp.Incoming("0", kind, codec, rtx, 5, 6 if rtx else 0, ExtensionIds(1, 4))  # type: ignore[arg-type]
        self.publish.accept([(spec("t", kind=kind), self.incoming)])
        audio, video = (1, 0) if kind == "audio" else (0, 1)
        self.subscribe = SubscribeConnection(
            ConnectionKey("s", "b", "subscribe", 0), ice.link(0.0), CERTIFICATE, self, audio, video
        )
        self.slot = self.subscribe.slots[0]
        self.subscribe.accepted["0", name.upper()] = (number, rtx)
        self.subscribe.keys = object()  # type: ignore[assignment]
        self.sent: list[bytes] = []
        self.asked: list[bytes] = []
        self.subscribe.send_rtp = self.sent.append  # type: ignore[method-assign]
        self.publish.send_rtcp = self.asked.append  # type: ignore[method-assign]
        self.track.attach(self.slot, 0.0)

    def forward(self, inbound: Inbound, packet: object, placed: object, now: float) -> None:
        self.track.forward(inbound, packet, placed, now)  # type: ignore[arg-type]

    def sender_report(self, inbound: Inbound, report: rtcp.SenderReport) -> None:
        self.track.sender_report(report, 1.0)

    def put(self, sequence: int, timestamp: int, payload: bytes = b"x", now: float = 0.0) -> None:
        kind = self.incoming.codec.payload_type
        head = HEADER.pack(0x80, kind, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, 5)
        self.publish.on_rtp(head + payload, now)


@pytest.fixture
def ice() -> Iterator[IceLite]:
    ports = open_ports(["127.0.0.1"], 0)
    yield IceLite(ports)
    for port in ports:
        port.close()


fuzz = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)


@fuzz
@given(packets=st.lists(st.binary(max_size=120), max_size=10), kind=st.sampled_from(["audio", "video"]))
def test_rubbish_inside_good_encryption_never_raises(ice: IceLite, packets: list[bytes], kind: str) -> None:
    wired = Wired(ice, kind)
    for data in packets:
        for connection in (wired.publish, wired.subscribe):
            connection.on_rtp(data, 1.0)
            connection.on_rtcp(data, 1.0)


@fuzz
@given(
    steps=st.lists(
        st.tuples(st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF), st.integers(0, 3), st.binary(max_size=8)),
        max_size=40,
    )
)
def test_a_source_may_number_as_it_likes_and_time_of_the_slot_never_goes_back(
    ice: IceLite, steps: list[tuple[int, int, int, bytes]]
) -> None:
    wired = Wired(ice)
    highest: tuple[int, int] | None = None
    for place, (sequence, timestamp, _, payload) in enumerate(steps):
        wired.put(sequence, timestamp, payload, place * 0.02)
        newest = wired.track.newest
        if not wired.slot.live or newest is None:
            continue
        out = (
            newest.sequence + wired.slot.stream.sequence_offset,
            newest.timestamp + wired.slot.stream.timestamp_offset,
        )
        if highest is not None:
            assert out[0] >= highest[0]
            assert out[1] >= highest[1]
        highest = out
    assert len(wired.logged) == len(set(wired.logged))


def test_a_repeat_is_forwarded_and_logged_once(ice: IceLite) -> None:
    wired = Wired(ice)
    for sequence in (1, 2, 2, 4, 3, 3, 1):
        wired.put(sequence, sequence * 960)
    assert wired.logged == [0, 1, 3, 2]
    assert wired.track.packets == 3
    assert len(wired.sent) == 1


def test_a_video_slot_waits_for_a_key_frame_and_asks_for_it(ice: IceLite) -> None:
    wired = Wired(ice, "video")
    wired.publish.keys = object()  # type: ignore[assignment]
    wired.put(1, 0, b"\x10\x01")
    assert not wired.slot.live
    wired.track.tick(1.0)
    assert rtcp.parse_rtcp(wired.asked[-1]) == [rtcp.KeyframeRequest(5)]
    wired.put(2, 3000, b"\x10\x00")
    assert wired.slot.live


def test_key_frame_requests_are_throttled_and_none_is_forgotten(ice: IceLite) -> None:
    wired = Wired(ice, "video")
    wired.publish.keys = object()  # type: ignore[assignment]
    wired.put(1, 0, b"\x10\x00", 1.0)
    wired.asked.clear()
    for step in range(10):
        wired.track.request_keyframe(2.0 + step * 0.01)
    assert len(wired.asked) == 1
    wired.track.tick(2.1)
    assert len(wired.asked) == 1
    wired.track.tick(2.31)
    assert len(wired.asked) == 2
    wired.track.tick(2.7)
    assert len(wired.asked) == 2


def test_a_receiver_cannot_make_us_flood_its_line(ice: IceLite) -> None:
    wired = Wired(ice)
    for sequence in range(300):
        wired.put(sequence, sequence * 960)
    first = wired.slot.stream.sequence_offset
    wired.subscribe.on_rtcp(rtcp.nack(1, wired.slot.ssrc, range(first, first + 300)), 1.0)
    assert len(wired.sent) == min(REPAIRS_PER_TICK, OLDEST_AUDIO + 1)
    wired.track.tick(1.02)
    wired.subscribe.on_rtcp(rtcp.nack(1, wired.slot.ssrc, [first + 299]), 1.03)
    assert len(wired.sent) == min(REPAIRS_PER_TICK, OLDEST_AUDIO + 1) + 1
    again = HEADER.unpack_from(wired.sent[-1])
    assert again[2] == (first + 299) & 0xFFFF
    assert again[4] == wired.slot.ssrc


def test_video_is_sent_again_as_a_retransmission_stream(ice: IceLite) -> None:
    wired = Wired(ice, "video")
    wired.put(10, 0, b"\x10\x00abc")
    wire = 10 + wired.slot.stream.sequence_offset
    wired.subscribe.on_rtcp(rtcp.nack(1, wired.slot.ssrc, [wire]), 1.0)
    first, kind, _, _, ssrc = HEADER.unpack_from(wired.sent[0])
    assert (first, kind & 0x7F, ssrc) == (0x90, 97, wired.slot.rtx_ssrc)
    assert wired.sent[0].endswith(wire.to_bytes(2, "big") + b"\x10\x00abc")


def test_what_is_lost_on_the_way_in_is_asked_for_and_its_repair_counts_once(ice: IceLite) -> None:
    wired = Wired(ice, "video")
    wired.put(1, 0, b"\x10\x00")
    wired.put(4, 0, b"\x10\x01")
    wired.publish.ask_for_holes(1.0)
    assert rtcp.parse_rtcp(wired.asked[-1]) == [rtcp.Nack(5, (2, 3))]
    for _ in range(2):
        rtx = HEADER.pack(0x80, 97, 900, 0, 6) + b"\0\x02\x10\x01late"
        wired.publish.on_rtp(rtx, 1.1)
    assert len(wired.sent) == 1
    assert HEADER.unpack_from(wired.sent[0])[2] == (2 + wired.slot.stream.sequence_offset) & 0xFFFF
    wired.publish.ask_for_holes(2.0)
    assert rtcp.parse_rtcp(wired.asked[-1]) == [rtcp.Nack(5, (3,))]


def test_a_sender_report_is_passed_on_with_the_slots_clock(ice: IceLite) -> None:
    wired = Wired(ice)
    told: list[bytes] = []
    wired.subscribe.send_rtcp = told.append  # type: ignore[method-assign]
    wired.put(1, 5_000)
    wired.put(2, 5_960)
    wired.publish.on_rtcp(rtcp.sender_report(5, 77 << 32, 5_960, packets=1, octets=1, cname="x"), 1.0)
    (report,) = rtcp.parse_rtcp(told[0])
    expected = (5_960 + wired.slot.stream.timestamp_offset) & 0xFFFFFFFF
    assert report == rtcp.SenderReport(wired.slot.ssrc, 77 << 32, expected)
    assert int.from_bytes(told[0][20:24], "big") == 2


def test_an_ssrc_that_was_not_announced_is_learnt_once(ice: IceLite) -> None:
    wired = Wired(ice)
    wired.publish.on_rtp(HEADER.pack(0x80, 111, 1, 2, 999) + b"x", 0.0)
    assert wired.publish.malformed == 1
    unknown = sdp.Incoming("0", "audio", wired.incoming.codec, 0, 0, 0, ExtensionIds())
    fresh = PublishConnection(ConnectionKey("s", "a", "publish", 1), ice.link(0.0), CERTIFICATE, wired, wired)
    fresh.accept([(spec("t"), unknown)])
    fresh.on_rtp(HEADER.pack(0x80, 111, 1, 2, 999) + b"x", 0.0)
    fresh.on_rtp(HEADER.pack(0x80, 111, 1, 2, 1000) + b"x", 0.0)
    assert (fresh.inbounds[0].ssrc, fresh.malformed) == (999, 1)


def test_a_packet_of_the_older_generation_does_not_take_the_track_back(ice: IceLite) -> None:
    wired = Wired(ice)
    wired.put(1, 960)
    newer = PublishConnection(ConnectionKey("s", "a", "publish", 1), ice.link(0.0), CERTIFICATE, wired, wired)
    newer.accept([(spec("t"), wired.incoming)])
    newer.on_rtp(HEADER.pack(0x80, 111, 500, 960, 5) + b"x", 0.1)
    wired.publish.superseded = True  # as the forwarder does when it is told of the change
    wired.put(2, 1920)
    assert wired.track.source is newer.inbounds[0]
    assert wired.track.packets == 2
