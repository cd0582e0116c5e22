"""The newest packets of one stream, in the order in which they arrived, each with a running index.

Bound: `capacity` packets; the oldest goes first, which loses nothing because the audio log has it. A reader keeps the
index it wants next; when that index has fallen off, `read` says so and the reader goes back to the log.
"""

from __future__ import annotations

from collections import deque

from transcription.audio_log import Packet


class Tail:
    def __init__(self, capacity: int = 3_000) -> None:
        self._packets: deque[Packet] = deque(maxlen=capacity)
        self.next_index = 0

    @property
    def first_index(self) -> int:
        return self.next_index - len(self._packets)

    def push(self, packet: Packet) -> None:
        self._packets.append(packet)
        self.next_index += 1

    def read(self, index: int, limit: int = 500) -> list[Packet] | None:
        """Packets from `index` on, at most `limit`; None when `index` is no longer held."""
        if index < self.first_index:
            return None
        start = index - self.first_index
        return [self._packets[i] for i in range(start, min(start + limit, len(self._packets)))]
