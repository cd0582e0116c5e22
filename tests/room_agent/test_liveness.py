"""A path is dead when packets are due and none comes."""

from __future__ import annotations

from room_agent.liveness import Pulse


def deaths(notes: list[tuple[int, bool, float]]) -> list[float]:
    pulse = Pulse(3.0)
    return [at for count, expected, at in notes if pulse.note(count, expected, at)]


def test_three_seconds_without_a_packet_are_a_death() -> None:
    assert deaths([(1, True, 0.0), (2, True, 1.0), (2, True, 3.9), (2, True, 4.0)]) == [4.0]


def test_silence_is_no_death_when_nothing_is_due() -> None:
    assert deaths([(2, True, 0.0), (2, False, 10.0), (2, True, 12.9), (2, True, 13.1)]) == [13.1]


def test_what_never_lived_is_somebody_elses_matter() -> None:
    assert deaths([(0, True, 0.0), (0, True, 60.0)]) == []
