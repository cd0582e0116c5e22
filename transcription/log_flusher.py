"""A thread that flushes logs at an interval, so that no event loop ever waits for a disk."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Protocol

from transcription.errors import LogWriteFailed

INTERVAL_S = 0.5

_log = logging.getLogger(__name__)


class Flushable(Protocol):
    track_id: str
    epoch: int

    def flush(self) -> None: ...


class Flusher:
    """`on_failed(log, error)` is called on this thread, each time a flush fails; it must not raise."""

    def __init__(
        self,
        on_failed: Callable[[Flushable, LogWriteFailed], None] | None = None,
        interval_s: float = INTERVAL_S,
    ) -> None:
        self._on_failed = on_failed
        self._interval_s = interval_s
        self._logs: set[Flushable] = set()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="log-flusher", daemon=True)
        self._thread.start()

    def add(self, log: Flushable) -> None:
        with self._lock:
            self._logs.add(log)

    def remove(self, log: Flushable) -> None:
        """Unknown ones are ignored. Does not flush: `StreamLog.close` does."""
        with self._lock:
            self._logs.discard(log)

    def close(self) -> None:
        """Flush a last time and end the thread; waits for it."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._interval_s):
            self._flush_all()
        self._flush_all()

    def _flush_all(self) -> None:
        with self._lock:
            logs = tuple(self._logs)
        for log in logs:
            try:
                log.flush()
            except LogWriteFailed as error:
                _log.error("log %s/%s is not safe on disk: %s", log.track_id, log.epoch, error.cause)
                if self._on_failed is not None:
                    self._on_failed(log, error)
