"""Logs are flushed again and again, and whoever asks hears which failed."""

from __future__ import annotations

import threading

from transcription.audio_log import Flusher, LogWriteFailed
from transcription.log_flusher import Flushable


class Scripted:
    """A log that counts its flushes and may fail."""

    def __init__(self, failure: LogWriteFailed | None = None) -> None:
        self.track_id, self.epoch, self.failure = "t", 1, failure
        self.flushes = 0
        self.twice = threading.Event()

    def flush(self) -> None:
        self.flushes += 1
        if self.flushes >= 2:
            self.twice.set()
        if self.failure:
            raise self.failure


def test_the_flusher_flushes_all_again_and_again_and_says_which_failed() -> None:
    said: list[Flushable] = []
    bad, good = Scripted(LogWriteFailed("full", "disk_full")), Scripted()
    flusher = Flusher(lambda log, _: said.append(log), interval_s=0.001)
    flusher.add(bad)
    flusher.add(good)
    assert bad.twice.wait(20)
    assert good.twice.wait(20)
    flusher.remove(bad)
    flusher.close()
    assert set(said) == {bad}
    last = Scripted()
    slow = Flusher(interval_s=3_600)
    slow.add(last)
    slow.close()
    assert last.flushes == 1, "closing flushes"
