"""How much of what is said may be kept: the room's level is the least that anybody present agreed to. Pure.

A word is said at the door, and can be said again at any time; the last one counts, from that moment on. Source of the
ladder: the models of MIT "realtalk", Fora and Rhythm, where the lowest wins and nothing is asked for afterwards.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise


class Level(IntEnum):
    """What is kept. Each one holds those below it."""

    NOTHING = 0  # a head count
    PRESENCE = 1  # who was there
    TURNS = 2  # who spoke when
    CAPTIONS = 3  # words on the wall, thrown away at the end
    TRANSCRIPT = 4  # words are kept; each approves their own
    RECORDING = 5  # sound or picture is kept


USUAL: Mapping[str, Level] = {
    "plain": Level.PRESENCE,
    "telework": Level.PRESENCE,
    "remote_class": Level.CAPTIONS,
    "dialogue": Level.TURNS,
    "seminar": Level.RECORDING,
    "ceremony": Level.RECORDING,
    "external": Level.NOTHING,
}
"""What is proposed for each kind of booking; people may only lower it."""

LISTENER = Level.TRANSCRIPT
"""Who only listens says nothing that could be kept, but would be heard and seen in a recording."""

PUBLISH_FROM = Level.TURNS
"""Below this nothing of a person becomes public, whatever they said to a single item."""


RECORDS_FROM = Level.CAPTIONS
"""Below this neither voice nor words may be kept: whatever is said is off the record."""


KEEPS_WORDS_FROM = Level.TRANSCRIPT
"""Below this words stand on the wall while the session goes on, and are gone when it is over."""

NOT_AGREED = "Somebody here wishes that no word is kept. The record goes on when everybody present agrees to more."


@dataclass(frozen=True, slots=True)
class Word:
    """What one person said last. `listens`: they say nothing today and are left out of every measure."""

    person_id: str
    level: Level
    listens: bool = False

    @property
    def allows(self) -> Level:
        """The most that may be kept in a room where this person is."""
        return max(self.level, LISTENER) if self.listens and self.level > Level.NOTHING else self.level


@dataclass(frozen=True, slots=True)
class Stay:
    """One person at an evening. `said`: (moment, word) in the order of saying; `left_at` None: to the end."""

    came_at: float
    left_at: float | None
    said: tuple[tuple[float, Word], ...]

    def moments(self) -> list[float]:
        return [self.came_at, *(at for at, _ in self.said), *([] if self.left_at is None else [self.left_at])]

    def word_at(self, at: float) -> Word | None:
        """None: not there. Who came before saying anything is heard as they spoke first."""
        if not self.said or at < self.came_at or (self.left_at is not None and at >= self.left_at):
            return None
        return next((word for moment, word in reversed(self.said) if moment <= at), self.said[0][1])


def usual(kind: str, *, confidential: bool) -> Level:
    return Level.NOTHING if confidential else USUAL.get(kind, Level.NOTHING)


def room_level(agreed: Level, present: Iterable[Word]) -> Level:
    """The least of what the evening proposes and what everybody present allows, remote people included."""
    return min([agreed, *(word.allows for word in present)])


def wall_only(agreed: Level, stays: Sequence[Stay]) -> list[tuple[float, float]]:
    """[from, to): when words were for the wall and not for keeping, by the least that anybody there allowed then."""
    moments = sorted({at for stay in stays for at in stay.moments()})
    spans = []
    for at, until in pairwise([*moments, math.inf]):
        words = [word for stay in stays if (word := stay.word_at(at)) is not None]
        if words and room_level(agreed, words) < KEEPS_WORDS_FROM:
            spans.append((at, until))
    return spans


def latest(history: Iterable[Word]) -> dict[str, Word]:
    """Of each person the last word; `history` in the order of saying."""
    return {word.person_id: word for word in history}


def may_publish(word: Word | None, publish_from: Level = PUBLISH_FROM) -> bool:
    """Whether anything of a person may become public. Who said nothing has not said yes."""
    return word is not None and not word.listens and word.level >= max(publish_from, PUBLISH_FROM)


def forbids_record(level: Level, present: int) -> bool:
    """Whether a session has to be off the record. `present`: how many words are in it; 0: none was promised."""
    return present > 0 and level < RECORDS_FROM
