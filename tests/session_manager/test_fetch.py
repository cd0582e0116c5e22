"""Calendars by address: nobody becomes a hand inside our network."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from session_manager.errors import NotPermitted, NotPossible
from session_manager.fetch import fetch, is_public

BODY = b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"


class Served:
    def __init__(self) -> None:
        self.answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
        self.asked: list[bytes] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(self.answer)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}/a.ics?x=1#y"

    @property
    def allowed(self) -> tuple[str, ...]:
        return (f"private:localhost:{self.port}",)


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    served = Served()
    server = await asyncio.start_server(served.serve, "127.0.0.1", 0)
    served.port = server.sockets[0].getsockname()[1]
    yield served
    server.close()
    await server.wait_closed()


async def test_an_allowed_calendar_is_read(served: Served) -> None:
    assert await fetch(served.url, served.allowed) == BODY
    assert served.asked[0].startswith(b"GET /a.ics?x=1 ")
    assert f"host: localhost:{served.port}".encode() in served.asked[0].lower()


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/a.ics",
        "http://localhost:{port}@127.0.0.1:{port}/",
        "http://user:pw@localhost:{port}/",
        "http://localhost.:1/",
        "http://[::1]:{port}/",
        "http://2130706433:{port}/",
        "http://0x7f.1:{port}/",
        "file:///etc/passwd",
        "ftp://localhost:{port}/a",
        "gopher://localhost:{port}/",
        "//localhost:{port}/",
        "http://localhost:{port}\\@calendar.example/",
        "http://local host:{port}/",
        "http://ｌocalhost:{port}/",
        "http://169.254.169.254/latest/meta-data",
        "http://calendar.example/a.ics",
        "https://calendar.example:8443/a.ics",
        "https://calendar.example.evil.example/",
        "https://evil.example/?calendar.example",
        "http://localhost:99999/",
        "http://[broken/",
        "",
    ],
)
async def test_every_other_address_is_refused_unasked(served: Served, url: str) -> None:
    with pytest.raises(NotPermitted):
        await fetch(url.replace("{port}", str(served.port)), ("calendar.example", *served.allowed))
    assert served.asked == []


async def test_a_listed_name_that_points_into_the_house_is_refused() -> None:
    with pytest.raises(NotPermitted):
        await fetch("https://localhost/a.ics", ("localhost",))


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\n\r\n", "302"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n" + b"x" * 2_000_000, "1 MiB"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "404"),
        (b"garbage\r\n\r\n", "cannot be read"),
    ],
)
async def test_a_redirect_or_a_flood_ends_there(served: Served, answer: bytes, sentence: str) -> None:
    served.answer = answer
    with pytest.raises(NotPossible, match=sentence):
        await fetch(served.url, served.allowed)
    assert len(served.asked) == 1


async def test_a_calendar_that_only_drips_is_given_up() -> None:
    """Each drop comes in time; all of them together do not."""

    dripping: list[tuple[asyncio.StreamWriter, asyncio.Task[Any] | None]] = []

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        dripping.append((writer, asyncio.current_task()))
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            while not writer.is_closing():
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.02)

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(NotPossible, match="too long"):
        await fetch(f"http://localhost:{port}/", (f"private:localhost:{port}",), total_s=0.3)
    server.close()
    await server.wait_closed()
    for writer, task in dripping:
        writer.transport.abort()
        await asyncio.gather(*([task] if task else []), return_exceptions=True)


async def test_a_small_packed_answer_does_not_become_a_large_one(served: Served) -> None:
    packed = gzip.compress(b" " * 30_000_000)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    served.answer = head + packed
    with pytest.raises(NotPossible, match="1 MiB"):
        await fetch(served.url, served.allowed)


class Rebinding(asyncio.SelectorEventLoop):
    """A name server in somebody's hands: each time it is asked, the name stands for something else."""

    def __init__(self, answers: list[list[str]]) -> None:
        super().__init__()
        self.answers, self.asked = answers, 0

    async def getaddrinfo(self, host: Any, port: Any, **_more: Any) -> Any:
        if host != "calendar.example":
            return await super().getaddrinfo(host, port, **_more)
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in answer]


@pytest.mark.parametrize(
    "answers", [[["127.0.0.1"]], [["93.184.215.14", "127.0.0.1"]], [["10.0.0.7"], ["93.184.215.14"]]]
)
def test_a_name_that_also_stands_for_something_inside_is_not_asked(answers: list[list[str]]) -> None:
    with asyncio.Runner(loop_factory=lambda: Rebinding(answers)) as runner, pytest.raises(NotPermitted):
        runner.run(fetch("https://calendar.example/", ("calendar.example",)))


def test_the_connection_goes_to_the_address_that_was_checked() -> None:
    """The name is asked once; what it stands for a moment later makes no difference."""
    first, second = Served(), Served()

    async def read() -> bytes:
        servers = [await asyncio.start_server(first.serve, "127.0.0.1", 0)]
        first.port = servers[0].sockets[0].getsockname()[1]
        servers.append(await asyncio.start_server(second.serve, "127.0.0.2", first.port))
        url = f"http://calendar.example:{first.port}/a.ics"
        body = await fetch(url, (f"private:calendar.example:{first.port}",))
        for server in servers:
            server.close()
            await server.wait_closed()
        while len(asyncio.all_tasks()) > 1:
            await asyncio.sleep(0.01)
        return body

    loop = Rebinding([["127.0.0.1"], ["127.0.0.2"]])
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        assert runner.run(read()) == BODY
    assert (len(first.asked), len(second.asked), loop.asked) == (1, 0, 1)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        *(
            (one, False)
            for one in (
                "127.0.0.1",
                "10.0.0.1",
                "172.16.0.1",
                "192.168.1.1",
                "169.254.169.254",
                "100.64.0.1",
                "0.0.0.0",
                "224.0.0.1",
                "255.255.255.255",
                "::",
                "::1",
                "fe80::1%eth0",
                "fd00::1",
                "::ffff:127.0.0.1",
                "64:ff9b::7f00:1",
                "2002:7f00:1::",
                "ff02::1",
                "nonsense",
            )
        ),
    ],
)
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public
