"""The sessions of this board's day, as the hub last told them: what the board goes by while the hub cannot be reached.

The choosing is pure; the file is written whole. A cache that cannot be read is an empty day.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from room_agent.hub import DueSession, Invitation, OwnSite
from room_agent.spool_files import write_whole

LATE_S = 30 * 60.0
"""How long after its planned end a session stays open that nobody could end."""
SIGNALING = "/signal"
OVER = frozenset({"ending", "ended", "cancelled"})


class DaySession(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")
    session_id: str
    title: str = ""
    starts_at: float
    ends_at: float
    state: str = ""
    site: OwnSite

    def due(self, now: float) -> bool:
        begun = self.state == "live" or self.starts_at <= now
        return begun and self.state not in OVER and now < self.ends_at + LATE_S

    def invitation(self) -> Invitation:
        """To open the session here, alone: its token is empty, the hub gives one when it is back."""
        session = DueSession(
            session_id=self.session_id, title=self.title, starts_at=self.starts_at, ends_at=self.ends_at, state="local"
        )
        return Invitation(session=session, site=self.site, token="", signaling=SIGNALING)


class Day(BaseModel):
    """`server_time`: UTC POSIX seconds on the hub's clock, when it told."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    server_time: float = 0.0
    sessions: tuple[DaySession, ...] = ()

    def due(self, now: float) -> DaySession | None:
        """A live session first, else the one that began last."""
        found = [each for each in self.sessions if each.due(now)]
        return max(found, key=lambda each: (each.state == "live", each.starts_at), default=None)

    def title(self, session_id: str) -> str:
        return next((each.title for each in self.sessions if each.session_id == session_id), "")

    def without(self, session_id: str) -> Day:
        """By the hub's word that session is over for this board."""
        return self.model_copy(
            update={"sessions": tuple(each for each in self.sessions if each.session_id != session_id)}
        )

    def with_session(self, session: DaySession) -> Day:
        """The board is in it: should the hub be gone at the next start, it is still going on. A known title stays."""
        session = session.model_copy(update={"title": session.title or self.title(session.session_id)})
        others = self.without(session.session_id).sessions
        return self.model_copy(update={"sessions": (*others, session)})


class DayFile:
    def __init__(self, folder: Path) -> None:
        self._path = folder / "day.json"
        self.day = Day()
        with contextlib.suppress(OSError, ValidationError):
            self.day = Day.model_validate_json(self._path.read_bytes())

    def keep(self, day: Day) -> None:
        """What cannot be written is good for this process only. Writes to the disk: not on the loop."""
        if day == self.day:
            return
        self.day = day
        with contextlib.suppress(OSError):
            write_whole(self._path, day.model_dump_json().encode())
