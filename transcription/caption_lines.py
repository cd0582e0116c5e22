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
_BLANKS = " \u3000"
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
    rest = text.strip(_BLANKS)
    while width(rest) > columns:
        at = _best_break(rest, columns)
        if at is None:
            break
        lines.append(rest[:at].rstrip(_BLANKS))
        rest = rest[at:]
    return [*lines, rest]


def _best_break(text: str, columns: int) -> int | None:
    """The cheapest place that fits; when none does, the first that is permitted; None when nothing is."""
    best, best_cost = None, float(_FORBIDDEN)
    for at in range(1, len(text)):
        line = text[:at].rstrip(_BLANKS)
        cost = float(_cost(line[-1], text, at))
        if cost >= _FORBIDDEN:
            continue
        used = width(line)
        if used > columns:
            return at if best is None else best
        cost += 6.0 * (columns - used) / columns
        if cost <= best_cost:
            best, best_cost = at, cost
    return best


def _cost(before: str, text: str, at: int) -> int:
    """How bad it is to break before `text[at]`: 0 good, 5 a word may be cut, `_FORBIDDEN` never.

    `before` is the last character of the line that would end here; blanks belong to the line before them.
    """
    after = text[at]
    if after in _BLANKS or after in _NOT_FIRST or before in _NOT_LAST or _joined(text[at - 1], after):
        return _FORBIDDEN
    if text[at:].isdigit():  # a reader of SubRip takes it for the number of the next cue
        return _FORBIDDEN
    if before in _FULL_STOP:
        return 0
    if before in _HALF_STOP or text[at - 1] in _BLANKS:
        return 1
    return 3 if _is_hiragana(before) and not _is_hiragana(after) else 5


def _joined(before: str, after: str) -> bool:
    """One character as people see it, or the inside of a word or number."""
    if not _columns(after) or before == "\u200d" or unicodedata.category(after) == "Mc":
        return True
    return _columns(before) == 1 and _columns(after) == 1 and before not in _BLANKS


def _is_hiragana(character: str) -> bool:
    return "ぁ" <= character <= "ゟ"
