"""One contract test for each private touch point of the pinned libraries."""

from __future__ import annotations

import asyncio
import threading

import pytest
from aiortc import RTCRtpSender, VideoStreamTrack
from aiortc.codecs.vpx import Vp8Encoder

from signaling.media import aiortc_adapter as adapter
from signaling.media.errors import SourceEnded, VersionMismatch
from signaling.media.forwarder import Forwarder
from signaling.media.sequence import wire_offset
from signaling.ports import Anchor
from tests.signaling_media.clients import TONE, Publisher, Recorder, Subscriber, TonePump, new_connection, until


def test_what_is_installed_is_what_this_was_written_against() -> None:
    adapter.assert_pinned()


def test_one_error_names_every_version_that_does_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(adapter.PINNED, "aiortc", "1.17.0")
    monkeypatch.setitem(adapter.PINNED, "no-such-package", "1")
    with pytest.raises(VersionMismatch) as error:
        adapter.assert_pinned()
    assert error.value.missing == (
        "aiortc must be 1.17.0, found 1.16.0",
        "no-such-package must be 1, found nothing",
    )


@pytest.mark.parametrize(
    ("owner", "name"), [(owner, name) for _, owner, names in adapter.TOUCHED for name in names if owner is not None]
)
def test_a_private_method_that_is_gone_is_named(owner: object, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if not isinstance(owner, type):
        with pytest.raises(AttributeError):
            getattr(owner, f"{name}_gone")
        return
    monkeypatch.delattr(owner, name)
    with pytest.raises(VersionMismatch, match=name):
        adapter.assert_pinned()


@pytest.mark.parametrize(
    ("owner", "name"), [(owner, name) for owner, _, names in adapter.TOUCHED_INSIDE for name in names]
)
def test_a_private_field_that_is_gone_is_named(owner: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def other(self: object) -> None:
        """A constructor that sets nothing."""

    changed = tuple((who, other if who == owner else made, names) for who, made, names in adapter.TOUCHED_INSIDE)
    monkeypatch.setattr(adapter, "TOUCHED_INSIDE", changed)
    with pytest.raises(VersionMismatch, match=name):
        adapter.assert_pinned()


@pytest.mark.parametrize("first", [0, 32_767, 32_768, 65_530, 200_000])
async def test_numbered_audio_reaches_the_log_with_the_boards_own_numbers(
    forwarder: Forwarder, events: Recorder, first: int
) -> None:
    speaker = Publisher(forwarder, "a")
    speaker.pump = TonePump(sequence=first, period_s=0.005)
    await speaker.publish()
    await events.until(lambda: len(events.packets) >= 20)
    numbers = [packet.sequence for packet in events.packets]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert first <= numbers[0] < first + 100
    assert all(packet.sample == packet.sequence * 960 for packet in events.packets)
    assert all(packet.payload == TONE[packet.sequence % len(TONE)] for packet in events.packets)
    inbound = forwarder._sessions["s1"].tracks["a-a"].source
    assert inbound is not None
    assert inbound.ring.get((numbers[0] - wire_offset(first)) & 0xFFFF) is not None
    await speaker.close()


async def test_a_numbered_source_that_ends_ends_its_sender(forwarder: Forwarder) -> None:
    class Short(TonePump):
        async def next_packet(self) -> adapter.NumberedPacket:
            if self.sequence == 3:
                raise SourceEnded("over")
            return await super().next_packet()

    speaker = Publisher(forwarder, "a")
    speaker.pump = Short()
    await speaker.publish()
    await until(lambda: speaker.pump.sequence == 3)
    async with asyncio.timeout(10):
        await speaker.close()


async def test_encoded_audio_leaves_no_decoder_thread_running(forwarder: Forwarder) -> None:
    speaker, listener = Publisher(forwarder, "a"), Subscriber(forwarder, "b")
    await speaker.publish()
    await listener.subscribe(audio=4)
    await until(lambda: listener.payloads() >= 5)
    assert not [thread for thread in threading.enumerate() if thread.name == "audio-decoder"]
    packet = next(packets[0] for packets in listener.heard.values() if packets)
    assert packet.payload in TONE
    stats = await listener.connection.getStats()
    assert any(report.type == "inbound-rtp" and report.packetsReceived > 0 for report in stats.values())
    await speaker.close()
    await listener.close()


class _CountingEncoder(Vp8Encoder):
    def __init__(self) -> None:
        super().__init__()
        self.keyframes: list[bool] = []

    def encode(self, frame: object, force_keyframe: bool = False) -> tuple[list[bytes], int]:
        self.keyframes.append(force_keyframe)
        return super().encode(frame, force_keyframe)  # type: ignore[arg-type]


async def test_our_encoder_is_used_and_key_frames_come_when_asked_for(forwarder: Forwarder, events: Recorder) -> None:
    client, encoder = new_connection(), _CountingEncoder()
    transceiver = client.addTransceiver(VideoStreamTrack(), direction="sendonly")
    sender: RTCRtpSender = transceiver.sender
    adapter.replace_encoder(sender, encoder)
    await client.setLocalDescription(await client.createOffer())
    from aiortc import RTCSessionDescription

    from tests.signaling_media.clients import spec

    track = spec("v", transceiver.mid, kind="video")
    answer = await forwarder.publish("s1", "a", 0, client.localDescription.sdp, [track])
    await client.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    await events.until(lambda: events.count("live") == 1)
    adapter.force_keyframe(sender)
    await until(lambda: True in encoder.keyframes)
    asked = encoder.keyframes.count(True)
    viewer = Subscriber(forwarder, "b")
    await viewer.subscribe(audio=0, video=1)
    await until(lambda: sum(viewer.frames.values()) >= 2)
    assert encoder.keyframes.count(True) > asked
    await client.close()
    await viewer.close()


def test_an_anchor_says_where_the_wire_begins() -> None:
    assert [wire_offset(Anchor(number, 0).sequence) for number in (0, 32_767, 32_768, 65_536)] == [0, 0, 32_768, 0]
