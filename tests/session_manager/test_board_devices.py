"""A board's own client tells the real web what it finds; the office reads since when something is missing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn

from room_agent.errors import HubRefused
from room_agent.hub import HubClient
from session_manager.morning import morning
from tests.session_manager.hall import NOW, Web

WELL = {"microphone": True, "speaker": True, "camera": None}
DEAF = {**WELL, "microphone": False}


@asynccontextmanager
async def on_loopback(web: Web) -> AsyncIterator[str]:
    config = uvicorn.Config(web.app, host="127.0.0.1", port=0, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving


def missing(web: Web) -> list[tuple[str, object]]:
    """Of the morning's line of boards: what, and since when."""
    web.store.board_by_token(web.hall.device_tokens[1], web.at[0])
    lines = morning(web.store.morning_facts("default", web.at[0]), web.at[0]).lines
    return [(line.what, line.values["at"]) for line in lines if line.subject == "boards"]


async def test_a_missing_microphone_is_in_the_morning_with_the_moment_it_was_first_missed(web: Web) -> None:
    async with on_loopback(web) as url:
        board = HubClient(url, web.hall.device_tokens[0])
        await board.devices(WELL)
        assert missing(web) == []
        web.at[0] = NOW + 100
        for _ in range(3):
            await board.devices(DEAF)
            assert missing(web) == [("no_microphone", NOW + 100)]
            web.at[0] += 180
        await board.devices(WELL)
        assert missing(web) == []
        await board.devices(DEAF)
        assert missing(web) == [("no_microphone", NOW + 640)]
        await board.close()


async def test_a_board_that_nobody_added_tells_nothing(web: Web) -> None:
    async with on_loopback(web) as url:
        board = HubClient(url, "nobody")
        with pytest.raises(HubRefused):
            await board.devices(DEAF)
        await board.close()
    web.store.board_by_token(web.hall.device_tokens[0], web.at[0])
    assert missing(web) == []
