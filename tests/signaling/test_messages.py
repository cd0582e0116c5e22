"""Three descriptions of one protocol: the typed messages, the document and the golden files must agree."""

import json
import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from signaling import messages
from signaling import parts as parts_module
from signaling.codec import BODIES, Envelope, decode, encode
from signaling.messages import Delivery, ErrorCode
from signaling.permissions import HEARS, MAY_SEND
from signaling.ports import Role
from signaling.protocol import CloseCode
from signaling.sentences import SENTENCES, WORTH_RETRYING

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "data" / "messages"
DOCUMENT = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
MESSAGES_CHAPTER, PARTS_CHAPTER = DOCUMENT.split("\n## Messages\n")[1].split("\n## Parts\n")


def _sections(chapter: str) -> dict[str, str]:
    found = re.split(r"^### `?([\w.]+)`?$", chapter, flags=re.MULTILINE)[1:]
    return dict(zip(found[::2], found[1::2], strict=True))


def _rows(section: str) -> dict[str, list[str]]:
    """First cell without its back-ticks to the other cells, of every table row below a header."""
    rows = [line.strip().strip("|").split(" | ") for line in section.splitlines() if line.startswith("| `")]
    return {row[0].strip(" `"): [cell.strip() for cell in row[1:]] for row in rows}


def test_the_document_describes_exactly_the_messages_that_exist() -> None:
    assert set(_sections(MESSAGES_CHAPTER)) == set(BODIES)


def test_there_is_one_golden_file_per_message_and_no_other() -> None:
    assert {path.stem for path in GOLDEN.glob("*.json")} == set(BODIES)


@pytest.mark.parametrize("type_", sorted(BODIES))
def test_the_document_gives_each_message_its_class_and_fields_with_defaults(type_: str) -> None:
    section = _sections(MESSAGES_CHAPTER)[type_]
    model = BODIES[type_]
    assert f"*{model.delivery.value}*" in section
    _fields_agree(model, _rows(section))


PARTS = {
    name: part
    for name, part in vars(parts_module).items()
    if isinstance(part, type) and issubclass(part, parts_module.Part) and part is not parts_module.Part
}


def test_the_document_describes_exactly_the_parts_that_exist() -> None:
    assert set(_sections(PARTS_CHAPTER)) == set(PARTS)


@pytest.mark.parametrize("name", sorted(PARTS))
def test_the_document_gives_each_part_its_fields_with_defaults(name: str) -> None:
    _fields_agree(PARTS[name], _rows(_sections(PARTS_CHAPTER)[name]))


def _fields_agree(model: type[BaseModel], rows: dict[str, list[str]]) -> None:
    assert list(rows) == list(model.model_fields)
    for name, field in model.model_fields.items():
        written = rows[name][1]
        if field.is_required():
            assert written == "", name
        elif field.default is None:
            assert written == "–", name
        else:
            assert json.loads(written.strip("`")) == field.default, name


@pytest.mark.parametrize("type_", sorted(BODIES))
def test_a_golden_message_goes_through_the_codec_unchanged(type_: str) -> None:
    wire = (GOLDEN / f"{type_}.json").read_text(encoding="utf-8")
    envelope = decode(wire)
    assert isinstance(envelope, Envelope)
    assert envelope.t == type_
    assert json.loads(encode(envelope)) == json.loads(wire)


@pytest.mark.parametrize("type_", sorted(BODIES))
def test_a_golden_message_shows_every_field_of_its_body(type_: str) -> None:
    wire = json.loads((GOLDEN / f"{type_}.json").read_text(encoding="utf-8"))
    assert set(wire.get("b", {})) == set(BODIES[type_].model_fields)


@pytest.mark.parametrize("type_", sorted(BODIES))
def test_a_golden_envelope_carries_what_its_class_demands(type_: str) -> None:
    wire = json.loads((GOLDEN / f"{type_}.json").read_text(encoding="utf-8"))
    demanded = {Delivery.COMMAND: {"id"}, Delivery.REPLY: {"re"}, Delivery.EVENT: {"seq"}, Delivery.EPHEMERAL: set()}
    assert {"id", "re", "seq"} & set(wire) == demanded[BODIES[type_].delivery]


def test_the_document_lists_every_error_code_with_its_sentence_and_whether_to_come_again() -> None:
    rows = _rows(DOCUMENT.split("### Error codes")[1].split("\n## ")[0])
    assert set(rows) == {code.value for code in ErrorCode}
    for code in ErrorCode:
        sentence, again = rows[code.value]
        assert sentence == SENTENCES[code]
        assert (again.startswith("yes") or again == "–") is (code in WORTH_RETRYING) or again == "–"


def test_the_document_lists_every_close_code() -> None:
    written = {int(code) for code in re.findall(r"^\| (\d{4}) \|", DOCUMENT, flags=re.MULTILINE)}
    assert written == {code.value for code in CloseCode}


def test_the_document_and_the_table_give_every_role_the_same_commands() -> None:
    table = DOCUMENT.split("## Roles and permissions")[1].split("\n\n")[2]
    roles = (Role.BOARD, Role.PARTICIPANT, Role.FACILITATOR, Role.OBSERVER, Role.LOBBY)
    written: dict[str, frozenset[Role]] = {}
    for line in table.splitlines()[2:]:
        commands, *marks = [cell.strip() for cell in line.strip("|").split("|")]
        allowed = frozenset(role for role, mark in zip(roles, marks, strict=True) if mark)
        written |= dict.fromkeys(re.findall(r"`([\w.]+)`", commands), allowed)
    assert written == MAY_SEND


def test_only_commands_are_permitted_and_every_command_has_a_row() -> None:
    assert set(MAY_SEND) == {t for t, body in BODIES.items() if body.delivery is Delivery.COMMAND}


def test_what_a_whole_session_hears_is_an_event_or_a_view() -> None:
    assert {BODIES[t].delivery for t in HEARS} <= {Delivery.EVENT, Delivery.EPHEMERAL}


def test_secrets_do_not_show_in_what_is_printed_of_a_message() -> None:
    for type_ in ("hello", "welcome"):
        envelope = decode((GOLDEN / f"{type_}.json").read_text(encoding="utf-8"))
        assert isinstance(envelope, Envelope)
        shown = repr(envelope)
        for secret in ("v1.c2VzLTQy.8f3a", "q0Yw3nE5", "MmWy0eR", "c2VjcmV0"):
            assert secret not in shown


def test_the_limits_in_the_document_are_the_limits_in_the_code() -> None:
    assert f"{messages.MAX_MESSAGE_BYTES:,}".replace(",", " ") in DOCUMENT
    assert f"**, version {messages.VERSION}" in DOCUMENT or f"protocol, version {messages.VERSION}" in DOCUMENT
