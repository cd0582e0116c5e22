"""The board's epoch: a number on disk that rises with every start of the numbering, so no packet number comes twice."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TextIO

from room_agent.errors import CannotStart


def _put(file: TextIO, text: str) -> None:
    file.write(text)
    file.flush()
    os.fsync(file.fileno())


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
        """Rise, durably, before anybody uses the number. Raises `CannotStart`."""
        number = self._read() + step
        try:
            self._write(f"{number}\n")
        except OSError as error:
            raise CannotStart(f"The file {self._file} cannot be written: {error.strerror}.") from error
        self._current = number
        return number

    def _write(self, text: str) -> None:
        fresh = self._file.with_suffix(".new")
        try:
            with fresh.open("w", encoding="ascii") as file:
                _put(file, text)
            fresh.replace(self._file)
        except OSError:
            # A full disk: what is there already has its place, and a number never becomes shorter.
            fresh.unlink(missing_ok=True)
            with self._file.open("r+", encoding="ascii") as file:
                _put(file, text)

    def _read(self) -> int:
        if not self._file.exists():
            return 0
        text = self._file.read_text(encoding="utf-8", errors="replace").strip()
        if not text.isdecimal():
            raise CannotStart(
                f"{self._file} does not hold a number; if it was damaged, write a higher one than ever used."
            )
        return int(text)
