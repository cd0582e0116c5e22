"""The board's question to the hub, over a real socket."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import pytest

from room_agent.errors import HubRefused, HubUnreachable
from room_agent.fakes import ScriptedHub, invitation, scripted_hub
from room_agent.hub import HubClient, Invitation, NothingDue, signaling_url


@pytest.fixture
async def hub() -> AsyncIterator[ScriptedHub]:
    async with scripted_hub() as scripted:
        yield scripted


@pytest.fixture
async def client(hub: ScriptedHub) -> AsyncIterator[HubClient]:
    client = HubClient(hub.url, "device")
    yield client
    await client.close()


async def test_a_due_session_comes_with_a_token(hub: ScriptedHub, client: HubClient) -> None:
    hub.answers["device"] = invitation("join", "/signal", "iki", "壱岐")
    answer = await client.join()
    assert isinstance(answer, Invitation)
    assert (answer.site.site_id, answer.site.name, answer.token) == ("iki", "壱岐", "join")
    assert "join" not in repr(answer).replace("Invitation", "")


@pytest.mark.parametrize(("said", "understood"), [(None, None), (30, 30.0), (86_400, 300.0)])
async def test_nothing_due_may_name_a_time(
    hub: ScriptedHub, client: HubClient, said: int | None, understood: float | None
) -> None:
    hub.answers["device"] = None
    hub.retry_after_s = said
    assert await client.join() == NothingDue(understood)


async def test_an_unknown_board_is_told_whom_to_ask(client: HubClient) -> None:
    with pytest.raises(HubRefused, match="administrator"):
        await client.join()


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 500 -\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 -\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 -\r\nContent-Length: 5\r\n\r\nhello",
        b"SSH-2.0-something\r\n",
        b"",
    ],
)
async def test_an_answer_that_is_none_is_tried_again_later(hub: ScriptedHub, client: HubClient, raw: bytes) -> None:
    hub.raw = raw
    with pytest.raises(HubUnreachable):
        await client.join()


async def test_a_question_never_waits_on_a_connection_that_was_kept() -> None:
    """The first connection answers and stays; what comes on it later gets no answer, as over a cable that is out."""
    asked: list[int] = []
    ended = asyncio.Semaphore(0)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            asked.append(len(asked))
            writer.write(b"HTTP/1.1 204 -\r\nConnection: keep-alive\r\n\r\n")
            await reader.read()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        ended.release()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    client = HubClient(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", "device")
    for _ in range(3):
        assert await client.join() == NothingDue(None)
    await client.close()
    for _ in asked:
        await ended.acquire()
    server.close()
    await server.wait_closed()
    assert asked == [0, 1, 2]


async def test_no_hub_at_all_is_a_sentence(hub: ScriptedHub, client: HubClient) -> None:
    await hub.stop()
    with pytest.raises(HubUnreachable, match="does not answer"):
        await client.join()


@pytest.mark.parametrize(
    ("hub_url", "path", "expected"),
    [
        ("http://h:1", "/signal", "ws://h:1/signal"),
        ("https://h", "signal", "wss://h/signal"),
        ("http://h:1", "ws://other:2/", "ws://other:2/"),
    ],
)
def test_the_signaling_address_follows_the_hub(hub_url: str, path: str, expected: str) -> None:
    assert signaling_url(hub_url, path) == expected


async def test_the_hubs_clock_is_asked_until_one_answer_was_quick_and_no_longer(
    hub: ScriptedHub, client: HubClient
) -> None:
    assert hub.spool is not None
    hub.spool.clock = lambda: 5_000.0 + time.monotonic()
    await client.learn_clock()
    assert 1 <= hub.spool.asked <= 8
    found = client.clock.instant(10.0)
    assert found is not None
    assert abs(found.at - 5_010.0) <= found.within_s


@pytest.mark.parametrize(("way_s", "soon"), [(0.03, True), (0.2, False)], ids=["near", "far"])
async def test_a_near_hub_that_gives_no_quick_answer_is_worth_asking_again_and_a_far_one_is_not(
    hub: ScriptedHub, client: HubClient, way_s: float, soon: bool
) -> None:
    assert hub.spool is not None

    def after_the_way() -> float:
        time.sleep(way_s)
        return time.monotonic()

    hub.spool.clock = after_the_way
    assert await client.learn_clock() is soon
    assert hub.spool.asked <= 8


async def test_a_hub_that_does_not_say_what_its_clock_reads_is_asked_once(hub: ScriptedHub, client: HubClient) -> None:
    await client.learn_clock()
    assert hub.spool is not None
    assert hub.spool.asked == 1
    assert client.clock.instant(time.monotonic()) is None
