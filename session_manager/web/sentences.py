"""The hub's own sentences, which are English and exact, in the language of who reads them.

A table per language (`said/`): the English sentence with `{1}` where a value stands, and what is said instead. English
itself needs none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path

from session_manager.web import i18n

HERE = Path(__file__).parent / "said"
_PLACE = re.compile(r"\\\{(\d)\\\}")
_VALUE = r"(?P<p\1>(?:(?!\. [A-Z]).)+?)"
"""A value ends before the next sentence."""
_FILL = re.compile(r"\{(\d)\}")
_END = re.compile(r"(?<=\.) ")
GENERAL = "bad_request"
CODES = ("not_found", "not_permitted", "not_possible", "not_signed_in", "store_failed", "too_fast", GENERAL)
"""Those of refusals that have a sentence of their own, for what no table names: `refused.<code>`."""


@cache
def table(language: str) -> Mapping[str, str]:
    path = HERE / f"{language}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


@cache
def _patterns(language: str) -> list[tuple[re.Pattern[str], str]]:
    """The longest first: more of it is fixed."""
    rows = sorted(table(language).items(), key=lambda row: -len(_FILL.sub("", row[0])))
    return [(re.compile(_PLACE.sub(_VALUE, re.escape(key))), text) for key, text in rows if "{1}" in key]


def said(language: str, sentence: str) -> str | None:
    """One sentence, or several after each other, in that language; None: the table lacks one."""
    whole = _one(language, sentence)
    if whole is not None:
        return whole
    for cut in reversed([found.start() for found in _END.finditer(sentence)]):
        first = _one(language, sentence[:cut])
        rest = said(language, sentence[cut + 1 :]) if first is not None else None
        if first is not None and rest is not None:
            return first + rest
    return None


def texts() -> set[str]:
    return {f"refused.{code}" for code in (*CODES, "failed")}


def _one(language: str, sentence: str) -> str | None:
    known = table(language).get(sentence)
    if known is not None:
        return known
    for pattern, text in _patterns(language):
        found = pattern.fullmatch(sentence)
        if found is not None:
            return _FILL.sub(partial(_filled, found), text)
    return None


def _filled(found: re.Match[str], place: re.Match[str]) -> str:
    return found[f"p{place[1]}"]


def told(language: str, code: str, sentence: str) -> str:
    """What a person reads when something was refused; what is wrong in a form is named for programs only."""
    if code == GENERAL:
        return i18n.say(language, f"refused.{GENERAL}")
    if language == "en":
        return sentence
    return said(language, sentence) or i18n.say(language, f"refused.{code if code in CODES else 'failed'}")
