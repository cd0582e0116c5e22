"""One worker process as the hub holds it: started, spoken to, started again when it dies."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Callable, Sequence

from signaling.media import control
from signaling.media.errors import ControlError, MediaError, PortInUse, VersionMismatch
from signaling.ports import LoggedPacket, MediaRefused

log = logging.getLogger(__name__)

RESTART_DELAYS_S = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 10.0)
STABLE_AFTER_S = 30.0
"""A worker that lived this long starts with no delay again."""

START_TIMEOUT_S = 20.0
REPLY_TIMEOUT_S = 10.0
STOP_TIMEOUT_S = 5.0
GRACE_S = 1.0
MAX_UNREAD_BYTES = 4 << 20
"""What the worker has not read yet. Beyond it calls are refused at once: it hangs, and they would only wait."""
PULSE_S = 1.0
PULSES_MISSED = 6
"""A worker that says nothing to so many pulses in a row hangs: it is ended, and the next one takes its port. They are
counted, not timed, so that a hub that stood still itself accuses nobody."""


def restart_delay_s(deaths_in_a_row: int) -> float:
    """How long to wait before the next start; 1 is the first death."""
    return RESTART_DELAYS_S[min(max(deaths_in_a_row, 1), len(RESTART_DELAYS_S)) - 1]


class WorkerProcess:
    """One seat for a worker: at most one process at a time, always on the same UDP port once that is known.

    `told` gets events and audio, `died` is called when a process that had been ready is gone. Both on the loop.
    """

    def __init__(
        self,
        command: Sequence[str],
        port: int,
        told: Callable[[control.Told | tuple[LoggedPacket, ...]], None],
        died: Callable[[WorkerProcess], None],
        *,
        pulse_s: float = PULSE_S,
    ) -> None:
        self._command = command
        self._pulse_s = pulse_s
        self.port = port
        self.deaths = 0
        self._told, self._died = told, died
        self._process: asyncio.subprocess.Process | None = None
        self._replies: dict[int, asyncio.Future[control.Reply]] = {}
        self._numbers = itertools.count(1)
        self._ready = False
        self._closing = False
        self._reads = 0
        self._task: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None and self._ready else None

    async def start(self) -> None:
        """Start and wait until it forwards. Raises `PortInUse`, `VersionMismatch` or `MediaError`."""
        reader = await self._launch()
        self._task = asyncio.get_running_loop().create_task(self._supervise(reader))

    async def _launch(self) -> control.FrameReader:
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            "--port",
            str(self.port),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the hub, which then ends its sessions in order
        )
        frames = control.FrameReader()
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                await self._await_ready(self._process, frames)
        except TimeoutError as fault:
            await self._kill()
            raise MediaError("The media worker did not start in time. Look at its log.") from fault
        except MediaError:
            await self._kill()
            raise
        return frames

    async def _await_ready(self, process: asyncio.subprocess.Process, frames: control.FrameReader) -> None:
        assert process.stdout is not None
        while data := await process.stdout.read(65536):
            for body in frames.feed(data):
                told = control.read_told(body)
                if isinstance(told, control.Failed):
                    raise _failure(told)
                if isinstance(told, control.Ready):
                    self.port = told.port
                    self._ready = True
                    return
        raise MediaError("The media worker ended before it was ready. Look at its log.")

    async def _supervise(self, frames: control.FrameReader) -> None:
        loop = asyncio.get_running_loop()
        while True:
            born = loop.time()
            watch = loop.create_task(self._watch())
            try:
                await self._listen(frames)
            finally:
                watch.cancel()
            self._ready = False
            await self._kill()
            self._fail_calls()
            if self._closing:
                return
            self.deaths = 1 if loop.time() - born > STABLE_AFTER_S else self.deaths + 1
            log.error("media worker on port %s died (%s in a row); starting it again", self.port, self.deaths)
            self._died(self)
            frames = await self._relaunch()
            log.info("media worker on port %s is back", self.port)

    async def _relaunch(self) -> control.FrameReader:
        while True:
            await asyncio.sleep(restart_delay_s(self.deaths))
            try:
                return await self._launch()
            except MediaError as fault:
                self.deaths += 1
                log.error("media worker could not start: %s", fault)

    async def _listen(self, frames: control.FrameReader) -> None:
        """Until the pipe ends or breaks."""
        assert self._process is not None
        assert self._process.stdout is not None
        try:
            while data := await self._process.stdout.read(262_144):
                self._reads += 1
                for body in frames.feed(data):
                    self._take(control.read_told(body))
        except ControlError as fault:
            log.error("media worker on port %s given up: %s", self.port, fault)

    async def _watch(self) -> None:
        """Until it hangs; then it is ended, and its pipe with it."""
        process = self._process
        assert process is not None
        assert process.stdin is not None
        missed = 0
        while missed < PULSES_MISSED:
            reads = self._reads
            if process.stdin.transport.get_write_buffer_size() <= MAX_UNREAD_BYTES:
                process.stdin.write(control.frame(control.Call(id=next(self._numbers), command=control.Pulse())))
            await asyncio.sleep(self._pulse_s)
            missed = missed + 1 if self._reads == reads else 0
        log.error("media worker on port %s hangs; it is ended", self.port)
        with contextlib.suppress(ProcessLookupError):
            process.kill()

    def _take(self, told: control.Told | tuple[LoggedPacket, ...]) -> None:
        if isinstance(told, control.Reply):
            waiting = self._replies.pop(told.id, None)
            if waiting is not None and not waiting.done():
                waiting.set_result(told)
        else:
            self._told(told)

    def _fail_calls(self) -> None:
        for waiting in self._replies.values():
            if not waiting.done():
                waiting.set_exception(_no_media())
        self._replies.clear()

    async def call(self, command: control.Command) -> control.Reply:
        """Raises `MediaRefused`: what the worker said, or `no_media` while there is no worker."""
        if not self._ready or self._process is None or self._process.stdin is None:
            raise _no_media()
        if self._process.stdin.transport.get_write_buffer_size() > MAX_UNREAD_BYTES:
            raise _no_media()
        number = next(self._numbers)
        waiting: asyncio.Future[control.Reply] = asyncio.get_running_loop().create_future()
        self._replies[number] = waiting
        self._process.stdin.write(control.frame(control.Call(id=number, command=command)))
        try:
            async with asyncio.timeout(REPLY_TIMEOUT_S):
                reply = await waiting
        except TimeoutError as fault:
            raise _no_media() from fault
        finally:
            self._replies.pop(number, None)
        if reply.code:
            raise MediaRefused(reply.code, reply.message)
        return reply

    async def close(self) -> None:
        """Ask it to end by closing its stdin; kill it if it does not."""
        self._closing = True
        process = self._process
        if process is not None and process.stdin is not None:
            process.stdin.close()
        if self._task is not None:
            if not self._ready:
                self._task.cancel()  # it may be waiting before a restart
            try:
                async with asyncio.timeout(STOP_TIMEOUT_S):
                    await asyncio.gather(self._task, return_exceptions=True)
            except TimeoutError:
                log.warning("media worker on port %s does not end; killing it", self.port)
        self._ready = False
        await self._kill()

    async def _kill(self) -> None:
        """See it ended: by its closed stdin if it can, else by force."""
        process = self._process
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            async with asyncio.timeout(GRACE_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def _no_media() -> MediaRefused:
    return MediaRefused("no_media", "Sound and picture are being restored. It will go on in a moment.")


def _failure(failed: control.Failed) -> MediaError:
    if failed.reason == "port_in_use":
        return PortInUse(failed.address, failed.port)
    if failed.reason == "version_mismatch":
        return VersionMismatch(failed.missing)
    return MediaError(failed.message)
