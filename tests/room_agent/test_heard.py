"""Heard means loud enough for long enough."""

from __future__ import annotations

import numpy as np
import pytest

from hardware.ports import Samples
from room_agent.heard import Heard, level_dbfs


def tone(dbfs: float, ms: float = 10.0) -> Samples:
    """A sine of that RMS level."""
    n = round(48 * ms)
    return (np.sqrt(2) * 10 ** (dbfs / 20) * np.sin(np.arange(n) * 2 * np.pi * 1000 / 48_000)).astype(np.float32)


@pytest.mark.parametrize("dbfs", [-3.1, -20.0, -60.0])
def test_the_level_is_the_rms(dbfs: float) -> None:
    assert level_dbfs(tone(dbfs)) == pytest.approx(dbfs, abs=0.1)


def test_silence_has_a_level_too() -> None:
    assert level_dbfs(np.zeros(480, np.float32)) == level_dbfs(np.zeros(0, np.float32)) == -127.0


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        ([-30.0] * 20, True),
        ([-30.0] * 19, False),
        ([-50.0] * 100, False),
        ([-30.0] * 10 + [-60.0] * 4 + [-30.0] * 10, True),
        (([-30.0] * 10 + [-60.0] * 5) * 5, False),
    ],
)
def test_a_site_is_heard_after_200_ms_above_the_level(blocks: list[float], expected: bool) -> None:
    heard = Heard()
    for number, dbfs in enumerate(blocks):
        heard.add("iki", tone(dbfs), now=float(number))
    assert ("iki" in heard.first_heard_at) is expected


def test_the_first_time_stays_and_sites_are_apart() -> None:
    heard = Heard()
    for number in range(60):
        heard.add("iki", tone(-20), now=float(number))
        heard.add("fukuoka", tone(-70), now=float(number))
    assert heard.first_heard_at == {"iki": 19.0}
