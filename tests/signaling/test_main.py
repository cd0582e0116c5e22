"""`python -m signaling` as a whole process, and the socket adapter's own errors."""

import asyncio
import signal
import socket
import sys

import pytest

from signaling.__main__ import main
from signaling.client import SignalingClient
from signaling.errors import ListenFailed, Unreachable
from signaling.messages import ClientInfo, MediaSubscribe, Refused
from signaling.ports import Socket
from signaling.sockets import connect, serve


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
async def test_a_standalone_server_takes_the_tokens_it_printed_and_refuses_media(end: signal.Signals) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "signaling", "--role", "board", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(30):
        url = (await process.stdout.readline()).decode().strip()
        role, token = (await process.stdout.readline()).decode().strip().split("\t")
    assert role == "board"

    async def source() -> str:
        return token

    client = SignalingClient(url, source, ClientInfo(name="test"))
    run = asyncio.create_task(client.run())
    refused = await client.request(MediaSubscribe(generation=0))
    assert isinstance(refused, Refused)
    assert refused.code == "no_media"
    await client.leave()
    await run
    process.send_signal(end)
    async with asyncio.timeout(30):
        assert await process.wait() == 0


def test_a_server_for_nobody_says_what_to_give(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "--open" in capsys.readouterr().err


def test_a_port_in_use_is_said_in_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--open", "--port", str(port)]) == 1
    assert f"Port {port}" in capsys.readouterr().err


async def test_listening_where_somebody_listens_fails_with_our_error() -> None:
    async def nobody(socket: Socket, address: str) -> None:
        raise AssertionError("nobody connects here")

    async with serve(nobody, "127.0.0.1", 0) as port:
        with pytest.raises(ListenFailed, match="choose another"):
            async with serve(nobody, "127.0.0.1", port):
                pass


@pytest.mark.parametrize("url", ["ws://127.0.0.1:1/signal", "http://127.0.0.1/", "nonsense"])
async def test_a_hub_that_is_not_there_is_unreachable(url: str) -> None:
    with pytest.raises(Unreachable, match="cannot be reached"):
        await connect(url)
