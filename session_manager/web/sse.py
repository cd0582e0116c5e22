"""Server-sent events (WHATWG HTML, 9.2): what happens in a session, resumable by the last event's number."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable

from session_manager.records import LiveEvent

RETRY_MS = 2_000
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
PING = b": ping\n\n"


def frame(event: LiveEvent) -> bytes:
    """Views have no `id`, so a browser comes back with the number of its last fact."""
    head = f"event: {event.kind}\n" + (f"id: {event.number}\n" if event.number is not None else "")
    data = json.dumps(event.data, ensure_ascii=False, separators=(",", ":"))
    return f"{head}data: {data}\n\n".encode()


async def stream(
    events: AsyncIterator[LiveEvent], ping_s: float, still_allowed: Callable[[], Awaitable[bool]]
) -> AsyncIterator[bytes]:
    """Frames of `events`, a comment when nothing happens for `ping_s`; ends with them or when access is gone.

    Access is asked again about once per `ping_s`, so an expired cookie does not listen for ever.
    """
    loop = asyncio.get_running_loop()
    check_at = loop.time() + ping_s
    coming: asyncio.Future[LiveEvent] | None = None
    yield f"retry: {RETRY_MS}\n\n".encode()
    try:
        while True:
            coming = coming or asyncio.ensure_future(anext(events))
            await asyncio.wait([coming], timeout=ping_s)
            if loop.time() >= check_at:
                check_at = loop.time() + ping_s
                if not await still_allowed():
                    return
            if not coming.done():
                yield PING
                continue
            try:
                event = coming.result()
            except StopAsyncIteration:
                return
            coming = None
            yield frame(event)
    finally:
        await _let_go(events, coming)


async def _let_go(events: AsyncIterator[LiveEvent], coming: asyncio.Future[LiveEvent] | None) -> None:
    if coming is not None and not coming.done():
        coming.cancel()
        with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration):
            await coming
    close = getattr(events, "aclose", None)
    if close is not None:
        await close()
