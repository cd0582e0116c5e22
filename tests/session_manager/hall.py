"""A small world to test in: a store in a real file, two rooms with boards, a session, and the web over it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from session_manager.fakes import ScriptedRuntime
from session_manager.passwords import Passwords
from session_manager.records import Board, Seat, Session, Stream
from session_manager.store import NewSite, StaleEpoch, Store
from session_manager.web.app import create_app
from session_manager.web.settings import WebSettings
from tests.session_manager.kinds import open_at

NOW = 1_780_000_000.0
PASSWORD = "correct horse battery"
SECRET = bytes(range(32))
WORKER = "worker-token-of-this-hub"
_DESCRIBED: dict[str, Any] = {}
QUICK = Passwords(time_cost=1, memory_kib=64, parallelism=1)


def open_store(folder: Path) -> Store:
    return open_at(folder / "hub.db", QUICK)


@dataclass
class Hall:
    """Two rooms, a board each, one session of both that starts at NOW."""

    store: Store
    boards: list[Board] = field(default_factory=list)
    device_tokens: list[str] = field(default_factory=list)
    session: Session = field(init=False)

    def __post_init__(self) -> None:
        sites = []
        for place in ("壱岐", "福岡"):
            facility = self.store.add_facility(place, "Asia/Tokyo")
            room = self.store.add_room(facility.facility_id, "会議室")
            made = self.store.add_board(room.room_id, f"{place}のボード", NOW - 1000)
            self.boards.append(made.board)
            self.device_tokens.append(made.device_token)
            sites.append(NewSite(place, room.room_id))
        self.session = self.plan(sites)

    def plan(self, sites: list[NewSite], *, starts_at: float = NOW, confidential: bool = False) -> Session:
        return self.store.add_session(
            "対話の夕べ", starts_at, starts_at + 7200, "Asia/Tokyo", sites, confidential=confidential
        )

    @property
    def session_id(self) -> str:
        return self.session.session_id

    def seat(self, number: int = 0) -> Seat:
        board_id = self.boards[number].board_id
        return next(seat for seat in self.store.seats(self.session_id) if seat.board_id == board_id)

    def stream(self, number: int = 0, *, epoch: int | None = None, now: float = NOW) -> Stream:
        opened = self.store.open_stream(self.session_id, self.seat(number), "mic", "audio", "room_mic", epoch, now)
        assert not isinstance(opened, StaleEpoch)
        return opened


@dataclass
class Web:
    """The hub's web without a network. `at` moves the clock."""

    hall: Hall
    runtime: ScriptedRuntime
    app: FastAPI
    at: list[float]

    @property
    def store(self) -> Store:
        return self.hall.store

    def described(self) -> dict[str, Any]:
        """The interface as OpenAPI has it: the same of every hub, so it is written once a process."""
        if not _DESCRIBED:
            _DESCRIBED.update(self.app.openapi())
        return _DESCRIBED

    def browser(self, **options: object) -> httpx.AsyncClient:
        """One browser: its own cookies, its own address."""
        transport = httpx.ASGITransport(self.app, client=(str(options.pop("address", "192.0.2.1")), 50_000))
        return httpx.AsyncClient(transport=transport, base_url="http://hub")

    @asynccontextmanager
    async def signed_in(self, role: str = "administrator") -> AsyncIterator[httpx.AsyncClient]:
        if self.store.account(role) is None:
            self.store.add_account(role, PASSWORD, role)
        async with self.browser() as browser:
            answer = await browser.post("/api/login", json={"name": role, "password": PASSWORD})
            assert answer.status_code == 200
            browser.headers["X-CSRF-Token"] = browser.cookies["shimawa_csrf"]
            yield browser

    @asynccontextmanager
    async def viewing(self, session_id: str) -> AsyncIterator[httpx.AsyncClient]:
        code = self.store.add_invitation(session_id, "observer", self.at[0] + 600, None).code
        async with self.browser() as browser:
            assert (await browser.post("/api/live/enter", json={"code": code})).status_code == 200
            yield browser


def open_web(hall: Hall, settings: WebSettings | None = None) -> Web:
    at = [NOW]
    runtime = ScriptedRuntime(hall.store, now=NOW)
    settings = settings or WebSettings(SECRET, WORKER)
    return Web(hall, runtime, create_app(hall.store, runtime, settings, clock=lambda: at[0]), at)
