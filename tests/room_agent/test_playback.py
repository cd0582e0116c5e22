"""What is heard: routed by slot and generation, a buffer of its own for every track."""

from __future__ import annotations

import numpy as np
import pytest

from hardware.ports import AudioBlock
from room_agent.heard import level_dbfs
from room_agent.opus import OpusEncoder
from room_agent.playback import Playback
from signaling.media.aiortc_adapter import EncodedAudio
from signaling.messages import SlotInfo


class Stage:
    """A playback on a clock of its own, and sites that talk to it."""

    def __init__(self) -> None:
        self.now = 100.0
        self.playback = Playback(lambda: self.now, lambda: self.now)
        self.mixed = np.zeros(0, np.float32)

    def talk(self, ms: int, *speaking: tuple[int, str, float]) -> None:
        """`speaking`: generation, mid, amplitude; each speaks from its own sample 0."""
        encoders = [OpusEncoder(expected_loss=0) for _ in speaking]
        blocks = []
        for number in range(ms // 20):
            for encoder, (generation, mid, amplitude) in zip(encoders, speaking, strict=True):
                turns = np.arange(number * 960, number * 960 + 960) * 440 / 48_000
                samples = (amplitude * np.sin(2 * np.pi * turns)).astype(np.float32)
                packet = encoder.encode(AudioBlock(samples, number * 960, 0.0))
                arrived = EncodedAudio(1, packet.sequence, packet.sample, False, packet.payload, self.now)
                self.playback.push(generation, mid, arrived)
            for _ in range(2):
                blocks.append(self.playback.render(480))
                self.now += 0.01
        self.mixed = np.concatenate(blocks)


def slots(**tracks: str | None) -> list[SlotInfo]:
    return [SlotInfo(mid=mid, kind="audio", track_id=track) for mid, track in tracks.items()]


@pytest.fixture
def stage() -> Stage:
    stage = Stage()
    stage.playback.name_sites({"t1": "iki", "t2": "fukuoka"})
    return stage


def test_each_site_that_speaks_is_heard_and_the_silent_one_is_not(stage: Stage) -> None:
    stage.playback.route(1, slots(a="t1", b="t2", c=None))
    stage.talk(600, (1, "a", 0.25), (1, "b", 0.0))
    assert set(stage.playback.first_heard_at) == {"iki"}
    assert level_dbfs(stage.mixed[-4800:]) == pytest.approx(-15, abs=1.5)
    assert set(stage.playback.stats()) == {"iki", "fukuoka"}
    assert stage.playback.playing == {"t1", "t2"}


def test_two_sites_at_once_are_both_in_the_mix(stage: Stage) -> None:
    stage.playback.route(1, slots(a="t1", b="t2"))
    stage.talk(600, (1, "a", 0.1), (1, "b", 0.1))
    assert level_dbfs(stage.mixed[-4800:]) == pytest.approx(-17, abs=1.5)
    assert set(stage.playback.first_heard_at) == {"iki", "fukuoka"}


def test_a_slot_that_changes_its_track_begins_anew_and_the_others_go_on(stage: Stage) -> None:
    stage.playback.route(1, slots(a="t1", b="t2"))
    stage.talk(200, (1, "a", 0.1), (1, "b", 0.1))
    stage.playback.route(1, slots(a="t3", b="t2"))
    stage.playback.name_sites({"t2": "fukuoka", "t3": "katsumoto"})
    assert stage.playback.stats()["katsumoto"]["received"] == 0
    assert stage.playback.stats()["fukuoka"]["received"] == 10


def test_a_newer_generation_is_heard_from_its_first_packet_and_the_older_one_no_more(stage: Stage) -> None:
    stage.playback.route(1, slots(a="t1"))
    stage.playback.route(2, slots(a="t1"))
    stage.talk(400, (1, "a", 0.25))
    assert stage.playback.stats()["iki"]["received"] == 20
    stage.talk(400, (2, "a", 0.25), (1, "a", 0.25))
    assert stage.playback.stats()["iki"]["received"] == 20
    assert stage.playback.unrouted == 20
    assert level_dbfs(stage.mixed[-4800:]) == pytest.approx(-15, abs=1.5)


def test_packets_of_an_empty_slot_are_counted_and_nothing_else(stage: Stage) -> None:
    stage.playback.route(1, slots(a=None))
    stage.talk(100, (1, "a", 0.25), (1, "zz", 0.25))
    assert stage.playback.unrouted == 10
    assert not stage.mixed.any()


def test_after_the_session_it_is_silent(stage: Stage) -> None:
    stage.playback.route(1, slots(a="t1"))
    stage.talk(400, (1, "a", 0.25))
    stage.playback.silence()
    assert not stage.playback.render(4800).any()
    assert set(stage.playback.first_heard_at) == {"iki"}
