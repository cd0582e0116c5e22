"""A script without a beginning: silence, then everything at its place after the beginning that its file names."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from hardware.drivers.awaited import LOOK_EVERY_SAMPLES, AwaitedScript
from hardware.errors import SourceUnreadable

RATE = 48_000
NOW = 1_000.0


def script(folder: Path, starts_at: float | None) -> Path:
    soundfile.write(folder / "loud.wav", np.full(480, 0.5, np.float32), RATE)
    path = folder / "script.json"
    path.write_text(json.dumps({"starts_at": starts_at, "say": [{"at_s": 0.5, "path": "loud.wav"}]}))
    return path


def test_it_is_silent_until_its_file_names_a_beginning(tmp_path: Path) -> None:
    path = script(tmp_path, None)
    sound = AwaitedScript(path, lambda: NOW)
    assert not sound.render(0, RATE).any()
    script(tmp_path, NOW + 1.0)
    heard = sound.render(RATE, 3 * RATE)
    (loud,) = np.nonzero(heard > 0.4)
    assert loud[0] == RATE + RATE // 2
    assert loud.size == 480


def test_the_file_is_looked_at_four_times_a_second_and_not_for_every_block(tmp_path: Path) -> None:
    path = script(tmp_path, None)
    sound = AwaitedScript(path, lambda: NOW)
    sound.render(0, 480)
    path.unlink()
    assert not sound.render(480, LOOK_EVERY_SAMPLES - 480).any()
    with pytest.raises(SourceUnreadable):
        sound.render(LOOK_EVERY_SAMPLES, 480)


def test_a_script_that_began_before_plays_what_is_left(tmp_path: Path) -> None:
    sound = AwaitedScript(script(tmp_path, NOW - 0.4), lambda: NOW)
    (loud,) = np.nonzero(sound.render(0, RATE) > 0.4)
    assert loud[0] == round(0.1 * RATE)


def test_a_late_call_does_not_move_the_script(tmp_path: Path) -> None:
    path = script(tmp_path, None)
    late_s = [0.0, 0.0, 0.0, 0.150]
    starts = iter(NOW + number * 0.25 + late for number, late in enumerate(late_s))
    sound = AwaitedScript(path, lambda: next(starts))
    for number in range(3):
        sound.render(number * LOOK_EVERY_SAMPLES, LOOK_EVERY_SAMPLES)
    script(tmp_path, NOW + 1.0)
    heard = sound.render(3 * LOOK_EVERY_SAMPLES, 2 * RATE)
    (loud,) = np.nonzero(heard > 0.4)
    assert 3 * LOOK_EVERY_SAMPLES + loud[0] == round(1.5 * RATE)
