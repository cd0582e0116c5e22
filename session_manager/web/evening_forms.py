"""What people may send about evenings: the question, tables, words at the door, the harvest, the report."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from session_manager.consent import Level
from session_manager.evening_records import How, NewItem, SeatedTable
from session_manager.report import ItemKind
from session_manager.web.forms import Form, Identifier, Name

Prose = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Known = Annotated[list[Identifier], Field(max_length=1000)]


class QuestionForm(Form):
    words: Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)]
    why: Prose = ""
    known: Prose = ""
    owner_id: Identifier | None = None


class CheckForm(Form):
    """`version`: of the words that were read."""

    version: Annotated[int, Field(ge=0, le=1_000_000)]


class LevelForm(Form):
    level: Level
    publish_from: Annotated[Level, Field(ge=2)] = Level.TURNS


class ProposeForm(Form):
    """`remote_ids`: who takes part from afar. `seed` left out: a new one."""

    per_table: Annotated[int, Field(ge=2, le=50)] = 5
    seed: Annotated[str, StringConstraints(max_length=40, pattern=r"^[A-Za-z0-9\-]*$")] = ""
    remote_ids: Annotated[list[Identifier], Field(max_length=1000, default_factory=list)]


class TableForm(Form):
    person_ids: Known
    board: bool = False


class TablesForm(Form):
    tables: Annotated[list[TableForm], Field(max_length=200)]


class PersonForm(Form):
    person_id: Identifier


class ComeInForm(PersonForm):
    """`listens`: says nothing today."""

    level: Level
    listens: bool = False
    how: How = "in_person"


class OwnWordForm(Form):
    level: Level
    listens: bool = False
    how: How = "in_person"


class ItemForm(Form):
    """`said_yes`: its speaker was asked and agreed that it becomes public."""

    kind: ItemKind
    words: Line
    person_id: Identifier | None = None
    due_on: date | None = None
    said_yes: bool = False


class ItemName(Form):
    item_id: Identifier


class RewordForm(ItemName):
    words: Line


class AnswerForm(ItemName):
    yes: bool


class FinishForm(ItemName):
    done: bool = True


class ReportForm(Form):
    """`left_out`: items that are not to appear, whatever their speakers said."""

    title: Name
    opening: Prose = ""
    left_out: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=500, default_factory=list)]


class ChoiceForm(PersonForm):
    state: Literal["placed", "waiting"]


class DrawForm(Form):
    """`seed` left out: a new one is made, kept and shown."""

    seed: Annotated[str, StringConstraints(max_length=40, pattern=r"^[A-Za-z0-9\-]*$")] = ""


def tables(form: TablesForm) -> list[SeatedTable]:
    return [SeatedTable(tuple(one.person_ids), one.board) for one in form.tables]


def item(form: ItemForm) -> NewItem:
    due = None if form.due_on is None else form.due_on.isoformat()
    return NewItem(form.kind, form.words, form.person_id, due, form.said_yes)
