"""What people may send about themselves and their own bookings. Who they are is never part of it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from session_manager.booking import Kind
from session_manager.series import Mode
from session_manager.web.booking_forms import LocalTime, PlacesForm, Yen, Zone
from session_manager.web.forms import Form, Identifier, Language, Name, Secret
from session_manager.web.people_forms import Mail

People = Annotated[int, Field(ge=1, le=10_000)]


class OwnBookingForm(Form):
    """As `BookingForm` of the office, without a holder: that is always who asks. `wait`: onto the waiting list."""

    title: Name
    kind: Kind = "plain"
    starts: LocalTime
    ends: LocalTime
    zone: Zone | None = None
    places: Annotated[PlacesForm, Field(max_length=8)]
    people: People = 1
    mode: Mode = "in_person"
    languages: Annotated[tuple[Language, ...], Field(min_length=1, max_length=8)] = ("ja",)
    link: Annotated[str, StringConstraints(max_length=500, pattern=r"^(https://[^\s]+)?$")] = ""
    pass_code: Annotated[str, Field(max_length=256, repr=False)] = ""
    accepted_yen: Yen = 0
    wait: bool = False


class OwnQuoteForm(OwnBookingForm):
    """`but`: the booking of mine that is to become this. It keeps its kind and its zone, and is not in its way."""

    but: Identifier | None = None


class LateForm(Form):
    minutes: Annotated[int, Field(ge=5, le=120)]


class ProfileForm(Form):
    """Left out: unchanged."""

    name: Name | None = None
    language: Literal["ja", "en"] | None = None


class OwnMailForm(Form):
    """Empty: no letters any more."""

    mail: Mail | Literal[""]


class OrganisationCodeForm(Form):
    uses: Annotated[int, Field(ge=1, le=1000)] = 50
    days: Annotated[int, Field(ge=1, le=366)] = 90


class EnterOrganisation(Form):
    """The code as the office gave it, and by which name one is called here."""

    code: Secret
    name: Name
