"""A scripted hub for tests and for trying a board alone: answers `POST /api/board/join` as it is told.

Standard library only; it speaks as much HTTP/1.1 as the board asks.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field


@dataclass
class ScriptedHub:
    """`answers`: what each device token is told; one not listed is 401. None means: nothing is due (204).

    `raw`: when set, sent instead of any answer. `asked` counts the questions per token.
    """

    answers: dict[str, dict[str, object] | None] = field(default_factory=dict)
    retry_after_s: int | None = None
    raw: bytes | None = None
    asked: dict[str, int] = field(default_factory=dict)
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
            writer.write(self._answer(head))
            await writer.drain()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    def _answer(self, head: str) -> bytes:
        if self.raw is not None:
            return self.raw
        request, *lines = head.split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if not request.startswith("POST /api/board/join "):
            return _response(404, b"")
        token = headers.get("authorization", "").removeprefix("Bearer ")
        self.asked[token] = self.asked.get(token, 0) + 1
        if token not in self.answers:
            return _response(401, b"")
        answer = self.answers[token]
        if answer is None:
            return _response(204, b"", self.retry_after_s)
        return _response(200, json.dumps(answer).encode())


def invitation(token: str, signaling: str, site_id: str = "site", site_name: str = "Site") -> dict[str, object]:
    """The body of a 200: `token` is the join token, `signaling` a path or a ws:// address."""
    return {
        "session": {"session_id": "session", "title": "", "starts_at": 0.0, "ends_at": 0.0, "state": "live"},
        "site": {"site_id": site_id, "name": site_name, "languages": ["ja"]},
        "token": token,
        "signaling": signaling,
    }


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
