"""How often somebody may knock: token buckets, one per rule and key. Pure; `now` is any clock that does not go back."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum

MAX_BUCKETS = 20_000
"""Overflow: the bucket that was used longest ago is forgotten; its owner starts with a full one."""


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` at once, then one each `period_s`."""

    burst: int
    period_s: float


class Rule(Enum):
    """By address: a whole school may sit behind one, so what costs nothing is generous and guessing is not."""

    LOGIN_ADDRESS = Rate(20, 6.0)
    LOGIN_NAME = Rate(8, 15.0)
    DOOR_ADDRESS = Rate(120, 0.25)
    DOOR_CODE = Rate(60, 0.5)
    BOARD_ADDRESS = Rate(60, 0.5)
    ENROL_ADDRESS = Rate(10, 20.0)
    ENROL_CODE = Rate(20, 3.0)
    SPOOL_ADDRESS = Rate(1_000, 0.005)
    SPOOL_BOARD = Rate(200, 0.05)
    LINK_ADDRESS = Rate(10, 30.0)
    LINK_MAIL = Rate(3, 300.0)
    CLASS_ADDRESS = Rate(60, 2.0)
    CLASS_HUB = Rate(300, 0.5)
    OPENID_ADDRESS = Rate(60, 2.0)
    FEED_ADDRESS = Rate(120, 0.5)
    FETCH_ADDRESS = Rate(10, 10.0)
    ORGANISATION_ADDRESS = Rate(20, 6.0)
    ORGANISATION_HUB = Rate(120, 0.5)
    PANEL_ADDRESS = Rate(20, 6.0)
    PANEL_TOUCH = Rate(60, 1.0)
    CLASS_TOUCH = Rate(300, 0.2)
    CHECK_IN_ADDRESS = Rate(60, 1.0)
    SELF_SERVICE = Rate(240, 0.25)
    SELF_CHANGE = Rate(60, 1.0)


class Limiter:
    def __init__(self, max_buckets: int = MAX_BUCKETS) -> None:
        self._max = max_buckets
        self._buckets: OrderedDict[tuple[Rule, str], tuple[float, float]] = OrderedDict()
        self.refused = 0

    def take(self, rule: Rule, key: str, now: float) -> float:
        """0 when allowed, else the seconds to wait. A refused knock costs nothing."""
        left, at = self._buckets.pop((rule, key), (float(rule.value.burst), now))
        left = min(rule.value.burst, left + max(0.0, now - at) / rule.value.period_s)
        wait = 0.0 if left >= 1.0 else (1.0 - left) * rule.value.period_s
        self._buckets[rule, key] = (left - 1.0 if not wait else left, now)
        if len(self._buckets) > self._max:
            self._buckets.popitem(last=False)
        self.refused += bool(wait)
        return wait


def neighbourhood(address: str) -> str:
    """What one customer of a network has: an IPv4 address, or the first 64 bits of an IPv6 one."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))
