"""What people and programs may send: pydantic at the edge, every text bounded."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from session_manager.errors import NotPossible
from session_manager.store import InvitationRole


def _tidy(text: str) -> str:
    """One line, composed letters, nothing that steers a terminal or turns the direction of writing."""
    text = unicodedata.normalize("NFC", text)
    if any(unicodedata.category(letter) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for letter in text):
        raise ValueError("must be one line without control characters")
    return text


Identifier = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_\-]+$")]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80), AfterValidator(_tidy)]
Secret = Annotated[str, Field(min_length=1, max_length=256, repr=False)]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]
Languages = Annotated[list[Language], Field(min_length=1, max_length=8)]


class Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _without_zero(cls, sent: object) -> object:
        """U+0000 is a letter to JSON and to SQLite, and to PostgreSQL none."""
        texts = sent.values() if isinstance(sent, dict) else ()
        if any("\0" in text for text in texts if isinstance(text, str)):
            raise ValueError("must not hold the letter U+0000")
        return sent


class Login(Form):
    name: Annotated[str, Field(min_length=1, max_length=200)]
    password: Annotated[str, Field(min_length=1, max_length=1024, repr=False)]


class NewFacility(Form):
    name: Name
    timezone: Annotated[str, Field(max_length=64)] = "Asia/Tokyo"


class NewRoom(Form):
    facility_id: Identifier
    name: Name


class NewBoardForm(Form):
    room_id: Identifier
    name: Name


class SiteForm(Form):
    """`name` left out: that of the room's facility."""

    name: Name | None = None
    room_id: Identifier | None = None
    languages: Languages = ["ja"]


class SessionForm(Form):
    """Times with an offset, or local ones of `timezone` (left out: that of the first room's facility)."""

    title: Name
    starts_at: AwareDatetime | datetime
    ends_at: AwareDatetime | datetime
    timezone: Annotated[str, Field(max_length=64)] | None = None
    sites: Annotated[list[SiteForm], Field(min_length=1, max_length=32)]
    confidential: bool = False


class InvitationForm(Form):
    """`uses` left out: as often as wanted; `expires_at` left out: an hour after the planned end."""

    role: InvitationRole = "participant"
    uses: Annotated[int, Field(ge=1, le=10_000)] | None = None
    expires_at: AwareDatetime | None = None


class Code(Form):
    code: Secret


class Join(Form):
    code: Secret
    display_name: Name
    language: Language = "ja"


class Again(Form):
    seat_key: Secret


Number = Annotated[int, Field(ge=0, lt=2**62)]
TrackName = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_\-]+$")]


class RecordForm(Form):
    on: bool


class SpoolForm(Form):
    """One stream that a board keeps: numbers from `first_sequence` up to before `next_sequence`."""

    session_id: Identifier
    name: TrackName
    epoch: Number
    first_sequence: Number
    next_sequence: Number
    end_sample: Number
    origin_at: Annotated[float, Field(ge=0.0, le=1e11, allow_inf_nan=False)]
    closed: bool
    missing: Annotated[tuple[tuple[Number, Number], ...], Field(max_length=200)] = ()
    placed_at: Annotated[float, Field(ge=0.0, le=1e11, allow_inf_nan=False)] | None = None
    within_s: Annotated[float, Field(ge=0.0, le=1e6, allow_inf_nan=False)] | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        at = self.first_sequence
        for first, after in self.missing:
            if not at <= first < after:
                raise ValueError("missing must be pairs within, sorted and apart")
            at = after
        if at > self.next_sequence:
            raise ValueError("first_sequence or missing lies behind next_sequence")
        return self


Seconds = Annotated[float, Field(ge=0.0, le=1e11, allow_inf_nan=False)]


class DiskForm(Form):
    level: Literal["ok", "near", "full"]
    at_risk_s: Seconds = 0.0
    room_s: Seconds | None = None
    lost_s: Seconds = 0.0


class SpoolsForm(Form):
    """`disk` left out: a board that says nothing of it."""

    streams: Annotated[list[SpoolForm], Field(max_length=64)]
    disk: DiskForm | None = None


ExportLanguage = Literal["ja", "en"]


def instant(given: datetime, zone: str) -> float:
    """UTC POSIX seconds. Raises NotPossible for a local time that the clock change leaves out."""
    if given.tzinfo is not None:
        return given.timestamp()
    found = given.replace(tzinfo=ZoneInfo(zone))
    if found.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) != given:
        raise NotPossible("That time does not exist on that day: the clocks are changed. Choose another one.")
    return found.timestamp()
