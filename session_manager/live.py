"""The live half of the sessions: start, end with the last word, and what pages follow. Implements `ports.Runtime`."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence

from session_manager.announcer import Announcer
from session_manager.completeness import Account
from session_manager.consent import NOT_AGREED
from session_manager.disks import Disks, sentence
from session_manager.errors import NotPossible
from session_manager.feed import FeedServer
from session_manager.listeners import Listeners
from session_manager.mending import Mending
from session_manager.ports import HubStatus, SpoolAnswer, SpoolTold
from session_manager.records import DiskTold, LiveEvent, Session, SiteRisk
from session_manager.store import EARLY_S, Store
from session_manager.transcript import Transcript
from signaling.messages import Levels, PeerChanged, SessionChanged, SiteAtRisk
from signaling.ports import Socket, SocketClosed
from signaling.server import SignalingServer
from signaling.switchboard import MAX_NAME, Captions, Record, State
from transcription.audio_log import Packet

LAST_WORDS_S = 60.0
BACKLOG = 1_000
DELAYED_S = 10.0

RECORD_SENTENCES = {
    "disk_full": "The disk is full: captions go on, but the sound is not being kept. Make room on the hub's disk.",
    "disk_slow": "The disk is too slow: captions go on, but some sound was not kept.",
    "io": "The disk refuses the recording: captions go on, but the sound is not being kept.",
}

log = logging.getLogger(__name__)


class LiveSessions:
    def __init__(
        self,
        store: Store,
        listeners: Listeners,
        announcer: Announcer,
        *,
        worker_token: str,
        media_workers: int,
        has_model: Callable[[], str],
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._listeners = listeners
        self._announcer = announcer
        self._worker_token = worker_token
        self._media_workers = media_workers
        self._model_sentence = has_model
        self._clock = clock
        self.forward_p99_ms: float | None = None
        self._record_gaps: dict[str, str] = {}
        self._disks = Disks(store)
        self._off: dict[str, float] = {}
        self._ending: dict[str, asyncio.Task[Session]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._signaling: SignalingServer
        self._transcript: Transcript
        self._mending: Mending
        self._account: Account

    def attach(self, signaling: SignalingServer, transcript: Transcript, mending: Mending, account: Account) -> None:
        self._signaling = signaling
        self._transcript = transcript
        self._mending = mending
        self._account = account

    @property
    def _feed(self) -> FeedServer:
        return self._transcript.feed

    # ---- start and end ---------------------------------------------------------------------------------------------

    async def restore(self) -> None:
        """After a restart: live sessions are live again, what the log holds undecided is decided."""
        for session in await asyncio.to_thread(self._store.sessions):
            if session.state not in ("live", "ending"):
                continue
            off = (await asyncio.to_thread(self._store.off_spans, session.session_id))[-1:]
            if off and off[0][1] is None:
                self._off[session.session_id] = off[0][0]
                self._transcript.hush(session.session_id, off[0][0], None)
            if session.state == "live":
                await self._keep_promise(session.session_id, self._clock())
            self._open(session)
            languages = {site.site_id: site.languages for site in session.sites}
            for stream in await asyncio.to_thread(self._store.streams, session.session_id):
                if stream.kind == "audio" and not stream.decided:
                    await self._transcript.catch_up(stream, languages.get(stream.site_id, ("ja", "en")))
            if session.state == "ending":
                self._end_in_background(session.session_id)
        await self._mending.restore()

    async def start_session(self, session_id: str) -> Session:
        return await self._start(session_id, self._clock())

    async def _start(self, session_id: str, at: float) -> Session:
        session = await asyncio.to_thread(self._store.session, session_id)
        if session.state == "planned":
            session = await asyncio.to_thread(self._store.set_state, session_id, "planned", "live", at)
            await self._keep_promise(session_id, at)
            self._open(session)
            await self._session_changed(session_id)
        if session.state != "live":
            raise NotPossible("This session is over and cannot be started again.")
        return session

    async def end_session(self, session_id: str) -> Session:
        session = await asyncio.to_thread(self._store.session, session_id)
        if session.state == "ended":
            return session
        if session.state == "planned":
            raise NotPossible("This session has not begun.")
        return await asyncio.shield(self._end_in_background(session_id))

    def _end_in_background(self, session_id: str) -> asyncio.Task[Session]:
        task = self._ending.get(session_id)
        if task is None:
            task = asyncio.create_task(self._end(session_id), name=f"end-{session_id}")
            self._ending[session_id] = task
            task.add_done_callback(lambda _: self._ending.pop(session_id, None))
        return task

    async def _end(self, session_id: str) -> Session:
        session = await asyncio.to_thread(self._store.session, session_id)
        if session.state == "live":
            await asyncio.to_thread(self._store.set_state, session_id, "live", "ending", self._clock())
        await self._signaling.end_session(session_id, "session_over", "The session is over. Thank you.")
        decided = await self._transcript.last_words(session_id, LAST_WORDS_S if self._feed.workers else 1.0)
        if not decided:
            log.warning("session %s ends with speech that is not written down yet", session_id)
        await self._transcript.settle(session_id)
        await self._account.save(session_id)
        ended = await asyncio.to_thread(self._store.set_state, session_id, "ending", "ended", self._clock())
        if self._off.pop(session_id, None) is not None:
            await asyncio.to_thread(self._store.go_on, session_id, ended.ended_at or self._clock())
        await self._session_changed(session_id)
        self._listeners.end(session_id)
        await self._transcript.forget(session_id)
        self._record_gaps.pop(session_id, None)
        await asyncio.to_thread(self._store.forget_wall_words, self._clock(), session_id)
        await self._account.settle(session_id)
        return ended

    def _open(self, session: Session) -> None:
        self._signaling.open_session(
            session.session_id, session.title, "live", self._record_of(session.session_id), self._captions()[0]
        )

    def _record_of(self, session_id: str) -> Record:
        return "off" if session_id in self._off else "gap" if session_id in self._record_gaps else "on"

    async def set_record(self, session_id: str, on: bool) -> None:
        """Off: nothing that is said from now on is kept or written down, until it is on again."""
        session = await asyncio.to_thread(self._store.session, session_id)
        if session.state != "live":
            raise NotPossible("Only a session that is going on has a record to switch.")
        now = self._clock()
        if on:
            if await asyncio.to_thread(self._store.forbids_record, session_id):
                raise NotPossible(NOT_AGREED)
            off_at = self._off.pop(session_id, None)
            if off_at is None:
                return
            self._transcript.hush(session_id, off_at, now)
            await asyncio.to_thread(self._store.go_on, session_id, now)
            await self._keep_promise(session_id, now)  # somebody may have said less since we asked
        else:
            if session_id in self._off:
                return
            await self._go_off(session_id, now)
        await self._session_changed(session_id)

    async def _go_off(self, session_id: str, now: float) -> None:
        self._off[session_id] = now
        self._transcript.hush(session_id, now, None)
        await asyncio.to_thread(self._store.go_off, session_id, now)

    async def _keep_promise(self, session_id: str, now: float) -> None:
        """Of what people said at the door, also before it began or while the hub was away."""
        if session_id not in self._off and await asyncio.to_thread(self._store.forbids_record, session_id):
            await self._go_off(session_id, now)

    def record_of(self, session: Session) -> Record:
        """As people see it now; `on` for one that is not going on."""
        return self._record_of(session.session_id)

    # ---- state that people see -------------------------------------------------------------------------------------

    def record_changed(self, session_id: str, cause: str | None) -> None:
        """A gap stays a gap for the rest of the session; it is said once, also when the disk takes sound again."""
        if cause is None or session_id in self._record_gaps:
            return
        self._record_gaps[session_id] = cause
        self._later(self._session_changed(session_id))

    def captions_changed(self) -> None:
        self._later(self._every_session_changed())

    def _later(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _every_session_changed(self) -> None:
        for session in await asyncio.to_thread(self._store.sessions, "live"):
            await self._session_changed(session.session_id)

    async def _session_changed(self, session_id: str) -> None:
        session = await asyncio.to_thread(self._store.session, session_id)
        captions, captions_message = self._captions()
        record = self._record_of(session_id)
        risks = await self._disks.at_risk(session)
        said = RECORD_SENTENCES.get(self._record_gaps.get(session_id, ""), captions_message)
        message = said or next((sentence(one) for one in risks), "")[:MAX_NAME]
        at_risk = [SiteAtRisk(site_id=one.site_id, site_name=one.site_name[:MAX_NAME], disk=one.disk) for one in risks]
        state: State = "live" if session.state == "ending" else session.state
        body = SessionChanged(state=state, record=record, captions=captions, message=message, at_risk=at_risk)
        if state != "ended":
            self._signaling.set_state(
                session_id, state=state, record=record, captions=captions, message=message, at_risk=at_risk
            )
        data = body.model_dump(mode="json")
        stored = await asyncio.to_thread(self._store.append_event, session_id, body.type, data, self._clock())
        self._announcer.tell_pages(session_id, body, stored.number)

    def _captions(self) -> tuple[Captions, str]:
        sentence = self._model_sentence()
        if sentence:
            return "unavailable", sentence
        if not self._feed.workers:
            return "unavailable", "Captions are starting. What is said is kept and written down as soon as they run."
        if self._transcript.lag_s > DELAYED_S:
            return "delayed", "Captions are delayed; the record is safe."
        return "on", ""

    # ---- Runtime ---------------------------------------------------------------------------------------------------

    async def listen(self, session_id: str, after: int | None) -> AsyncIterator[LiveEvent]:
        listener = self._listeners.add(session_id)
        try:
            last = after if after is not None else await asyncio.to_thread(self._store.last_event, session_id)
            while stored := await asyncio.to_thread(self._store.events, session_id, last, BACKLOG):
                for event in stored:
                    yield event
                    last = event.number or last
            for peer in self._signaling.peers(session_id):
                body = PeerChanged(peer=peer)
                yield LiveEvent(None, body.type, body.model_dump(mode="json"))
            session = await asyncio.to_thread(self._store.session, session_id)
            if session.state == "ended":
                return
            async for event in listener:
                if event.number is None or event.number > last:
                    yield event
        finally:
            self._listeners.remove(session_id, listener)

    async def serve_peer(self, socket: Socket, address: str) -> None:
        await self._signaling.serve(socket, address)

    async def serve_worker(self, socket: Socket, token: str) -> None:
        if not hmac.compare_digest(token.encode(), self._worker_token.encode()):
            with contextlib.suppress(SocketClosed):
                await socket.close(1008, "bad_token")
            return
        await self._feed.serve(socket)

    async def spool_have(self, board_id: str, told: Sequence[SpoolTold]) -> tuple[list[SpoolAnswer], list[SpoolTold]]:
        answers, unknown = await self._mending.have(board_id, told)
        known = {answer.session_id for answer in answers}
        for session_id in known:
            await self._held_without_hub(session_id, [one for one in told if one.session_id == session_id])
        return answers, unknown

    async def disk_told(self, board_id: str, disk: DiskTold) -> None:
        if self._disks.note(board_id, disk):
            for session_id in await self._disks.live_sessions(board_id, self._clock()):
                await self._session_changed(session_id)

    async def at_risk(self, session: Session) -> list[SiteRisk]:
        return await self._disks.at_risk(session)

    async def _held_without_hub(self, session_id: str, told: Sequence[SpoolTold]) -> None:
        """A board opened a due session by itself: it began when the board began, and is over when both say so."""
        session = await asyncio.to_thread(self._store.session, session_id)
        now = self._clock()
        if session.state != "planned" or session.starts_at - EARLY_S > now:
            return
        await self._start(session_id, min(now, *(one.placed_at or one.origin_at for one in told)))
        if session.ends_at <= now and all(one.closed for one in told):
            self._end_in_background(session_id)

    async def spool_packets(
        self, board_id: str, session_id: str, name: str, epoch: int, packets: Sequence[Packet]
    ) -> int:
        return await self._mending.take(board_id, session_id, name, epoch, packets)

    def levels(self, session_id: str, levels: Mapping[str, int]) -> None:
        """For pages, by site too; peers get them from signaling itself."""
        sites: dict[str, int] = {}
        for track_id, level in levels.items():
            site_id = self._transcript.site_of(track_id)
            if site_id is not None:
                sites[site_id] = min(level, sites.get(site_id, 127))
        data: dict[str, object] = {"levels": dict(levels), "sites": sites}
        self._listeners.tell(session_id, LiveEvent(None, Levels.type, data))

    def status(self) -> HubStatus:
        captions, sentence = self._captions()
        cause = next(iter(self._record_gaps.values()), "")
        return HubStatus(
            record="gap" if cause else "on",
            record_message=RECORD_SENTENCES.get(cause, ""),
            captions=captions,
            captions_message=sentence,
            media_workers=self._media_workers,
            transcription_workers=self._feed.workers,
            forward_p99_ms=self.forward_p99_ms,
        )
