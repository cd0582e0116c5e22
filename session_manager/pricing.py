"""What a booking costs and whether it is within what its holder may have: rules as data, one function each. Pure.

A holder is known here only by a class ("partner", "citizen", ...), a level of the ladder and what was used already.
Money is whole yen. The first price rule that fits decides; every answer says why in a sentence, so that it can be shown
before anybody confirms.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from session_manager.schedule import Interval

HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class Holder:
    """`subject`: whose booking it is. `free_by_pass`: a guest pass stands in for a membership this once."""

    subject: str
    user_class: str = "citizen"
    level: int = 0
    free_by_pass: bool = False


@dataclass(frozen=True, slots=True)
class PriceRule:
    """Empty or None: any. `yen_per_hour` 0 is free; `free_hours_per_month` is the fair-use cap of a free rule.

    `beyond`: what a free rule does above its cap: charge `yen_per_hour_beyond`, or refuse.
    """

    user_class: str = ""
    min_level: int = 0
    booking_kind: str = ""
    place_kind: str = ""
    yen_per_hour: int = 0
    free_hours_per_month: float | None = None
    beyond: Literal["charge", "refuse"] = "charge"
    yen_per_hour_beyond: int = 0


@dataclass(frozen=True, slots=True)
class Usage:
    """What the holder has booked besides, in seconds, around the wished time; `free_month_s` only what was free."""

    day_s: int = 0
    week_s: int = 0
    month_s: int = 0
    free_month_s: int = 0
    open_bookings: int = 0


@dataclass(frozen=True, slots=True)
class Price:
    """`free_s`: seconds that count against the fair-use cap."""

    yen: int
    reason: str
    free_s: int = 0


@dataclass(frozen=True, slots=True)
class NotForYou:
    reason: str


def price(
    rules: tuple[PriceRule, ...], holder: Holder, booking_kind: str, place_kind: str, length_s: int, usage: Usage
) -> Price | NotForYou:
    if holder.free_by_pass:
        return Price(0, "Free with a guest pass.")
    rule = next((rule for rule in rules if _fits(rule, holder, booking_kind, place_kind)), None)
    if rule is None:
        return Price(0, "No fee is set for this.")
    if rule.yen_per_hour:
        return Price(_fee(rule.yen_per_hour, length_s), f"{rule.yen_per_hour} yen an hour.")
    if rule.free_hours_per_month is None:
        return Price(0, "Free for members of this level.", length_s)
    left_s = max(0, int(rule.free_hours_per_month * HOUR_S) - usage.free_month_s)
    free_s, over_s = min(left_s, length_s), max(0, length_s - left_s)
    if not over_s:
        return Price(0, f"Free: {(left_s - free_s) / HOUR_S:g} hours of this month are left after it.", free_s)
    if rule.beyond == "refuse":
        return NotForYou(f"Only {left_s / HOUR_S:g} free hours are left this month. Choose a shorter time.")
    fee = _fee(rule.yen_per_hour_beyond, over_s)
    return Price(fee, f"{free_s / HOUR_S:g} hours free, then {rule.yen_per_hour_beyond} yen an hour.", free_s)


def _fits(rule: PriceRule, holder: Holder, booking_kind: str, place_kind: str) -> bool:
    return (
        rule.user_class in {"", holder.user_class}
        and holder.level >= rule.min_level
        and rule.booking_kind in {"", booking_kind}
        and rule.place_kind in {"", place_kind}
    )


def _fee(yen_per_hour: int, length_s: int) -> int:
    """Rounded up to a whole yen."""
    return -(-yen_per_hour * length_s // HOUR_S)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one class of users may book; None: no limit. The server's clock is the only one."""

    ahead_s: int | None = 180 * 86_400
    notice_s: int = 0
    shortest_s: int = 900
    longest_s: int | None = 12 * HOUR_S
    day_s: int | None = None
    week_s: int | None = None
    month_s: int | None = None
    open_bookings: int | None = None


UNLIMITED = Limits(None, 0, 60, None)


def over_limits(limits: Limits, wanted: Interval, usage: Usage, now: float) -> list[str]:
    """A sentence for each rule that the wish breaks; empty: none."""
    rows = (
        (wanted.starts_at + 300 < now, "The time is past."),
        (
            bool(limits.notice_s) and wanted.starts_at - now < limits.notice_s,
            _least("This must be booked {} ahead.", limits.notice_s),
        ),
        (_above(wanted.starts_at - now, limits.ahead_s), _least("This can be booked {} ahead.", limits.ahead_s)),
        (wanted.length_s < limits.shortest_s, _least("A booking lasts {} or longer.", limits.shortest_s)),
        (_above(wanted.length_s, limits.longest_s), _least("A booking lasts {} or less.", limits.longest_s)),
        (_above(usage.day_s + wanted.length_s, limits.day_s), _least("More than {} a day.", limits.day_s)),
        (_above(usage.week_s + wanted.length_s, limits.week_s), _least("More than {} a week.", limits.week_s)),
        (_above(usage.month_s + wanted.length_s, limits.month_s), _least("More than {} a month.", limits.month_s)),
        (
            _above(usage.open_bookings + 1, limits.open_bookings),
            f"No more than {limits.open_bookings} bookings at once. End or cancel one first.",
        ),
    )
    return [sentence for broken, sentence in rows if broken]


def _above(value: float, limit: int | None) -> bool:
    return limit is not None and value > limit


def _least(sentence: str, seconds: int | None) -> str:
    seconds = seconds or 0
    days = seconds >= 2 * 86_400 and not seconds % 86_400
    return sentence.format(f"{seconds // 86_400} days" if days else f"{seconds / HOUR_S:g} hours")
