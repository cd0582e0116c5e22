"""Is a media path alive? Judged by packets that arrive, in seconds where aiortc takes half a minute. Pure.

The hub sends something on every connection twice a second, whatever flows or does not, so silence is always news.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SUSPECT_S = 1.0
"""Shown to the room."""

DEAD_S = 3.0
"""Replaced."""

LATE_LOOK_S = 1.5
"""Between two looks so far apart this machine itself was away: what it did not hear then proves nothing."""

Verdict = Literal["alive", "suspect", "dead"]


@dataclass
class Pulse:
    """Watches a counter of arrived datagrams. Times are seconds of any clock that does not go back."""

    suspect_s: float = SUSPECT_S
    dead_s: float = DEAD_S
    _count: int = 0
    _since: float = 0.0
    _looked_at: float | None = None

    def note(self, count: int, now: float) -> Verdict:
        """How the path is to be called. What was never heard is not dead by this rule: it is still being opened."""
        late = self._looked_at is not None and now - self._looked_at > LATE_LOOK_S
        self._looked_at = now
        if count != self._count or count == 0:
            self._count, self._since = count, now
        elif late:
            self._since = max(self._since, now - self.suspect_s)
        silent_s = now - self._since
        return "dead" if silent_s >= self.dead_s else "suspect" if silent_s >= self.suspect_s else "alive"
