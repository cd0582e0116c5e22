"""The generations of one media connection: which one counts, which may be closed. Pure."""

from __future__ import annotations

STANDING = 3
"""Generations of one connection that may stand side by side; an older one goes, up or not."""


class Generations:
    def __init__(self) -> None:
        self.latest: int | None = None
        self._standing: list[int] = []

    def begin(self, generation: int) -> bool:
        """Whether it is newer than all before; it then is the latest, also if it fails."""
        if self.latest is not None and generation <= self.latest:
            return False
        self.latest = generation
        self._standing.append(generation)
        return True

    def up(self, generation: int) -> tuple[int, ...]:
        """Media flows in it: the older ones, to be closed now."""
        if generation not in self._standing:
            return ()
        older = tuple(other for other in self._standing if other < generation)
        self._standing = [other for other in self._standing if other >= generation]
        return older

    def crowd(self) -> tuple[int, ...]:
        """The oldest ones beyond what may stand side by side, to be closed now."""
        cut = max(0, len(self._standing) - STANDING)
        gone, self._standing = tuple(self._standing[:cut]), self._standing[cut:]
        return gone

    def ended(self, generation: int) -> bool:
        """It failed or was closed; whether it stood."""
        stood = generation in self._standing
        if stood:
            self._standing.remove(generation)
        return stood

    def counts(self, generation: int) -> bool:
        """Whether what happens to it concerns the client: it is the latest and stands."""
        return generation == self.latest and generation in self._standing
