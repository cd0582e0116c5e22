"""The hub's HTTP API as an administrator uses it, for the demo."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx

CSRF_COOKIE = "shimawa_csrf"
CSRF_HEADER = "X-CSRF-Token"


class HubClient:
    """`async with HubClient(url) as hub`. Raises httpx errors: the demo's own hub answers or the demo ends."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx.AsyncClient(base_url=url, timeout=90.0, trust_env=False)

    async def __aenter__(self) -> HubClient:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._http.aclose()

    async def login(self, name: str, password: str) -> None:
        await self.post("/api/login", {"name": name, "password": password})

    async def post(self, path: str, body: Mapping[str, object] | None = None) -> Any:
        headers = {CSRF_HEADER: self._http.cookies.get(CSRF_COOKIE) or ""}
        answer = await self._http.post(path, json=dict(body or {}), headers=headers)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    async def get(self, path: str) -> Any:
        answer = await self._http.get(path)
        answer.raise_for_status()
        return answer.json()

    async def download(self, path: str) -> bytes:
        answer = await self._http.get(path)
        answer.raise_for_status()
        return answer.content

    async def follow(self, session_id: str) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """(kind, data) of the session's server-sent events, until the session is over."""
        async with self._http.stream("GET", f"/api/sessions/{session_id}/events", timeout=None) as answer:
            answer.raise_for_status()
            kind = ""
            async for line in answer.aiter_lines():
                if line.startswith("event:"):
                    kind = line[6:].strip()
                elif line.startswith("data:"):
                    yield kind, json.loads(line[5:])
