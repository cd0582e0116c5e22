"""Where to break a caption into lines. Pure.

Japanese has no blanks to break at and no dictionary is loaded here, so places are judged by the characters around them:
after a mark is best, after a run of hiragana (mostly a particle or an ending: the end of a bunsetsu) next. Places
forbidden by the rules of Japanese typesetting (JIS X 4051: kinsoku) are never used, and neither is the middle of a
number or a Latin word.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

WIDE_COLUMNS = 32
"""16 full-width characters."""
LATIN_COLUMNS = 42

_NOT_FIRST = frozenset(
    "ぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶㇰㇱㇲㇳㇴㇵㇶㇷㇸㇹㇺㇻㇼㇽㇾㇿ"
    "ｧｨｩｪｫｬｭｮｯｰﾞﾟーゝゞヽヾ々〻‐゠–〜～"
    "、。，．・：；？！‼⁇⁈⁉,.:;?!､｡･%％‰℃°"
    "」』）】〕〉》｝］｣)]}〙〗〟’”»›…‥"
)
_NOT_LAST = frozenset("「『（【〔〈《｛［｢([{〘〖〝‘“«‹¥￥$＄£#＃№〒")
_FULL_STOP = frozenset("。！？!?｡．")
_HALF_STOP = frozenset("、，,､；;：」』）】〕)")
_FORBIDDEN = 1_000


@lru_cache(maxsize=4_096)
def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WFA" else 1


def width(text: str) -> int:
    """Columns: 2 for a full-width character, 1 for a half-width one, 0 for what has no width of its own."""
    return sum(map(_columns, text))


def wrap(text: str, columns: int | None = None) -> list[str]:
    """Lines of at most `columns`, unless a stretch has no permitted place. Only blanks at breaks are dropped.

    `columns` None: 32 when the text has full-width characters, 42 when not.
    """
    if columns is None:
        columns = WIDE_COLUMNS if any(_columns(character) == 2 for character in text) else LATIN_COLUMNS
    lines = []
    rest = text.strip(" \u3000")
    while width(rest) > columns:
        at = _best_break(rest, columns)
        if at is None:
            break
        lines.append(rest[:at].rstrip(" \u3000"))
        rest = rest[at:].lstrip(" \u3000")
    return [*lines, rest]


def _best_break(text: str, columns: int) -> int | None:
    """The cheapest place that fits; when none does, the first that is permitted; None when nothing is."""
    used, best, best_cost = 0, None, float(_FORBIDDEN)
    for at in range(1, len(text)):
        used += _columns(text[at - 1])
        cost = float(_cost(text, at))
        if cost >= _FORBIDDEN:
            continue
        if used - (2 if text[at - 1] == "\u3000" else text[at - 1] == " ") > columns:
            return at if best is None else best
        cost += 6.0 * (columns - used) / columns
        if cost <= best_cost:
            best, best_cost = at, cost
    return best


def _cost(text: str, at: int) -> int:
    """How bad it is to break before `text[at]`: 0 good, 5 a word may be cut, `_FORBIDDEN` never."""
    before, after = text[at - 1], text[at]
    if _joined(before, after) or after in _NOT_FIRST or before in _NOT_LAST or text[at:].strip().isdigit():
        return _FORBIDDEN
    if before in _FULL_STOP:
        return 0
    if before in _HALF_STOP or before in " \u3000":
        return 1
    if after in " \u3000":
        return _FORBIDDEN  # the blank belongs to the line before it
    return 3 if _is_hiragana(before) and not _is_hiragana(after) else 5


def _joined(before: str, after: str) -> bool:
    """One character as people see it, or the inside of a word or number."""
    if not _columns(after) or before == "\u200d" or unicodedata.category(after) == "Mc":
        return True
    return _columns(before) == 1 and _columns(after) == 1 and not before.isspace() and not after.isspace()


def _is_hiragana(character: str) -> bool:
    return "ぁ" <= character <= "ゟ"
