"""Which letters each event of a booking owes to whom: one table, to be extended by a row.

Pure. An event is a name written by `store.booking_rows.record`. When one transaction writes several events of one
booking, each reader gets the letter of the last that owes one: a change made because no boat sails is told as that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from session_manager.notices import Method

Reader = Literal["holder", "guests", "office"]


@dataclass(frozen=True, slots=True)
class Owed:
    """`template`: of `letter_texts`. `method`: what the calendar in it asks of the reader's own; None: it has none."""

    reader: Reader
    template: str
    method: Method | None = None


@dataclass(frozen=True, slots=True)
class Occasion:
    """`before`, `after`: the state that the booking had and has; empty: any."""

    event: str
    owes: tuple[Owed, ...]
    before: str = ""
    after: str = ""


_FIRM = (Owed("holder", "confirmed", "REQUEST"), Owed("guests", "invited", "REQUEST"))
_ASKED = (Owed("holder", "requested", "REQUEST"), Owed("office", "asked"))
_CHANGED = (Owed("holder", "changed", "REQUEST"), Owed("guests", "changed", "REQUEST"))
_OFF = (Owed("holder", "cancelled", "CANCEL"), Owed("guests", "called_off", "CANCEL"))


def _everybody(template: str, method: Method) -> tuple[Owed, ...]:
    return (Owed("holder", template, method), Owed("guests", template, method))


OCCASIONS: tuple[Occasion, ...] = (
    Occasion("made", _FIRM, after="confirmed"),
    Occasion("made", _ASKED, after="requested"),
    Occasion("made", (Owed("holder", "queued"),), after="waiting"),
    Occasion("approve", _FIRM),
    Occasion("accept", _FIRM),
    Occasion("take", _FIRM),
    Occasion("ask", _ASKED),
    Occasion("decline", (Owed("holder", "declined", "CANCEL"),)),
    Occasion("queue", (Owed("holder", "queued", "CANCEL"),), before="requested"),
    Occasion("queue", (Owed("holder", "queued"),)),
    Occasion("offer", (Owed("holder", "offered"),)),
    Occasion("expire", (Owed("holder", "offer_over"),), before="offered"),
    Occasion("expire", (Owed("holder", "unanswered", "CANCEL"), Owed("office", "left_unanswered")), before="requested"),
    Occasion("expire", (Owed("holder", "queue_over"),), before="waiting"),
    Occasion("cancel", (), before="wanted"),
    Occasion("cancel", (Owed("holder", "cancelled"),), before="waiting"),
    Occasion("cancel", (Owed("holder", "cancelled"),), before="offered"),
    Occasion("cancel", (Owed("holder", "cancelled", "CANCEL"), Owed("office", "withdrawn")), before="requested"),
    Occasion("cancel", _OFF),
    Occasion("release", (Owed("holder", "released", "CANCEL"), Owed("guests", "called_off", "CANCEL"))),
    Occasion("changed", (), after="wanted"),
    Occasion("changed", (Owed("holder", "changed"),), after="waiting"),
    Occasion("changed", (Owed("holder", "changed", "REQUEST"), Owed("office", "asked")), after="requested"),
    Occasion("changed", _CHANGED),
    Occasion("change_requested", (Owed("holder", "change_requested"), Owed("office", "change_asked"))),
    Occasion("change_declined", (Owed("holder", "change_declined"),)),
    Occasion("change_approved", (Owed("holder", "change_approved", "REQUEST"), Owed("guests", "changed", "REQUEST"))),
    Occasion("series_struck", (Owed("holder", "struck"),)),
    Occasion("audience_set", (Owed("guests", "invited", "REQUEST"),), after="confirmed"),
    Occasion("mode_switched", _everybody("mode_switched", "REQUEST")),
    Occasion("boats_stopped", _everybody("boats_freed", "CANCEL"), after="cancelled"),
    Occasion("boats_stopped", _everybody("boats_stopped", "REQUEST")),
    Occasion("boats_asked", (Owed("holder", "boats_asked"),)),
    Occasion("boats_resumed", _everybody("boats_resumed", "REQUEST")),
)

SILENT = frozenset({"amended", "check_in", "end", "extended", "late", "series_changed"})
"""Known, and owing nobody a letter: who did it stands in the room, or another event of the same moment tells it."""


def owed(event: str, before: str, after: str) -> tuple[Owed, ...]:
    """Of the first row that fits; a name that no row has owes nothing."""
    for row in OCCASIONS:
        if row.event == event and row.before in {"", before} and row.after in {"", after}:
            return row.owes
    return ()


def last_per_reader(many: Iterable[tuple[Owed, ...]]) -> tuple[Owed, ...]:
    """What is owed for one booking after everything that happened to it at once."""
    found: dict[Reader, Owed] = {}
    for owes in many:
        for one in owes:
            found[one.reader] = one
    return tuple(found.values())
