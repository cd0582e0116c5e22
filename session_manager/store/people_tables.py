"""Tables of people, their rights, notices and calendars; same metadata as `tables`.

`*_on` are ISO dates of the municipality's calendar, `*_at` UTC POSIX seconds, `*_hash` of secrets as in `tables`.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from session_manager.store.tables import metadata

_ID = String(64)
_HASH = String(64)


def _id(name: str) -> Column[str]:
    return Column(name, _ID, primary_key=True)


def _ref(target: str, name: str | None = None, *, nullable: bool = False, index: bool = False) -> Column[str]:
    return Column(name or target.split(".")[1], _ID, ForeignKey(target), nullable=nullable, index=index)


def _at(name: str, *, nullable: bool = False) -> Column[float]:
    return Column(name, Double, nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, Text, nullable=nullable)


def _home(*, nullable: bool = False) -> Column[str]:
    return _ref("municipalities.municipality_id", nullable=nullable, index=True)


account_scopes = Table(
    "account_scopes",
    metadata,
    Column("account_id", _ID, ForeignKey("accounts.account_id"), primary_key=True),
    _home(),
)

session_scopes = Table(
    "session_scopes",
    metadata,
    Column("session_id", _ID, ForeignKey("sessions.session_id"), primary_key=True),
    Column("municipality_id", _ID, ForeignKey("municipalities.municipality_id"), primary_key=True),
    _ref("groups.group_id", nullable=True),
)

people = Table(
    "people",
    metadata,
    _id("person_id"),
    _home(),
    _text("name"),
    _text("mail", nullable=True),
    _text("mail_key", nullable=True),
    _text("language"),
    _at("created_at"),
    Column("across_sea", Boolean, nullable=True),
    UniqueConstraint("municipality_id", "mail_key"),
)

organisations = Table(
    "organisations",
    metadata,
    _id("organisation_id"),
    _home(),
    _text("name"),
    _text("name_key"),
    _text("sector"),
    _at("created_at"),
    Column("across_sea", Boolean, nullable=False, server_default=false()),
    UniqueConstraint("municipality_id", "name_key"),
)

affiliations = Table(
    "affiliations",
    metadata,
    Column("person_id", _ID, ForeignKey("people.person_id"), primary_key=True),
    Column("organisation_id", _ID, ForeignKey("organisations.organisation_id"), primary_key=True),
    _at("since_at"),
)

levels = Table(
    "levels",
    metadata,
    Column("municipality_id", _ID, ForeignKey("municipalities.municipality_id"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    _text("name"),
    _text("criteria"),
    Column("benefits", JSON, nullable=False),
)

memberships = Table(
    "memberships",
    metadata,
    _id("membership_id"),
    _home(),
    _ref("people.person_id", nullable=True),
    _ref("organisations.organisation_id", nullable=True),
    Column("level", Integer, nullable=False),
    _at("since_at"),
    _at("ended_at", nullable=True),
    CheckConstraint("(person_id is null) <> (organisation_id is null)", name="one_party"),
)

steps = Table(
    "membership_steps",
    metadata,
    _id("step_id"),
    _ref("memberships.membership_id", index=True),
    Column("from_level", Integer, nullable=False),
    Column("to_level", Integer, nullable=False),
    _text("evidence"),
    _at("proposed_at"),
    _at("city_at", nullable=True),
    _text("city_by", nullable=True),
    _at("party_at", nullable=True),
    _text("party_by", nullable=True),
    _at("taken_at", nullable=True),
    _at("withdrawn_at", nullable=True),
)

agreements = Table(
    "agreements",
    metadata,
    _id("agreement_id"),
    _ref("organisations.organisation_id", index=True),
    _text("title"),
    _text("starts_on"),
    _text("ends_on", nullable=True),
    Column("benefits", JSON, nullable=False),
    Column("seats", Integer, nullable=True),
    CheckConstraint("ends_on is null or ends_on >= starts_on", name="order"),
)

grants = Table(
    "grants",
    metadata,
    _id("grant_id"),
    _ref("people.person_id", index=True),
    _home(),
    _text("role"),
    _at("granted_at"),
    _at("expires_at", nullable=True),
    UniqueConstraint("person_id", "municipality_id", "role"),
)

groups = Table(
    "groups",
    metadata,
    _id("group_id"),
    _home(),
    _text("name"),
    Column("referral_only", Boolean, nullable=False),
    Column("second_approval", Boolean, nullable=False),
    _at("created_at"),
)

group_members = Table(
    "group_members",
    metadata,
    _id("group_member_id"),
    _ref("groups.group_id", index=True),
    _ref("people.person_id", index=True),
    _text("role"),
    _ref("people.person_id", "referrer_id", nullable=True),
    _at("joined_at"),
    _at("left_at", nullable=True),
)
Index(
    "ix_group_members_present",
    group_members.c.group_id,
    group_members.c.person_id,
    unique=True,
    sqlite_where=group_members.c.left_at.is_(None),
    postgresql_where=group_members.c.left_at.is_(None),
)

join_requests = Table(
    "join_requests",
    metadata,
    _id("request_id"),
    _ref("groups.group_id", index=True),
    _ref("people.person_id"),
    _ref("people.person_id", "referrer_id", nullable=True),
    _text("message"),
    _text("state"),
    _at("asked_at"),
    _at("vouched_at", nullable=True),
    _at("decided_at", nullable=True),
    _text("decided_by", nullable=True),
)

login_links = Table(
    "login_links",
    metadata,
    Column("code_hash", _HASH, primary_key=True),
    _ref("people.person_id", index=True),
    _at("expires_at"),
)

class_codes = Table(
    "class_codes",
    metadata,
    _id("class_code_id"),
    Column("code_hash", _HASH, nullable=False, unique=True),
    _ref("groups.group_id", index=True),
    _at("expires_at"),
    Column("uses_left", Integer, nullable=False),
    _at("revoked_at", nullable=True),
)

person_logins = Table(
    "person_logins",
    metadata,
    Column("cookie_hash", _HASH, primary_key=True),
    _ref("people.person_id", nullable=True, index=True),
    _ref("class_codes.class_code_id", nullable=True, index=True),
    _text("display_name", nullable=True),
    _at("opened_at"),
    _at("expires_at"),
)

openid_tries = Table(
    "openid_tries",
    metadata,
    Column("state_hash", _HASH, primary_key=True),
    _text("provider"),
    _text("verifier"),
    _text("nonce"),
    _text("next_path"),
    _at("expires_at"),
)

external_identities = Table(
    "external_identities",
    metadata,
    Column("issuer", String(255), primary_key=True),
    Column("subject", String(255), primary_key=True),
    _ref("people.person_id", index=True),
)

api_tokens = Table(
    "api_tokens",
    metadata,
    _id("token_id"),
    Column("token_hash", _HASH, nullable=False, unique=True),
    _text("name"),
    _ref("people.person_id", nullable=True, index=True),
    _ref("accounts.account_id", nullable=True, index=True),
    Column("actions", JSON, nullable=False),
    _at("created_at"),
    _at("expires_at"),
    _at("revoked_at", nullable=True),
    _at("used_at", nullable=True),
)

audit = Table(
    "audit",
    metadata,
    Column("number", Integer, primary_key=True),
    _at("happened_at"),
    _home(nullable=True),
    _text("role"),
    _text("actor", nullable=True),
    _text("action"),
    _text("target"),
    _text("outcome"),
)

feeds = Table(
    "calendar_feeds",
    metadata,
    _id("feed_id"),
    Column("secret_hash", _HASH, nullable=False, unique=True),
    _home(),
    _text("kind"),
    _text("subject_id"),
    _at("created_at"),
    _at("revoked_at", nullable=True),
)

imported_entries = Table(
    "imported_entries",
    metadata,
    Column("source", String(255), primary_key=True),
    Column("municipality_id", _ID, ForeignKey("municipalities.municipality_id"), primary_key=True),
    Column("uid", String(255), primary_key=True),
    Column("recurrence", String(64), primary_key=True),
    Column("entry", JSON, nullable=False),
    _at("imported_at"),
)

answers = Table(
    "calendar_answers",
    metadata,
    Column("uid", String(255), primary_key=True),
    Column("recurrence", String(64), primary_key=True),
    Column("attendee", String(255), primary_key=True),
    _text("status"),
    Column("sequence", Integer, nullable=False),
    _at("stamped_at"),
)

outbox = Table(
    "outbox",
    metadata,
    _id("notice_id"),
    Column("cause", String(255), nullable=False, unique=True),
    _home(nullable=True),
    _text("message_id"),
    _text("recipient"),
    _text("subject"),
    _text("body"),
    _text("calendar", nullable=True),
    _text("method", nullable=True),
    _text("state"),
    Column("attempts", Integer, nullable=False),
    _at("next_at"),
    _at("created_at"),
    _at("sent_at", nullable=True),
    _text("failure", nullable=True),
    Index("ix_outbox_due", "state", "next_at"),
)
