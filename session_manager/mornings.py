"""What time brings to a facility: the day's bookings; in the morning drafts of reports, forgotten names and words."""

from __future__ import annotations

from typing import Protocol


class MorningStore(Protocol):
    def tick(self, now: float) -> int: ...
    def draft_reports(self, base_url: str, now: float) -> int: ...
    def forget_nameless(self, now: float) -> int: ...
    def forget_wall_words(self, now: float) -> int: ...


class Mornings:
    """For a `Caretaker`. `url`: how people reach the hub, for the links in letters."""

    def __init__(self, store: MorningStore, url: str) -> None:
        self._store, self._url = store, url

    def tick(self, now: float) -> int:
        """How many bookings moved."""
        self._store.forget_wall_words(now)
        self._store.forget_nameless(now)
        self._store.draft_reports(self._url, now)
        return self._store.tick(now)
