"""What of an evening becomes public: only what its speakers agreed to, and of closed circles no name. Pure.

The facilitator writes the title and the opening words; everything else stands here as it was agreed to, or not at all.
Who takes a yes back is gone from the page at the next look, because the page is made from this each time.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

ItemKind = Literal["question", "action", "quote"]
KINDS: tuple[ItemKind, ...] = ("question", "action", "quote")
SOMEBODY: Mapping[str, str] = {"ja": "参加者", "en": "a participant"}


@dataclass(frozen=True, slots=True)
class Item:
    """`yes`: the speaker (or who takes the action) agreed to these very words becoming public."""

    item_id: str
    kind: ItemKind
    words: str
    person_id: str | None
    yes: bool
    due_on: str | None = None


@dataclass(frozen=True, slots=True)
class Circle:
    """Whose evening it was. `names` of everybody who could be named; `cleared`: who may appear; `closed`: no names."""

    names: Mapping[str, str]
    cleared: frozenset[str]
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Paragraph:
    """`name` empty: nobody is named."""

    item_id: str
    kind: ItemKind
    words: str
    name: str = ""
    due_on: str | None = None


def publishable(item: Item, circle: Circle) -> bool:
    """Its speaker said yes to it and nothing lower at the door. What nobody stands for is nobody's to publish."""
    return item.yes and item.person_id is not None and item.person_id in circle.cleared


def paragraphs(
    items: Iterable[Item], circle: Circle, left_out: Iterable[str] = (), language: str = "ja"
) -> list[Paragraph]:
    """In the order of the kinds. Names of others inside the words are taken out."""
    without = set(left_out)
    chosen = [one for one in items if publishable(one, circle) and one.item_id not in without]
    return [
        Paragraph(
            one.item_id,
            one.kind,
            unnamed(one.words, circle, language),
            "" if circle.closed else circle.names.get(one.person_id or "", ""),
            one.due_on,
        )
        for kind in KINDS
        for one in chosen
        if one.kind == kind
    ]


def hidden_names(circle: Circle) -> list[str]:
    """Names that must not be read: of everybody not cleared, in a closed circle of everybody; the longest first.

    A name of several parts is hidden in its parts too. A name that a cleared person bears as well stays.
    """
    hidden: set[str] = set()
    shown: set[str] = set()
    for person_id, name in circle.names.items():
        (hidden if circle.closed or person_id not in circle.cleared else shown).update(_parts(name))
    return sorted(hidden - shown, key=lambda one: (-len(one), one))


def named_in(text: str, circle: Circle) -> list[str]:
    """Which hidden names stand in a text, however wide or in which case they are written."""
    plain = _plain(text)
    return [name for name in hidden_names(circle) if name in plain]


def unnamed(text: str, circle: Circle, language: str = "ja") -> str:
    """The text, with 参加者 instead of each hidden name; unchanged when there is none."""
    names = named_in(text, circle)
    if not names:
        return text
    somebody = SOMEBODY["ja" if language == "ja" else "en"]
    pattern = re.compile("|".join(re.escape(name) for name in names), re.IGNORECASE)
    cleaned = pattern.sub(lambda _: somebody, unicodedata.normalize("NFKC", text))
    return somebody if named_in(cleaned, circle) else cleaned


def as_text(title: str, opening: str, shown: Sequence[Paragraph]) -> str:
    """Everything that a reader of the page sees, as one text: for feeds, and for looking whether a name is in it."""
    return "\n".join([title, opening, *(f"{one.words} {one.name} {one.due_on or ''}".strip() for one in shown)])


def _parts(name: str) -> set[str]:
    """The name and what it is made of; a single letter is no name unless it is all of it."""
    whole = _plain(name).strip()
    return {part for part in whole.split() if len(part) > 1} | ({whole} if whole else set())


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
