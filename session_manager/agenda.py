"""What stands in whose calendar: sessions as calendar entries."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from session_manager.ical import CalendarEntry
from session_manager.people import Feed
from session_manager.records import Room, Session

CONFIDENTIAL_TITLE = "予約済 / Reserved"


class AgendaStore(Protocol):
    def sessions(self) -> list[Session]: ...
    def session_homes(self) -> dict[str, tuple[frozenset[str], str | None]]: ...
    def groups_of(self, person_id: str) -> frozenset[str]: ...
    def rooms(self) -> list[Room]: ...


def entry_of(session: Session, *, hide: bool = False) -> CalendarEntry:
    """`hide`: for eyes that may know that the room is taken, not by what."""
    zone = ZoneInfo(session.timezone)
    start, end = (datetime.fromtimestamp(at, zone).replace(tzinfo=None) for at in (session.starts_at, session.ends_at))
    places = "" if hide else " / ".join(site.name for site in session.sites)
    title = CONFIDENTIAL_TITLE if hide else session.title
    return CalendarEntry(
        f"{session.session_id}@shimawa.invalid", title, start, end, session.timezone, session.starts_at, place=places
    )


def entries_for(store: AgendaStore, feed: Feed) -> list[CalendarEntry]:
    """A room's calendar hides confidential sessions' names; the public one holds only sessions without a group."""
    found, homes = store.sessions(), store.session_homes()
    here = [one for one in found if feed.municipality_id in homes.get(one.session_id, (frozenset(), None))[0]]
    if feed.kind == "room":
        taken = [one for one in here if any(site.room_id == feed.subject_id for site in one.sites)]
        return [entry_of(one, hide=one.confidential) for one in taken]
    if feed.kind == "person":
        mine = store.groups_of(feed.subject_id)
        return [entry_of(one) for one in here if homes[one.session_id][1] in mine]
    return [entry_of(one) for one in _open(here, homes)]


def busy_spans(store: AgendaStore, room_id: str) -> list[tuple[float, float]]:
    return [
        (one.starts_at, one.ended_at or one.ends_at)
        for one in store.sessions()
        if any(site.room_id == room_id for site in one.sites)
    ]


def _open(found: Iterable[Session], homes: dict[str, tuple[frozenset[str], str | None]]) -> Iterable[Session]:
    return (one for one in found if not one.confidential and homes[one.session_id][1] is None)
