"""A camera without hardware: a test card with the site's colour and id, a running clock and a moving bar.

The letters are a small bitmap font of our own, so that no font file and no drawing library is needed; an id keeps the
Latin letters and digits of a name, and a name without any gets a short number that is the same every time.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable

import numpy as np

from hardware.clock import Clock, MonotonicClock
from hardware.errors import DeviceLost
from hardware.ports import Frame, Picture

_ROWS = 7
_COLUMNS = 5
_FONT = {
    "0": "0e11111511110e", "1": "040c040404041f", "2": "0e11010204081f", "3": "1f02040201110e", "4": "02060a121f0202",
    "5": "1f101e0101110e", "6": "0608101e11110e", "7": "1f010204080808", "8": "0e11110e11110e", "9": "0e11110f01020c",
    "A": "040a11111f1111", "B": "1e11111e11111e", "C": "0e11101010110e", "D": "1c12111111121c", "E": "1f10101e10101f",
    "F": "1f10101e101010", "G": "0e11101711110f", "H": "1111111f111111", "I": "0e04040404040e", "J": "0702020202120c",
    "K": "11121418141211", "L": "1010101010101f", "M": "111b1515111111", "N": "11191915131311", "O": "0e11111111110e",
    "P": "1e11111e101010", "Q": "0e11111115120d", "R": "1e11111e141211", "S": "0f10100e01011e", "T": "1f040404040404",
    "U": "1111111111110e", "V": "11111111110a04", "W": "1111111515150a", "X": "11110a040a1111", "Y": "11110a04040404",
    "Z": "1f01020408101f", ":": "00040400040400", ".": "00000000000404", "-": "0000001f000000", " ": "00000000000000",
}  # fmt: skip


def card_id(name: str) -> str:
    """Up to ten characters that the font has."""
    letters = "".join(letter for letter in name.upper() if letter in _FONT and letter.isalnum())
    return letters[:10] or f"{zlib.crc32(name.encode()) % 10_000:04d}"


def card_colour(name: str) -> tuple[int, int, int]:
    """BGR, dark enough for white letters, the same for a name every time."""
    seed = zlib.crc32(name.encode())
    return 40 + seed % 90, 40 + seed // 90 % 90, 40 + seed // 8100 % 90


def text_mask(text: str, scale: int) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """Shape (7 * scale, 6 * len(text) * scale); true where there is ink."""
    mask = np.zeros((_ROWS, (_COLUMNS + 1) * len(text)), np.bool_)
    for index, letter in enumerate(text):
        for row, bits in enumerate(bytes.fromhex(_FONT[letter])):
            for column in range(_COLUMNS):
                mask[row, index * (_COLUMNS + 1) + column] = bool(bits >> (_COLUMNS - 1 - column) & 1)
    return np.kron(mask, np.ones((scale, scale), np.bool_)).astype(np.bool_)


class TestCard:
    """Draws. `draw("12:34:56.7", 0.25)` puts that clock in the middle and the bar a quarter across."""

    __test__ = False

    def __init__(self, name: str, width: int, height: int) -> None:
        self._background = np.empty((height, width, 3), np.uint8)
        self._background[:] = card_colour(name)
        self._background[: height // 12] = np.linspace(0, 255, width, dtype=np.uint8)[:, None]
        self._ink(self._background, card_id(name), height // 3)
        self._height, self._width = height, width

    def draw(self, clock: str, phase: float) -> Picture:
        picture = self._background.copy()
        self._ink(picture, clock, self._height * 5 // 8)
        bar = max(2, self._width // 20)
        left = int(phase % 1.0 * (self._width - bar))
        picture[-(self._height // 12) :, left : left + bar] = 255
        return picture

    @staticmethod
    def _ink(picture: Picture, text: str, middle: int) -> None:
        height, width = picture.shape[:2]
        scale = max(1, min(width * 4 // 5 // ((_COLUMNS + 1) * len(text)), height // 5 // _ROWS))
        mask = text_mask(text, scale)[:height, :width]
        top, left = max(0, middle - mask.shape[0] // 2), (width - mask.shape[1]) // 2
        picture[top : top + mask.shape[0], left : left + mask.shape[1]][mask[: height - top]] = 255


def wall_clock(at: float) -> str:
    """Local time of day with tenths, from a POSIX time."""
    return time.strftime("%H:%M:%S", time.localtime(at)) + f".{int(at * 10) % 10}"


class TestCardCamera:
    """`fps` pictures a second by the clock; a reader that is slow gets the current one, never an old one."""

    __test__ = False

    def __init__(
        self,
        name: str,
        width: int,
        height: int,
        fps: int,
        *,
        clock: Clock | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self._card = TestCard(name, width, height)
        self._fps = fps
        self._clock = clock or MonotonicClock()
        self._wall = wall
        self._opened_at = self._clock.now()
        self._shown = -1
        self._closed = False

    async def read(self) -> Frame:
        await self._clock.until(self._opened_at + (self._shown + 1) / self._fps)
        if self._closed:
            raise DeviceLost(f"The camera {self.name} was closed.")
        now = self._clock.now()
        self._shown = max(self._shown + 1, int((now - self._opened_at) * self._fps))
        return Frame(self._card.draw(wall_clock(self._wall()), self._shown / (4 * self._fps)), now)

    def close(self) -> None:
        self._closed = True
