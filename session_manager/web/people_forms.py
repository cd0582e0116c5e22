"""What may be sent about people, groups and calendars."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from session_manager.access import Action
from session_manager.people import GrantRole, GroupRole
from session_manager.web.forms import Form, Identifier, Name, Secret

Mail = Annotated[
    str, StringConstraints(max_length=254, pattern=r"^[^@\s<>\"(),:;\[\]\\\x00-\x1f\x7f]{1,64}@[A-Za-z0-9.\-]{1,189}$")
]
Words = Annotated[list[Annotated[str, StringConstraints(pattern=r"^[a-z0-9_.\-]{1,40}$")]], Field(max_length=40)]
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)]
Zone = Annotated[str, Field(max_length=64)]


class NewMunicipality(Form):
    name: Name
    timezone: Zone = "Asia/Tokyo"


class NewPerson(Form):
    name: Name
    mail: Mail | None = None
    language: Literal["ja", "en"] = "ja"


class NewOrganisation(Form):
    name: Name
    sector: Annotated[str, Field(max_length=80)] = ""


class PersonRef(Form):
    person_id: Identifier


class LevelForm(Form):
    name: Name
    criteria: Note = ""
    benefits: Words = Field(default_factory=list)


class Ladder(Form):
    levels: Annotated[list[LevelForm], Field(min_length=1, max_length=12)]


class NewMembership(Form):
    person_id: Identifier | None = None
    organisation_id: Identifier | None = None


class NewStep(Form):
    to_level: Annotated[int, Field(ge=0, le=12)]
    evidence: Note = ""


class Confirmation(Form):
    side: Literal["city", "party"]


class NewAgreement(Form):
    organisation_id: Identifier
    title: Name
    starts_on: date
    ends_on: date | None = None
    benefits: Words = Field(default_factory=list)


class NewGrant(Form):
    role: GrantRole
    expires_at: AwareDatetime | None = None


class NewGroup(Form):
    name: Name
    referral_only: bool = False
    second_approval: bool = False


class PutIn(Form):
    person_id: Identifier
    role: GroupRole = "member"


class Ask(Form):
    """`referrer_id`: the member who knows the one who asks."""

    referrer_id: Identifier | None = None
    message: Note = ""


class Decision(Form):
    accept: bool


class NewClassCode(Form):
    uses: Annotated[int, Field(ge=1, le=500)] = 40
    hours: Annotated[int, Field(ge=1, le=24 * 200)] = 12


class MailForm(Form):
    mail: Mail


class EnterClass(Form):
    code: Secret
    display_name: Name


class NewToken(Form):
    name: Name
    actions: Annotated[list[Action], Field(min_length=1, max_length=60)]
    days: Annotated[int, Field(ge=1, le=366)] = 90


class Address(Form):
    url: Annotated[str, Field(min_length=1, max_length=2000)]
