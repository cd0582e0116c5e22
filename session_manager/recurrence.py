"""A series as one calendar entry: the rule that its dates follow, and which of that rule's it does not have. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from session_manager.schedule import Wall
from session_manager.series import BadRule, expand


@dataclass(frozen=True, slots=True)
class Spelling:
    """`rule`: RRULE that ends with a local UNTIL. `left_out`: its dates that the series does not have."""

    rule: str
    left_out: tuple[datetime, ...]


def spelled(rule: str, starts: Sequence[datetime], zone: str) -> Spelling | None:
    """The rule from the first of these dates to the last; None when it does not hold every one of them."""
    if not rule or len(starts) < 2:
        return None
    first, last = min(starts), max(starts)
    parts = [
        one for one in rule.removeprefix("RRULE:").upper().split(";") if one.split("=")[0] not in {"COUNT", "UNTIL"}
    ]
    text = ";".join([*parts, f"UNTIL={last:%Y%m%dT%H%M%S}"])
    try:
        dates = [one.starts for one in expand(text, Wall(first, first + timedelta(hours=1), zone))]
    except BadRule:
        return None
    if not set(starts) <= set(dates):
        return None
    return Spelling(text, tuple(one for one in dates if one not in set(starts)))
