"""The newest packets of one stream, in the order in which they arrived, each with a running index.

Bound: `capacity` packets; the oldest goes first, which loses nothing because the audio log has it. A reader keeps the
index it wants next; when that index has fallen off, `read` says so and the reader goes back to the log.
"""

from __future__ import annotations

from collections import deque

from transcription.audio_log import Packet

REORDERED = 50
"""How far behind its neighbours a packet may have arrived (retransmission): one second."""


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

    def first_from(self, sample: int) -> int | None:
        """Sample of the earliest packet held that does not begin before `sample`."""
        return min((packet.sample for packet in self._packets if packet.sample >= sample), default=None)

    def index_from(self, sample: int) -> int | None:
        """Where to begin so that nothing that ends after `sample` is missed; None when the tail may not reach back."""
        for offset, packet in enumerate(self._packets):
            if packet.sample >= sample:
                whole = self.first_index == 0 or offset > 0
                return self.first_index + max(0, offset - REORDERED) if whole else None
        return self.next_index if self._packets or self.next_index == 0 else None
