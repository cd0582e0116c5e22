"""The board's own page server, for the touch display beside it: loopback only, nothing to change, nothing secret."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from room_agent.errors import CannotStart
from room_agent.status import Status

LOOPBACK = "127.0.0.1"


def build_app(facts: Callable[[], Status]) -> Starlette:
    """`GET /status` answers with the facts as they are at that moment."""

    async def status(_: Request) -> JSONResponse:
        return JSONResponse(facts().as_json(), headers={"Cache-Control": "no-store"})

    # A page elsewhere must not read this by pointing its own name at 127.0.0.1 (DNS rebinding).
    hosts = Middleware(TrustedHostMiddleware, allowed_hosts=[LOOPBACK, "localhost"])
    return Starlette(routes=[Route("/status", status, methods=["GET"])], middleware=[hosts])


def bind(port: int) -> socket.socket:
    """A listening loopback socket; 0 takes any free port. Raises `CannotStart`."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.bind((LOOPBACK, port))
        listener.listen(16)
    except OSError as error:
        listener.close()
        raise CannotStart(
            f"Port {port} on this machine is in use; choose another one with --status-port, or 0 for any."
        ) from error
    listener.setblocking(False)
    return listener


@contextlib.asynccontextmanager
async def serve_panel(listener: socket.socket, facts: Callable[[], Status]) -> AsyncIterator[str]:
    """Serve while the context is open; gives the address of the status. Closes the socket."""
    config = uvicorn.Config(
        build_app(facts), log_config=None, lifespan="off", access_log=False, timeout_graceful_shutdown=1
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]), name="panel")
    try:
        yield f"http://{LOOPBACK}:{listener.getsockname()[1]}/status"
    finally:
        server.should_exit = True
        await task
        listener.close()


class _Server(uvicorn.Server):
    """The process's own signal handling stays in charge."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]
        yield
