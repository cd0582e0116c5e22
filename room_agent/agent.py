"""The board as a whole: ask the hub, take part in what is due, and say at any moment how things stand."""

from __future__ import annotations

import asyncio
import logging
import platform
import random
import time
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

from room_agent.attendance import Attendance, Ending
from room_agent.conductor import Connection, Link, Phase
from room_agent.config import BoardSettings
from room_agent.day import LATE_S
from room_agent.devices import Devices, Openers, say_what_broke
from room_agent.epochs import EpochCounter
from room_agent.errors import HubRefused, HubUnreachable
from room_agent.hub import HubClient, Invitation, signaling_url
from room_agent.inventory import Inventory
from room_agent.keeping import Keeping
from room_agent.playback import Playback
from room_agent.status import (
    HeardFacts,
    JoinFacts,
    LinkFacts,
    MediaState,
    SendFacts,
    SessionFacts,
    State,
    Status,
)
from room_agent.uploader import Traffic
from signaling.errors import Unreachable
from signaling.retry import Backoff

logger = logging.getLogger(__name__)

REFUSED_FACTOR = 6
"""A board that nobody knows asks this much more slowly."""
JITTER = 0.2
MIND_S = 1.0
STRAINED_LOSS = 0.05
"""Share of live packets lost from which repair makes itself small."""

_STATES: dict[Phase, State] = {
    Phase.IDLE: "idle",
    Phase.JOINING: "joining",
    Phase.LIVE: "live",
    Phase.RECONNECTING: "reconnecting",
    Phase.STOPPED: "stopped",
}


def versions() -> Mapping[str, str]:
    found = {"python": platform.python_version()}
    for name in ("shimawa", "aiortc", "aioice", "av"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found


class Agent:
    """One board, for as long as its process lives. `run` may be cancelled; it then leaves and closes properly."""

    def __init__(self, settings: BoardSettings, epochs: EpochCounter, openers: Openers | None = None) -> None:
        self._settings = settings
        self._hub = HubClient(settings.hub, settings.token)
        self._playback = Playback()
        self._keeping = Keeping(settings, epochs, self._hub, self._traffic, self._alone, self._line_back)
        kept = self._keeping.spool
        self._devices = Devices(settings, epochs, self._playback, openers, keeper=kept, hub_clock=self._hub.clock)
        self._inventory = Inventory(self._hub, self._devices)
        self._attendance: Attendance | None = None
        self._invitation: Invitation | None = None
        self._site_names: dict[str, str] = {}
        self._join = JoinFacts()
        self._state: State = "idle"
        self._detail = ""
        self._sent_away: str | None = None
        self._failures = 0
        self._versions = versions()

    # ---- the way through the day

    async def run(self) -> None:
        """For ever, or until the first session is over when the settings say `once`."""
        beside = [
            asyncio.create_task(self._keeping.run(), name="keeping"),
            asyncio.create_task(self._inventory.run(), name="inventory"),
        ]
        for task in beside:
            task.add_done_callback(say_what_broke)
        try:
            while True:
                began_at = time.monotonic()
                invitation, wait_s = await self._ask()
                if invitation is not None:
                    ending = await self._attend(invitation, began_at)
                    if self._settings.once and not ending.again:
                        await self._keeping.finish()
                        return
                    wait_s = self._pause_after(ending)
                await asyncio.sleep(wait_s)
        finally:
            self._state = "stopped"
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            await self._keeping.close()
            await self._hub.close()

    async def _ask(self) -> tuple[Invitation | None, float]:
        """The session that is due, or how long to wait before asking again."""
        pause_s = self._settings.ask_every_s * random.uniform(1 - JITTER, 1 + JITTER)
        try:
            answer = await self._hub.join()
        except HubUnreachable as error:
            self._say("unreachable", str(error))
            here = self._keeping.due_here()
            known = here is not None and here.session.session_id != self._sent_away
            return here if known else None, 0.0 if known else pause_s
        except HubRefused as error:
            self._say("refused", str(error))
            return None, pause_s * REFUSED_FACTOR
        if not isinstance(answer, Invitation):
            self._say("idle", "")
            return None, pause_s if answer.retry_after_s is None else answer.retry_after_s
        if answer.session.session_id == self._sent_away:
            return None, pause_s
        self._sent_away = None
        self._say("joining", "")
        return answer, 0.0

    async def _attend(self, invitation: Invitation, began_at: float) -> Ending:
        logger.info("joining session %s as site %s", invitation.session.session_id, invitation.site.site_id)
        self._invitation = invitation
        self._playback.begin()
        self._site_names = {}
        await self._keeping.joined(invitation)
        self._attendance = Attendance(
            signaling_url(self._settings.hub, invitation.signaling),
            invitation.token or None,
            self._fresh_token,
            self._devices,
            self._playback,
            self._site_names,
            slots=(self._settings.audio_slots, self._settings.video_slots),
            relay=self._settings.relay,
            began_at=began_at,
            on_record=self._keeping.record_is,
            on_published=self._keeping.published,
        )
        minding = asyncio.create_task(self._mind_end(self._attendance), name="planned end")
        try:
            ending = await self._attendance.run()
        finally:
            minding.cancel()
            self._join, self._attendance = self._attendance.join, None
        sent_away = ending.code in ("removed", "replaced")
        await self._keeping.left(invitation.session.session_id, over=not ending.again)
        logger.info("session %s is over for this board: %s", invitation.session.session_id, ending.code)
        self._sent_away = invitation.session.session_id if sent_away else None
        self._say("idle", ending.message if ending.again or sent_away else "")
        return ending

    async def _mind_end(self, stay: Attendance) -> None:
        """Without the hub nobody ends a session: its planned end does, half an hour later."""
        while True:
            await asyncio.sleep(MIND_S)
            ends_at = self._invitation.session.ends_at if self._invitation is not None else None
            if ends_at and stay.state.phase is not Phase.LIVE and self._keeping.now() > ends_at + LATE_S:
                stay.withdraw()

    async def _fresh_token(self) -> str | None:
        """For reconnecting to the same session. Raises `Unreachable`, which the signaling client answers by waiting."""
        assert self._invitation is not None
        try:
            answer = await self._hub.join()
        except HubUnreachable as error:
            raise Unreachable("no answer") from error
        except HubRefused as error:
            raise Unreachable("it does not know this board") from error
        if isinstance(answer, Invitation) and answer.session.session_id == self._invitation.session.session_id:
            if not self._invitation.token:
                await self._keeping.joined(answer)
            if self._attendance is not None:
                self._attendance.url = signaling_url(self._settings.hub, answer.signaling)
            self._invitation = answer
            return answer.token
        return None

    def _pause_after(self, ending: Ending) -> float:
        self._failures = self._failures + 1 if ending.again else 0
        return max(0.5, Backoff(self._failures).wait_s(random.random()))

    def _say(self, state: State, detail: str) -> None:
        """The log hears of a change once."""
        if state != self._state:
            level = logging.WARNING if state in ("unreachable", "refused") else logging.INFO
            logger.log(level, "%s, was %s. %s", state, self._state, detail)
        self._state, self._detail = state, detail

    async def set_muted(self, muted: bool) -> None:
        """Mute or unmute this room's microphone; the others are told."""
        self._devices.voice.muted = muted
        if self._attendance is not None:
            await self._attendance.media.tell_muted()

    # ---- facts

    def _traffic(self) -> Traffic:
        if self._attendance is None:
            return Traffic()
        facts = self._attendance.media.facts.publish
        live = self._attendance.state.links["publish"].healthy
        return Traffic(live, live and facts is not None and (facts.loss or 0.0) >= STRAINED_LOSS)

    def _line_back(self) -> None:
        """The hub answered after it had not: no need to wait for the back-off."""
        if self._attendance is not None:
            self._attendance.client.network_is_back()

    def _alone(self) -> bool:
        """A session is on, sound is encoded, and the hub cannot be reached."""
        if self._attendance is None or self._invitation is None or not self._devices.voice.live:
            return False
        phase = self._attendance.state.phase
        return phase is Phase.RECONNECTING or (phase is Phase.JOINING and not self._invitation.token)

    def status(self) -> Status:
        stay = self._attendance
        voice, media = self._devices.voice, stay.media.facts if stay else None
        return Status(
            state=_STATES[stay.state.phase] if stay else self._state,
            session=self._session(),
            devices=self._devices.facts(),
            echo=self._devices.echo(),
            link=self._link(),
            sending=SendFacts(
                epoch=voice.epoch,
                packets_encoded=voice.encoded,
                packets_sent=media.packets_sent if media else 0,
                packets_dropped=media.packets_dropped if media else 0,
                frames_sent=media.frames_sent if media else 0,
            ),
            join=stay.join if stay else self._join,
            heard=self._heard(),
            playout=self._playback.stats(),
            spool=self._keeping.facts(alone=self._alone()),
            retry_in_s=stay.link.retry_in_s if stay else None,
            detail="" if stay else self._detail,
            versions=self._versions,
        )

    def _session(self) -> SessionFacts | None:
        if self._invitation is None or self._attendance is None:
            return None
        session, site, view = self._invitation.session, self._invitation.site, self._attendance.client.view
        return SessionFacts(
            session_id=session.session_id,
            title=session.title or view.title,
            state=view.state if self._attendance.client.welcome else session.state,
            site_id=site.site_id,
            site_name=site.name,
            starts_at=session.starts_at,
            ends_at=session.ends_at,
        )

    def _heard(self) -> Mapping[str, HeardFacts]:
        names = self._site_names
        return {site: HeardFacts(names.get(site, ""), at) for site, at in self._playback.first_heard_at.items()}

    def _link(self) -> LinkFacts:
        if self._attendance is None:
            return LinkFacts()
        links, facts = self._attendance.state.links, self._attendance.media.facts.publish
        return LinkFacts(
            signaling=self._attendance.link.state,
            publish=_media_state(links, "publish"),
            subscribe=_media_state(links, "subscribe"),
            publish_generation=links["publish"].generation,
            subscribe_generation=links["subscribe"].generation,
            rtt_ms=facts.rtt_ms if facts else None,
            loss=facts.loss if facts else None,
            suspect=any(self._attendance.media.suspect(each, links[each].active) for each in links),
        )


def _media_state(links: Mapping[Connection, Link], connection: Connection) -> MediaState:
    link = links[connection]
    if link.healthy:
        return "up"
    if link.opening is not None:
        return "opening"
    if link.waiting:
        return "waiting"
    return "lost" if link.wanted and link.active is not None else "off"
