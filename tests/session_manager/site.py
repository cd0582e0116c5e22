"""A hub for the pages to talk to: the real web part, store and permissions; the live half is scripted.

`Site` runs on loopback in the test's own loop. `script` speaks the hub's end of each signaling connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import uvicorn
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from session_manager.fakes import ScriptedRuntime
from session_manager.records import CoverageSpan, Session, SpanKind, Stream, TrackCoverage
from session_manager.store import Store
from session_manager.store.values import NewSite
from session_manager.web.app import create_app
from session_manager.web.context import LOGIN_COOKIE, VIEW_COOKIE
from session_manager.web.security import CSRF_COOKIE, csrf_token
from session_manager.web.settings import WebSettings
from signaling.ports import Socket, SocketClosed
from tests.session_manager.hall import QUICK
from tests.session_manager.kinds import open_at

CHROMIUM = "/usr/bin/chromium"
SHELL = "/usr/bin/chromium-headless-shell"
"""The same engine, of the same build, without what draws a window around a page: a third of the work for a page."""
FLAGS = [
    "--no-sandbox",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
    "--disable-gpu",
]
SECRET = b"0" * 32
PASSWORD = "correct horse battery staple"
BEGAN_AT = 1_790_000_000.0  # 2026-09-21 22:13:20 in Tokyo


Script = Callable[["Wire"], Awaitable[object]]


class Wire:
    """The hub's end of one signaling connection, spoken by a test."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket
        self.seq = 0
        self.heard: list[dict[str, object]] = []

    async def hear(self, *, beats: bool = False) -> dict[str, object]:
        """Next message; beats are kept in `heard` and passed over."""
        while True:
            message: dict[str, object] = json.loads(await self._socket.receive())
            self.heard.append(message)
            if beats or message["t"] != "beat":
                return message

    async def hear_type(self, wanted: str) -> dict[str, object]:
        while True:
            message = await self.hear(beats=True)
            if message["t"] == wanted:
                return message

    async def say(self, kind: str, body: object, **envelope: object) -> None:
        await self._socket.send(json.dumps({"t": kind, "b": body, "ts": 1, **envelope}))

    async def shout(self, text: str) -> None:
        await self._socket.send(text)

    async def event(self, kind: str, body: object) -> None:
        self.seq += 1
        await self.say(kind, body, seq=self.seq)

    async def welcome(self, **more: object) -> dict[str, object]:
        hello = await self.hear()
        assert hello["t"] == "hello"
        body = {
            "version": 1,
            "peer_id": "me",
            "role": "participant",
            "resume_token": "resume-1",
            "server_time": time.time(),
            "grace_s": 60,
            "next_seq": self.seq + 1,
            "snapshot": {"session_id": "s", "title": "", "state": "live", "peers": [], "tracks": []},
        }
        await self.say("welcome", {**body, **more}, re=hello["id"])
        return hello

    async def close(self, code: int = 1000) -> None:
        await self._socket.close(code, "")


async def polite(wire: Wire) -> None:
    """Welcomes, has no media, answers everything else, until the browser goes."""
    await wire.welcome()
    await answer_politely(wire)


async def answer_politely(wire: Wire) -> None:
    while True:
        message = await wire.hear()
        if str(message["t"]).startswith("media."):
            refusal = {"code": "no_media", "message": "Media is not available.", "retry_after_ms": 60_000}
            await wire.say("refused", refusal, re=message["id"])
        else:
            await wire.say("done", {}, re=message["id"])


class Live(ScriptedRuntime):
    script: Script = staticmethod(polite)
    faults: list[BaseException]

    async def serve_peer(self, socket: Socket, address: str) -> None:
        try:
            await self.script(Wire(socket))
        except SocketClosed:
            pass
        except AssertionError as fault:
            self.faults.append(fault)


class Site:
    def __init__(self, store: Store, live: Live) -> None:
        self.store = store
        self.live = live
        self.url = ""

    def session(
        self,
        title: str = "島と本土の対話",
        names: tuple[str, ...] = ("壱岐", "福岡", "勝本"),
        state: str = "live",
        *,
        confidential: bool = False,
        starts_at: float = BEGAN_AT,
    ) -> Session:
        sites = [NewSite(name, None) for name in names]
        made = self.store.add_session(
            title, starts_at, starts_at + 7200, "Asia/Tokyo", sites, confidential=confidential
        )
        steps = {"planned": [], "live": ["live"], "ended": ["live", "ending", "ended"]}[state]
        before = "planned"
        for step in steps:
            made = self.store.set_state(made.session_id, before, step, starts_at)  # type: ignore[arg-type]
            before = step
        return made

    def told(self, session: Session, texts: list[str], gap_after: int | None = None) -> None:
        """Each text is said in turn at the next site, ten seconds apart; `gap_after`: the record of that one breaks."""
        tracks = []
        for site in session.sites:
            seat = self.store.add_person(session.session_id, site.name, "participant", ["ja"], BEGAN_AT)
            opened = self.store.open_stream(
                session.session_id, seat, "mic", kind="audio", source="person_mic", epoch=None, now=BEGAN_AT
            )
            assert isinstance(opened, Stream)
            self.store.set_origin(opened.track_id, opened.epoch, BEGAN_AT)
            tracks.append(opened)
        spans: list[list[CoverageSpan]] = [[] for _ in tracks]
        for number, text in enumerate(texts):
            start = BEGAN_AT + number * 10
            for place, track in enumerate(tracks):
                mine = place == number % len(tracks)
                if mine:
                    self.store.commit_line(
                        track.track_id,
                        track.epoch,
                        start_sample=number * 480_000,
                        end_sample=number * 480_000 + 240_000,
                        text=text,
                        language="ja",
                        confidence=0.9,
                        suppressed=None,
                        watermark_from=None,
                        watermark_to=number * 480_000 + 240_000,
                        now=start + 6,
                    )
                    spans[place].append(CoverageSpan(SpanKind.LINE, start, start + 5))
                broken = mine and number == gap_after
                rest = SpanKind.GAP if broken else SpanKind.SILENCE
                cause = "network" if broken else None
                spans[place].append(CoverageSpan(rest, start + 5 if mine else start, start + 10, cause))
        coverage = [
            TrackCoverage(track.track_id, site.site_id, site.name, tuple(of))
            for track, site, of in zip(tracks, session.sites, spans, strict=False)
        ]
        self.store.save_coverage(session.session_id, coverage)

    def end(self, session: Session) -> None:
        self.store.set_state(session.session_id, "live", "ending", BEGAN_AT + 600)
        self.store.set_state(session.session_id, "ending", "ended", BEGAN_AT + 601)

    def code(self, session: Session, role: str = "participant") -> str:
        return self.store.add_invitation(session.session_id, role, time.time() + 3600, None).code  # type: ignore[arg-type]

    def view_cookie(self, session: Session) -> dict[str, str]:
        value = self.store.open_view(session.session_id, time.time(), 3600)
        return {"name": f"{VIEW_COOKIE}_{session.session_id}", "value": value, "url": self.url}

    def office_cookies(self, role: str = "administrator") -> list[dict[str, str]]:
        account = self.store.account(role) or self.store.add_account(role, PASSWORD, role)
        login = self.store.open_login(account.account_id, time.time(), 3600)
        return [
            {"name": LOGIN_COOKIE, "value": login, "url": self.url},
            {"name": CSRF_COOKIE, "value": csrf_token(SECRET, login), "url": self.url},
        ]


@contextlib.asynccontextmanager
async def running_site(
    folder: Path, script: Script = polite, clock: Callable[[], float] = time.time
) -> AsyncIterator[Site]:
    store = open_at(folder / "hub.sqlite", QUICK)
    live = Live(store, now=BEGAN_AT)
    live.script, live.faults = script, []
    site = Site(store, live)
    app = create_app(store, live, WebSettings(secret=SECRET, worker_token="w" * 32), clock)
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        log_level="error",
        ws="websockets-sansio",
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    site.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield site
    finally:
        for _, queue in live.listeners:
            queue.put_nowait(None)
        server.should_exit = True
        await serving
        store.close()
    assert not live.faults, live.faults


@contextlib.asynccontextmanager
async def chromium(*, devices: bool = True) -> AsyncIterator[Browser]:
    """Without a window, where that one is installed. `devices` False: a machine without microphone and camera."""
    flags = FLAGS if devices else [flag for flag in FLAGS if "media-stream" not in flag]
    async with async_playwright() as play:
        browser = await play.chromium.launch(executable_path=SHELL if Path(SHELL).exists() else CHROMIUM, args=flags)
        try:
            yield browser
        finally:
            await browser.close()


@contextlib.asynccontextmanager
async def opened(browser: Browser, **options: object) -> AsyncIterator[tuple[BrowserContext, Page]]:
    """A fresh page that fails the test when its scripts fail or its policy refuses something."""
    faults: list[str] = []
    context = await browser.new_context(**{"locale": "ja-JP", **options})  # type: ignore[arg-type]
    try:
        page = await context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None)
        yield context, page
    finally:
        await context.close()
    assert not faults, faults
