"""Partial text that does not flicker: LocalAgreement on graphemes. Pure.

Two successive hypotheses of the same utterance agree on a prefix; that prefix, less its last characters (they flip
between homophones and endings), is committed and never changes again. After Macháček et al., "Turning Whisper into
Real-Time Transcription System" (arXiv 2307.14743), by grapheme keys instead of words: Japanese has no blanks.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile

from transcription.text_keys import Grapheme, graphemes

HOLD_BACK = 2
_SENTENCE_END = "。？！?!."


@dataclass(frozen=True, slots=True)
class PartialText:
    """`text` begins with `committed`; a later text of the same utterance begins with it too."""

    committed: str
    text: str


class Stabiliser:
    def __init__(self, hold_back: int = HOLD_BACK) -> None:
        self._hold_back = hold_back
        self._committed: list[Grapheme] = []
        self._previous: list[Grapheme] | None = None

    def update(self, hypothesis: str) -> PartialText:
        newest = graphemes(hypothesis.strip())
        tail = newest[self._tail_index(newest) :]
        if self._previous is not None:
            previous_tail = self._previous[self._tail_index(self._previous) :]
            agreed = self._agreed(previous_tail, tail)
            self._committed += tail[:agreed]
            tail = tail[agreed:]
        self._previous = newest
        committed = _display(self._committed)
        return PartialText(committed, committed + _display(tail))

    def _agreed(self, previous: list[Grapheme], newest: list[Grapheme]) -> int:
        """Graphemes of `newest` to commit: the agreed prefix, held back, and not through the middle of a word."""
        ours = [(index, g.key) for index, g in enumerate(newest) if g.key]
        theirs = [g.key for g in previous if g.key]
        same = list(takewhile(lambda pair: pair[0][1] == pair[1], zip(ours, theirs, strict=False)))
        if not same:
            return 0
        upto = min(same[-1][0][0] + 2, len(newest))
        sentence = max((i + 1 for i in range(1, upto) if newest[i].display in _SENTENCE_END), default=0)
        if len(same) <= self._hold_back:
            return sentence
        end = same[-1 - self._hold_back][0][0] + 1
        while 0 < end < len(newest) and _latin(newest[end - 1]) and _latin(newest[end]):
            end -= 1
        return max(end, sentence)

    def _tail_index(self, newest: list[Grapheme]) -> int:
        """Where `newest` goes on after what is committed: by agreement of the last keys, else by count."""
        keys = [g.key for g in self._committed if g.key]
        if not keys:
            return 0
        positions = [index for index, g in enumerate(newest) if g.key]
        length = len(keys)
        overlap = keys[-3:]
        for shift in (0, -1, 1, -2, 2, -3, 3):
            end = length + shift
            if len(overlap) <= end <= len(positions):
                window = [newest[i].key for i in positions[end - len(overlap) : end]]
                if window == overlap:
                    return self._past_marks(newest, positions[end - 1] + 1)
        return positions[length] if length < len(positions) else len(newest)

    def _past_marks(self, newest: list[Grapheme], index: int) -> int:
        """Marks behind the last word are committed already when the committed text ends in one."""
        while not self._committed[-1].key and index < len(newest) and not newest[index].key:
            index += 1
        return index


def _latin(grapheme: Grapheme) -> bool:
    return grapheme.key.isascii() and grapheme.key.isalnum()


def _display(clusters: list[Grapheme]) -> str:
    return "".join(g.display for g in clusters)
