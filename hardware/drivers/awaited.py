"""A sound script that is already on the microphone but has no beginning yet: silence until its file names one.

Several boards can so join first and then begin to speak at one instant. The file is that of `simulated.load_script`;
whoever directs replaces it by one with `"starts_at"`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from hardware.drivers.simulated import Script, load_sound, read_script
from hardware.ports import SAMPLE_RATE, Samples

LOOK_EVERY_SAMPLES = SAMPLE_RATE // 4


class AwaitedScript:
    """A `simulated.Sound`. The sounds are read when it is made; later only the small script file is looked at."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock
        cues, _ = read_script(path)
        self._sounds = [(round(cue.at_s * SAMPLE_RATE), load_sound(cue.path)) for cue in cues]
        self._script: Script | None = None
        self._look_at = 0
        self._zero_at = float("inf")

    def render(self, start: int, count: int) -> Samples:
        if self._script is None:
            # A late call must not move the script: sample 0 was when the least late of all calls says that it was.
            self._zero_at = min(self._zero_at, self._clock() - start / SAMPLE_RATE)
        if self._script is None and start >= self._look_at:
            self._look_at = start + LOOK_EVERY_SAMPLES
            _, starts_at = read_script(self._path)
            if starts_at is not None:
                begin = round((starts_at - self._zero_at) * SAMPLE_RATE)
                self._script = Script([(begin + at, sound) for at, sound in self._sounds])
        return (self._script or Script()).render(start, count)
