"""A path is suspect after a second of silence and dead after three, and alive with the next packet."""

from __future__ import annotations

from room_agent.liveness import Pulse, Verdict


def verdicts(notes: list[tuple[int, float]]) -> list[Verdict]:
    pulse = Pulse()
    return [pulse.note(count, at) for count, at in notes]


def test_a_second_of_silence_is_suspect_three_are_a_death_and_a_packet_is_life() -> None:
    looks = [(1, 0.0), (2, 1.0), (2, 1.9), (2, 2.0), (2, 3.0), (2, 3.9), (2, 4.0), (3, 4.5)]
    assert verdicts(looks) == ["alive", "alive", "alive", "suspect", "suspect", "suspect", "dead", "alive"]


def test_what_never_lived_is_somebody_elses_matter() -> None:
    assert set(verdicts([(0, 0.0), (0, 1.0), (0, 60.0)])) == {"alive"}


def test_a_machine_that_slept_gives_the_path_another_chance() -> None:
    assert verdicts([(1, 0.0), (1, 0.5), (1, 60.0), (1, 61.0), (1, 62.0)]) == [
        "alive",
        "alive",
        "suspect",
        "suspect",
        "dead",
    ]
