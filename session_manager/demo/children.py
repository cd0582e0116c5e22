"""The demo's processes: the real hub and the real boards, each in its own process as in a real installation."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

START_S = 60.0
STOP_S = 10.0


class ChildFailed(Exception):
    """A process of the demo ended or did not start; `str()` says which and where its log is."""


class Child:
    """`await Child.start(...)`: ready when it has printed its JSON line. Its log goes to a file."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self.process = process
        self.log = log
        self.announced: dict[str, Any] = {}

    @classmethod
    async def start(
        cls,
        name: str,
        arguments: Sequence[str],
        folder: Path,
        environment: Mapping[str, str] | None = None,
        *,
        before: Sequence[str] = (),
    ) -> Child:
        """`before`: a command that becomes this process, such as one that enters a network namespace."""
        path = folder / f"{name}.log"
        with path.open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *before,
                sys.executable,
                *arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )
        child = cls(name, process, path)
        try:
            async with asyncio.timeout(START_S):
                child.announced = await child._first_line()
        except TimeoutError as error:
            await child.stop()
            raise ChildFailed(f"{name} did not get ready within {START_S:.0f} s; see {path}.") from error
        return child

    async def _first_line(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            with contextlib.suppress(json.JSONDecodeError):
                found = json.loads(line)
                if isinstance(found, dict):
                    return found
        code = await self.process.wait()
        last = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
        raise ChildFailed(f"{self.name} ended with code {code}: {last[0] if last else 'no word why'} ({self.log})")

    async def stop(self) -> None:
        """Asks, waits, then insists."""
        if self.process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()
        try:
            await asyncio.wait_for(self.process.wait(), STOP_S)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()
