"""Where the hub hands letters to its postman, a process of their own, and learns what became of them.

A hub that is killed leaves a postman who finishes the one letter in hand; the next hub waits for that before it sends
any. What the postman noted counts, also for letters whose outcome no hub heard.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from session_manager.errors import StoreFailed
from session_manager.mail import Delivered, MailSettings, NotDelivered, Sendable
from session_manager.postman import READY, Outgoing, line_of, outcome_of
from session_manager.sent_journal import Found, hold

SETTLE_S = 2.0
END_S = 10.0
_CUT_OFF = NotDelivered("the process that sends letters ended", False)

log = logging.getLogger(__name__)
T = TypeVar("T")


class PostRoom:
    """`deliver` and `settle` one after the other; `close` at any time."""

    def __init__(self, folder: Path, settings: MailSettings) -> None:
        self._folder, self._settings = folder, settings
        self._postman: subprocess.Popen[bytes] | None = None
        self._busy = self._closing = False

    async def deliver(self, notice: Sendable) -> Delivered | NotDelivered:
        """Starts a postman when there is none."""
        self._busy = True
        return await _apart(lambda: self._deliver(notice))

    async def settle(self, note: Callable[[frozenset[str]], None]) -> bool:
        """Lets the postman go, gives `note` all letters that were taken, and forgets them when it returns.

        False: one that a former hub left is still at its letter. `note` runs in a thread. Raises StoreFailed.
        """
        try:
            return await _apart(lambda: self._settle(note))
        except OSError as error:
            raise StoreFailed(f"The journal of letters cannot be used ({error.strerror}). Check the disk.") from error

    async def close(self) -> None:
        """A letter in hand is left to the postman; this process may end meanwhile."""
        self._closing = True
        if not self._busy:
            await _apart(self._end)

    def _deliver(self, notice: Sendable) -> Delivered | NotDelivered:
        try:
            answer = self._ask(notice)
        finally:
            self._busy = False
            if self._closing:
                self._end()
        if answer:
            return outcome_of(answer) or Delivered()
        self._end()
        return self._look_up(notice.notice_id)

    def _ask(self, notice: Sendable) -> bytes:
        """Nothing when the postman ended."""
        with contextlib.suppress(OSError):
            process = self._postman or self._start()
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(line_of(_outgoing(notice)))
            process.stdin.flush()
            return process.stdout.readline()
        return b""

    def _start(self) -> subprocess.Popen[bytes]:
        """It gets a letter only when the journal is its own: until then a hub that dies leaves nobody who sends."""
        process = self._postman = subprocess.Popen(
            [sys.executable, "-m", "session_manager.postman", str(self._folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(line_of(self._settings))
        process.stdin.flush()
        if process.stdout.readline() != READY:
            raise ChildProcessError
        return process

    def _end(self) -> None:
        process, self._postman = self._postman, None
        if process is None:
            return
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(OSError):
            process.stdin.close()
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            log.warning("the process that sends letters did not end; it is stopped")
            process.kill()
            process.wait()
        process.stdout.close()

    def _look_up(self, notice_id: str) -> Delivered | NotDelivered:
        with contextlib.suppress(OSError), hold(self._folder, SETTLE_S) as journal:
            if journal is not None and notice_id in journal.found().taken:
                return Delivered()
        return _CUT_OFF

    def _settle(self, note: Callable[[frozenset[str]], None]) -> bool:
        self._end()
        with hold(self._folder, SETTLE_S) as journal:
            if journal is None:
                return False
            found = journal.found()
            _say_doubtful(found)
            note(found.taken)
            journal.clear()
        return True


def _say_doubtful(found: Found) -> None:
    for notice_id in sorted(found.doubtful):
        log.warning("notice %s may have been taken by the mail server; it goes again with the same name", notice_id)


def _outgoing(notice: Sendable) -> Outgoing:
    return Outgoing(**{name: getattr(notice, name) for name in Outgoing.__dataclass_fields__})


async def _apart(work: Callable[[], T]) -> T:
    """In a thread that nobody waits for: a slow mail server does not keep the hub from ending."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[T] = loop.create_future()

    def run() -> None:
        answer: Callable[[], None]
        try:
            value = work()
        except Exception as error:  # noqa: BLE001 - handed on to whoever waits
            failure = error
            answer = lambda: None if result.done() else result.set_exception(failure)  # noqa: E731
        else:
            answer = lambda: None if result.done() else result.set_result(value)  # noqa: E731
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(answer)

    threading.Thread(target=run, daemon=True, name="letters").start()
    return await result
