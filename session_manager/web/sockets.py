"""WebSockets: `/signal` for boards and browsers, `/feed` for transcription workers."""

from __future__ import annotations

import contextlib

from fastapi import APIRouter, WebSocket
from starlette.websockets import WebSocketDisconnect, WebSocketState

from session_manager.access import Action
from session_manager.web.context import ContextDep, permit
from session_manager.web.security import bearer
from signaling.ports import SocketClosed

NO_CODE = 1006

router = APIRouter()


class StarletteSocket:
    """`signaling.ports.Socket` over an accepted Starlette WebSocket."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket

    async def receive(self) -> str | bytes:
        if self._socket.client_state is not WebSocketState.CONNECTED:
            raise SocketClosed(NO_CODE)
        try:
            message = await self._socket.receive()
        except (WebSocketDisconnect, RuntimeError) as error:
            raise SocketClosed(getattr(error, "code", NO_CODE)) from error
        if message["type"] == "websocket.disconnect":
            raise SocketClosed(message.get("code") or NO_CODE)
        text: str | None = message.get("text")
        return text if text is not None else bytes(message.get("bytes") or b"")

    async def send(self, message: str | bytes) -> None:
        try:
            if isinstance(message, str):
                await self._socket.send_text(message)
            else:
                await self._socket.send_bytes(message)
        except (WebSocketDisconnect, RuntimeError, OSError) as error:
            raise SocketClosed(getattr(error, "code", NO_CODE)) from error

    async def close(self, code: int, reason: str) -> None:
        """Closing what is closed already is nothing."""
        with contextlib.suppress(WebSocketDisconnect, RuntimeError, OSError):
            await self._socket.close(code, reason)


@router.websocket("/signal", dependencies=[permit(Action.SIGNAL)])
async def signal(socket: WebSocket, context: ContextDep) -> None:
    """The join token comes in the first message, never in the address."""
    await socket.accept()
    address = socket.client.host if socket.client is not None else ""
    ours = StarletteSocket(socket)
    await context.runtime.serve_peer(ours, address)
    await ours.close(1000, "")


@router.websocket("/feed", dependencies=[permit(Action.FEED)])
async def feed(socket: WebSocket, context: ContextDep) -> None:
    await socket.accept()
    ours = StarletteSocket(socket)
    await context.runtime.serve_worker(ours, bearer(socket) or "")
    await ours.close(1000, "")
