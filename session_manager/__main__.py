"""`python -m session_manager serve | admin ...`"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
from collections.abc import Sequence
from dataclasses import asdict

from session_manager import admin
from session_manager.errors import StartFailed
from session_manager.flags import add_hub_flags
from session_manager.settings import load_settings

LOG_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="session_manager", description="The hub of Shimawa.")
    parts = parser.add_subparsers(dest="part", required=True)
    _serve_arguments(parts.add_parser("serve", prog="shimawa hub", help="run the hub"))
    admin.add_arguments(parts)
    given = parser.parse_args(arguments)
    if given.part == "serve":
        return _serve(given)
    return admin.run(given)


def _serve_arguments(parser: argparse.ArgumentParser) -> None:
    add_hub_flags(parser)
    parser.add_argument("--model", help="`fixture`, a folder, a model name on this machine, or `none`")
    parser.add_argument("--test-door", action="store_true", default=None, help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", help="print one JSON line when ready")
    parser.add_argument("--log-level", default="INFO", choices=("DEBUG", "INFO", "WARNING", "ERROR"))


def _serve(given: argparse.Namespace) -> int:
    logging.basicConfig(level=given.log_level, format=LOG_FORMAT, stream=sys.stderr)
    for noisy in ("alembic", "httpx", "aioice", "aiortc", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    try:
        named = {
            name: value for name, value in vars(given).items() if name not in ("part", "config", "json", "log_level")
        }
        settings = load_settings(given.config, **named)
        from session_manager import hub
    except StartFailed as error:
        print(f"shimawa hub: {error}", file=sys.stderr)
        return 2

    def ready(running: hub.HubRunning) -> None:
        if given.json:
            print(json.dumps(asdict(running)), flush=True)
        else:
            print(f"The hub is ready: {running.url}", flush=True)

    try:
        import uvloop
    except ImportError:
        return asyncio.run(hub.serve(settings, ready))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(hub.serve(settings, ready))


if __name__ == "__main__":
    raise SystemExit(main())
