"""The board as a process: what it prints, when it ends, with which code."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import httpx
import pytest

from room_agent.__main__ import on_stop
from room_agent.panel.app import bind
from tests.room_agent.house import PATIENCE_S, House

DEVICES = ["--microphone", "sim:tone=440", "--camera", "none", "--speaker", "sim:meter"]


class Process:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.url = ""

    async def first_line(self) -> str:
        assert self.process.stdout is not None
        return (await asyncio.wait_for(self.process.stdout.readline(), PATIENCE_S)).decode()

    async def state(self, client: httpx.AsyncClient, wanted: str) -> dict[str, object]:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                facts: dict[str, object] = (await client.get(self.url)).json()
                if facts["state"] == wanted:
                    return facts
                await asyncio.sleep(0.05)

    async def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return await asyncio.wait_for(self.process.wait(), PATIENCE_S)


@contextlib.asynccontextmanager
async def started(token: str, *arguments: str) -> AsyncIterator[Process]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SHIMAWA_")}
    environment["SHIMAWA_DEVICE_TOKEN"] = token
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "room_agent", "run", *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=environment,
    )  # fmt: skip
    try:
        yield Process(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_a_killed_board_comes_back_with_a_higher_epoch_and_leaves_properly_when_asked(tmp_path: Path) -> None:
    async with House() as house, house.forwarding(), httpx.AsyncClient(trust_env=False) as client:
        house.expect("iki")
        arguments = ["--hub", house.http.url, "--state", str(tmp_path), "--json", *DEVICES]
        for number in (signal.SIGKILL, signal.SIGTERM):
            async with started("iki", *arguments) as board:
                board.url = json.loads(await board.first_line())["status_url"]
                await board.state(client, "live")
                before = len(house.packets)
                async with asyncio.timeout(PATIENCE_S):
                    while len(house.packets) < before + 10:
                        await asyncio.sleep(0.02)
                code = await board.end(number)
    assert code == 0
    assert {each.epoch for each in house.packets} == {1, 2}
    assert house.directory.seats[-1] == ("iki", "left")


async def test_without_a_hub_it_waits_and_ends_at_ctrl_c(tmp_path: Path) -> None:
    async with started("x", "--hub", "http://127.0.0.1:1", "--state", str(tmp_path), *DEVICES) as board:
        assert (await board.first_line()).startswith("This board's state: http://127.0.0.1:")
        assert await board.end(signal.SIGINT) == 0


async def test_what_hinders_a_start_is_a_sentence_and_code_2(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    taken = bind(0)
    port = str(taken.getsockname()[1])
    cases = [
        ("", ["--state", str(tmp_path)], "no device token"),
        ("x", ["--hub", "somewhere"], "http://"),
        ("x", ["--state", str(tmp_path / "file" / "x")], "state folder"),
        ("x", ["--state", str(tmp_path), "--status-port", port], "in use"),
        ("x", ["--config", str(tmp_path / "none.toml")], "cannot be read"),
    ]
    with contextlib.closing(taken):
        for token, arguments, said in cases:
            async with started(token, *arguments) as board:
                out, err = await asyncio.wait_for(board.process.communicate(), PATIENCE_S)
            assert (board.process.returncode, out) == (2, b""), arguments
            assert said in err.decode()
            assert "Traceback" not in err.decode()


@pytest.mark.parametrize("module", ["room_agent.__main__", "room_agent.config"])
async def test_settings_are_judged_without_loading_a_media_library(module: str) -> None:
    code = f"import sys, {module}; sys.exit(bool({{'aiortc', 'av', 'numpy'}} & set(sys.modules)))"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
    assert await process.wait() == 0


async def test_where_the_loop_knows_no_signals_ctrl_c_still_asks_to_stop() -> None:
    """As on Windows."""
    stopped = asyncio.Event()

    class Portable:
        call_soon_threadsafe = staticmethod(asyncio.get_running_loop().call_soon_threadsafe)

        def add_signal_handler(self, number: int, callback: object) -> None:
            raise NotImplementedError

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        on_stop(cast(asyncio.AbstractEventLoop, Portable()), stopped.set)
        signal.raise_signal(signal.SIGINT)
        await asyncio.wait_for(stopped.wait(), PATIENCE_S)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
