"""Sends the hub what it lacks of this board's sound: asks, sends the newest hole first, asks again until none is left.

Every step can be cut off and done again. Beside live sound it takes a share of the line (`pace`); alone, all of it.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from room_agent.errors import HubFull, HubRefused, HubUnreachable, HubWithoutRepair
from room_agent.hub import DiskTold, HubClient, StreamWanted, Wanted
from room_agent.pace import Pace
from room_agent.spool import Holding, Run, Runs, merged, without
from room_agent.spool_writer import Spool
from signaling.retry import Backoff

logger = logging.getLogger(__name__)

EVERY_S = 5.0
ASK_AGAIN_S = 10.0
"""A long upload stops so often to hear of newer holes."""
FULL_S = 30.0
WITHOUT_S = 60.0
LASTING_S = 30.0
"""A line that is away for less is expected, and its owner says so; for this long, sound waiting here is news."""
CLOCK_TRIES = 4
CLOCK_AGAIN_S = 1.0
"""A board that has just started is busy, and hears the hub's answers late: it asks again before its first lines are
written, because the hub places them by what this board last said."""
LAST_S = 60.0
LOOK_S = 0.25
"""Between two questions at the end, when somebody waits for it."""

State = Literal["idle", "sending", "waiting", "hub_full", "without"]


@dataclass(frozen=True, slots=True)
class Traffic:
    """What live sound needs of the line now. `strained`: it is losing packets."""

    live: bool = False
    strained: bool = False


def to_send(holding: Holding, wanted: tuple[Run, ...]) -> tuple[Run, ...]:
    """Of what the hub wants, in its order, what this board holds."""
    held = without((Run(holding.first_sequence, holding.next_sequence),), holding.missing)
    found: list[Run] = []
    for run in wanted:
        asked: Runs = merged((run,))
        found.extend(reversed(without(asked, without(asked, held))))
    return tuple(found)


class Uploader:
    def __init__(
        self,
        hub: HubClient,
        spool: Spool,
        traffic: Callable[[], Traffic],
        every_s: float = EVERY_S,
        lasting_s: float = LASTING_S,
    ) -> None:
        self._hub = hub
        self._spool = spool
        self._traffic = traffic
        self._every_s = every_s
        self._lasting_s = lasting_s
        self._away_since: float | None = None
        self._said: State | None = None
        self._pace = Pace()
        self._backoff = Backoff()
        self._clock_tries = CLOCK_TRIES
        self._hurry = asyncio.Event()
        self._asked = asyncio.Event()
        self.state: State = "idle"
        self._level_told = "ok"
        self.sent_packets = 0
        self.sent_bytes = 0

    def hurry(self) -> None:
        """The line is back, or an end is near: ask now."""
        self._backoff = Backoff()
        self._hurry.set()

    async def run(self) -> None:
        """Until cancelled."""
        await asyncio.to_thread(self._spool.loaded.wait)
        while True:
            busy = self._spool.busy() or self._news(self._spool.state().level)
            wait_s = await self._round() if busy else self._every_s
            self._hurry.clear()
            self._asked.set()
            try:
                async with asyncio.timeout(wait_s):
                    await self._hurry.wait()
            except TimeoutError:
                pass

    async def finish(self, patience_s: float = LAST_S) -> float:
        """Until the hub has everything, or gave up, or so long; gives the seconds of sound that it does not have."""
        try:
            async with asyncio.timeout(patience_s):
                while self._spool.unsent_s() and self.state not in ("without", "hub_full"):
                    await asyncio.sleep(LOOK_S)
                    self._asked.clear()
                    self.hurry()
                    await self._asked.wait()
        except TimeoutError:
            pass
        return self._spool.unsent_s()

    async def _round(self) -> float:
        """Ask and send once; gives the seconds to wait before the next."""
        try:
            left = await self._repair()
        except HubFull as error:
            self._say("hub_full", error)
            return FULL_S
        except HubWithoutRepair as error:
            self._say("without", error)
            return WITHOUT_S
        except (HubUnreachable, HubRefused) as error:
            self._away_since = self._away_since or time.monotonic()
            lasting = time.monotonic() - self._away_since >= self._lasting_s
            self._say("waiting", error, worth=lasting or isinstance(error, HubRefused))
            self._backoff = self._backoff.waited()
            return self._backoff.wait_s(random.random())
        self._backoff = Backoff()
        self._say("sending" if left else "idle", None)
        if left:
            return 0.0
        return min(CLOCK_AGAIN_S, self._every_s) if self._clock_tries else self._every_s

    def _say(self, state: State, error: Exception | None, *, worth: bool = True) -> None:
        """The log hears once that sound waits, and once that it goes again."""
        if error is not None and worth and self._said != state:
            logger.warning("sound waits on this board: %s", error)
            self._said = state
        elif error is None:
            self._away_since = None
            if self._said is not None:
                logger.info("sound goes to the hub again")
            self._said = None
        self.state = state

    def _news(self, level: str) -> bool:
        """A disk that is not well is told as long as that lasts: the hub forgets it with a restart."""
        return level != "ok" or level != self._level_told

    async def _repair(self) -> bool:
        """Whether there is more to send than was sent now."""
        state = self._spool.state()
        if not self._spool.holdings() and not self._news(state.level):
            return False
        disk = DiskTold(state.level, state.at_risk_s, state.room_s, state.lost_s)
        if self._clock_tries:
            # Before the first word of what is here: what the hub cannot hear live it places once.
            unsure = await self._hub.learn_clock()
            self._clock_tries = self._clock_tries - 1 if unsure else 0
        self._spool.place(self._hub.clock)
        holdings = {each.epoch: each for each in self._spool.holdings()}
        answer = await self._hub.have(tuple(holdings.values()), disk)
        self._level_told = state.level
        self._take(answer)
        until = time.monotonic() + ASK_AGAIN_S
        sent = False
        for stream in sorted(answer.streams, key=lambda each: each.epoch, reverse=True):
            holding = holdings.get(stream.epoch)
            if holding is None or holding.session_id != stream.session_id:
                continue
            for run in to_send(holding, stream.wanted):
                self.state = "sending"
                sent = await self._send(stream, run, until) or sent
                if time.monotonic() >= until:
                    return True
        return sent

    def _take(self, answer: Wanted) -> None:
        for stream in answer.streams:
            self._spool.acknowledge(stream.epoch, stream.stored)
        for unknown in answer.unknown:
            logger.warning("the hub knows no session %s of this board", unknown.session_id)
            self._spool.forsake(unknown.epoch)

    async def _send(self, stream: StreamWanted, run: Run, until: float) -> bool:
        """That run in posts of the pace's size. Whether anything was sent."""
        at = run.first
        while at < run.end and time.monotonic() < until:
            traffic = self._traffic()
            room = self._pace.size(traffic.live)
            packets = await asyncio.to_thread(self._spool.packets, stream.epoch, Run(at, run.end), room)
            if not packets:
                break
            began = time.monotonic()
            size = await self._hub.send(stream.session_id, stream.epoch, packets)
            ended = time.monotonic()
            self._pace.sent(size, began, ended, live=traffic.live, strained=traffic.strained)
            self.sent_packets += len(packets)
            self.sent_bytes += size
            at = packets[-1].sequence + 1
            await asyncio.sleep(self._pace.wait_s(time.monotonic()))
        return at > run.first
