"""`python -m signaling`: one development session without a hub. Anybody with the token is in; media is refused."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import secrets
import signal
import sys
from collections.abc import Sequence

from signaling.errors import ListenFailed
from signaling.fakes import RefusingPlane, ScriptedDirectory, grant
from signaling.ports import Role
from signaling.server import SignalingServer
from signaling.settings import SignalingSettings
from signaling.sockets import serve


def main(argv: Sequence[str] | None = None) -> int:
    arguments = _parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    roles = list(Role) if arguments.open else [Role(role) for role in arguments.role]
    if not roles:
        print("Nobody could join: give --role for each seat, or --open for one seat of every role.", file=sys.stderr)
        return 2
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_run(arguments.host, arguments.port, roles, test_door=arguments.test_door))
    except ListenFailed as error:
        print(error, file=sys.stderr)
        return 1
    return 0


async def _run(host: str, port: int, roles: Sequence[Role], *, test_door: bool) -> None:
    directory = ScriptedDirectory()
    for number, role in enumerate(roles, start=1):
        directory.tokens[secrets.token_urlsafe(16)] = grant(f"seat-{number}", role)
    server = SignalingServer(directory, RefusingPlane(), settings=SignalingSettings(test_door=test_door))
    server.open_session("session-1", title="Development", state="live")
    async with serve(server.serve, host, port) as bound:
        print(f"ws://{host}:{bound}/signal", flush=True)
        for token, worth in directory.tokens.items():
            print(f"{getattr(worth, 'role', '')}\t{token}", flush=True)
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError):  # Windows has no signal handlers on its loop
                asyncio.get_running_loop().add_signal_handler(number, stop.set)
        try:
            await stop.wait()
        finally:
            await server.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m signaling", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--open", action="store_true", help="one seat of every role")
    parser.add_argument("--role", action="append", default=[], choices=[role.value for role in Role])
    parser.add_argument("--test-door", action="store_true", help="allow test.inject")
    return parser


if __name__ == "__main__":
    sys.exit(main())
