"""`python -m room_agent run`: the board's process; settings in, exit code out.

0: ended when asked, or after the session with `--once`. 2: could not start, with the reason on stderr.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from room_agent.config import BoardSettings, load
from room_agent.errors import CannotStart

logger = logging.getLogger("room_agent")

STOP_S = 2.7


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="shimawa board", description="A meeting board: devices, call and state page.")
    parts = top.add_subparsers(dest="command", required=True)
    run = parts.add_parser("run", prog="shimawa board", help="join whatever session is due")
    run.add_argument("--config", type=Path, help="TOML file with the board's settings")
    run.add_argument("--hub", help="address of the hub, http://host:port")
    run.add_argument("--token-file", type=Path, help="file that holds the device token")
    run.add_argument("--state", type=Path, help="folder that belongs to this board alone")
    run.add_argument("--microphone", metavar="SPEC", help="see `python -m hardware`; none for no microphone")
    run.add_argument("--camera", metavar="SPEC")
    run.add_argument("--speaker", metavar="SPEC")
    run.add_argument("--echo", choices=("auto", "on", "off"), help="this program's echo canceller")
    run.add_argument("--relay", choices=("auto", "only", "off"), help="use of the hub's relay (TURN)")
    run.add_argument("--status-port", type=int, help="port of the state page on 127.0.0.1; 0 for any")
    run.add_argument("--video-slots", type=int, help="receive so many videos (they are not shown here)")
    run.add_argument("--once", action="store_true", default=None, help="end after the session")
    run.add_argument("--json", action="store_true", help="print one line of JSON when started")
    run.add_argument("--verbose", action="store_true", help="log details")
    return top


def settings_of(arguments: argparse.Namespace) -> BoardSettings:
    flags = {
        ("hub",): arguments.hub,
        ("token_file",): arguments.token_file,
        ("state",): arguments.state,
        ("status_port",): arguments.status_port,
        ("video_slots",): arguments.video_slots,
        ("once",): arguments.once,
        ("echo",): arguments.echo,
        ("relay",): arguments.relay,
        ("devices", "microphone"): arguments.microphone,
        ("devices", "camera"): arguments.camera,
        ("devices", "speaker"): arguments.speaker,
    }
    return load(arguments.config, os.environ, flags)


def on_stop(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
    """Call `stop` on the loop at Ctrl-C and when the system asks; Windows loops know no signal handlers."""
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        number = getattr(signal, name, None)
        if number is None:
            continue
        try:
            loop.add_signal_handler(number, stop)
        except NotImplementedError:
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))


def end_by_force() -> None:
    """A driver that hangs in its own thread must not keep the board from ending."""
    timer = threading.Timer(STOP_S, os._exit, (0,))
    timer.daemon = True
    timer.start()


async def board(settings: BoardSettings, announce: Callable[[str], None]) -> None:
    """Everything that lives as long as the process. Raises `CannotStart`."""
    # Here and not above: what is wrong with a setting is said without loading a media library.
    from room_agent.agent import Agent
    from room_agent.epochs import EpochCounter
    from room_agent.panel.app import bind, serve_panel
    from signaling.media.aiortc_adapter import assert_pinned
    from signaling.media.errors import VersionMismatch

    try:
        assert_pinned()
    except VersionMismatch as error:
        raise CannotStart(str(error)) from error
    listener = bind(settings.status_port)
    agent = Agent(settings, EpochCounter(settings.state))
    running = asyncio.create_task(agent.run(), name="agent")

    def stop() -> None:
        end_by_force()
        running.cancel()

    on_stop(asyncio.get_running_loop(), stop)
    async with serve_panel(listener, agent.status) as url:
        announce(url)
        await asyncio.wait([running])
    if not running.cancelled():
        running.result()


def announcement(as_json: bool) -> Callable[[str], None]:
    def announce(url: str) -> None:
        text = json.dumps({"status_url": url}) if as_json else f"This board's state: {url}"
        print(text, flush=True)

    return announce


def main(argv: Sequence[str] | None = None) -> int:
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["enrol"]:
        from room_agent import enrol

        return enrol.main(words[1:])
    arguments = parser().parse_args(words)
    logging.basicConfig(
        level=logging.DEBUG if arguments.verbose else logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    for library in ("aiortc", "aioice", "httpx", "httpcore", "uvicorn", "websockets"):
        logging.getLogger(library).setLevel(logging.WARNING)
    try:
        asyncio.run(board(settings_of(arguments), announcement(arguments.json)))
    except CannotStart as error:
        print(error, file=sys.stderr)
        return 2
    logger.info("ended")
    return 0


if __name__ == "__main__":
    sys.exit(main())
