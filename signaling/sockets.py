"""The `websockets` library as our `Socket`: the only file that imports it.

No compression: messages are small, deflate costs 64 KiB and more per peer and direction, and a description with keys in
it shall not be compressed beside text of others (CRIME). No pings: the protocol has its own beats.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import websockets.asyncio.client
import websockets.asyncio.connection
import websockets.asyncio.server
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from signaling.errors import ListenFailed, Unreachable
from signaling.messages import MAX_MESSAGE_BYTES
from signaling.ports import Socket, SocketClosed

Serve = Callable[[Socket, str], Awaitable[None]]

OPEN_S = 10.0
CLOSE_S = 2.0
WAITING_MESSAGES = 16
"""Received messages that wait in the library; then the socket is not read."""


class WebsocketsSocket:
    def __init__(self, connection: websockets.asyncio.connection.Connection) -> None:
        self._connection = connection

    async def receive(self) -> str | bytes:
        try:
            return await self._connection.recv()
        except ConnectionClosed as closed:
            raise SocketClosed(_code(closed)) from closed

    async def send(self, message: str | bytes) -> None:
        try:
            await self._connection.send(message)
        except ConnectionClosed as closed:
            raise SocketClosed(_code(closed)) from closed

    async def close(self, code: int, reason: str) -> None:
        """Says goodbye, and lets go of the socket also when nobody answers or the caller has no more patience."""
        try:
            await self._connection.close(code, reason)
        finally:
            self._connection.transport.abort()


async def connect(url: str) -> Socket:
    """Raises `Unreachable`."""
    try:
        connection = await websockets.asyncio.client.connect(
            url,
            max_size=MAX_MESSAGE_BYTES,
            max_queue=WAITING_MESSAGES,
            compression=None,
            ping_interval=None,
            open_timeout=OPEN_S,
            close_timeout=CLOSE_S,
            proxy=None,
        )
    except (OSError, TimeoutError, InvalidHandshake, InvalidURI) as error:
        raise Unreachable(type(error).__name__) from error
    return WebsocketsSocket(connection)


@asynccontextmanager
async def serve(server: Serve, host: str, port: int) -> AsyncIterator[int]:
    """Accept connections while the block runs; gives the port (asked for 0: whichever was free).

    `server` is `SignalingServer.serve`. Raises `ListenFailed`.
    """

    async def accepted(connection: websockets.asyncio.server.ServerConnection) -> None:
        address = connection.remote_address
        await server(WebsocketsSocket(connection), str(address[0]) if address else "")

    try:
        listening = await websockets.asyncio.server.serve(
            accepted,
            host,
            port,
            max_size=MAX_MESSAGE_BYTES,
            max_queue=WAITING_MESSAGES,
            compression=None,
            ping_interval=None,
            open_timeout=OPEN_S,
            close_timeout=CLOSE_S,
        )
    except OSError as error:
        raise ListenFailed(f"Port {port} on {host} cannot be used ({error.strerror}); choose another.") from error
    async with listening:
        yield next(iter(listening.sockets)).getsockname()[1]


def _code(closed: ConnectionClosed) -> int:
    frame = closed.rcvd or closed.sent
    return frame.code if frame is not None else 1006
