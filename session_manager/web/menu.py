"""Where one can go from every page: rows of what leads where, and who sees it.

The first row that somebody sees is their front page.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from session_manager.access import PERSONAL, Identity, Kind

OFFICE = frozenset({Kind.ADMINISTRATOR, Kind.STAFF})
CITIZENS = frozenset({Kind.FACILITATOR, Kind.TEACHER, Kind.MEMBER, Kind.PARTNER_STAFF})
SIGNED_IN = frozenset(PERSONAL)


@dataclass(frozen=True, slots=True)
class Row:
    """`text`: key of the catalogue. `kinds` only spare people a closed door: the route's permission decides."""

    address: str
    text: str
    kinds: frozenset[Kind]


ROWS: tuple[Row, ...] = (
    Row("/today", "menu.today", OFFICE),
    Row("/home", "menu.home", CITIZENS),
    Row("/mine", "menu.mine", CITIZENS),
    Row("/courses", "menu.courses", CITIZENS),
    Row("/week", "menu.week", OFFICE | CITIZENS),
    Row("/approvals", "menu.approvals", OFFICE),
    Row("/series", "menu.series", OFFICE | {Kind.FACILITATOR}),
    Row("/class", "menu.class", OFFICE | {Kind.TEACHER}),
    Row("/sessions", "menu.sessions", OFFICE),
    Row("/people", "menu.people", OFFICE),
    Row("/setup", "menu.setup", OFFICE),
    Row("/month", "menu.month", OFFICE),
)


def rows_for(known: Collection[Identity]) -> list[Row]:
    """In the order of the table."""
    kinds = {one.kind for one in known}
    return [row for row in ROWS if kinds & row.kinds]


def front_page(known: Collection[Identity]) -> str:
    """Where `/` and the wordmark lead."""
    return next((row.address for row in rows_for(known)), "/join")


def texts() -> set[str]:
    return {row.text for row in ROWS}
