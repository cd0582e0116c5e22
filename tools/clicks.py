"""Clicks over a voice, when they were said, when they are heard, and what that makes of a delay."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from hardware.drivers.simulated import SimulatedSpeaker
from hardware.ports import SAMPLE_RATE, Render, Samples

PRIORITY = -15
PERIOD = 24_077
"""Half a second and a little: clicks fall on every place of a 20 ms packet in turn. No delay may reach it."""
PERIOD_S = PERIOD / SAMPLE_RATE
CLICK_SAMPLES = 144
THRESHOLD = 0.3
HERTZ = 140.0
HARMONICS = (1.0, 0.7, 0.5, 0.3, 0.2)
VOICE = 0.04


def go_first() -> None:
    """Before the others on a busy machine, where the system lets us, as an installed board does: it is the software
    that is measured here. Processes that are started afterwards inherit it; so the baseline has it too.
    """
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, PRIORITY)


class Clicks:
    """A burst of 3 ms in each period, over a hum like a voice that never pauses: in silence, catching up is easy."""

    def __init__(self) -> None:
        click = 0.8 * np.sign(np.random.default_rng(1).standard_normal(CLICK_SAMPLES))
        self._click = click.astype(np.float32)

    def render(self, start: int, count: int) -> Samples:
        block = _voice(start, count)
        places = (start + np.arange(count)) % PERIOD
        sounding = places < CLICK_SAMPLES
        block[sounding] += self._click[places[sounding]]
        return block


def _voice(start: int, count: int) -> Samples:
    t = np.arange(start, start + count, dtype=np.float64) / SAMPLE_RATE
    turns = HERTZ * t + 4.0 * np.sin(2 * np.pi * 0.7 * t)
    parts = [part * np.sin(2 * np.pi * (number + 1) * turns) for number, part in enumerate(HARMONICS)]
    return (VOICE * np.sum(parts, axis=0)).astype(np.float32)


class ClickDetector:
    """The instant at which each click begins, on the clock of the blocks' times."""

    def __init__(self, tell: Callable[[float], None]) -> None:
        self._tell = tell
        self._quiet_until = -math.inf

    def hear(self, samples: Samples, at: float) -> None:
        """`at`: time of the first sample, in seconds."""
        loud = np.flatnonzero(np.abs(samples) > THRESHOLD)
        if loud.size and at > self._quiet_until:
            self._quiet_until = at + PERIOD_S / 3
            self._tell(at + float(loud[0]) / SAMPLE_RATE)


class ListeningSpeaker(SimulatedSpeaker):
    """Tells the instant (of `time.monotonic`) at which a click begins to sound."""

    def __init__(self, tell: Callable[[float], None]) -> None:
        super().__init__(name="listening")
        self._detector = ClickDetector(tell)

    def start(self, render: Render) -> None:
        def listen(count: int) -> Samples:
            now = asyncio.get_running_loop().time()
            samples = render(count)
            self._detector.hear(samples, now)
            return samples

        super().start(listen)


@dataclass(frozen=True, slots=True)
class Heard:
    """A click: when it sounded, and how long it took."""

    at: float
    delay_ms: float


def heard_after(first_click_at: float, clicks_at: Sequence[float]) -> list[Heard]:
    """Each heard click belongs to the last one said before it."""
    return [Heard(at, (at - first_click_at) % PERIOD_S * 1000) for at in clicks_at]


def heard_against(said_at: Sequence[float], clicks_at: Sequence[float]) -> list[Heard]:
    """The same where every click was witnessed when it was said."""
    found: list[Heard] = []
    for at in clicks_at:
        before = [said for said in said_at if 0.0 <= at - said < PERIOD_S]
        if before:
            found.append(Heard(at, (at - before[-1]) * 1000))
    return found


def share(heard: Sequence[Heard], part: float) -> float:
    """The delay that `part` of the clicks stay within, in ms; nan when none was heard."""
    ordered = sorted(click.delay_ms for click in heard)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else math.nan


def back_after_s(heard: Sequence[Heard], disturbed_until: float, until: float, limit_ms: float) -> float:
    """Seconds from the end of a disturbance to the last click (before `until`) that came later than `limit_ms`."""
    slow = [click.at for click in heard if disturbed_until < click.at < until and click.delay_ms > limit_ms]
    return max(0.0, max(slow, default=disturbed_until) - disturbed_until)
