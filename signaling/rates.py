"""How often is too often: token buckets by key. Pure, and bounded in keys."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    burst: float
    per_s: float


COMMAND_RATES: Mapping[str, Rate] = {
    "media.publish": Rate(8, 0.5),
    "media.subscribe": Rate(8, 0.5),
    "media.answer": Rate(8, 0.5),
    "media.want": Rate(20, 5),
    "hand.raise": Rate(5, 1),
    "record.set": Rate(5, 1),
}
OTHER_COMMANDS = Rate(20, 5)

FAILED_HELLOS = Rate(20, 1)
"""Per address; a whole school may sit behind one."""


class Rates:
    """One bucket per key; a bucket not used for the longest is forgotten (and full again) beyond `keys`."""

    def __init__(self, rates: Mapping[str, Rate], other: Rate, keys: int = 256) -> None:
        self._rates = rates
        self._other = other
        self._keys = keys
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str, now: float) -> int:
        """Milliseconds until there is one more for `key`; 0: it was there and is taken."""
        rate = self._rates.get(key, self._other)
        credit = self._credit(key, rate, now)
        taken = credit >= 1
        self._buckets[key] = (credit - taken, now)
        self._buckets.move_to_end(key)
        if len(self._buckets) > self._keys:
            self._buckets.popitem(last=False)
        return 0 if taken else max(1, round((1 - credit) / rate.per_s * 1000))

    def exhausted(self, key: str, now: float) -> int:
        """Like `take` and takes nothing."""
        rate = self._rates.get(key, self._other)
        credit = self._credit(key, rate, now)
        return 0 if credit >= 1 else max(1, round((1 - credit) / rate.per_s * 1000))

    def _credit(self, key: str, rate: Rate, now: float) -> float:
        credit, at = self._buckets.get(key, (rate.burst, now))
        return min(rate.burst, credit + (now - at) * rate.per_s)
