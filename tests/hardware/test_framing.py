"""Frames: the same for any block size, nothing lost or invented, time never goes back."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hardware.framing import FILL_LIMIT_SAMPLES, FRAME_SAMPLES, Framer
from hardware.ports import SAMPLE_RATE, AudioBlock, Samples

sizes = st.lists(st.integers(1, 3000), min_size=1, max_size=40)


def ramp(start: int, count: int) -> Samples:
    return np.arange(start, start + count, dtype=np.float32)


def block(start: int, count: int, at: float = 0.0) -> AudioBlock:
    return AudioBlock(ramp(start, count), start, at + start / SAMPLE_RATE)


@given(sizes, st.integers(0, 10**6))
def test_any_block_size_gives_the_same_frames(lengths: list[int], first: int) -> None:
    framer, position, frames = Framer(), first, []
    for length in lengths:
        frames += framer.push(block(position, length))
        position += length
    assert len(frames) == (position - first) // FRAME_SAMPLES
    for index, frame in enumerate(frames):
        start = first + index * FRAME_SAMPLES
        assert frame.sample == start
        assert np.array_equal(frame.samples, ramp(start, FRAME_SAMPLES))
        assert abs(frame.captured_at - start / SAMPLE_RATE) < 1e-9


@given(st.lists(st.tuples(st.integers(1, 2000), st.integers(0, 3 * FILL_LIMIT_SAMPLES)), min_size=1, max_size=20))
def test_every_captured_sample_stays_at_its_place_whatever_is_missing(pieces: list[tuple[int, int]]) -> None:
    framer, position, frames, captured = Framer(), 0, [], 0
    out: dict[int, float] = {}
    for length, hole in pieces:
        frames += framer.push(AudioBlock(ramp(position, length) + 1, position, position / SAMPLE_RATE))
        captured += length
        position += length + hole
    for frame in frames:
        assert frame.sample % FRAME_SAMPLES == 0
        assert frame.samples.shape == (FRAME_SAMPLES,)
        out |= {frame.sample + i: value for i, value in enumerate(frame.samples) if value}
    starts = [frame.sample for frame in frames]
    assert starts == sorted(set(starts))
    assert all(value == place + 1 for place, value in out.items())
    assert captured - len(out) < FRAME_SAMPLES  # only what has not filled a frame yet


@given(st.lists(st.tuples(st.integers(1, 2000), st.integers(-2000, 2000), st.floats(-1, 1)), max_size=30))
def test_times_and_positions_never_go_back(pieces: list[tuple[int, int, float]]) -> None:
    framer, position, frames = Framer(), 5000, []
    for length, jump, skew in pieces:
        frames += framer.push(AudioBlock(ramp(0, length), position, position / SAMPLE_RATE + skew))
        position = max(0, position + length + jump)
    assert all(a.sample < b.sample and a.captured_at <= b.captured_at for a, b in itertools.pairwise(frames))


def test_a_short_hole_becomes_silence_and_is_counted() -> None:
    framer = Framer()
    framer.push(block(0, 480))
    (frame,) = framer.push(AudioBlock(np.ones(380, np.float32), 580, 0.012))
    assert framer.inserted_samples == 100
    assert not frame.samples[480:580].any()
    assert frame.samples[580:].all()


def test_a_long_hole_is_left_out_on_the_grid_and_is_counted() -> None:
    framer = Framer()
    framer.push(block(0, 500))
    frames = framer.push(AudioBlock(np.ones(2 * FRAME_SAMPLES, np.float32), 3600 * SAMPLE_RATE + 7, 3600.0))
    assert [frame.sample for frame in frames] == [0, 3600 * SAMPLE_RATE, 3600 * SAMPLE_RATE + FRAME_SAMPLES]
    assert framer.skipped_samples == 3600 * SAMPLE_RATE - FRAME_SAMPLES
    assert not frames[1].samples[:7].any()


def test_what_is_delivered_twice_is_dropped_and_counted() -> None:
    framer = Framer()
    framer.push(block(0, 600))
    (frame,) = framer.push(block(400, 560))
    assert framer.overlapped_samples == 200
    assert np.array_equal(frame.samples, ramp(0, FRAME_SAMPLES))


@given(st.lists(st.tuples(st.sampled_from([960, 1920, 2880]), st.integers(1, 4000)), min_size=1, max_size=30))
def test_a_frame_that_has_begun_keeps_its_length_and_no_sample_is_lost_when_it_changes(
    steps: list[tuple[int, int]],
) -> None:
    framer, position, frames, wanted = Framer(), 0, [], {FRAME_SAMPLES}
    for size, length in steps:
        framer.resize(size)
        wanted.add(size)
        frames += framer.push(block(position, length))
        position += length
    assert {frame.samples.size for frame in frames} <= wanted
    joined = np.concatenate([frame.samples for frame in frames] or [ramp(0, 0)])
    assert np.array_equal(joined, ramp(0, joined.size))
    assert position - joined.size < 2880
    if len(steps) == 1 and frames:
        assert {frame.samples.size for frame in frames} == {steps[0][0]}
