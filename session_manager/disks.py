"""What the boards say of their disks, and at which sites of a session sound would be lost. Lives on the hub's loop.

Memory only: after a restart of the hub every board says it again with its next word.
"""

from __future__ import annotations

import asyncio

from session_manager.records import DiskTold, Session, SiteRisk
from session_manager.store import Store

WELL = DiskTold("ok")
AHEAD_S = 3600.0
"""A session that is this near may have been opened early."""
PAST_S = 24 * 3600.0


class Disks:
    """One entry per board that is not well: bounded by the boards that are enrolled."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._told: dict[str, DiskTold] = {}

    def note(self, board_id: str, disk: DiskTold) -> bool:
        """Whether people should hear of it: another level than before."""
        before = self._told.pop(board_id, WELL)
        if disk.level != "ok":
            self._told[board_id] = disk
        return disk.level != before.level

    async def live_sessions(self, board_id: str, now: float) -> list[str]:
        """Where this board has a site."""
        found = await asyncio.to_thread(self._store.board_sessions, board_id, now - PAST_S, now + AHEAD_S)
        states = [(await asyncio.to_thread(self._store.session, one)).state for one, _ in found]
        return [session_id for (session_id, _), state in zip(found, states, strict=True) if state == "live"]

    async def at_risk(self, session: Session) -> list[SiteRisk]:
        """In the order of its sites; nothing when it is not live. The worst board of a site speaks for it."""
        if session.state != "live" or not self._told:
            return []
        names = {site.site_id: site.name for site in session.sites}
        worst: dict[str, SiteRisk] = {}
        for seat in await asyncio.to_thread(self._store.seats, session.session_id):
            disk = self._told.get(seat.board_id or "", WELL)
            if disk.level == "full" or (disk.level == "near" and seat.site_id not in worst):
                figures = (disk.at_risk_s, disk.room_s, disk.lost_s)
                worst[seat.site_id] = SiteRisk(seat.site_id, names[seat.site_id], disk.level, *figures)
        return [worst[site_id] for site_id in names if site_id in worst]


def sentence(risk: SiteRisk) -> str:
    """In plain English; pages have their own words."""
    if risk.disk == "full":
        return f"The disk of the board at {risk.site_name} is full: what is said while its line is down may be lost."
    return f"The disk of the board at {risk.site_name} is nearly full. Make room on it."
