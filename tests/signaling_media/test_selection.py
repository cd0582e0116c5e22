from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from signaling.media.selection import HYSTERESIS_S, RESUME_SHARE, Placing, Video, Voice, fill, louder, over_budget

names = st.sampled_from([f"t{i}" for i in range(8)])


@st.composite
def seatings(draw: st.DrawFn) -> tuple[list[str | None], list[str]]:
    held = draw(
        st.lists(st.one_of(st.none(), names), max_size=6).filter(
            lambda x: len({*x} - {None}) == len([each for each in x if each is not None])
        )
    )
    return held, draw(st.lists(names, unique=True, max_size=8))


@given(seatings())
def test_nobody_who_may_stay_is_moved_and_no_seat_is_wasted(seating: tuple[list[str | None], list[str]]) -> None:
    held, eligible = seating
    chosen = fill(held, eligible)
    for before, after in zip(held, chosen, strict=True):
        if before in eligible:
            assert after == before
    seated = [track for track in chosen if track is not None]
    assert len(set(seated)) == len(seated)
    assert set(seated) <= set(eligible)
    assert len(seated) == min(len(held), len(eligible))


@given(seatings())
def test_free_seats_go_by_order(seating: tuple[list[str | None], list[str]]) -> None:
    held, eligible = seating
    chosen = fill(held, eligible)
    newcomers = [after for before, after in zip(held, chosen, strict=True) if after is not None and after != before]
    waiting = [track for track in eligible if track not in held]
    assert newcomers == waiting[: len(newcomers)]


def test_a_new_voice_takes_the_seat_of_the_longest_silence() -> None:
    slots = [Placing("a", 0.0), Placing("b", 0.0), Placing("c", 0.0)]
    voices = {
        "a": Voice("a", 9.5, 30),
        "b": Voice("b", 3.0, 127),
        "c": Voice("c", 5.0, 127),
        "d": Voice("d", 10.0, 40),
        "e": Voice("e", 10.0, 25),
    }
    assert louder(slots, voices, 10.0) == (1, "e")


def test_who_never_spoke_goes_first() -> None:
    voices = {"a": Voice("a"), "b": Voice("b", 1.0), "c": Voice("c", 10.0, 20)}
    assert louder([Placing("b", 0.0), Placing("a", 0.0)], voices, 10.0) == (1, "c")


def test_nobody_is_moved_within_the_hysteresis() -> None:
    voices = {"a": Voice("a", 1.0), "b": Voice("b", 10.0, 20)}
    assert louder([Placing("a", 10.0 - HYSTERESIS_S / 2)], voices, 10.0) is None
    just_spoke = {"a": Voice("a", 10.0 - HYSTERESIS_S / 2), "b": Voice("b", 10.0, 20)}
    assert louder([Placing("a", 0.0)], just_spoke, 10.0) is None


def test_silence_takes_nobodys_seat() -> None:
    assert louder([Placing("a", 0.0)], {"a": Voice("a", 1.0), "b": Voice("b", 2.0), "c": Voice("c")}, 10.0) is None


videos = st.lists(
    st.builds(Video, track_id=names, kbps=st.floats(0, 3000)), unique_by=lambda video: video.track_id, max_size=8
)


@given(videos, st.floats(0, 500), st.integers(0, 5000), st.sets(names))
def test_what_flows_fits_the_budget_or_all_video_rests(
    videos: list[Video], audio: float, budget: int, stopped: set[str]
) -> None:
    rest = over_budget(videos, audio, budget, stopped)
    flowing = [video for video in videos if video.track_id not in rest]
    assert not flowing or audio + sum(video.kbps for video in flowing) <= budget + 1e-6


@given(videos, st.floats(0, 500), st.integers(0, 5000), st.sets(names))
def test_the_choice_is_stable(videos: list[Video], audio: float, budget: int, stopped: set[str]) -> None:
    once = over_budget(videos, audio, budget, stopped)
    assert over_budget(videos, audio, budget, once) == once


def test_the_largest_goes_first_and_comes_back_only_with_room() -> None:
    videos = [Video("a", 300), Video("b", 1200), Video("c", 500)]
    assert over_budget(videos, 40, 1000, frozenset()) == {"b"}
    tight = (840 + 1200) + 1
    assert over_budget(videos, 40, tight, {"b"}) == {"b"}
    assert over_budget(videos, 40, int((840 + 1200) / RESUME_SHARE) + 1, {"b"}) == frozenset()
    assert over_budget(videos, 40, None, {"b"}) == frozenset()
