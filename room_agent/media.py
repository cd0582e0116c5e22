"""Carries out the conductor's media commands: opens and closes generations, and knows how they fare."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from room_agent.call import NO_PATH, AudioOut, IcePlan, Publishing, Receiving, Request, TransportFacts
from room_agent.capture import Sight, Voice
from room_agent.conductor import (
    CloseMedia,
    Connection,
    Event,
    MediaConnected,
    MediaHeard,
    MediaLost,
    OpenMedia,
    RetryDue,
    RetryLater,
)
from room_agent.errors import MediaFailed
from room_agent.liveness import Pulse, Verdict
from room_agent.playback import Playback
from signaling.media.aiortc_adapter import EncodedAudio
from signaling.messages import ErrorCode, IceServerInfo, MediaMute, SlotInfo
from signaling.retry import Backoff

logger = logging.getLogger(__name__)

RelayUse = Literal["auto", "only", "off"]

LOOK_S = 0.5
CLOSE_S = 5.0
LONGEST_RETRY_S = 2.0
"""Signaling is up and the hub says when: waiting longer only makes the room wait."""


@dataclass(frozen=True, slots=True)
class MediaFacts:
    """What both directions say of themselves; `frames_sent` counts this session's video frames."""

    publish: TransportFacts | None = None
    subscribe: TransportFacts | None = None
    packets_sent: int = 0
    packets_dropped: int = 0
    frames_sent: int = 0


def ice_plan(servers: Sequence[IceServerInfo], relay: RelayUse, direct_failed: bool) -> IcePlan:
    """Where the direct way works a relay only costs: asking one that is silent takes 5 s."""
    if relay == "only" or (relay == "auto" and direct_failed):
        return IcePlan(tuple(servers), relay_only=relay == "only")
    return IcePlan(tuple(one for one in servers if not _relays(one)))


def _relays(server: IceServerInfo) -> bool:
    return any(url.startswith(("turn:", "turns:")) for url in server.urls)


class _Generation:
    """One generation under way or standing: its task, its connection, and what it borrowed."""

    def __init__(self, connection: Publishing | Receiving, audio: AudioOut | None) -> None:
        self.connection = connection
        self.audio = audio
        self.pulse = Pulse()
        self.verdict: Verdict = "alive"
        self.given_up = False
        self.task: asyncio.Task[None] | None = None


class Media:
    """`post` takes events for the conductor. `doubt` is called when a connection falls silent: what else leads over the
    same way may be gone too."""

    def __init__(
        self,
        request: Request,
        post: Callable[[Event], None],
        voice: Voice,
        sight: Sight,
        playback: Playback,
        *,
        ice_servers: Callable[[], Sequence[IceServerInfo]],
        slots: tuple[int, int],
        relay: RelayUse = "auto",
        doubt: Callable[[], object] = lambda: None,
    ) -> None:
        self._request = request
        self._post = post
        self._doubt = doubt
        self._voice = voice
        self._sight = sight
        self._playback = playback
        self._ice_servers = ice_servers
        self._relay = relay
        self._direct_failed = False
        self._audio_slots, self._video_slots = slots
        self._open: dict[tuple[Connection, int], _Generation] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._retries: dict[Connection, asyncio.TimerHandle] = {}
        self._retry_after_ms: dict[Connection, int | None] = {}
        self._past = MediaFacts()
        self.facts = MediaFacts()
        self.first_packet_at: float | None = None
        """`time.monotonic()` of the first audio packet that came."""

    # ---- commands

    def open(self, command: OpenMedia) -> None:
        open_one = self._begin_publish if command.connection == "publish" else self._begin_subscribe
        generation, opening = open_one(command.generation)
        self._open[command.connection, command.generation] = generation
        generation.task = asyncio.create_task(
            self._bring_up(command, opening), name=f"{command.connection} {command.generation}"
        )
        generation.task.add_done_callback(partial(self._brought_up, command))

    def close(self, command: CloseMedia) -> None:
        generation = self._open.pop((command.connection, command.generation))
        task = asyncio.create_task(self._take_down(generation), name=f"close {command.connection}")
        self._closing.add(task)
        task.add_done_callback(self._taken_down)

    def retry(self, command: RetryLater) -> None:
        hint = self._retry_after_ms.pop(command.connection, None)
        wait_s = min(LONGEST_RETRY_S, Backoff(command.failures).wait_s(random.random(), hint))
        loop = asyncio.get_running_loop()
        self._retries[command.connection] = loop.call_later(wait_s, self._post, RetryDue(command.connection))

    async def finish(self) -> None:
        """Wait until everything that was closed is closed; the conductor has closed what was open."""
        for timer in self._retries.values():
            timer.cancel()
        if self._closing:
            await asyncio.wait(self._closing, timeout=CLOSE_S)

    def _ice(self) -> IcePlan:
        return ice_plan(self._ice_servers(), self._relay, self._direct_failed)

    # ---- one generation

    def _begin_publish(self, number: int) -> tuple[_Generation, Awaitable[None]]:
        audio, video = self._voice.offer(), self._sight.offer()
        connection = Publishing(number, self._ice(), self._lost("publish", number), audio, video)
        return _Generation(connection, audio), self._publish(connection)

    def _begin_subscribe(self, number: int) -> tuple[_Generation, Awaitable[None]]:
        lost = self._lost("subscribe", number)
        connection = Receiving(number, self._ice(), lost, self._audio_slots, self._video_slots)

        def sink(mid: str, packet: EncodedAudio) -> None:
            if self.first_packet_at is None:
                self.first_packet_at = time.monotonic()
            self._playback.push(number, mid, packet)

        def slots(offered: Sequence[SlotInfo]) -> None:
            # A media.slots event may have overtaken the reply; it is newer.
            if not self._playback.knows(number):
                self._playback.route(number, offered)

        return _Generation(connection, None), connection.open(self._request, slots, sink)

    async def _publish(self, connection: Publishing) -> None:
        await connection.open(self._request)
        await self.tell_muted(connection)

    async def tell_muted(self, connection: Publishing | None = None) -> None:
        """Let the others see whether this microphone is muted."""
        for each in [connection] if connection else [one.connection for one in self._open.values()]:
            for track in each.tracks if isinstance(each, Publishing) else ():
                if track.kind == "audio" and track.muted != self._voice.muted:
                    await self._request(MediaMute(track_id=track.track_id, muted=self._voice.muted))

    def _lost(self, connection: Connection, number: int) -> Callable[[str], None]:
        def lost(cause: str) -> None:
            logger.info("%s connection %s ended: %s", connection, number, cause)
            self._post(MediaLost(connection, number))

        return lost

    async def _bring_up(self, command: OpenMedia, opening: Awaitable[None]) -> None:
        try:
            await opening
        except MediaFailed as failure:
            logger.info("%s connection %s failed: %s", command.connection, command.generation, failure.code)
            self._retry_after_ms[command.connection] = failure.retry_after_ms
            self._direct_failed = self._direct_failed or failure.code == NO_PATH
            if failure.code == ErrorCode.STALE_EPOCH:
                # The folder with the counter was lost or put back: without a leap this board stays mute.
                self._voice.leap()
            self._post(MediaLost(command.connection, command.generation))
        else:
            self._post(MediaConnected(command.connection, command.generation))

    def _brought_up(self, command: OpenMedia, task: asyncio.Task[None]) -> None:
        """What nobody foresaw must not leave the room without sound: it is said, and tried again like any failure."""
        if not task.cancelled() and task.exception() is not None:
            logger.error("%s connection %s broke", command.connection, command.generation, exc_info=task.exception())
            self._post(MediaLost(command.connection, command.generation))

    def _taken_down(self, task: asyncio.Task[None]) -> None:
        self._closing.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.error("%s broke", task.get_name(), exc_info=task.exception())

    async def _take_down(self, generation: _Generation) -> None:
        if generation.task is not None and generation.task is not asyncio.current_task():
            generation.task.cancel()
            await asyncio.wait([generation.task])
        self._past = self._with(self._past, generation)
        if generation.audio is not None:
            self._voice.release(generation.audio)
        await generation.connection.close()

    # ---- looking after

    async def watch(self) -> None:
        """Look at every connection twice a second; until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            facts = self._past
            for (kind, number), generation in sorted(self._open.items()):
                transport = await generation.connection.facts()
                facts = self._with(facts, generation)
                facts = replace(facts, publish=transport) if kind == "publish" else replace(facts, subscribe=transport)
                self._judge(kind, number, generation, transport)
                await generation.connection.keep_open()
            self.facts = facts

    def _judge(self, kind: Connection, number: int, generation: _Generation, transport: TransportFacts) -> None:
        before, generation.verdict = generation.verdict, generation.pulse.note(transport.packets_in, time.monotonic())
        if before == "alive" != generation.verdict:
            self._doubt()
        if generation.verdict == "dead" and not generation.given_up:
            generation.given_up = True
            self._lost(kind, number)("silent")
        elif generation.verdict == "alive" and generation.given_up:
            generation.given_up = False
            logger.info("%s connection %s is heard again", kind, number)
            self._post(MediaHeard(kind, number))

    def suspect(self, connection: Connection, number: int | None) -> bool:
        """Whether nothing has come on it for a second or more."""
        generation = self._open.get((connection, number)) if number is not None else None
        return generation is not None and generation.verdict != "alive"

    @staticmethod
    def _with(facts: MediaFacts, generation: _Generation) -> MediaFacts:
        audio, connection = generation.audio, generation.connection
        return replace(
            facts,
            packets_sent=facts.packets_sent + (audio.feed.taken if audio else 0),
            packets_dropped=facts.packets_dropped + (audio.feed.dropped if audio else 0),
            frames_sent=facts.frames_sent + (connection.frames if isinstance(connection, Publishing) else 0),
        )
