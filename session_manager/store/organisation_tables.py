"""Tables of the door for partners' staff, and of mail addresses that are being checked; same metadata as `tables`."""

from __future__ import annotations

from sqlalchemy import Column, Double, ForeignKey, Integer, String, Table, Text

from session_manager.store.tables import metadata

_ID = String(64)
_HASH = String(64)


def _ref(target: str, *, primary: bool = False, index: bool = False) -> Column[str]:
    key = ForeignKey(target)
    return Column(target.split(".")[1], _ID, key, primary_key=primary, nullable=False, index=index)


def _at(name: str, *, nullable: bool = False) -> Column[float]:
    return Column(name, Double, nullable=nullable)


organisation_codes = Table(
    "organisation_codes",
    metadata,
    Column("code_id", _ID, primary_key=True),
    _ref("organisations.organisation_id", index=True),
    Column("code_hash", _HASH, nullable=False, unique=True),
    _at("created_at"),
    _at("expires_at"),
    Column("uses_left", Integer, nullable=False),
    _at("revoked_at", nullable=True),
)

organisation_entries = Table(
    "organisation_entries",
    metadata,
    Column("entry_id", _ID, primary_key=True),
    _ref("organisations.organisation_id", index=True),
    _ref("people.person_id", index=True),
    Column("device_hash", _HASH, nullable=False, index=True),
    Column("cookie_hash", _HASH, nullable=False),
    _at("first_at"),
    _at("opened_at"),
    _at("ended_at", nullable=True),
)
"""One person on one device. `cookie_hash`: of the login that is open there."""

mail_checks = Table(
    "mail_checks",
    metadata,
    _ref("people.person_id", primary=True),
    Column("code_hash", _HASH, nullable=False, unique=True),
    Column("mail", Text, nullable=False),
    _at("expires_at"),
)
"""An address becomes somebody's when its letter was opened: else one could take what others write to it."""
