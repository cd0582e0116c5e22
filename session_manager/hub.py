"""The hub process: one composition root. Store, audio log, signaling, media workers, recogniser, pages."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from filelock import FileLock, Timeout

from session_manager import tokens
from session_manager.announcer import Announcer
from session_manager.bell import Bell
from session_manager.caretaker import Caretaker
from session_manager.completeness import Account
from session_manager.directory import HubDirectory
from session_manager.errands import Errands
from session_manager.errors import StartFailed
from session_manager.listeners import Listeners
from session_manager.live import LiveSessions
from session_manager.mending import Mending
from session_manager.mornings import Mornings
from session_manager.recogniser import Recogniser
from session_manager.settings import HubSettings, relay_of
from session_manager.store import Store
from session_manager.transcript import Transcript
from session_manager.web.app import create_app
from session_manager.web.settings import WebSettings
from signaling.media.errors import MediaError
from signaling.media.plane import WorkerPlane
from signaling.messages import MAX_MESSAGE_BYTES
from signaling.ports import Connection, LoggedPacket, Slot
from signaling.server import SignalingServer
from signaling.settings import SignalingSettings
from transcription.audio_log import AudioLog

MEDIA_FIGURES_S = 2.0
WAITING = 32
"""Calls that may wait for the disk at once; more wait for a thread."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HubRunning:
    """What a starter may want to know. `pids`: of the workers, newest start."""

    url: str
    port: int
    pid: int


class PlaneEvents:
    """What the media plane tells, to whom it concerns: all to signaling, levels to pages too, sound to the record."""

    def __init__(self, live: LiveSessions, transcript: Transcript) -> None:
        self._live = live
        self._transcript = transcript
        self._signaling: SignalingServer

    def attach(self, signaling: SignalingServer) -> None:
        self._signaling = signaling

    def slots_changed(self, session_id: str, peer_id: str, generation: int, slots: Sequence[Slot]) -> None:
        self._signaling.slots_changed(session_id, peer_id, generation, slots)

    def connection_up(self, session_id: str, peer_id: str, connection: Connection, generation: int) -> None:
        self._signaling.connection_up(session_id, peer_id, connection, generation)

    def connection_lost(
        self, session_id: str, peer_id: str, connection: Connection, generation: int, cause: str
    ) -> None:
        self._signaling.connection_lost(session_id, peer_id, connection, generation, cause)

    def track_suspect(self, session_id: str, track_id: str, silent_ms: int) -> None:
        self._signaling.track_suspect(session_id, track_id, silent_ms)

    def track_live(self, session_id: str, track_id: str) -> None:
        self._signaling.track_live(session_id, track_id)

    def levels(self, session_id: str, levels: Mapping[str, int]) -> None:
        self._signaling.levels(session_id, levels)
        self._live.levels(session_id, levels)

    def audio(self, packets: Sequence[LoggedPacket]) -> None:
        self._transcript.audio(packets)


class _QuietServer(uvicorn.Server):
    """Signals belong to the hub, not to its web server."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _maps(value: object) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def bind(host: str, port: int) -> socket.socket:
    """Raises StartFailed with a sentence when the port is taken or the address is not this machine's."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(256)
    except OSError as error:
        listening.close()
        raise StartFailed(
            f"Port {port} on {host} cannot be used ({error.strerror}). Is another hub running? Choose one with --port."
        ) from error
    listening.setblocking(False)
    return listening


def prepare(folder: Path) -> FileLock:
    """The data folder, for this user and this hub only; the lock goes with the process. Raises StartFailed."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StartFailed(f"The data folder {folder} cannot be made: {error.strerror}.") from error
    lock = FileLock(folder / "hub.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise StartFailed(f"Another hub uses the data folder {folder}. Stop it, or choose one with --data.") from error
    return lock


class Hub:
    """Everything one hub is made of. `async with Hub(settings) as hub: await hub.stopped.wait()`."""

    def __init__(self, settings: HubSettings, *, clock: Callable[[], float] = time.time) -> None:
        self._lock = prepare(settings.data)
        self.settings = settings
        self._socket = bind(settings.host, settings.port)
        port = self._socket.getsockname()[1]
        self.settings = settings.model_copy(update={"port": port})
        self.stopped = asyncio.Event()
        self.store = Store.open(settings.records)
        secret = tokens.load_secret(settings.data)
        worker_token = settings.worker_token or secrets.token_urlsafe(32)
        self.caretaker = Caretaker(Mornings(self.store, self.settings.url), clock)
        self.bell = Bell(self.store, clock)
        listeners = Listeners()
        announcer = Announcer(listeners)
        self.recogniser = Recogniser(settings, worker_token)
        self.live = LiveSessions(
            self.store,
            listeners,
            announcer,
            worker_token=worker_token,
            media_workers=settings.media_workers,
            has_model=self.recogniser.sentence,
            clock=clock,
        )
        self.recogniser.changed = self.live.captions_changed
        audio_log = AudioLog(settings.log_folder or settings.data / "audio")
        self.transcript = Transcript(
            self.store,
            audio_log,
            announcer,
            clock,
            on_record=self.live.record_changed,
            on_captions=self.live.captions_changed,
        )
        account = Account(self.store, self.transcript.recorder, audio_log.stream, clock)
        self.mending = Mending(self.store, self.transcript, account, announcer, clock)
        events = PlaneEvents(self.live, self.transcript)
        self.plane = WorkerPlane(
            events,
            workers=settings.media_workers,
            addresses=settings.media_addresses,
            first_port=settings.media_port,
            uplink_kbps=settings.uplink_kbps,
        )
        known = (self.store, self.transcript, secret, settings.languages, clock, self.live.set_record)
        self.signaling = SignalingServer(
            HubDirectory(*known),
            self.plane,
            clock=clock,
            settings=SignalingSettings(
                relay=relay_of(settings), test_door=settings.test_door, site_kbps=settings.site_kbps
            ),
        )
        announcer.attach(self.signaling)
        events.attach(self.signaling)
        self.live.attach(self.signaling, self.transcript, self.mending, account)
        self.errands = Errands(self.store, self.settings, secret, clock)
        self._web = _QuietServer(self._web_config(secret, worker_token))

    def _web_config(self, secret: bytes, worker_token: str) -> uvicorn.Config:
        url = self.settings.url
        web = WebSettings(
            secret=secret,
            worker_token=worker_token,
            secure_cookies=url.startswith("https"),
            public_url=self.settings.public_url or None,
            openid=self.settings.openid,
            calendar_hosts=self.settings.calendar_hosts,
            webhook_hosts=self.settings.webhook_hosts,
            data=self.settings.data,
        )
        return uvicorn.Config(
            create_app(self.store, self.live, web),
            log_config=None,
            access_log=False,
            ws_max_size=2 * MAX_MESSAGE_BYTES,  # a little too large is answered by the codec, far too large is cut off
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=2,
            lifespan="off",
            server_header=False,
            proxy_headers=False,
        )

    @property
    def _own_host(self) -> str:
        """Where a local worker finds this hub: the loopback when it listens everywhere."""
        host = self.settings.host
        if ":" in host:
            return "[::1]" if host == "::" else f"[{host}]"
        return "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104

    @property
    def running(self) -> HubRunning:
        return HubRunning(self.settings.url, self.settings.port, os.getpid())

    async def _watch_media(self) -> None:
        while True:
            await asyncio.sleep(MEDIA_FIGURES_S)
            figures = await self.plane.stats()
            bursts = [worker.get("burst_ms", {}) for worker in _maps(figures.get("workers"))]
            slowest = [float(burst["p99"]) for burst in bursts if burst.get("count")]
            self.live.forward_p99_ms = max(slowest, default=None)

    async def run(self, ready: Callable[[HubRunning], None]) -> None:
        """Until `stopped` is set. Raises StartFailed when a part cannot start."""
        try:
            await self.plane.start()
        except MediaError as error:
            raise StartFailed(str(error)) from error
        try:
            async with asyncio.TaskGroup() as group:
                background = [group.create_task(self.transcript.run(), name="transcript")]
                background.append(group.create_task(self._watch_media(), name="media-figures"))
                background.append(group.create_task(self.caretaker.run(), name="caretaker"))
                background.append(group.create_task(self.bell.run(), name="bell"))
                web = group.create_task(self._web.serve(sockets=[self._socket]), name="web")
                await self.live.restore()
                background.append(group.create_task(self.mending.run(), name="mending"))
                background += [group.create_task(loop, name=name) for name, loop in self.errands.loops().items()]
                processes = self.recogniser.processes_for(f"ws://{self._own_host}:{self.settings.port}/feed")
                background += [group.create_task(one.run(), name="recogniser") for one in processes]
                ready(self.running)
                await self.stopped.wait()
                await self.signaling.close()
                self._web.should_exit = True
                await web
                for task in background:
                    task.cancel()
        finally:
            await self.plane.stop()
            self.store.close()
            self._lock.release()


async def serve(settings: HubSettings, ready: Callable[[HubRunning], None]) -> int:
    """Run a hub until SIGINT or SIGTERM; the exit code."""
    try:
        hub = Hub(settings)
    except StartFailed as error:
        print(f"shimawa hub: {error}", file=sys.stderr)  # noqa: T201
        return 2
    loop = asyncio.get_running_loop()
    # Of asyncio's own few threads a slow disk would have every one waiting to write, and nobody left to read.
    loop.set_default_executor(ThreadPoolExecutor(WAITING, thread_name_prefix="hub"))
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, hub.stopped.set)
    sentence = hub.recogniser.sentence()
    if sentence:
        log.warning("%s", sentence)
    try:
        await hub.run(ready)
    except StartFailed as error:
        print(f"shimawa hub: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0
