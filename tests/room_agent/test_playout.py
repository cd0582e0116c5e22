"""The play-out buffer in simulated time: whatever the wire does, the delay returns and the sound goes on."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hardware.ports import SAMPLE_RATE, Samples
from room_agent.arrivals import MIN_TARGET_S
from room_agent.playout import BOUND_S, HELD_PACKETS, INBOX_PACKETS, PlayoutBuffer
from tests.room_agent.wire import PACKET, PERIOD, Ramp, Wire

FASTEST_S = 0.040
MIN_TARGET_MS = 1000 * MIN_TARGET_S
NEAR_MS = 6.0
HEARD_S = 0.020 + FASTEST_S + MIN_TARGET_S + 0.010
"""What a packet waits in all: its own 20 ms, the wire, the level, and the block in which it is asked for."""


def delay_heard_s(wire: Wire, seconds: float = 0.1) -> float:
    """From leaving the sender to being pulled, read from the samples themselves (last block pulled)."""
    for at, samples in wire.run(seconds):
        now, block = at, samples
    return (now - float(block[0]) * PERIOD / SAMPLE_RATE) % (PERIOD / SAMPLE_RATE)


def stall(first: int, seconds: float) -> Callable[[int], float]:
    """From packet `first` on nothing moves for so long; then everything comes at once."""
    return lambda index: FASTEST_S + (max(0.0, seconds - (index - first) * 0.02) if index >= first else 0.0)


def test_silence_until_the_first_packet_has_waited_then_every_sample_once() -> None:
    wire = Wire()
    heard = np.concatenate([samples for _, samples in wire.run(1.0)])
    start = int(np.flatnonzero(heard)[0])
    assert (
        0.060 <= start / SAMPLE_RATE - MIN_TARGET_S <= 0.081
    )  # 20 ms of packet, 40 of wire, up to a block of 10 twice
    assert wire.buffer.stats().concealed_ms == 0
    steps = np.diff(heard[start + 240 :]) * PERIOD  # after the fade-in
    assert np.all(np.abs(steps - 1.0) < 0.1)


def test_the_delay_of_a_calm_wire_is_the_target() -> None:
    wire = Wire()
    stats = wire.settle(5.0)
    assert stats.target_ms == MIN_TARGET_MS
    assert abs(stats.level_ms - stats.target_ms) < NEAR_MS
    assert delay_heard_s(wire) == pytest.approx(HEARD_S, abs=NEAR_MS / 1000)


def test_one_lost_packet_costs_twenty_milliseconds_of_sound_and_no_delay() -> None:
    wire = Wire(delay=lambda index: None if index == 100 else FASTEST_S)
    before = wire.settle(1.9).level_ms
    wire.settle(2.0)
    after = wire.buffer.stats()
    assert (after.lost, after.concealed_ms, after.late) == (1, 20.0, 0)
    assert abs(after.level_ms - before) < NEAR_MS
    assert delay_heard_s(wire) == pytest.approx(HEARD_S, abs=NEAR_MS / 1000)


def test_a_stall_of_the_network_is_worked_off_within_two_seconds_and_loses_nothing() -> None:
    wire = Wire(
        delay=lambda index: FASTEST_S + max(0.0, 0.3 - (index - 150) * 0.02) if 150 <= index < 165 else FASTEST_S
    )
    wire.settle(3.0 + 0.36)
    assert delay_heard_s(wire, 0.05) > 0.25
    stats = wire.settle(2.0)
    assert abs(stats.level_ms - MIN_TARGET_MS) < NEAR_MS
    assert delay_heard_s(wire) == pytest.approx(HEARD_S, abs=NEAR_MS / 1000)
    assert (stats.lost, stats.late, stats.dropped, stats.underruns) == (0, 0, 0, 1)
    assert stats.target_ms == MIN_TARGET_MS


class Hush(Ramp):
    """Nothing but quiet, which is cut first."""

    def decode(self, payload: bytes) -> Samples | None:
        return np.zeros(PACKET, np.float32)


def test_a_device_with_large_blocks_does_not_cut_more_than_there_is_to_cut() -> None:
    wire = Wire(buffer=PlayoutBuffer(Hush()), block=9600, delay=stall(150, 0.3))
    stats = wire.settle(8.0)
    assert stats.underruns == 1
    assert stats.skipped_ms < 330.0


def test_a_stall_of_our_own_process_is_worked_off_within_two_seconds() -> None:
    wire = Wire(paused=lambda now: 2.0 < now < 2.3)
    wire.settle(2.3)
    stats = wire.settle(2.0)
    assert abs(stats.level_ms - MIN_TARGET_MS) < NEAR_MS
    assert delay_heard_s(wire) == pytest.approx(HEARD_S, abs=NEAR_MS / 1000)
    assert stats.lost == stats.dropped == 0


@pytest.mark.parametrize("block", [128, 480, 960, 1024])
def test_any_block_size_of_the_device_works(block: int) -> None:
    wire = Wire(block=block)
    stats = wire.settle(5.0)
    assert (stats.underruns, stats.lost) == (0, 0)
    assert abs(stats.level_ms - stats.target_ms) < NEAR_MS


@pytest.mark.parametrize("drift", [-300e-6, 300e-6])
def test_ten_minutes_of_drift_neither_grow_nor_run_dry(drift: float) -> None:
    rng = random.Random(1)
    wire = Wire(drift=drift, delay=lambda index: FASTEST_S + rng.random() * 0.004, block=960)
    seen = [wire.settle(30.0) for _ in range(20)]
    stats = wire.buffer.stats()
    assert max(one.level_ms for one in seen) - min(one.level_ms for one in seen) < NEAR_MS
    assert all(abs(one.level_ms - one.target_ms) < NEAR_MS for one in seen)
    assert stats.target_ms < MIN_TARGET_MS + NEAR_MS
    assert (stats.underruns, stats.lost, stats.skipped_ms, stats.dropped) == (0, 0, 0.0, 0)


def test_jitter_raises_the_target_until_almost_nothing_is_late() -> None:
    rng = random.Random(1)
    wire = Wire(delay=lambda index: FASTEST_S + rng.random() * 0.060)
    wire.settle(20.0)
    before = wire.buffer.stats()
    after = wire.settle(20.0)
    assert 60.0 < after.target_ms < 80.0
    assert after.lost - before.lost <= 1


def test_the_target_falls_again_when_the_jitter_ends() -> None:
    rng = random.Random(1)
    wire = Wire(delay=lambda index: FASTEST_S + (rng.random() * 0.100 if index < 500 else 0.0))
    assert wire.settle(10.0).target_ms > 80.0
    stats = wire.settle(14.0)
    assert stats.target_ms == MIN_TARGET_MS
    assert abs(stats.level_ms - MIN_TARGET_MS) < NEAR_MS


def test_packets_that_overtake_each_other_are_played_in_order_without_loss() -> None:
    wire = Wire(delay=lambda index: FASTEST_S + (0.025 if index % 3 == 0 else 0.0))
    wire.settle(6.0)
    before = wire.buffer.stats()
    heard = np.concatenate([samples for _, samples in wire.run(3.0)])
    assert wire.buffer.stats().lost == before.lost
    assert np.all(np.diff(heard) > 0.0)  # within one ramp of the decoder: it begins again every 5.46 s


def test_every_packet_twice_is_every_packet_once() -> None:
    twice = Wire()
    push = twice.buffer.push

    def push_twice(sequence: int, timestamp: int, payload: bytes, now: float) -> None:
        push(sequence, timestamp, payload, now)
        push(sequence, timestamp, payload, now)

    twice.buffer.push = push_twice  # type: ignore[method-assign]
    heard = np.concatenate([samples for _, samples in twice.run(2.0)])
    once = np.concatenate([samples for _, samples in Wire().run(2.0)])
    assert np.array_equal(heard, once)
    assert twice.buffer.stats().duplicates > 90


@pytest.mark.parametrize("first", [0, 2**32 - 40 * PACKET, 2**32 - 1])
@pytest.mark.parametrize("sequence", [0, 65_500])
def test_numbers_that_wrap_around_are_not_noticed(first: int, sequence: int) -> None:
    stats = Wire(first_timestamp=first, first_sequence=sequence).settle(4.0)
    assert (stats.lost, stats.restarts, stats.late, stats.underruns) == (0, 0, 0, 0)


def test_another_stream_in_the_same_slot_starts_anew() -> None:
    wire = Wire()
    wire.settle(2.0)
    again = Wire(buffer=wire.buffer, first_timestamp=10**9, first_sequence=30_000, asked_until=0.0)
    again.delay = lambda index: FASTEST_S
    stats = again.settle(2.0)
    assert stats.restarts == 1
    assert abs(stats.level_ms - MIN_TARGET_MS) < NEAR_MS


def test_a_sender_that_pauses_is_no_loss_and_comes_back_at_the_target() -> None:
    wire = Wire(delay=lambda index: None if 100 <= index < 1100 else FASTEST_S)
    wire.payload = lambda start: b"%d" % start
    stats = wire.settle(26.0)
    assert abs(stats.level_ms - MIN_TARGET_MS) < NEAR_MS
    assert stats.concealed_ms <= 130.0


def test_a_burst_of_loss_costs_its_own_length_of_sound_and_no_delay() -> None:
    wire = Wire(delay=lambda index: None if 150 <= index < 165 else FASTEST_S)
    stats = wire.settle(5.0)
    assert stats.lost == 15
    assert abs(stats.level_ms - MIN_TARGET_MS) < NEAR_MS
    assert delay_heard_s(wire) == pytest.approx(HEARD_S, abs=NEAR_MS / 1000)


def test_a_gap_without_missing_numbers_is_the_senders_pause() -> None:
    buffer = PlayoutBuffer(Ramp())
    for sequence, index in enumerate([0, 1, 2, 6, 7, 8, 9, 10]):
        buffer.push(sequence, index * PACKET, b"%d" % (index * PACKET), 0.02 * index)
    for block in range(16):
        buffer.pull(480, 0.1 + 0.01 * block)
    assert buffer.stats().lost == 0
    assert buffer.stats().concealed_ms == 60.0


def test_nobody_pulling_for_minutes_holds_two_seconds_at_most_and_then_plays_the_newest() -> None:
    wire = Wire(paused=lambda now: 2.0 < now < 120.0)
    wire.settle(120.0)
    stats = wire.settle(3.0)
    assert stats.dropped >= 5800 - INBOX_PACKETS
    assert abs(stats.level_ms - MIN_TARGET_MS) < NEAR_MS


def test_a_sender_that_numbers_every_sample_does_not_fill_the_memory() -> None:
    buffer = Wire().buffer
    for number in range(HELD_PACKETS + 500):
        buffer.push(number, number, b"\xf8", now=0.0)
        if number % INBOX_PACKETS == 0:
            buffer.pull(480, now=0.0)
    buffer.pull(480, now=0.0)
    stats = buffer.stats()
    assert (stats.received, stats.dropped) == (HELD_PACKETS + 500, 500)


def test_what_is_more_than_the_bound_too_late_is_dropped_at_once() -> None:
    wire = Wire(delay=stall(150, 1.5))
    wire.settle(3.0 + 1.6)
    stats = wire.buffer.stats()
    assert stats.dropped + stats.late > 40
    assert delay_heard_s(wire, 0.05) < 0.1 + BOUND_S
    assert abs(wire.settle(2.0).level_ms - MIN_TARGET_MS) < NEAR_MS


@pytest.mark.parametrize("frame", [2 * PACKET, 3 * PACKET])
def test_a_sender_that_changes_to_longer_packets_and_back_is_followed(frame: int) -> None:
    wire = Wire()
    wire.settle(3.0)
    wire.frame = frame
    early = wire.settle(1.0)
    longer_ms = 1000 * (frame - PACKET) / SAMPLE_RATE
    assert early.concealed_ms <= longer_ms + 50.0
    stats = wire.settle(14.0)
    assert abs(stats.level_ms - MIN_TARGET_MS) < NEAR_MS
    assert (stats.lost, stats.late, stats.concealed_ms) == (0, 0, early.concealed_ms)
    wire.frame = PACKET
    stats = wire.settle(12.0)
    assert abs(stats.level_ms - MIN_TARGET_MS) < NEAR_MS
    assert (stats.lost, stats.late, stats.dropped, stats.concealed_ms) == (0, 0, 0, early.concealed_ms)
    wire.settle(2.0)
    assert delay_heard_s(wire) == pytest.approx(HEARD_S, abs=NEAR_MS / 1000)


@pytest.mark.parametrize("frame", [2 * PACKET, 3 * PACKET])
def test_a_lost_longer_packet_costs_its_own_length_and_asks_for_the_copy_of_all_of_it(frame: int) -> None:
    class Asked(Ramp):
        copies: ClassVar[list[int]] = []

        def conceal(self, count: int, following: bytes | None = None) -> Samples | None:
            if following is not None:
                self.copies.append(count)
            return super().conceal(count, following)

    Asked.copies.clear()
    lost = 240 * PACKET // frame + 1
    wire = Wire(buffer=PlayoutBuffer(Asked()), frame=frame)
    # jitter of one packet, so that the packet behind the lost one is there when the copy is due
    wire.delay = lambda index: None if index == lost else FASTEST_S + (frame / SAMPLE_RATE if index % 2 else 0.0)
    before = wire.settle(4.0)
    stats = wire.settle(3.0)
    assert (stats.lost - before.lost) == frame // PACKET
    assert set(Asked.copies) == {frame}
    assert abs(stats.level_ms - stats.target_ms) < NEAR_MS


def test_bytes_that_are_no_packet_are_concealed_and_counted() -> None:
    wire = Wire(payload=lambda start: b"garbage" if start == 100 * PACKET else b"%d" % start)
    stats = wire.settle(4.0)
    assert (stats.undecodable, stats.concealed_ms, stats.lost) == (1, 20.0, 0)


@pytest.mark.parametrize("conceals", [True, False])
def test_after_a_hundred_and_twenty_milliseconds_of_nothing_it_is_quiet(conceals: bool) -> None:
    wire = Wire(buffer=PlayoutBuffer(Ramp(conceals=conceals)), delay=lambda index: None if index >= 100 else FASTEST_S)
    wire.settle(2.5)
    assert not any(samples.any() for _, samples in wire.run(1.0))
    assert wire.buffer.stats().underruns == 1


def test_without_the_codecs_help_a_lost_packet_is_the_last_one_again_and_fading() -> None:
    wire = Wire(
        buffer=PlayoutBuffer(Ramp(conceals=False)), delay=lambda index: None if 100 <= index < 104 else FASTEST_S
    )
    wire.settle(2.0)
    heard = np.concatenate([samples for _, samples in wire.run(0.3)])
    assert wire.buffer.stats().lost == 4
    assert np.max(np.abs(heard)) <= np.max(heard[-480:]) + 0.01
    assert (heard == 0.0).any()


def test_network_thread_audio_thread_and_a_reader_of_figures_do_not_disturb_each_other() -> None:
    buffer, packets = PlayoutBuffer(Ramp()), 3000
    pushed = threading.Event()

    def network() -> None:
        for index in range(packets):
            buffer.push(index, index * PACKET, b"%d" % (index * PACKET), index * 0.02)
        pushed.set()

    thread = threading.Thread(target=network)
    thread.start()
    block = 0
    while not pushed.is_set() or block < 200:
        assert buffer.pull(480, block * 0.01).shape == (480,)
        assert buffer.stats().received <= packets
        block += 1
    thread.join()
    buffer.pull(480, packets * 0.02)
    stats = buffer.stats()
    assert stats.received + stats.dropped >= packets


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["push", "pull"]), st.integers(0, 80), st.sampled_from([0, 5, 10, 30, 200]), st.booleans()
        ),
        max_size=200,
    ),
    st.integers(0, 2**32 - 1),
)
def test_any_mix_of_loss_repeat_and_reorder_gives_exactly_what_is_asked(
    steps: list[tuple[str, int, int, bool]], first: int
) -> None:
    buffer, now = PlayoutBuffer(Ramp()), 1000.0
    for kind, number, wait_ms, good in steps:
        now += wait_ms / 1000
        if kind == "push":
            buffer.push(number, first + number * PACKET, b"%d" % (number * PACKET) if good else b"", now)
        else:
            samples = buffer.pull(1 + number * 16, now)
            assert samples.shape == (1 + number * 16,)
            assert samples.dtype == np.float32
            assert np.all(np.isfinite(samples))
            assert np.max(np.abs(samples)) <= 1.0
    stats = buffer.stats()
    assert stats.buffered_ms <= 1000 * BOUND_S + stats.target_ms + 1500


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.0, 0.15), st.floats(0.0, 0.05), st.floats(-300e-6, 300e-6))
@example(258246, 0.0625, 0.015625, 9.8e-05)
def test_after_any_trouble_the_delay_returns_within_fourteen_seconds(
    seed: int, loss: float, jitter: float, drift: float
) -> None:
    """Ten until the trouble is forgotten; what then is too much goes at once down to 20 ms of it (`CUT_SPEECH_S`: a
    cut in speech is heard), and the rest by playing half a percent faster, 5 ms a second: 3.4 s more at the most.
    """
    rng = random.Random(seed)

    def delay(index: int) -> float | None:
        if index >= 250:
            return FASTEST_S
        return None if rng.random() < loss else FASTEST_S + rng.expovariate(1 / (jitter + 1e-6))

    wire = Wire(delay=delay, drift=drift)
    wire.settle(5.0)
    stats = wire.settle(14.0)
    assert stats.target_ms <= MIN_TARGET_MS + 5.0
    assert abs(stats.level_ms - stats.target_ms) < NEAR_MS
