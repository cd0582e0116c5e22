"""A scripted hub for tests and for trying a board alone: answers the board's questions over HTTP as it is told.

Standard library only; it speaks as much HTTP/1.1 as the board asks.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from room_agent.spool import Run, Runs, merged, without
from transcription.audio_log import Packet, unpack_packets


@dataclass
class SpoolShelf:
    """A hub that takes what boards kept. `has`: packets by (session, epoch). `status`: set, uploads are answered so.

    `live`: numbers that it had from the call. `held`: what the boards last said, `disk`: of their disk.
    `unknown`: sessions it does not know. `clock`: what it says that its own reads; None: it says nothing of it.
    `asked`: how often it was told.
    """

    has: dict[tuple[str, int], dict[int, Packet]] = field(default_factory=dict)
    held: dict[tuple[str, int], dict[str, object]] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    live: dict[tuple[str, int], Runs] = field(default_factory=dict)
    status: int | None = None
    disk: dict[str, object] = field(default_factory=dict)
    duplicates: int = 0
    posts: list[tuple[str, int, Run]] = field(default_factory=list)
    clock: Callable[[], float] | None = None
    asked: int = 0

    def have(self, body: bytes) -> bytes:
        came_at = None if self.clock is None else self.clock()
        answer: dict[str, list[dict[str, object]]] = {"streams": [], "unknown": []}
        self.asked += 1
        said = json.loads(body)
        self.disk = said.get("disk", self.disk)
        for told in said["streams"]:
            session_id, epoch = told["session_id"], told["epoch"]
            if session_id in self.unknown:
                answer["unknown"].append({"session_id": session_id, "epoch": epoch})
                continue
            self.held[session_id, epoch] = told
            stored = self.stored(session_id, epoch)
            whole = (Run(told["first_sequence"], told["next_sequence"]),)
            wanted = without(whole, stored)
            reply = {"session_id": session_id, "name": told["name"], "epoch": epoch}
            answer["streams"].append({**reply, "wanted": wanted[:-201:-1], "stored": stored})
        times = {} if self.clock is None else {"came_at": came_at, "server_time": self.clock()}
        return json.dumps({**answer, **times}).encode()

    def stored(self, session_id: str, epoch: int) -> Runs:
        uploaded = self.has.get((session_id, epoch), {})
        return merged((*self.live.get((session_id, epoch), ()), *(Run(each, each + 1) for each in uploaded)))

    def take(self, query: str, body: bytes) -> bytes:
        where = {name: values[0] for name, values in parse_qs(query).items()}
        key = (where["session_id"], int(where["epoch"]))
        packets = unpack_packets(body)
        shelf = self.has.setdefault(key, {})
        known = sum(packet.sequence in shelf for packet in packets)
        shelf.update({packet.sequence: packet for packet in packets})
        self.duplicates += known
        self.posts.append((*key, Run(packets[0].sequence, packets[-1].sequence + 1)))
        return json.dumps({"stored": len(packets) - known, "duplicates": known}).encode()


@dataclass
class ScriptedHub:
    """`answers`: what each device token is told; one not listed is 401. None means: nothing is due (204).

    `raw`: when set, sent instead of any answer. `asked` counts the questions per token. `day`: the sessions told.
    `spool` None: a hub that takes no sound afterwards.
    """

    answers: dict[str, dict[str, object] | None] = field(default_factory=dict)
    retry_after_s: int | None = None
    raw: bytes | None = None
    asked: dict[str, int] = field(default_factory=dict)
    day: list[dict[str, object]] = field(default_factory=list)
    found: list[dict[str, bool | None]] = field(default_factory=list)
    """What boards said of their devices, in order."""
    spool: SpoolShelf | None = field(default_factory=SpoolShelf)
    url: str = ""
    port: int = 0
    _server: asyncio.Server | None = field(default=None, repr=False)

    async def start(self, port: int = 0) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.LimitOverrunError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            request, *lines = head.split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            body = await reader.readexactly(int(headers.get("content-length") or 0))
            writer.write(self._answer(request, headers, body))
            await writer.drain()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    def _answer(self, request: str, headers: dict[str, str], body: bytes) -> bytes:
        if self.raw is not None:
            return self.raw
        method, target, *_ = (*request.split(" "), "", "")
        where = urlsplit(target)
        token = headers.get("authorization", "").removeprefix("Bearer ")
        match method, where.path:
            case "POST", "/api/board/join":
                return self._join(token)
            case "POST", "/api/board/devices" if token in self.answers:
                self.found.append(json.loads(body))
                return _response(204, b"")
            case "GET", "/api/board/day":
                return _response(200, json.dumps({"server_time": 0.0, "sessions": self.day}).encode())
            case "POST", "/api/board/spool/have" if self.spool is not None:
                return _response(200, self.spool.have(body))
            case "POST", "/api/board/spool/packets" if self.spool is not None:
                if self.spool.status is not None:
                    return _response(self.spool.status, b"{}")
                return _response(200, self.spool.take(where.query, body))
        return _response(404, b"")

    def _join(self, token: str) -> bytes:
        self.asked[token] = self.asked.get(token, 0) + 1
        if token not in self.answers:
            return _response(401, b"")
        answer = self.answers[token]
        if answer is None:
            return _response(204, b"", self.retry_after_s)
        return _response(200, json.dumps(answer).encode())


def invitation(
    token: str,
    signaling: str,
    site_id: str = "site",
    site_name: str = "Site",
    *,
    session_id: str = "session",
    ends_at: float = 0.0,
) -> dict[str, object]:
    """The body of a 200: `token` is the join token, `signaling` a path or a ws:// address."""
    return {
        "session": {"session_id": session_id, "title": "", "starts_at": 0.0, "ends_at": ends_at, "state": "live"},
        "site": {"site_id": site_id, "name": site_name, "languages": ["ja"]},
        "token": token,
        "signaling": signaling,
    }


def booked(session_id: str, starts_at: float, ends_at: float, state: str = "planned") -> dict[str, object]:
    """One session of a day."""
    site = {"site_id": "site", "name": "Site", "languages": ["ja"]}
    times: dict[str, object] = {"starts_at": starts_at, "ends_at": ends_at}
    return {"session_id": session_id, "title": f"Title of {session_id}", **times, "state": state, "site": site}


def _response(status: int, body: bytes, retry_after_s: int | None = None) -> bytes:
    head = [f"HTTP/1.1 {status} -", f"Content-Length: {len(body)}", "Content-Type: application/json"]
    if retry_after_s is not None:
        head.append(f"Retry-After: {retry_after_s}")
    return "\r\n".join([*head, "Connection: close", "", ""]).encode() + body


@contextlib.asynccontextmanager
async def scripted_hub() -> AsyncIterator[ScriptedHub]:
    hub = ScriptedHub()
    await hub.start()
    try:
        yield hub
    finally:
        await hub.stop()
