"""Calendars by address: nobody becomes a hand inside our network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

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
