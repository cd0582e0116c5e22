"""What stays open: server-sent events and WebSockets, over a real server on loopback."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import httpx
import pytest
import uvicorn
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from session_manager.records import LiveEvent
from session_manager.web import sse
from session_manager.web.settings import WebSettings
from tests.session_manager.hall import NOW, SECRET, WORKER, Hall, Web, open_web

DEADLINE_S = 20


class Quiet(uvicorn.Server):
    def install_signal_handlers(self) -> None:
        """The test runner keeps its own."""


@asynccontextmanager
async def serving(web: Web) -> AsyncIterator[str]:
    """`127.0.0.1:port` of a real server."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(web.app, log_config=None, lifespan="off", timeout_graceful_shutdown=2)
    server = Quiet(config)
    task = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield f"127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        async with asyncio.timeout(DEADLINE_S):
            await task
        listening.close()


@dataclass
class Received:
    """Frames of one event stream as a browser would take them."""

    lines: AsyncIterator[str]
    comments: int = 0
    retry: int | None = None
    events: list[tuple[str, str | None, dict[str, object]]] = field(default_factory=list)

    async def next(self) -> tuple[str, str | None, dict[str, object]]:
        kind, number, data = "message", None, ""
        async with asyncio.timeout(DEADLINE_S):
            async for line in self.lines:
                name, _, value = line.partition(": ")
                if line.startswith(":"):
                    self.comments += 1
                elif name == "retry":
                    self.retry = int(value)
                elif name == "event":
                    kind = value
                elif name == "id":
                    number = value
                elif name == "data":
                    data = value
                elif not line and data:
                    return kind, number, json.loads(data)
        raise StopAsyncIteration


async def view_cookie(web: Web, session_id: str) -> dict[str, str]:
    cookie = web.store.open_view(session_id, web.at[0], 600)
    return {"Cookie": f"shimawa_view_{session_id}={cookie}"}


@asynccontextmanager
async def following(web: Web, host: str, **headers: str) -> AsyncIterator[Received]:
    path = f"http://{host}/api/sessions/{web.hall.session_id}/events"
    cookie = await view_cookie(web, web.hall.session_id)
    async with httpx.AsyncClient(timeout=DEADLINE_S) as client:
        async with client.stream("GET", path, headers={**cookie, **headers}) as answer:
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith("text/event-stream")
            assert "content-encoding" not in answer.headers
            yield Received(answer.aiter_lines())


async def listening(web: Web, count: int = 1) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while len(web.runtime.listeners) != count:
            await asyncio.sleep(0)


async def test_facts_have_numbers_and_views_have_none(web: Web) -> None:
    async with serving(web) as host, following(web, host) as page:
        await listening(web)
        await web.runtime.tell(web.hall.session_id, "session.changed", {"state": "live"})
        web.runtime.show(web.hall.session_id, "caption.partial", {"text": "こんに\n\nちは"})
        assert await page.next() == ("session.changed", "1", {"state": "live"})
        assert await page.next() == ("caption.partial", None, {"text": "こんに\n\nちは"})
        assert page.retry == 2000


async def test_a_page_that_comes_back_hears_what_it_missed_and_only_that(web: Web) -> None:
    for n in range(4):
        await web.runtime.tell(web.hall.session_id, "session.changed", {"n": n})
    async with serving(web) as host:
        async with following(web, host, **{"Last-Event-ID": "2"}) as page:
            assert [(await page.next())[1] for _ in range(2)] == ["3", "4"]
            await listening(web)
            await web.runtime.tell(web.hall.session_id, "session.changed", {"n": 4})
            assert (await page.next())[1] == "5"
        await listening(web, 0)


async def test_the_stream_ends_with_the_session_and_then_says_do_not_come_back(web: Web) -> None:
    await web.runtime.start_session(web.hall.session_id)
    path = f"/api/sessions/{web.hall.session_id}/events"
    async with serving(web) as host:
        async with following(web, host) as page:
            await listening(web)
            await web.runtime.tell(web.hall.session_id, "session.changed", {"state": "ended"})
            await web.runtime.end_session(web.hall.session_id)
            assert (await page.next())[2] == {"state": "ended"}
            with pytest.raises(StopAsyncIteration):
                await page.next()
        cookie = await view_cookie(web, web.hall.session_id)
        async with httpx.AsyncClient(base_url=f"http://{host}", headers=cookie) as client:
            assert (await client.get(path)).status_code == 204
            assert (await client.get(path, headers={"Last-Event-ID": "1"})).status_code == 204
            late = await client.get(path, headers={"Last-Event-ID": "0"})
            assert 'data: {"state":"ended"}' in late.text


async def test_silence_is_filled_with_comments_and_an_expired_cookie_stops_listening(hall: Hall) -> None:
    web = open_web(hall, WebSettings(SECRET, WORKER, ping_s=0.05))
    async with serving(web) as host, following(web, host) as page:
        await listening(web)
        coming = asyncio.create_task(page.next())
        async with asyncio.timeout(DEADLINE_S):
            while page.comments < 3:
                await asyncio.sleep(0)
        assert not coming.done()
        web.at[0] += 700
        with pytest.raises(StopAsyncIteration):
            await coming
        await listening(web, 0)


@pytest.mark.parametrize(
    ("query", "status"), [("after=-1", 422), ("after=x", 422), ("after=99999999999999999999", 422)]
)
async def test_a_number_that_is_none_is_refused(web: Web, query: str, status: int) -> None:
    async with web.viewing(web.hall.session_id) as browser:
        answer = await browser.get(f"/api/sessions/{web.hall.session_id}/events?{query}")
    assert answer.status_code == status


async def test_a_listener_that_is_let_go_closes_its_source() -> None:
    closed = asyncio.Event()

    async def source() -> AsyncIterator[LiveEvent]:
        try:
            yield LiveEvent(1, "a", {})
            await asyncio.Event().wait()
        finally:
            closed.set()

    async def allowed() -> bool:
        return True

    frames = sse.stream(source(), 60, allowed)
    assert [await anext(frames), await anext(frames)] == [b"retry: 2000\n\n", b"event: a\nid: 1\ndata: {}\n\n"]
    waiting = asyncio.ensure_future(anext(frames))
    await asyncio.sleep(0)
    waiting.cancel()
    with suppress(asyncio.CancelledError):
        await waiting
    async with asyncio.timeout(DEADLINE_S):
        await closed.wait()


# ---- sockets ---------------------------------------------------------------------------------------------------------


async def test_signaling_takes_text_and_bytes_and_says_goodbye(web: Web) -> None:
    async with serving(web) as host:
        async with connect(f"ws://{host}/signal") as peer:
            await peer.send("hello")
            assert await peer.recv() == "hello"
            await peer.send(b"\x00\x01")
            assert await peer.recv() == b"\x00\x01"
            await peer.send("bye")
            with pytest.raises(ConnectionClosed) as closed:
                await peer.recv()
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1000, "bye")
    assert web.runtime.peers == ["127.0.0.1"]
    assert web.runtime.heard == ["hello", b"\x00\x01"]


async def test_a_peer_that_leaves_or_vanishes_is_noticed_with_its_code(web: Web) -> None:
    async with serving(web) as host:
        async with connect(f"ws://{host}/signal") as peer:
            await peer.close(4001, "enough")
        vanishing = await connect(f"ws://{host}/signal")
        vanishing.transport.abort()
        async with asyncio.timeout(DEADLINE_S):
            while len(web.runtime.closed_with) < 2:
                await asyncio.sleep(0)
    assert web.runtime.closed_with[0] == 4001
    assert web.runtime.closed_with[1] in {1005, 1006}


async def test_a_worker_comes_in_with_its_token_only(web: Web) -> None:
    async with serving(web) as host:
        for headers in (
            {},
            {"Authorization": "Bearer wrong"},
            {"Authorization": f"Bearer {web.hall.device_tokens[0]}"},
        ):
            with pytest.raises(InvalidStatus) as refused:
                await connect(f"ws://{host}/feed", additional_headers=headers)
            assert refused.value.response.status_code == 403
        async with connect(f"ws://{host}/feed", additional_headers={"Authorization": f"Bearer {WORKER}"}) as worker:
            await worker.send("bye")
            with pytest.raises(ConnectionClosed):
                await worker.recv()
    assert web.runtime.worker_tokens == [WORKER]


async def test_a_session_that_is_seen_by_two_pages_reaches_both(web: Web) -> None:
    async with serving(web) as host, following(web, host) as one, following(web, host) as two:
        await listening(web, 2)
        await web.runtime.tell(web.hall.session_id, "line.committed", {"at": NOW})
        assert await one.next() == await two.next() == ("line.committed", "1", {"at": NOW})
