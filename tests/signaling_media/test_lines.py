"""From reports and arrivals to a budget: what is lossy stays, what is full shrinks, both ways."""

from __future__ import annotations

import random
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.media.allotment import Allotment, Wish, allot, by_weight
from signaling.media.budget import Budget
from signaling.media.ladder import MUTE_AFTER_S, Rung
from signaling.media.lines import Downlink, Uplink, opus_samples


@dataclass
class Stream:
    expected: int = 0
    arrived: int = 0
    wire_octets: int = 0

    def send(self, packets: int, lost: int = 0, octets: int = 150) -> None:
        self.expected += packets
        self.arrived += packets - lost
        self.wire_octets += (packets - lost) * octets


def test_a_round_trip_that_grows_is_a_queue_and_shrinks_the_limit() -> None:
    line = Downlink()
    for second in range(5):
        line.report(second * 100_000, 0.0, 0.080, float(second))
    assert line.queue_ms == pytest.approx(0.0)
    assert line.budget.limit_kbps is None
    for second in range(5, 8):
        line.report(second * 100_000, 0.1, 0.200, float(second))
    assert line.queue_ms == pytest.approx(120.0)
    assert line.budget.limit_kbps == pytest.approx(0.85 * 0.9 * 800)


def test_what_waits_on_the_way_back_is_not_held_against_the_way_there() -> None:
    line = Downlink(up_queue_ms=120.0)
    for second in range(9):
        line.report(second * 100_000, 0.02, 0.08 if second < 4 else 0.2, float(second))
    assert line.budget.limit_kbps is None


@given(st.lists(st.floats(0, 0.3), min_size=1, max_size=40), st.floats(0.001, 0.3))
def test_random_loss_alone_never_limits_a_downlink(losses: list[float], rtt: float) -> None:
    line = Downlink()
    for place, loss in enumerate(losses):
        line.report(place * 50_000, loss, rtt + 0.02 * (place % 2), place * 0.7)
    assert line.budget.limit_kbps is None


def test_an_idle_line_finds_its_way_up_without_reports() -> None:
    line = Downlink(budget=Budget(limit_kbps=18.0, full_at=0.0, heard_at=0.0))
    for tick in range(400):
        line.idle(tick * 0.2)
    assert line.budget.limit_kbps is not None
    assert line.budget.limit_kbps > 100


def test_sound_that_arrives_later_and_later_is_a_full_uplink() -> None:
    line, stream = Uplink(), Stream()
    for look in range(30):
        late = 0.0 if look < 10 else 0.1
        for packet in range(10):
            number = look * 10 + packet
            line.heard(number * 960, b"\x08", 0.02 * (number + 1) + 0.03 + late)
        stream.send(10)
        line.look([stream], 0.2 * look)
    assert line.queue_ms == pytest.approx(100.0, abs=1)
    assert line.budget.limit_kbps is not None


def test_a_clock_that_is_slow_is_not_taken_for_a_queue_for_long() -> None:
    line, stream = Uplink(), Stream()
    limited = 0
    for look in range(300):
        for packet in range(10):
            number = look * 10 + packet
            line.heard(number * 960, b"\x08", 0.021 * number)
        stream.send(10)
        line.look([stream], 0.21 * look)
        limited = limited + 1 if line.budget.limit_kbps is not None else 0
        assert limited < 40


def test_a_source_that_stood_still_for_a_moment_is_not_limited_for_long_at_random_loss_either() -> None:
    """Repeats come a tenth of a second later, as arrivals of their own, and one in a hundred never comes."""
    chance, line, stream = random.Random(7), Uplink(), Stream()
    limited, repeats = [], 0
    for look in range(300):
        stood_s = 0.08 if look >= 50 else 0.0
        lost = sum(chance.random() < 0.1 for _ in range(10))
        for number in range(look * 10, look * 10 + 10 - min(9, lost)):
            line.heard(number * 960, b"\x08", 0.02 * (number + 1) + 0.04 + stood_s + chance.uniform(0, 0.005))
        stream.send(10, lost - repeats)
        repeats = sum(chance.random() < 0.9 for _ in range(lost))
        line.look([stream], 0.2 * look)
        limited.append(line.budget.limit_kbps is not None)
    assert any(limited)
    assert sum(limited) <= 40, "eight seconds"
    assert not any(limited[150:])


def test_a_full_line_stays_limited_while_what_is_sent_is_too_much_for_it() -> None:
    """100 kb/s into 64: the queue falls only where less is sent, and what does not fit is lost."""
    line, stream = Uplink(), Stream()
    for look in range(200):
        late_s, lost = (0.0, 0) if look < 20 else (0.2, 3)
        for number in range(look * 10, look * 10 + 10):
            line.heard(number * 960, b"\x08", 0.02 * (number + 1) + 0.04 + late_s)
        stream.send(10, lost, octets=250)
        line.look([stream], 0.2 * look)
        assert (line.budget.limit_kbps is None) == (look < 21)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=50))
def test_random_loss_alone_never_limits_an_uplink(losses: list[int]) -> None:
    line, stream = Uplink(), Stream()
    for look, lost in enumerate(losses):
        line.heard(look * 9600, b"\x08", 0.2 * look + 0.05)
        stream.send(10, lost)
        line.look([stream], 0.2 * look)
    assert line.budget.limit_kbps is None


def test_longer_packets_do_not_look_like_a_queue() -> None:
    line, stream = Uplink(), Stream()
    at = 0
    for look in range(40):
        payload, length = (b"\x08", 960) if look < 20 else (b"\x18", 2880)
        for _ in range(9600 // length + 1):
            at += length
            line.heard(at - length, payload, at / 48_000 + 0.04)
            stream.send(1)
        line.look([stream], at / 48_000)
        assert line.queue_ms == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize(
    ("payload", "samples"),
    [
        (b"\x08", 960),
        (b"\x10", 1920),
        (b"\x18", 2880),
        (b"\x09", 1920),
        (b"\x0b\x03", 2880),
        (b"\xfc", 960),
        (b"", 960),
    ],
)
def test_the_length_of_a_packet_is_in_its_first_bytes(payload: bytes, samples: int) -> None:
    assert opus_samples(payload) == samples


WISHES = [Wish("a", 500.0, spoke_at=5.0), Wish("b", 500.0, spoke_at=9.0), Wish("c", 500.0)]


def test_who_spoke_last_leads_but_does_not_push_out_who_is_shown_at_once() -> None:
    assert by_weight(WISHES, None) == ["b", "a", "c"]
    assert by_weight([Wish("a", 1, spoke_at=8.0), WISHES[1]], "a") == ["a", "b"]
    assert by_weight([*WISHES, Wish("d", 1, priority=1)], "a")[0] == "d"


def test_a_line_without_an_end_gives_everything_and_asks_nothing() -> None:
    assert allot(Allotment(), Downlink(), {"x": 60.0}, WISHES, None, 0.0) == Allotment()


def test_a_thin_line_rests_what_is_too_large_and_asks_for_less() -> None:
    line = Downlink(budget=Budget(limit_kbps=640.0))
    given = allot(Allotment(), line, {"x": 60.0, "y": 60.0}, WISHES, None, 0.0)
    assert line.standing.rung is Rung.FULL
    assert len(given.stopped) == 2
    assert given.targets == {"a": 520 / 3, "b": 520 / 3, "c": 520 / 3, "x": 320.0, "y": 320.0}


def test_a_cap_rests_every_video_and_no_sound() -> None:
    line = Downlink()
    given = allot(Allotment(), line, {"x": 60.0}, WISHES, 10.0, 0.0)
    assert given.stopped == {"a", "b", "c"}
    assert not given.silenced


def test_a_line_that_cannot_carry_a_voice_is_left_to_the_captions() -> None:
    line = Downlink(budget=Budget(limit_kbps=16.0))
    assert not allot(Allotment(), line, {"x": 60.0}, WISHES, None, 0.0).silenced
    assert allot(Allotment(), line, {"x": 60.0}, WISHES, None, MUTE_AFTER_S).silenced
