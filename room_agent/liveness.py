"""Is a media path alive? Judged by packets that arrive, in seconds where aiortc takes half a minute. Pure."""

from __future__ import annotations

from dataclasses import dataclass

SUBSCRIBE_SILENT_S = 3.0
PUBLISH_SILENT_S = 6.0
"""Towards the hub only receiver reports come back, about one a second."""


@dataclass
class Pulse:
    """Watches a counter of arrived datagrams. Times are seconds of any clock that does not go back."""

    limit_s: float
    _count: int | None = None
    _since: float = 0.0

    def note(self, count: int, expected: bool, now: float) -> bool:
        """Whether the path is to be called dead. Nothing `expected`, or nothing ever heard: never dead by this rule."""
        if self._count is None or count != self._count or not expected or count == 0:
            self._count, self._since = count, now
            return False
        return now - self._since >= self.limit_s
