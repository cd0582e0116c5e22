"""Every text is in every catalogue, every text is used, and the visitor's language is found."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_manager.web import i18n, menu, pages, sentences

PLACES = re.compile(r"\{(\w+)\}")
SCRIPTS = sorted(i18n.STATIC.glob("*.js"))
SOURCES = [*SCRIPTS, *sorted((i18n.HERE / "templates").glob("*.html"))]


def named() -> set[str]:
    keys = set[str]().union(*(i18n.keys_in(path.read_text(encoding="utf-8")) for path in SOURCES))
    keys |= {key for pair in pages.ERRORS.values() for key in pair} | {*pages.FAILED, pages.SIGNED_IN_AS_ANOTHER}
    keys |= menu.texts() | sentences.texts()
    keys |= {f"export.{kind}{end}" for kind in pages.EXPORTS for end in ("", "_use")}
    return keys


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_the_catalogue_has_every_text_that_is_named_and_no_other(language: str) -> None:
    assert set(i18n.catalogue(language)) == named()


@pytest.mark.parametrize("path", sorted(i18n.HERE.glob("i18n/*/*.json")), ids=lambda path: path.parent.name + path.stem)
def test_a_text_stands_once_in_order_and_in_the_file_that_its_key_names(path: Path) -> None:
    keys = [key for key, _ in json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=list)]
    assert keys == sorted(set(keys))
    assert {key.partition(".")[0] for key in keys} == {path.stem}


def test_the_languages_fill_the_same_places() -> None:
    for key, text in i18n.catalogue("ja").items():
        assert set(PLACES.findall(text)) == set(PLACES.findall(i18n.catalogue("en")[key])), key


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_name_their_texts_literally(path: Path) -> None:
    """So that a page can carry exactly the texts its scripts need."""
    called = re.findall(r"(?<![\w.$])t\((?!\))([^,)]{1,20})", path.read_text(encoding="utf-8"))
    assert all(argument.startswith('"') for argument in called if argument != "key"), called


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_no_sentence_stands_outside_the_catalogues(path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace("日本語", "")
    found = set(re.findall(r"[ぁ-んァ-ヴー一-龠]+", text)) - {"ー"}
    assert not found


@pytest.mark.parametrize(
    ("wishes", "chosen"),
    [
        ((), "ja"),
        ((None, ""), "ja"),
        (("en",), "en"),
        ((None, "en-GB,ja;q=0.5"), "en"),
        (("fr, ja;q=0.4, en;q=0.9",), "en"),
        (("fr;q=1, de",), "ja"),
        (("en;q=0, ja;q=0.1",), "ja"),
        (("xx", "en"), "en"),
        (("ja", "en"), "ja"),
    ],
)
def test_the_first_wish_that_can_be_met_is_met(wishes: tuple[str | None, ...], chosen: str) -> None:
    assert i18n.choose(*wishes) == chosen


@given(st.text())
def test_no_header_is_too_strange(header: str) -> None:
    assert i18n.choose(header) in i18n.LANGUAGES


def test_places_are_filled_and_unknown_ones_stay() -> None:
    assert i18n.say("en", "transcript.found", n=3) == "3 found"
    assert i18n.say("en", "transcript.found") == "{n} found"


def test_a_page_carries_the_texts_of_all_modules_it_loads() -> None:
    assert i18n.modules("join.js")[0] == "join.js"
    assert "dom.js" in i18n.modules("join.js")
    assert {"protocol.js", "call.js", "stage.js"} <= set(i18n.modules("join.js", later=True))
    assert "record.off" in i18n.script_texts("join.js", "ja")
    texts = i18n.script_texts("join.js", "ja")
    assert texts["common.offline"] == i18n.catalogue("ja")["common.offline"]
    assert "login.wrong" not in texts
