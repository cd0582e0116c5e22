"""Builds the scene: a hub, three rooms with a board each, one session; and takes it down again."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from session_manager.demo.children import Child
from session_manager.demo.client import HubClient
from session_manager.demo.dialogue import Dialogue, microphone_script
from session_manager.store import Store

ADMINISTRATOR = "demo"
TIMEZONE = "Asia/Tokyo"
TITLE = "島の未来を話す会"
JOIN_S = 60.0


@dataclass(frozen=True, slots=True)
class BoardDevices:
    """Device specs as `python -m hardware` knows them; None: the demo's simulated one."""

    microphone: str | None = None
    camera: str | None = None
    speaker: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Stage:
    """`async with Stage(dialogue, folder) as stage`. `folder` keeps the hub's data and every process's log."""

    dialogue: Dialogue
    folder: Path
    port: int = 0
    hub_arguments: tuple[str, ...] = ("--model", "fixture", "--device", "cpu")
    devices: Mapping[str, BoardDevices] = field(default_factory=dict)
    hub: HubClient = field(init=False)
    session_id: str = ""
    join_link: str = ""
    live_link: str = ""
    hub_processes: list[Child] = field(default_factory=list)
    boards: dict[str, Child] = field(default_factory=dict)
    _password: str = field(default_factory=lambda: secrets.token_urlsafe(12), repr=False)
    _tokens: dict[str, str] = field(default_factory=dict, repr=False)

    async def __aenter__(self) -> Stage:
        try:
            await self._start_hub()
            await self._furnish()
            await asyncio.gather(*(self.start_board(site.key) for site in self.dialogue.sites))
        except BaseException:
            await self._clear()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._clear()

    async def _clear(self) -> None:
        boards = list(self.boards.values())
        await asyncio.gather(*(child.stop() for child in boards))
        await asyncio.gather(*(child.stop() for child in self.hub_processes))
        if hasattr(self, "hub"):
            await self.hub.__aexit__()

    async def _start_hub(self) -> None:
        data = self.folder / "hub"
        data.mkdir(parents=True, exist_ok=True)
        store = await asyncio.to_thread(Store.open, data / "shimawa.db")
        await asyncio.to_thread(store.add_account, ADMINISTRATOR, self._password, "administrator")
        await asyncio.to_thread(store.close)
        await self.restart_hub()

    async def restart_hub(self) -> None:
        """Also after it died: on its old data and its old port, where the boards look for it."""
        port = int(self.hub.url.rsplit(":", 1)[1]) if self.hub_processes else self.port
        data = str(self.folder / "hub")
        arguments = ["-m", "session_manager", "serve", "--json", "--data", data, "--port", str(port)]
        arguments += ["--media-port", "0", *self.hub_arguments]
        process = await Child.start(f"hub-{len(self.hub_processes)}", arguments, self.folder)
        if self.hub_processes:
            await self.hub.__aexit__()
        self.hub_processes.append(process)
        self.hub = HubClient(process.announced["url"])
        await self.hub.login(ADMINISTRATOR, self._password)

    async def _furnish(self) -> None:
        """Facilities, rooms, boards, the session and its links."""
        sites: list[dict[str, object]] = []
        for site in self.dialogue.sites:
            facility = await self.hub.post("/api/facilities", {"name": site.name, "timezone": TIMEZONE})
            room = await self.hub.post("/api/rooms", {"facility_id": facility["facility_id"], "name": site.name})
            board = await self.hub.post("/api/boards", {"room_id": room["room_id"], "name": site.name})
            self._tokens[site.key] = board["device_token"]
            languages = list(self.dialogue.languages(site.key))
            sites.append({"name": site.name, "room_id": room["room_id"], "languages": languages})
        now = datetime.now(UTC)
        end = now + timedelta(hours=1)
        body = {"title": TITLE, "starts_at": now.isoformat(), "ends_at": end.isoformat(), "sites": sites}
        session = await self.hub.post("/api/sessions", body)
        self.session_id = session["session_id"]
        await self.hub.post(f"/api/sessions/{self.session_id}/start")
        self.join_link = await self.invite("participant", 1)
        self.live_link = await self.invite("observer", None)

    async def invite(self, role: str, uses: int | None) -> str:
        body: dict[str, object] = {"role": role, "uses": uses}
        invited = await self.hub.post(f"/api/sessions/{self.session_id}/invitations", body)
        link: str = invited["link"]
        return link

    async def start_board(self, key: str) -> None:
        """Also to start it again after it died: it is the same board, with the same memory and the same script."""
        name = next(site.name for site in self.dialogue.sites if site.key == key)
        script = self.folder / f"{key}.json"
        if not script.exists():
            write_script(script, microphone_script(self.dialogue, key, None))
        arguments = ["-m", "room_agent", "run", "--json", "--once", "--hub", self.hub.url]
        arguments += ["--state", str(self.folder / f"board-{key}"), "--status-port", "0"]
        given = self.devices.get(key, BoardDevices())
        arguments += ["--microphone", given.microphone or f"sim:cue={script}"]
        arguments += ["--camera", given.camera or f"sim:card={name}", "--speaker", given.speaker or "sim:meter"]
        environment = {**given.environment, "SHIMAWA_DEVICE_TOKEN": self._tokens[key]}
        self.boards[key] = await Child.start(f"board-{key}", arguments, self.folder, environment)

    async def everybody_joined(self) -> None:
        """Each board hears the tracks of all others. Raises TimeoutError."""
        async with asyncio.timeout(JOIN_S):
            while True:
                facts = await asyncio.gather(*(self.board_status(key) for key in self.boards))
                if all(one["join"]["join_ms"] is not None for one in facts):
                    return
                await asyncio.sleep(0.1)

    def speak(self, starts_at: float) -> None:
        """Set every board's microphone script going at that instant."""
        for site in self.dialogue.sites:
            write_script(self.folder / f"{site.key}.json", microphone_script(self.dialogue, site.key, starts_at))

    async def board_status(self, key: str) -> dict[str, Any]:
        async with httpx.AsyncClient(trust_env=False) as http:
            answer = await http.get(self.boards[key].announced["status_url"])
        found: dict[str, Any] = answer.json()
        return found


def write_script(path: Path, script: dict[str, object]) -> None:
    """Whole or not at all: the microphone may be reading."""
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(script, ensure_ascii=False), encoding="utf-8")
    draft.replace(path)
