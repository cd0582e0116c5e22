"""Intervals, clashes and free time, as laws; wall time in every zone, clock changes included."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_manager.schedule import (
    Availability,
    Interval,
    Wall,
    clash,
    crowded,
    exists,
    instant,
    interval,
    local_time,
    merged,
    suggestions,
    without,
)

ZONES = st.sampled_from(["Asia/Tokyo", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo"])
times = st.builds(lambda start, length: Interval(start, start + length), st.integers(0, 300), st.integers(1, 60))
many = st.lists(times, max_size=12)
local_times = st.datetimes(datetime(2000, 1, 1), datetime(2037, 12, 1)).map(
    lambda one: one.replace(second=0, microsecond=0, fold=0)
)


def seconds(found: list[Interval]) -> set[int]:
    return {second for one in found for second in range(one.starts_at, one.ends_at)}


@given(times, times)
def test_a_clash_is_mutual_and_means_a_second_in_both(one: Interval, other: Interval) -> None:
    assert clash(one, other) == clash(other, one) == bool(seconds([one]) & seconds([other]))


@given(times, st.integers(1, 50))
def test_touching_intervals_do_not_clash(one: Interval, length: int) -> None:
    assert not clash(one, Interval(one.ends_at, one.ends_at + length))


@given(many, many)
def test_what_is_taken_and_what_is_free_tile_the_opening_hours(opened: list[Interval], taken: list[Interval]) -> None:
    free = without(opened, taken)
    assert seconds(free) == seconds(opened) - seconds(taken)
    assert free == merged(free)
    there = Availability(tuple(merged(opened)), tuple(taken))
    assert seconds(there.free()) | (seconds(opened) & seconds(taken)) == seconds(opened)


@given(many, st.integers(0, 3))
def test_crowded_is_where_more_than_so_many_run_at_once(found: list[Interval], limit: int) -> None:
    counted = {
        second for second in seconds(found) if sum(second in range(o.starts_at, o.ends_at) for o in found) > limit
    }
    assert seconds(crowded(found, limit)) == counted


@given(local_times, ZONES)
def test_a_local_time_that_exists_comes_back_and_one_that_does_not_is_known(local: datetime, zone: str) -> None:
    back = local_time(instant(local, zone), zone)
    assert (back == local) == exists(local, zone)
    aware = local.replace(tzinfo=ZoneInfo(zone))
    assert instant(local, zone) == int(aware.astimezone(UTC).timestamp())


@given(local_times, st.integers(1, 1440), ZONES)
def test_an_agreed_time_always_has_a_length_near_what_was_agreed(local: datetime, minutes: int, zone: str) -> None:
    found = interval(Wall(local, local + timedelta(minutes=minutes), zone))
    assert found.length_s > 0
    assert abs(found.length_s - minutes * 60) <= 3600


def test_an_evening_over_the_clock_change_ends_by_the_wall() -> None:
    night = Wall(datetime(2026, 10, 24, 22), datetime(2026, 10, 25, 6), "Europe/Berlin")
    assert interval(night).length_s == 9 * 3600
    assert not exists(datetime(2026, 3, 29, 2, 30), "Europe/Berlin")


@given(st.lists(times, max_size=6), times, st.integers(0, 5), st.integers(0, 5))
def test_what_is_suggested_is_free_near_and_never_the_wish_itself(
    taken: list[Interval], wanted: Interval, before: int, after: int
) -> None:
    scaled = [Interval(one.starts_at * 300, one.ends_at * 300) for one in taken]
    wish = Interval(wanted.starts_at * 300, wanted.ends_at * 300)
    there = Availability((Interval(-20_000, 200_000),), tuple(scaled), before * 60, after * 60)
    free = Availability(there.open, ())
    for offer in suggestions(wish, {"a": there}, {"a": {"b": free}}, in_series=True):
        if offer.kind == "skip":
            continue
        assert offer.time is not None
        assert (free if offer.kind == "other_place" else there).takes(offer.time)
        assert offer.kind == "other_place" or offer.time != wish
        assert offer.time.length_s >= wish.length_s * 0.75


def test_nothing_lasts_no_time() -> None:
    with pytest.raises(ValueError):
        Interval(5, 5)
