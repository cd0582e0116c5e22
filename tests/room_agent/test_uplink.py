"""The board's share-out: the voice goes down at once and up slowly, and the picture goes first."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from room_agent.uplink import DOWN_S, STEPS, UP_S, Uplink, VoiceStep

TOLD = st.lists(st.tuples(st.integers(0, 3_000_000), st.floats(0.05, 3)), max_size=60)


@given(st.integers(16_000, 64_000))
def test_steps_cost_more_from_the_bottom_up(best: int) -> None:
    uplink = Uplink(best)
    costs = [step.wire_bps for step in uplink._steps]
    assert costs == sorted(costs)
    assert uplink.voice == VoiceStep(best, 960)


@given(TOLD)
def test_one_step_up_at_a_time_after_lasting_evidence_and_changes_keep_their_distance(
    told: list[tuple[int, float]],
) -> None:
    uplink, now, changed = Uplink(32_000), 0.0, None
    for bps, passed in told:
        now += passed
        before = uplink._place
        uplink.told(bps, now)
        if uplink._place == before:
            continue
        assert changed is None or now - changed >= (DOWN_S if uplink._place < before else UP_S)
        assert uplink._place <= before + 1
        changed = now


@given(st.integers(0, 3_000_000), st.integers(0, 3_000_000), TOLD)
def test_more_room_never_means_less_voice_or_picture(a: int, b: int, told: list[tuple[int, float]]) -> None:
    places = []
    for bps in sorted((a, b)):
        uplink, now = Uplink(32_000), 0.0
        for earlier, passed in told:
            now += passed
            uplink.told(earlier, now)
        uplink.told(bps, now + 1)
        places.append((uplink._place, uplink.told_bps))
    assert places[0][0] <= places[1][0]


def test_a_thin_line_takes_the_picture_then_the_headers_then_the_voice() -> None:
    seen = []
    for kbps in (2_500, 200, 110, 64, 50, 40, 30, 10):
        uplink = Uplink(32_000)
        uplink.told(kbps * 1000, 0.0)
        seen.append((uplink.voice.bit_rate // 1000, uplink.voice.frame_samples // 48, (uplink.video_bps or 0) > 0))
    assert seen == [
        (32, 20, True),
        (32, 20, True),
        (32, 20, False),
        (24, 20, False),
        (24, 40, False),
        (16, 40, False),
        (16, 60, False),
        (12, 60, False),
    ]


def test_it_comes_back_step_by_step() -> None:
    uplink = Uplink(32_000)
    uplink.told(20_000, 0.0)
    seen = [uplink.voice]
    for tick in range(1, 100):
        uplink.told(2_500_000, tick * 0.5)
        if uplink.voice != seen[-1]:
            seen.append(uplink.voice)
    assert seen == [*STEPS, VoiceStep(32_000, 960)]
    assert all(low.wire_bps < high.wire_bps for low, high in pairwise(seen))
