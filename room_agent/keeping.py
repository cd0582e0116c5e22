"""What outlives the line: the spool, its way to the hub, and the day as the hub last told it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from room_agent.config import BoardSettings
from room_agent.day import Day, DayFile, DaySession
from room_agent.epochs import EpochCounter
from room_agent.errors import HubRefused, HubUnreachable, HubWithoutRepair
from room_agent.hub import HubClient, Invitation
from room_agent.spool import Limits
from room_agent.spool_writer import Spool
from room_agent.status import SpoolFacts, UnsentFacts
from room_agent.uploader import Traffic, Uploader

logger = logging.getLogger(__name__)

DAY_EVERY_S = 60.0
DAY_AGAIN_S = 10.0
ALONE_S = 1.0
"""While a session is on and the hub is away, it is looked for so often."""


class Keeping:
    """One per board. `alone`: a session is on and the hub cannot be reached; `line_back` is told when it answers again.

    `clock` is UTC POSIX seconds.
    """

    def __init__(
        self,
        settings: BoardSettings,
        epochs: EpochCounter,
        hub: HubClient,
        traffic: Callable[[], Traffic],
        alone: Callable[[], bool],
        line_back: Callable[[], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        limits = settings.spool
        self._hub = hub
        self._alone = alone
        self._line_back = line_back
        self._away = False
        self._clock = clock
        self._day = DayFile(settings.state)
        self._day_changes = asyncio.Lock()
        self._off_file = settings.state / "off_record"
        self.spool = Spool(
            settings.state, Limits(limits.hours, limits.min_free_mb << 20, limits.min_free_percent / 100), clock=clock
        )
        if self.spool.highest_epoch >= epochs.current:
            # The counter was lost: sound of another day must not be continued under its number.
            epochs.next(self.spool.highest_epoch - epochs.current + 1)
        self.uploader = Uploader(hub, self.spool, traffic)

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.uploader.run(), name="uploader")
            group.create_task(self._follow_day(), name="day")

    async def close(self) -> None:
        await asyncio.to_thread(self.spool.close)

    async def finish(self) -> None:
        """Before the board goes for good: the hub should have everything."""
        left_s = await self.uploader.finish()
        if left_s:
            logger.warning("%s s of sound are still on this board; they are sent when it runs again", left_s)

    # ---- the day

    async def _follow_day(self) -> None:
        asked_at = -DAY_EVERY_S
        while True:
            alone = self._alone()
            if alone or time.monotonic() - asked_at >= DAY_EVERY_S:
                asked_at = time.monotonic() - (0.0 if await self._ask_day(alone) else DAY_EVERY_S - DAY_AGAIN_S)
            await asyncio.sleep(ALONE_S)

    async def _ask_day(self, alone: bool) -> bool:
        try:
            day = await self._hub.day(Day, ALONE_S if alone else DAY_AGAIN_S)
            await self._keep(lambda _: day)
            await self._hub.learn_clock()
        except (HubUnreachable, HubRefused):
            self._away = True
            return False
        except HubWithoutRepair:
            pass
        if alone and self._away:
            self._line_back()
            self.uploader.hurry()
        self._away = False
        return True

    async def _keep(self, changed: Callable[[Day], Day]) -> None:
        """One change after the other, each of what the one before has left: the hub's day and a session that is joined
        come at the same time."""
        async with self._day_changes:
            await asyncio.to_thread(self._day.keep, changed(self._day.day))

    def now(self) -> float:
        """UTC POSIX seconds by the hub's clock, as far as this process has heard of it; else by this machine's."""
        known = self._hub.clock.instant(time.monotonic())
        return self._clock() if known is None else known.at

    def due_here(self) -> Invitation | None:
        """The session that this board opens alone, because the hub cannot be asked."""
        due = self._day.day.due(self.now())
        return None if due is None else due.invitation()

    def published(self) -> None:
        """Sound goes to the hub: it shall hear where that lies by its clock before it writes the first line."""
        self.uploader.hurry()

    async def joined(self, invitation: Invitation) -> None:
        """The spool takes the sound of that session from now on, and a new start of this board knows of it."""
        session = invitation.session
        self.spool.off_record = await asyncio.to_thread(self._was_off, session.session_id)
        self.spool.session_id = session.session_id
        if session.state != "local" and session.ends_at:
            known = DaySession(
                session_id=session.session_id,
                title=session.title,
                starts_at=session.starts_at or 0.0,
                ends_at=session.ends_at,
                state=session.state,
                site=invitation.site,
            )
            await self._keep(lambda day: day.with_session(known))

    async def left(self, session_id: str, *, over: bool) -> None:
        """`over`: by the hub's word, or because its time is up."""
        self.spool.session_id = None
        self.spool.off_record = False
        if over:
            await asyncio.to_thread(self._off_file.unlink, missing_ok=True)
            await self._keep(lambda day: day.without(session_id))

    def record_is(self, record: str) -> None:
        """What the hub says of the session's record. Off: kept over a restart too, for as long as the hub is away."""
        off, session_id = record == "off", self.spool.session_id
        if off == self.spool.off_record or session_id is None:
            return
        self.spool.off_record = off
        logger.info("off the record" if off else "on the record again")
        try:
            if off:
                self._off_file.write_text(session_id, encoding="utf-8")
            else:
                self._off_file.unlink(missing_ok=True)
        except OSError as error:
            logger.error("a new start of this board would not know that it is off the record: %s", error.strerror)

    def _was_off(self, session_id: str) -> bool:
        try:
            return self._off_file.read_text(encoding="utf-8") == session_id
        except (OSError, UnicodeDecodeError):
            return False

    # ---- facts

    def facts(self, *, alone: bool) -> SpoolFacts:
        """`alone`: a session is on, and the hub cannot be reached."""
        state, title = self.spool.state(), self._day.day.title
        return SpoolFacts(
            level=state.level,
            recording_alone=alone and not self.spool.off_record,
            off_record=self.spool.off_record,
            upload=self.uploader.state,
            unsent_s=round(sum(each for _, each in state.unsent_s), 1),
            unsent=tuple(UnsentFacts(session, title(session), each) for session, each in state.unsent_s),
            sent_packets=self.uploader.sent_packets,
            sent_bytes=self.uploader.sent_bytes,
            room_s=state.room_s,
            at_risk_s=state.at_risk_s,
            lost_s=state.lost_s,
        )
