"""The board's epoch: a number on disk that rises with every start of the numbering, so no packet number comes twice."""

from __future__ import annotations

import os
from pathlib import Path

from room_agent.errors import CannotStart


class EpochCounter:
    """Not for two processes at once: a state folder belongs to one board."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "epoch"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.next()
        except OSError as error:
            raise CannotStart(f"The state folder {folder} cannot be written: {error.strerror}.") from error

    @property
    def current(self) -> int:
        return self._current

    def next(self, step: int = 1) -> int:
        """Rise, durably, before anybody uses the number. Raises `OSError`, `CannotStart`."""
        self._current = self._read() + step
        fresh = self._file.with_suffix(".new")
        with fresh.open("w", encoding="ascii") as file:
            file.write(f"{self._current}\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._file)
        return self._current

    def _read(self) -> int:
        if not self._file.exists():
            return 0
        text = self._file.read_text(encoding="utf-8", errors="replace").strip()
        if not text.isdecimal():
            raise CannotStart(
                f"{self._file} does not hold a number; if it was damaged, write a higher one than ever used."
            )
        return int(text)
