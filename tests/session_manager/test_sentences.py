"""Whatever the hub says to a person stands in the person's language; a sentence that has no row is found here."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import session_manager
from session_manager import errors
from session_manager.web import i18n, sentences
from tests.session_manager.hall import Web

ROOT = Path(session_manager.__file__).parent
KINDS = {name for name, kind in vars(errors).items() if isinstance(kind, type) and kind is not errors.StartFailed}
TERMINAL = re.compile(r"(^|/)(demo/.*|admin\w*|backup\w*|snapshot|account|__main__)\.py$")
MACHINES = re.compile(r"(^|/)(mending|routes_board)\.py$")
"""Said in a terminal to whoever runs the hub, or to a board's program: nobody reads it on a page."""
WISHES = ("pricing.py", "store/quoting.py", "store/partner_seats.py", "store/bookings.py", "timetable.py")
"""Their sentences stand inside an answer and are put into words by `sentences.js`."""


def literal(node: ast.expr, module: object) -> str | None:
    """Each value stands as 1, which fits where a number does; None: it is made elsewhere."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "1" for part in node.values)
    if isinstance(node, ast.Name):
        found = getattr(module, node.id, None)
        return found if isinstance(found, str) else None
    return None


def modules() -> Iterator[tuple[str, ast.Module, object]]:
    for path in sorted(ROOT.rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        source = path.read_text(encoding="utf-8")
        if not TERMINAL.search(name) and not MACHINES.search(name) and any(kind in source for kind in KINDS):
            dotted = "session_manager." + name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            yield name, ast.parse(source), import_module(dotted)


def refusals() -> set[str]:
    """Every sentence with which anything is refused."""
    found = set()
    for _, tree, module in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KINDS and node.args:
                found.add(literal(node.args[0], module))
    return {one for one in found if one}


def test_every_refusal_stands_in_the_reader_s_language() -> None:
    found = sorted(refusals())
    assert len(found) > 150
    assert [one for one in found if sentences.said("ja", one) is None] == []


def test_every_row_is_japanese_and_fills_only_what_the_sentence_has() -> None:
    for english, japanese in sentences.table("ja").items():
        assert re.search(r"[ぁ-んァ-ヴ一-龠]", japanese), english
        assert set(re.findall(r"\{\d\}", japanese)) <= set(re.findall(r"\{\d\}", english)), english


def test_what_stands_in_the_way_of_a_booking_has_its_words_on_the_pages() -> None:
    script = (i18n.STATIC / "sentences.js").read_text(encoding="utf-8")
    rows = [re.compile(one) for one in re.findall(r"^  \[/(.+?)/, ", script, re.MULTILINE)]
    found = set()
    for name in WISHES:
        tree = ast.parse((ROOT / name).read_text(encoding="utf-8"))
        apart = {
            id(part) for node in ast.walk(tree) for part in (node.values if isinstance(node, ast.JoinedStr) else ())
        }
        apart |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            text = (
                literal(node, None)
                if isinstance(node, ast.Constant | ast.JoinedStr) and id(node) not in apart
                else None
            )
            if text and re.fullmatch(r"[A-Z1][^\n]{8,}\.", text):
                found.add(text.replace("{}", "1 days"))
    refused = {one for one in found if sentences.said("ja", one) is not None}
    assert {"The time is past.", "A booking lasts 1 days or less."} <= found
    assert [one for one in sorted(found - refused) if not any(row.search(one) for row in rows)] == []


@pytest.mark.parametrize(
    ("english", "japanese"),
    [
        ("Sign in first.", "ログインしてください。"),
        ("Row 3 has no name.", "3行目に、なくてはならない項目がありません。1行目の見出しと見くらべてください。"),
        (
            "大会議室 is closed then: 点検. The time is past.",
            "大会議室は、その時間は休みです（点検）。もう過ぎた時間です。",
        ),
        ("Nobody has ever said this.", None),
    ],
)
def test_values_are_kept_and_sentences_are_taken_one_by_one(english: str, japanese: str | None) -> None:
    assert sentences.said("ja", english) == japanese


async def test_a_page_hears_it_in_its_language_and_a_program_as_it_is(web: Web) -> None:
    async with web.browser() as browser:
        form = {"name": "office", "password": "x" * 20}
        asked = {language: {"Accept-Language": language} for language in ("ja", "en")}
        plain = (await browser.post("/api/login", json=form)).json()
        read = {one: (await browser.post("/api/login", json=form, headers=asked[one])).json() for one in asked}
        wrong = (await browser.post("/api/login", json={}, headers=asked["en"])).json()
    assert plain == {"code": "not_signed_in", "message": "Name or password is not right."}
    assert read["ja"]["said"] == "名前かパスワードがちがいます。"
    assert read["en"]["said"] == plain["message"]
    assert wrong["said"] == i18n.say("en", "refused.bad_request"), "never the names of fields"
