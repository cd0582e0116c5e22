"""`python -m transcription FILE...` writes what is said in sound files; with `worker` it serves a hub.

Exit codes: 0 done; 1 interrupted; 2 something given is wrong (file, model, address); 3 the hub refused the worker.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress

from transcription.errors import FeedClosed, TranscriptionError


def main(arguments: Sequence[str] | None = None) -> int:
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if given[:1] == ["worker"]:
            return _worker(given[1:])
        from transcription.file_command import run

        return run(given)
    except FeedClosed as error:
        print(error, file=sys.stderr)
        return 3
    except TranscriptionError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 1


def _worker(given: list[str]) -> int:
    settings_of = _worker_parser().parse_args(given)
    from transcription.engines import load_recogniser
    from transcription.memory import give_back_large_blocks
    from transcription.settings import WorkerSettings, token_from_environment, worker_name

    give_back_large_blocks()
    logging.basicConfig(level=settings_of.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("websockets").setLevel(logging.WARNING)
    settings = WorkerSettings(
        hub=settings_of.hub,
        token=token_from_environment(),
        name=worker_name(),
        engine=settings_of.engine,
        model=settings_of.model,
        device=settings_of.device,
        compute=settings_of.compute,
        threads=settings_of.threads,
        full_windows=settings_of.full_windows,
        tied=settings_of.tied,
        partial_interval_s=settings_of.partial_interval,
    )
    recogniser = load_recogniser(
        settings.engine, settings.model, settings.device, settings.compute, settings.threads, settings.full_windows
    )
    from transcription.worker import Worker, stop_when_input_ends

    async def serve() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            with suppress(NotImplementedError):  # Windows has no signal handlers on its loop
                loop.add_signal_handler(number, stop.set)
        if settings.tied:
            stop_when_input_ends(lambda: loop.call_soon_threadsafe(stop.set))
        await Worker(settings, recogniser).run(stop)

    asyncio.run(serve())
    return 0


def _worker_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="shimawa worker", description="Recognise streams of a hub.")
    parser.add_argument("--hub", required=True, help="the hub's feed, ws://host:port/feed")
    parser.add_argument("--tied", action="store_true", help="end when standard input closes")
    parser.add_argument("--partial-interval", type=float, default=1.0, metavar="S")
    parser.add_argument("--log-level", default="INFO", choices=("DEBUG", "INFO", "WARNING", "ERROR"))
    add_engine_options(parser)
    return parser


def add_engine_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--engine", default="whisper", choices=("whisper", "tone"))
    parser.add_argument("--model", default="fixture", help='"fixture", a directory, or a name in the local cache')
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    parser.add_argument("--compute", default="auto", help="CTranslate2 compute type, for example int8 or float16")
    parser.add_argument("--threads", type=int, default=0, help="of the recogniser; 0 chooses")
    parser.add_argument("--full-windows", action="store_true", help="always 30 s, for models that need it")


if __name__ == "__main__":
    sys.exit(main())
