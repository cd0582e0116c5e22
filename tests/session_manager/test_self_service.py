"""What a day offers first: pieces of free time, and as whom one books. Laws and tables."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_manager.access import Kind
from session_manager.schedule import Availability, Interval, clash
from session_manager.self_service import (
    KINDS,
    ROOM_S,
    SHORTEST_S,
    cut,
    free_stretches,
    may_hold,
    room_slots,
    seat_slots,
    taken_pieces,
    user_class,
)

DAY = 1_780_272_000 // 86_400 * 86_400
times = st.builds(
    lambda start, length: Interval(DAY + start * 300, DAY + (start + length) * 300),
    st.integers(0, 200),
    st.integers(1, 90),
)
places = st.builds(
    Availability,
    st.lists(times, max_size=3).map(tuple),
    st.lists(times, max_size=4).map(tuple),
    st.sampled_from([0, 600, 900]),
    st.sampled_from([0, 600]),
)
moments = st.integers(DAY - 3600, DAY + 90_000)


@given(places, moments)
def test_what_is_offered_can_be_had(there: Availability, now: int) -> None:
    """Open, free with the place's own buffers, not past, half an hour at least, and no piece over another."""
    found = cut(free_stretches(there), now, ROOM_S)
    for one in found:
        widened = one.widened(there.before_s, there.after_s)
        assert not any(clash(widened, taken) for taken in there.taken)
        assert one.starts_at >= now // 60 * 60
        assert one.length_s >= SHORTEST_S
    assert all(one.ends_at <= other.starts_at for one, other in pairwise(found))


@given(places, moments)
def test_no_free_half_hour_is_lost(there: Availability, now: int) -> None:
    free, found = free_stretches(there), cut(free_stretches(there), now, ROOM_S)
    ahead = [max(0, one.ends_at - max(one.starts_at, now // 60 * 60)) for one in free]
    assert sum(one.length_s for one in found) == sum(length for length in ahead if length >= SHORTEST_S)


@given(places, st.lists(times, max_size=5), moments)
def test_one_waits_for_one_booking_within_the_opening_hours(
    there: Availability, held: list[Interval], now: int
) -> None:
    for one in taken_pieces(held, there.open, now):
        assert any(booking.holds(one) for booking in held)
        assert any(hours.holds(one) for hours in there.open)
        assert one.ends_at > now


def test_two_bookings_in_a_row_are_waited_for_one_by_one() -> None:
    first, second = Interval(DAY + 3600, DAY + 7200), Interval(DAY + 7200, DAY + 10_800)
    there = Availability((Interval(DAY, DAY + 36_000),), (Interval(DAY + 3600, DAY + 10_800),))
    found = room_slots("room", there, [second, first], DAY)
    assert [(one.time, one.taken) for one in found] == [
        (Interval(DAY, DAY + 3600), False),
        (first, True),
        (Interval(DAY + 10_800, DAY + 18_000), False),
    ]


def test_seats_are_one_offer_now_and_one_after_noon_or_the_first_to_wait_for() -> None:
    noon, hours = DAY + 46_800, (Interval(DAY + 32_400, DAY + 64_800),)
    free, full = Availability(hours, ()), Availability(hours, hours)
    found = seat_slots({"a": full, "b": free}, {}, noon, DAY + 36_060)
    assert [(one.place_id, one.time) for one in found] == [
        ("b", Interval(DAY + 36_060, DAY + 64_800)),
        ("b", Interval(noon, DAY + 64_800)),
    ]
    early, late = Interval(DAY + 32_400, DAY + 40_000), Interval(DAY + 32_400, DAY + 50_000)
    [wait] = seat_slots({"a": full, "b": full}, {"a": [late], "b": [early]}, noon, DAY + 36_060)
    assert (wait.place_id, wait.time.ends_at, wait.taken) == ("b", early.ends_at, True)


@pytest.mark.parametrize(
    ("roles", "agreement", "membership", "expected"),
    [
        ((), False, False, "citizen"),
        ((), False, True, "member"),
        (("partner_staff",), False, False, "citizen"),
        (("partner_staff",), True, True, "partner"),
        (("staff",), True, True, "office"),
    ],
)
def test_the_class_follows_from_what_one_holds(
    roles: tuple[str, ...], agreement: bool, membership: bool, expected: str
) -> None:
    assert user_class(roles, agreement=agreement, membership=membership) == expected


def test_only_hosts_hold_what_is_never_released() -> None:
    holders = {
        kind: {role for role in KINDS if may_hold([role], kind)} for kind in ("dialogue", "remote_class", "plain")
    }
    office = {Kind.ADMINISTRATOR, Kind.STAFF}
    assert holders["dialogue"] == office | {Kind.FACILITATOR}
    assert holders["remote_class"] == office | {Kind.FACILITATOR, Kind.TEACHER}
    assert holders["plain"] == set(KINDS)
    assert not may_hold([Kind.GUEST, Kind.VIEWER], "plain")
