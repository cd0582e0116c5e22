"""What a panel, a phone at a door and the office may send about doors and classes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from session_manager.panel import ReportKind
from session_manager.web.booking_forms import Yen
from session_manager.web.forms import Form, Identifier, Name, Secret

Face = Literal[1, 2, 3]


class NewPanelForm(Form):
    room_id: Identifier
    name: Name


class KeyForm(Form):
    key: Secret


class UseForm(Form):
    """`request_key`: made up by the panel; sent again after a lost answer it does nothing twice."""

    minutes: Annotated[int, Field(ge=5, le=240)]
    accepted_yen: Yen = 0
    request_key: Identifier


class TouchForm(Form):
    """`person_id` left out: somebody came, no name is said."""

    person_id: Identifier | None = None


class StayForm(Form):
    minutes: Literal[15, 30]
    request_key: Identifier


class ReportForm(Form):
    kind: ReportKind


class DoorForm(Form):
    code: Secret


class DoorTouchForm(Form):
    """`booking_id` left out: whoever is signed in checks in to their own."""

    code: Secret
    booking_id: Identifier | None = None
    person_id: Identifier | None = None


class PupilForm(Form):
    person_id: Identifier
    came: bool = True


class SheetForm(Form):
    """Three questions, three choices each: 1 the best."""

    answers: Annotated[list[Face], Field(min_length=3, max_length=3)]


class DevicesForm(Form):
    microphone: bool | None = None
    speaker: bool | None = None
    camera: bool | None = None
