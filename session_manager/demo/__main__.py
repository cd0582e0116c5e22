"""`shimawa demo`: three sites hold a scripted dialogue on this machine; captions live, transcript complete."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from session_manager.demo.children import ChildFailed
from session_manager.demo.dialogue import load_dialogue
from session_manager.demo.performance import Performance
from session_manager.demo.report import Report
from session_manager.demo.stage import Stage
from session_manager.demo.terminal import Screen, complain

OUT = Path("build/demo")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="shimawa demo", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object with the figures on the last line")
    parser.add_argument("--keep", action="store_true", help="stay up after the dialogue, until Ctrl-C")
    parser.add_argument("--port", type=int, default=0, help="HTTP port of the demo's hub (any free one)")
    parser.add_argument("--out", type=Path, default=OUT, help="folder of the exported transcript (build/demo)")
    given = parser.parse_args(arguments)
    try:
        report = asyncio.run(_interruptible(given))
    except (ChildFailed, httpx.HTTPError, TimeoutError) as error:
        complain(f"shimawa demo: {error or 'the boards did not join in time'}")
        return 1
    if report is None:
        complain("The demo was stopped.")
        return 130
    if given.json:
        sys.stdout.write(json.dumps(report.as_json(), ensure_ascii=False) + "\n")
    return 0


async def _interruptible(given: argparse.Namespace) -> Report | None:
    """None when the user stopped it before it had a result."""
    task = asyncio.create_task(_run(given))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        return None


async def _run(given: argparse.Namespace) -> Report:
    dialogue = load_dialogue()
    given.out.mkdir(parents=True, exist_ok=True)
    with (
        TemporaryDirectory(prefix="shimawa-demo-") as folder,
        Screen([site.name for site in dialogue.sites], quiet=given.json) as screen,
    ):
        async with Stage(dialogue, Path(folder), given.port) as stage:
            screen.note(f"字幕のページ Live captions:  {stage.live_link}")
            screen.note(f"参加する Join by browser:     {stage.join_link}  (works once)")
            performance = Performance(stage, screen)
            report = await performance.play()
            files = await performance.export(given.out)
            if given.keep:
                screen.step("Ctrl-C でおわります Ctrl-C ends the demo")
                await _until_stopped()
    screen.report(report, files)
    return report


async def _until_stopped() -> None:
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.Event().wait()


if __name__ == "__main__":
    raise SystemExit(main())
