"""Camera pictures made fit for the wire."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.ports import Frame
from room_agent.video import FramePacer, fitted, to_i420

sides = st.integers(2, 4096)


@given(sides, sides, st.integers(160, 1280), st.integers(90, 720))
def test_a_fitted_picture_is_inside_the_limit_even_and_never_larger(w: int, h: int, lw: int, lh: int) -> None:
    width, height = fitted(w, h, lw, lh)
    assert width % 2 == height % 2 == 0
    assert 2 <= width <= max(2, min(w, lw))
    assert 2 <= height <= max(2, min(h, lh))


@pytest.mark.parametrize(
    ("size", "expected"),
    [((1920, 1080), (640, 360)), ((640, 480), (480, 360)), ((320, 180), (320, 180)), ((1080, 1920), (202, 360))],
)
def test_the_shape_is_kept(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert fitted(*size, 640, 360) == expected


def test_white_stays_white_in_planar_colour() -> None:
    small = to_i420(Frame(np.full((720, 1280, 3), 255, np.uint8), 3.0), 640, 360)
    assert small.planes.shape == (540, 640)
    assert (int(small.planes[0, 0]), int(small.planes[-1, -1]), small.captured_at) == (235, 128, 3.0)


@pytest.mark.parametrize(
    ("camera_fps", "limit", "expected"),
    [(30, 15, 15.0), (15, 15, 15.0), (25, 15, 15.0), (10, 15, 10.0), (60, 15, 15.0)],
)
def test_no_more_than_the_limit_goes_out_and_no_less_than_can_be(camera_fps: int, limit: int, expected: float) -> None:
    pacer = FramePacer(limit)
    jitter = np.random.default_rng(1).uniform(-0.1, 0.1, camera_fps * 20) / camera_fps
    taken = sum(pacer.take(n / camera_fps + jitter[n]) for n in range(camera_fps * 20))
    assert taken / 20 == pytest.approx(expected, rel=0.03)


def test_after_a_pause_there_is_no_burst() -> None:
    pacer = FramePacer(10)
    taken = [at for at in [0.0, 0.1, 5.0, 5.01, 5.02, 5.1, 5.2] if pacer.take(at)]
    assert taken == [0.0, 0.1, 5.0, 5.1, 5.2]
