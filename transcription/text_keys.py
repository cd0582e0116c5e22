"""Text as people compare it: graphemes with a key that ignores width, case, punctuation and blanks. Pure."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

_LONG_VOWEL = dict.fromkeys("〜～~―‐", "ー")
_JOINER = "\u200d"
_VOICED_MARKS = "\uff9e\uff9f"


@dataclass(frozen=True, slots=True)
class Grapheme:
    """`key` is empty for what does not count in a comparison."""

    display: str
    key: str


def graphemes(text: str) -> list[Grapheme]:
    """A base with its combining marks and variation selectors is one; never split when text is committed."""
    clusters: list[str] = []
    for character in text:
        if clusters and (_extends(character) or clusters[-1].endswith(_JOINER)):
            clusters[-1] += character
        else:
            clusters.append(character)
    return [Grapheme(cluster, _key(cluster)) for cluster in clusters]


def comparison_key(text: str) -> str:
    return "".join(g.key for g in graphemes(text))


def spoken_weight(text: str) -> float:
    """Length in syllable-like units: a Japanese character is one, a Latin letter or digit half of one."""
    return sum(0.5 if character.isascii() else 1.0 for character in comparison_key(text))


def _extends(character: str) -> bool:
    code = ord(character)
    return (
        unicodedata.combining(character) != 0
        or 0xFE00 <= code <= 0xFE0F
        or 0xE0100 <= code <= 0xE01EF
        or character == _JOINER
        or character in _VOICED_MARKS
    )


def _key(cluster: str) -> str:
    folded = unicodedata.normalize("NFKC", cluster).casefold()
    mapped = (_LONG_VOWEL.get(character, character) for character in folded)
    return "".join(character for character in mapped if character == "ー" or character.isalnum())
