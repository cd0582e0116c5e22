"""Laws of the ladder: a better line never gives less, changes keep their distance, video goes before sound."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from signaling.media.ladder import (
    HOLD_S,
    UP_S,
    VOICE_FLOOR_KBPS,
    Rung,
    Standing,
    affordable,
    share_kbps,
    step,
    tighter,
    videos_of,
    voice_kbps,
)

RUNGS = st.sampled_from(list(Rung))
LIMITS = st.none() | st.floats(0, 5_000)
STANDINGS = st.builds(Standing, RUNGS, st.none() | st.floats(0, 100), st.none() | st.floats(0, 100))


def _order(limit: float | None) -> float:
    return float("inf") if limit is None else limit


@given(STANDINGS, st.floats(100, 200), st.integers(0, 9), st.floats(0, 300), st.integers(0, 9), LIMITS, LIMITS, LIMITS)
def test_a_better_line_never_gives_a_lower_rung(
    standing: Standing,
    now: float,
    voices: int,
    audio: float,
    videos: int,
    a: float | None,
    b: float | None,
    cap: float | None,
) -> None:
    low, high = sorted((a, b), key=_order)
    worse = step(standing, affordable(voices, audio, videos, low, cap), now)
    better = step(standing, affordable(voices, audio, videos, high, cap), now)
    assert better.rung >= worse.rung


@given(st.lists(st.tuples(RUNGS, st.floats(0.01, 3)), max_size=80))
def test_two_changes_keep_their_distance_and_a_step_up_waits_for_evidence(moves: list[tuple[Rung, float]]) -> None:
    standing, now, changed, fits_since = Standing(), 0.0, None, None
    for fits, passed in moves:
        now += passed
        before, standing = standing, step(standing, fits, now)
        fits_since = (fits_since or now) if fits > before.rung else None
        if standing.rung is before.rung:
            continue
        assert changed is None or now - changed >= HOLD_S
        if standing.rung > before.rung:
            assert standing.rung == before.rung + 1
            assert fits_since is not None
            assert now - fits_since >= UP_S
            fits_since = None
        changed = now


@given(st.integers(1, 9), st.floats(0, 500), st.integers(0, 9), st.floats(0, 5_000))
def test_a_cap_never_costs_sound(voices: int, audio: float, videos: int, cap: float) -> None:
    assert affordable(voices, audio, videos, None, cap) >= Rung.AUDIO


@given(st.integers(0, 9), st.floats(0, 500), st.integers(0, 9), LIMITS, LIMITS)
def test_what_fits_is_the_worse_of_measure_and_cap(
    voices: int, audio: float, videos: int, limit: float | None, cap: float | None
) -> None:
    both = affordable(voices, audio, videos, limit, cap)
    assert both <= affordable(voices, audio, videos, limit, None)
    assert both <= affordable(voices, audio, videos, None, cap)


def test_video_goes_first_and_captions_stay_last() -> None:
    rungs = [affordable(1, 60, 3, limit, None) for limit in (600, 300, 100, VOICE_FLOOR_KBPS, 10)]
    assert rungs == [Rung.FULL, Rung.SMALL, Rung.AUDIO, Rung.AUDIO, Rung.CAPTIONS]
    names = ["speaker", "b", "c"]
    assert [videos_of(rung, names) for rung in Rung] == [(), (), ("speaker",), ("speaker", "b", "c")]


def test_sound_is_given_up_only_after_five_seconds_without_room_for_a_voice() -> None:
    standing = step(Standing(), Rung.CAPTIONS, 0.0)
    assert standing.rung is Rung.AUDIO
    standing = step(standing, Rung.CAPTIONS, 4.0)
    assert standing.rung is Rung.AUDIO
    assert step(standing, Rung.AUDIO, 4.5).mute_since is None
    assert step(standing, Rung.CAPTIONS, 5.0).rung is Rung.CAPTIONS


def test_shares_leave_sound_its_part_and_have_a_floor() -> None:
    assert share_kbps(2, 100, 700) == 300
    assert share_kbps(3, 100, 300) == 150
    assert share_kbps(0, 100, 300) is None
    assert share_kbps(2, 100, None) is None
    assert voice_kbps(2, 60) == 30
    assert voice_kbps(9, 60) == VOICE_FLOOR_KBPS
    assert voice_kbps(2, None) is None
    assert tighter(None, 5.0, 3.0) == 3.0
    assert tighter(None) is None
