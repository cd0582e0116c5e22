"""The words of the pages: one catalogue per language, and what each page's scripts need of it.

A catalogue is a folder; a text stands in the file that its key begins with (`join.enter` in `join.json`). Scripts
name their texts as literals, `t("key")`; the page that loads a script carries exactly those texts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
STATIC = HERE / "static"
LANGUAGES: Mapping[str, str] = {"ja": "日本語", "en": "English"}
"""Code to the language's own name; the first is the default."""

_KEY = re.compile(r"""\bt\(\s*["']([a-z0-9_.]+)["']""")
_IMPORT = re.compile(r"""^import\s[^;]*?["']\./([\w-]+\.js)["'];""", re.MULTILINE)
_LATER = re.compile(r"""\bimport\(["']\./([\w-]+\.js)["']\)""")
_PLACE = re.compile(r"\{(\w+)\}")


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """All texts of one of `LANGUAGES`."""
    texts: dict[str, str] = {}
    for path in sorted((HERE / "i18n" / language).glob("*.json")):
        texts |= json.loads(path.read_text(encoding="utf-8"))
    return texts


def choose(*wishes: str | None) -> str:
    """The first wish that names a language of ours; a wish is a code or an Accept-Language header (RFC 9110)."""
    for wish in wishes:
        for tag in _by_quality(wish or ""):
            code = tag.split("-")[0].lower()
            if code in LANGUAGES:
                return code
    return next(iter(LANGUAGES))


def _by_quality(header: str) -> list[str]:
    weighed: list[tuple[float, str]] = []
    for part in header[:500].split(","):
        tag, _, parameters = part.strip().partition(";")
        found = re.fullmatch(r"\s*q=([01](?:\.\d{0,3})?)\s*", parameters)
        quality = float(found[1]) if found else 1.0
        if tag and quality > 0:
            weighed.append((quality, tag))
    return [tag for _, tag in sorted(weighed, key=lambda pair: -pair[0])]


def say(language: str, key: str, **values: object) -> str:
    """One text with its `{places}` filled; KeyError for a key that is not in the catalogue."""
    return _PLACE.sub(lambda place: str(values.get(place[1], place[0])), catalogue(language)[key])


def keys_in(source: str) -> set[str]:
    """Keys that a template or script names."""
    return set(_KEY.findall(source))


@cache
def modules(entry: str, *, later: bool = False) -> tuple[str, ...]:
    """A script of `static/` and everything it imports at once, itself first; `later`: also what it may load then."""
    found = [entry]
    for name in found:
        source = (STATIC / name).read_text(encoding="utf-8")
        imported = _IMPORT.findall(source) + (_LATER.findall(source) if later else [])
        found += [other for other in imported if other not in found]
    return tuple(found)


@cache
def script_texts(entry: str, language: str) -> Mapping[str, str]:
    """The texts that a script and all it may load name."""
    names = modules(entry, later=True)
    keys = set[str]().union(*(keys_in((STATIC / name).read_text(encoding="utf-8")) for name in names))
    return {key: catalogue(language)[key] for key in sorted(keys)}
