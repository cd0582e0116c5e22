"""A child process that the hub keeps alive, and that never outlives the hub: its stdin closing is its order to go.

A child that has once said something on its stdout goes on doing so at least every second, or it hangs and is ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence

log = logging.getLogger(__name__)

WAITS_S = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0)
STEADY_S = 30.0
"""A child that lived this long starts again without waiting."""
PULSE_S = 1.0
PULSES_MISSED = 15
"""So many seconds without a word in a row, counted, not timed: a hub that stood still itself accuses nobody."""


class TiedProcess:
    """Starts `command` again whenever it ends. `name` is for the log; `environment` is added to nothing: it is all."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        give_up: Sequence[int] = (2,),
        pulse_s: float = PULSE_S,
    ) -> None:
        self._name = name
        self._command = tuple(command)
        self._environment = dict(environment)
        self._give_up = frozenset(give_up)
        self._pulse_s = pulse_s
        self._process: asyncio.subprocess.Process | None = None
        self.starts = 0
        self.gave_up: Callable[[int], None] = lambda code: None
        """Called with the exit code when that code says that starting again cannot help."""

    @property
    def pid(self) -> int | None:
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def run(self) -> None:
        """Until cancelled, or the child ends with a code that says it cannot work."""
        failures = 0
        try:
            while True:
                await asyncio.sleep(WAITS_S[min(failures, len(WAITS_S) - 1)])
                began = time.monotonic()
                code = await self._once()
                if code in self._give_up:
                    log.error("%s cannot work (exit code %d); not started again", self._name, code)
                    self.gave_up(code)
                    return
                failures = 0 if time.monotonic() - began >= STEADY_S else failures + 1
                log.warning("%s ended with code %d; starting it again", self._name, code)
        finally:
            await self._stop()

    async def _once(self) -> int:
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,  # not the hub's own: whoever reads that shall see its end when it ends
            env=self._environment,
            start_new_session=True,  # Ctrl-C is for the hub, which then lets its workers finish
        )
        self.starts += 1
        log.info("%s runs as process %d", self._name, self._process.pid)
        watch = asyncio.create_task(self._watch(self._process))
        try:
            return await self._process.wait()
        finally:
            watch.cancel()

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        """Until it hangs; then it is ended. It may take its time before its first word."""
        assert process.stdout is not None
        missed = 0
        said = await process.stdout.read(4096)
        while said and missed < PULSES_MISSED:
            try:
                async with asyncio.timeout(self._pulse_s):
                    said = await process.stdout.read(4096)
                missed = 0
            except TimeoutError:
                missed += 1
        if said:
            log.error("%s hangs; it is ended", self._name)
            with contextlib.suppress(ProcessLookupError):
                process.kill()

    async def _stop(self) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        if process.stdin is not None:
            process.stdin.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), 3.0)
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
