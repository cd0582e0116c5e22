"""People, organisations, groups and their doors as plain values. Instants (`*_at`) are UTC POSIX seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

RequestState = Literal["asked", "vouched", "joined", "declined", "withdrawn"]
GroupRole = Literal["facilitator", "teacher", "member", "guest"]
GrantRole = Literal["administrator", "staff", "facilitator", "teacher", "member", "partner_staff"]


@dataclass(frozen=True, slots=True)
class Municipality:
    municipality_id: str
    name: str
    timezone: str


@dataclass(frozen=True, slots=True)
class Person:
    """`language`: of letters to this person. `across_sea`: comes by boat; None: as their organisation does."""

    person_id: str
    municipality_id: str
    name: str
    mail: str | None
    language: str
    across_sea: bool | None = None


@dataclass(frozen=True, slots=True)
class Organisation:
    """`across_sea`: its people come by boat."""

    organisation_id: str
    municipality_id: str
    name: str
    sector: str
    across_sea: bool = False


@dataclass(frozen=True, slots=True)
class Membership:
    """Of one person or one organisation (the other is None)."""

    membership_id: str
    municipality_id: str
    person_id: str | None
    organisation_id: str | None
    level: int
    since_at: float
    ended_at: float | None


@dataclass(frozen=True, slots=True)
class Grant:
    grant_id: str
    person_id: str
    municipality_id: str
    role: str
    expires_at: float | None


@dataclass(frozen=True, slots=True)
class Group:
    """`referral_only`: nobody enters without a member who vouched. `second_approval`: and a host who agreed."""

    group_id: str
    municipality_id: str
    name: str
    referral_only: bool
    second_approval: bool


@dataclass(frozen=True, slots=True)
class GroupMember:
    """`referrer_id`: who brought this person; None for the first ones, whom the office put in."""

    group_id: str
    person_id: str
    name: str
    role: str
    referrer_id: str | None
    joined_at: float


@dataclass(frozen=True, slots=True)
class JoinRequest:
    request_id: str
    group_id: str
    person_id: str
    referrer_id: str | None
    message: str
    state: RequestState
    asked_at: float
    vouched_at: float | None


@dataclass(frozen=True, slots=True)
class Standing:
    """Who a login or token is, and every role that holds now: `groups` maps each group to the role in it."""

    person: Person | None
    municipality_id: str
    grants: tuple[str, ...]
    groups: tuple[tuple[str, str], ...]
    subject: str


@dataclass(frozen=True, slots=True)
class ClassCode:
    class_code_id: str
    group_id: str
    expires_at: float
    uses_left: int


@dataclass(frozen=True, slots=True)
class ApiToken:
    token_id: str
    name: str
    person_id: str | None
    account_id: str | None
    actions: tuple[str, ...]
    expires_at: float
    used_at: float | None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to what. Identifiers only; `outcome`: done, or the code of the refusal."""

    number: int
    happened_at: float
    municipality_id: str | None
    role: str
    actor: str | None
    action: str
    target: str
    outcome: str


@dataclass(frozen=True, slots=True)
class OpenIdTry:
    """One way out to a provider that has not come back yet."""

    provider: str
    verifier: str
    nonce: str
    next_path: str


@dataclass(frozen=True, slots=True)
class Feed:
    """`kind`: person, room or public; `subject_id`: of that person, room or municipality."""

    feed_id: str
    municipality_id: str
    kind: Literal["person", "room", "public"]
    subject_id: str
    created_at: float


@dataclass(frozen=True, slots=True)
class Secret:
    """`secret` is shown this once; only its hash is kept."""

    identifier: str
    secret: str
