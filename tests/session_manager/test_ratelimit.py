"""Token buckets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_manager.web.ratelimit import Limiter, Rule, neighbourhood

RULE = Rule.LOGIN_NAME
BURST, PERIOD = RULE.value.burst, RULE.value.period_s


def test_a_burst_passes_and_then_one_each_period() -> None:
    limiter = Limiter()
    assert [limiter.take(RULE, "a", 0.0) for _ in range(BURST)] == [0.0] * BURST
    assert limiter.take(RULE, "a", 0.0) == PERIOD
    assert limiter.take(RULE, "a", PERIOD) == 0.0
    assert limiter.take(RULE, "a", PERIOD) == PERIOD
    assert limiter.refused == 2


def test_keys_and_rules_do_not_share() -> None:
    limiter = Limiter()
    for _ in range(BURST):
        limiter.take(RULE, "a", 0.0)
    assert limiter.take(RULE, "b", 0.0) == 0.0
    assert limiter.take(Rule.DOOR_CODE, "a", 0.0) == 0.0


@given(st.lists(st.floats(0, 100), max_size=80))
def test_never_more_than_the_burst_and_what_time_gives(waits: list[float]) -> None:
    limiter, now, passed = Limiter(), 0.0, 0
    for wait in waits:
        now += wait
        passed += limiter.take(RULE, "a", now) == 0.0
    assert passed <= BURST + now / PERIOD + 1e-6


@given(st.lists(st.floats(0, 5), min_size=1, max_size=40))
def test_whoever_waits_as_told_passes(waits: list[float]) -> None:
    limiter, now = Limiter(), 0.0
    for wait in waits:
        now += wait
        told = limiter.take(RULE, "a", now)
        if told:
            now += told + 1e-6
            assert limiter.take(RULE, "a", now) == 0.0


def test_a_clock_that_goes_back_gives_nothing_away() -> None:
    limiter = Limiter()
    for _ in range(BURST):
        limiter.take(RULE, "a", 1000.0)
    assert limiter.take(RULE, "a", 0.0) > 0


def test_memory_is_bounded_and_the_longest_unused_is_forgotten() -> None:
    limiter = Limiter(max_buckets=2)
    for _ in range(BURST):
        limiter.take(RULE, "old", 0.0)
    limiter.take(RULE, "b", 0.0)
    assert limiter.take(RULE, "old", 0.0) > 0
    limiter.take(RULE, "c", 0.0)
    limiter.take(RULE, "d", 0.0)
    assert limiter.take(RULE, "old", 0.0) == 0.0


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("testclient", "testclient"),
    ],
)
def test_one_customer_of_a_network_is_one_key(address: str, key: str) -> None:
    assert neighbourhood(address) == key
